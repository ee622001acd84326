"""Wayland's security context with a compositor that has it: sway of Debian 13, from a directory that holds that system.

SBOX_TRIXIE names the directory; `make check-compositor` makes it.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import subprocess
from collections.abc import Iterator

from desktop import SWAY
from harness import SystemTest, descendants, processes, read_process, wait_for

ROOT = pathlib.Path(os.environ.get("SBOX_TRIXIE", "/nonexistent"))
# What lets a client see, record or drive what is not its own.
PRIVILEGED = (
    "zwlr_screencopy_manager_v1",
    "zwlr_data_control_manager_v1",
    "zwp_virtual_keyboard_manager_v1",
    "zwlr_virtual_pointer_manager_v1",
    "zwlr_layer_shell_v1",
    "zwlr_foreign_toplevel_manager_v1",
    "zwp_input_method_manager_v2",
    "ext_session_lock_manager_v1",
    "wp_security_context_manager_v1",
)
SHOWN = ("-s", "display.wayland=yes", "-s", "display.x11=no")


class SecurityContext(SystemTest):
    @contextlib.contextmanager
    def compositor(self) -> Iterator[dict[str, str]]:
        runtime = f"/run/user/{self.account.uid}"
        config = self.account.file(self.account.runtime / "sway.conf", SWAY)
        argv = ["bwrap", "--bind", str(ROOT), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run"]
        argv += ["--bind", str(self.account.runtime), runtime, "--setenv", "XDG_RUNTIME_DIR", runtime]
        argv += ["--setenv", "SWAYSOCK", f"{runtime}/sway.sock", "--", "sway", "-c", f"{runtime}/{config.name}"]
        env = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1"}
        daemon = self.account.daemon(argv, env)
        try:
            wait_for((self.account.runtime / "sway.sock").exists, what="sway")
            socket = wait_for(lambda: [p for p in self.account.runtime.glob("wayland-*") if p.is_socket()], what="wayland")[0]
            yield {"WAYLAND_DISPLAY": socket.name, "SWAYSOCK": str(self.account.runtime / "sway.sock")}
        finally:
            self.account.stop(daemon)
            for left in [*self.account.runtime.glob("wayland-*"), self.account.runtime / "sway.sock"]:
                left.unlink(missing_ok=True)

    def offered(self, listing: str) -> set[str]:
        return set(re.findall(r"interface: '(\w+)'", listing))

    def test_the_program_is_offered_nothing_of_other_clients(self) -> None:
        with self.compositor() as env:
            outside = self.offered(self.account.run(["wayland-info"], env).out)
            self.assertEqual(set(PRIVILEGED) - outside, set(), "the control")
            inside = self.sbox(*SHOWN, "--", "wayland-info", env=env)
            self.assertEqual(inside.status, 0, inside)
            self.assertEqual(set(PRIVILEGED) & self.offered(inside.out), set())
            self.assertLessEqual({"wl_compositor", "wl_shm", "xdg_wm_base", "wl_seat"}, self.offered(inside.out))

    def test_the_host_s_socket_is_not_in_the_sandbox(self) -> None:
        with self.compositor() as env:
            script = "ls -d /run/user/*/wayland-*; cat /proc/self/mountinfo | grep -c wayland; true"
            self.assertEqual(self.inside(script, *SHOWN, env=env), f"/run/user/{self.account.uid}/wayland-0\n0\n")

    def test_a_program_shows_its_window_and_can_take_no_picture(self) -> None:
        with self.compositor() as env:
            child = self.start(*SHOWN, "--", "foot", "--title", "confined", env=env, stderr=subprocess.DEVNULL)
            wait_for(lambda: '"confined"' in self.account.run(["swaymsg", "-t", "get_tree"], env).out, 30, "the window")
            picture = self.work / "outside.png"
            self.assertEqual(self.account.run(["grim", str(picture)], env).status, 0)
            self.artefact("security-context.png").write_bytes(picture.read_bytes())
            taken = self.sbox(*SHOWN, "--", "grim", "-", env=env)
            self.assertNotEqual(taken.status, 0)
            self.assertIn("screencopy", taken.err)
            helpers = [pid for pid in descendants(child.pid) if read_process(pid, "comm").strip() == "sbox-wayland"]
            self.assertEqual(len(helpers), 1)
            child.terminate()
            child.wait(20)
            left = [pid for pid in processes() if read_process(pid, "comm").strip() == "sbox-wayland" and self.owns(pid)]
            self.assertEqual(left, [])

    def owns(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return os.stat(f"/proc/{pid}").st_uid == self.account.uid
        return False

    def test_explain_says_so(self) -> None:
        with self.compositor() as env:
            page = self.sbox("explain", "default", env=env)
            self.assertIn("the compositor hides", " ".join(page.out.split()))
