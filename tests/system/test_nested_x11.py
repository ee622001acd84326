"""x11 = nested: an X server of the sandbox's own in a window of the session, and nothing else of that."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator

from desktop import Display, display, wayland
from harness import SystemTest, processes, read_process, wait_for

NESTED = ("-s", "display.x11=nested", "-s", "display.wayland=no")
RED = (255, 0, 0)
TREE = ["xwininfo", "-root", "-tree"]
# Paints its screen, shows a window, says so, and goes on until its input ends. (Xephyr shows nothing without a client.)
PAINT = "xsetroot -solid red && xeyes & xwininfo -root >/dev/null && echo painted && cat >/dev/null; kill $!; true"


class NestedX11(SystemTest):
    @contextlib.contextmanager
    def running(self, script: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        child = self.start(*NESTED, "--", "sh", "-c", script, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin and child.stdout
        with child.stdin, child.stdout:
            yield child
            child.stdin.close()
            self.assertEqual(child.wait(20), 0)

    def servers(self, name: str) -> list[int]:
        """The servers of this account that are no session's."""
        return [pid for pid in processes() if read_process(pid, "comm").strip() == name and self.is_ours(pid)]

    def is_ours(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return os.stat(f"/proc/{pid}").st_uid == self.account.uid
        return False

    def line(self, child: subprocess.Popen[bytes]) -> str:
        assert child.stdout
        return child.stdout.readline().decode().strip()

    def canary(self, screen: Display) -> None:
        """A window of the session."""
        self.account.daemon(["xeyes", "-name", "canary"], screen.env)
        screen.wait_for_window("canary")

    def test_the_program_is_shown_in_a_window_and_sees_nothing_else(self) -> None:
        with display(self.account, manager=False) as screen:
            self.canary(screen)
            control = self.sbox("-s", "display.x11=yes", "--", *TREE, env=screen.env)
            self.assertIn("canary", control.out)
            inside = self.sbox(*NESTED, "--", *TREE, env=screen.env)
            self.assertEqual(inside.status, 0, inside)
            self.assertNotIn("canary", inside.out)
            with self.running(PAINT, screen.env) as child:
                self.assertEqual(self.line(child), "painted")
                screen.wait_for_window("sbox: default")
                screen.wait_for_colour(RED, 500_000)
                screen.save(self.artefact("nested-x11.png"))
                self.assertEqual(len(self.servers("Xephyr")), 1)
            wait_for(lambda: not screen.window("sbox: default"), what="the window is gone")
            self.assertEqual(self.servers("Xephyr"), [])

    def test_keys_screen_and_selections_of_the_session_are_out_of_reach(self) -> None:
        from test_attack_desktop import ABILITIES, SPY

        with display(self.account, manager=False) as screen:
            listing = self.account.run(["xauth", "-f", screen.env["XAUTHORITY"], "list"]).out
            cookie = re.search(rf":{screen.number}\s+\S+\s+([0-9a-f]+)", listing)
            assert cookie
            spy = ["/usr/bin/python3", "-I", "-S", "-c", SPY, screen.number, cookie[1]]
            control = json.loads(self.sbox("-s", "display.x11=yes", "--", *spy, env=screen.env).out)
            self.assertEqual([word for word, _ in control], list(ABILITIES))
            # Even with the real cookie.
            self.assertEqual(json.loads(self.sbox(*NESTED, "--", *spy, env=screen.env).out), [])
            typed = self.sbox(*NESTED, "--", "sh", "-c", "xdotool key a && import -window root png:- | head -c 4", env=screen.env)
            self.assertEqual(typed.raw[1:], b"PNG", typed)

    def test_the_clipboard_crosses_only_by_the_hand_of_the_user(self) -> None:
        """As the manual says: a program that joins takes what the user hands it, and hands out what he asks for."""
        copy, paste = ["xclip", "-i", "-selection", "clipboard"], ["xclip", "-o", "-selection", "clipboard"]
        with display(self.account, manager=False) as screen:
            owner = ["sh", "-c", f"printf 'of the session' | {shlex.join(copy)} -quiet"]
            self.account.daemon(owner, screen.env)
            wait_for(lambda: self.account.run(paste, screen.env).out == "of the session", what="the session's clipboard")
            script = f"xeyes & echo ready; read line; {shlex.join(paste)}; echo; printf 'of the program' | {shlex.join(copy)}"
            script += "; echo copied; cat >/dev/null; kill $!"
            with self.running(script, screen.env) as child:
                self.assertEqual(self.line(child), "ready")
                assert child.stdin
                before = self.sbox("join", "default", "--", *paste, env=screen.env)
                self.assertNotIn("of the session", before.out)
                handed = self.sbox("join", "default", "--", *copy, env=screen.env, data=b"of the session")
                self.assertEqual(handed.status, 0, handed)
                child.stdin.write(b"\n")
                child.stdin.flush()
                self.assertEqual(self.line(child), "of the session")
                self.assertEqual(self.line(child), "copied")
                self.assertEqual(self.account.run(paste, screen.env).out, "of the session")
                self.assertEqual(self.sbox("join", "default", "--", *paste, env=screen.env).out, "of the program")

    def test_a_window_manager_can_be_joined(self) -> None:
        """As the manual says; it gives the program's windows their frames."""
        with display(self.account, manager=False) as screen:
            script = "xeyes & until xwininfo -name xeyes >/dev/null 2>&1; do sleep 0.1; done; echo ready; "
            script += "while read line; do xprop -name xeyes _NET_FRAME_EXTENTS; done; kill $!"
            with self.running(script, screen.env) as child:
                self.assertEqual(self.line(child), "ready")
                assert child.stdin

                def frame() -> str:
                    child.stdin.write(b"\n")  # type: ignore[union-attr]
                    child.stdin.flush()  # type: ignore[union-attr]
                    return self.line(child)

                self.assertNotIn("=", frame())
                manager = self.start("join", "default", "--", "openbox", env=screen.env, stdin=subprocess.DEVNULL)
                wait_for(lambda: re.search(r"= [1-9]", frame()), what="a frame")
            self.assertNotEqual(manager.wait(10), None)

    def test_its_screen_follows_the_window(self) -> None:
        with display(self.account, manager=False) as screen:
            script = 'xeyes & echo ready; while read line; do xwininfo -root | grep geometry; done; kill $!'
            with self.running(script, screen.env) as child:
                self.assertEqual(self.line(child), "ready")
                window = screen.wait_for_window("sbox: default")
                screen.tool("xdotool", "windowsize", "--sync", window, "640", "480")
                assert child.stdin

                def geometry() -> bool:
                    child.stdin.write(b"\n")  # type: ignore[union-attr]
                    child.stdin.flush()  # type: ignore[union-attr]
                    return "640x480" in self.line(child)

                wait_for(geometry, what="the size of the window")

    def test_without_its_server_there_is_no_other(self) -> None:
        with display(self.account, manager=False) as screen:
            script = f"{' '.join(TREE)} >/dev/null && echo up; read line; {' '.join(TREE)} 2>/dev/null || echo gone"
            with self.running(script, screen.env) as child:
                self.assertEqual(self.line(child), "up")
                (server,) = self.servers("Xephyr")
                os.kill(server, 9)
                wait_for(lambda: not self.servers("Xephyr"))
                assert child.stdin
                child.stdin.write(b"\n")
                child.stdin.flush()
                self.assertEqual(self.line(child), "gone")

    def test_the_server_sees_nothing_of_the_home(self) -> None:
        with display(self.account, manager=False) as screen, self.running(PAINT, screen.env) as child:
            self.assertEqual(self.line(child), "painted")
            (server,) = self.servers("Xephyr")
            seen = set(os.listdir(f"/proc/{server}/root"))
            self.assertEqual(seen & {"home", "root", "var", "sys", "proc", "srv", "mnt"}, set())
            status = read_process(server, "status")
            self.assertRegex(status, r"CapEff:\s0{16}\n")
            self.assertRegex(status, r"CapBnd:\s0{16}\n")
            self.assertRegex(status, r"NoNewPrivs:\s1\n")
            self.assertRegex(status, r"Seccomp:\s2\n")

    def test_under_wayland_it_is_a_window_of_the_compositor(self) -> None:
        with wayland(self.account) as session:
            inside = self.sbox(*NESTED, "--", "sh", "-c", "xwininfo -root && echo wayland=$WAYLAND_DISPLAY", env=session)
            self.assertEqual(inside.status, 0, inside)
            self.assertIn("wayland=\n", inside.out)
            with self.running(PAINT, session) as child:
                self.assertEqual(self.line(child), "painted")
                tree = ["swaymsg", "-t", "get_tree"]
                (server,) = self.servers("Xwayland")
                wait_for(lambda: f'"pid": {server},' in self.account.run(tree, session).out, what="the window")
            self.assertEqual(self.servers("Xwayland"), [])
