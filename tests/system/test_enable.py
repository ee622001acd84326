"""Desktop entries that start programs through sbox, and real launchers that read them; errors as notifications."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shlex
import signal
import stat
import subprocess
import unittest

from account import SBOX, Result
from desktop import display, monitored, session_bus
from harness import SystemTest, namespace, running, wait_for

ENTRY = """[Desktop Entry]
Type=Application
Name={name}
Exec={command}
"""
SERVICE = """[D-BUS Service]
Name={name}
Exec={command}
SystemdService=none.service
"""
# A program that no profile names, told apart by its argument.
SLEEP = "/usr/bin/sleep 4713.25"


def tree(directory: pathlib.Path) -> dict[str, tuple[int, bytes]]:
    """Everything below a directory: mode and content."""
    found = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        content = b""
        if stat.S_ISLNK(status.st_mode):
            content = os.readlink(path).encode()
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        found[str(path.relative_to(directory))] = (status.st_mode, content)
    return found


def unescaped(value: str) -> str:
    return value.replace("\\\\", "\\").replace("\\n", "\n")


def inside(pid: int) -> bool:
    """Whether the process is in mount, user and pid namespaces of its own."""
    return all(namespace(pid, kind) != namespace("self", kind) for kind in ("mnt", "user", "pid"))


class EntryTest(SystemTest):
    """A user with a home, and a machine with the entries that a test puts into self.share."""

    def setUp(self) -> None:
        super().setUp()
        self.home = self.directory("home", 0o700)
        self.share = self.directory("share")
        self.own = self.home / ".local/share/applications"
        self.env = {"HOME": str(self.home), "XDG_DATA_DIRS": str(self.share)}

    def entry(self, name: str, command: str, more: str = "") -> pathlib.Path:
        path = self.share / "applications" / f"{name}.desktop"
        return self.account.file(path, ENTRY.format(name=name, command=command) + more)

    def service(self, name: str, command: str) -> pathlib.Path:
        return self.account.file(
            self.share / "dbus-1/services" / f"{name}.service", SERVICE.format(name=name, command=command)
        )

    def run_sbox(self, *arguments: str, status: int = 0, env: dict[str, str] | None = None) -> Result:
        result = self.sbox(*arguments, env=self.env | (env or {}))
        self.assertEqual(result.status, status, result)
        return result

    def state(self, name: str) -> str:
        listed = json.loads(self.run_sbox("enable", "--list", "--json").out)
        return next((entry["state"] for entry in listed if entry["id"] == name), "")

    def commands(self, path: pathlib.Path) -> list[str]:
        return [line.removeprefix("Exec=") for line in path.read_text().splitlines() if line.startswith("Exec=")]


class Files(EntryTest):
    def test_columns_of_the_list_are_those_of_a_terminal(self) -> None:
        for name in ("mü", "n" * 60, "mu"):
            self.entry(name, "xterm")
        lines = self.run_sbox("enable", "--list").out.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual({line.rindex("xterm") for line in lines}, {len("available") + 2 + 60 + 2})

    def test_every_entry_of_this_machine_is_valid_and_undone_without_a_trace(self) -> None:
        env = self.env | {"XDG_DATA_DIRS": "/usr/local/share:/usr/share"}
        self.account.file(self.own / "vlc.desktop", ENTRY.format(name="mine", command="vlc --mine %U"))
        self.account.file(self.home / ".local/share/dbus-1/empty")
        before = tree(self.home)
        self.run_sbox("enable", "--all", "--shims", env=env)
        written = [path for path in self.own.glob("*.desktop")]
        self.assertIn("firefox-esr.desktop", [path.name for path in written])
        for path in written:
            with self.subTest(entry=path.name):
                original = pathlib.Path("/usr/share/applications") / path.name
                valid = self.account.run(["desktop-file-validate", str(original)])
                result = self.account.run(["desktop-file-validate", str(path)])
                self.assertEqual(result.status, valid.status, result)
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o644)
                for command in self.commands(path):
                    self.assertTrue(command.startswith(f"{SBOX} run --notify -- "), command)
        self.assertIn("vlc --mine %U", self.commands(self.own / "vlc.desktop")[0])
        self.assertEqual(self.state("vlc"), "enabled")
        self.assertEqual(stat.S_IMODE((self.home / ".local/bin/mousepad").stat().st_mode), 0o755)
        self.run_sbox("disable", "--all", env=env)
        self.assertEqual(tree(self.home), before)

    def test_a_home_without_any_directory_is_empty_again(self) -> None:
        self.entry("org.test.One", "mousepad %F")
        self.service("org.test.One", SLEEP)
        self.entry("two", "/usr/bin/mousepad")
        self.run_sbox("enable", "mousepad", "--shims")
        made = {".local/bin/mousepad", ".local/share/dbus-1/services/org.test.One.service"}
        self.assertTrue(made <= set(tree(self.home)))
        self.run_sbox("disable", "org.test.One.desktop")
        self.assertTrue((self.home / ".local/bin/mousepad").exists(), "the other entry needs it")
        self.run_sbox("disable", "two")
        self.assertEqual(tree(self.home), {})

    def test_an_update_of_the_original_is_told_and_taken_over(self) -> None:
        original = self.entry("a", SLEEP)
        self.run_sbox("enable", "a")
        self.assertEqual(self.state("a"), "enabled")
        self.entry("a", SLEEP + " --new")
        self.assertEqual(self.state("a"), "stale")
        self.run_sbox("enable", "a")
        self.assertEqual(self.state("a"), "enabled")
        self.assertIn("--new", self.commands(self.own / "a.desktop")[0])
        original.unlink()
        self.assertEqual(self.state("a"), "gone")
        self.run_sbox("enable", "a", status=125)
        self.run_sbox("disable", "a")
        self.assertEqual(tree(self.home), {})

    def test_enabling_twice_is_enabling_once(self) -> None:
        self.account.file(self.own / "a.desktop", ENTRY.format(name="mine", command=SLEEP))
        self.run_sbox("enable", "a")
        once = tree(self.home)
        self.run_sbox("enable", "a")
        self.assertEqual(tree(self.home), once)

    def test_what_starts_sbox_is_not_wrapped(self) -> None:
        self.entry("a", f"{SBOX} run -- {SLEEP}")
        self.run_sbox("enable", "a")
        self.assertEqual(tree(self.home), {})
        self.assertEqual(self.state("a"), "wrapped")

    def test_what_is_there_and_not_sbox_s_is_never_overwritten(self) -> None:
        self.entry("a", "mousepad")
        shim = self.account.file(self.home / ".local/bin/mousepad", "#!/bin/sh\necho mine\n", 0o755)
        self.run_sbox("enable", "a", "--shims", status=125)
        self.assertEqual(shim.read_text(), "#!/bin/sh\necho mine\n")
        mine = self.account.file(self.own / "a.desktop", ENTRY.format(name="mine", command="mousepad"))
        self.account.file(self.own / "a.desktop.before-sbox", "older\n")
        before = tree(self.home)
        self.run_sbox("enable", "a", status=125)
        self.assertEqual(tree(self.home), before)
        self.assertIn("mine", mine.read_text())

    def test_nothing_is_written_through_symbolic_links(self) -> None:
        self.entry("a", SLEEP)
        elsewhere = self.directory("elsewhere")
        target = self.file("target", "precious\n")
        self.account.directory(self.home / ".local/share")
        (self.home / ".local/share/applications").symlink_to(elsewhere)
        self.run_sbox("enable", "a", status=125)
        self.assertEqual(tree(elsewhere), {})
        (self.home / ".local/share/applications").unlink()
        self.account.directory(self.own)
        (self.own / "a.desktop").symlink_to(target)
        self.account.own(self.own / "a.desktop")
        before = tree(self.home)
        self.run_sbox("enable", "a", status=125)  # The user's own entry is no entry.
        self.assertEqual((tree(self.home), target.read_text()), (before, "precious\n"))
        target.write_text(ENTRY.format(name="mine", command=SLEEP))
        self.run_sbox("enable", "a")
        self.assertFalse((self.own / "a.desktop").is_symlink())
        self.run_sbox("disable", "a")
        self.assertEqual((tree(self.home), target.read_text()), (before, ENTRY.format(name="mine", command=SLEEP)))

    def test_unknown_names_are_refused_with_a_suggestion(self) -> None:
        self.entry("org.gnome.Evince", "evince")
        self.assertIn("org.gnome.Evince", self.run_sbox("enable", "org.gnome.Evinse", status=125).err)
        wrong = (["enable"], ["disable"], ["disable", "org.gnome.Evince"], ["enable", "--al"], ["disable", "--list"])
        for arguments in wrong:
            with self.subTest(arguments=arguments):
                self.assertRegex(self.run_sbox(*arguments, status=125).err, r"\Asbox: [^\n]+\n\Z")

    def test_what_is_there_and_cannot_be_started_is_told_as_that(self) -> None:
        self.entry("nothing", "")
        for name, text, part in (
            ("hidden", ENTRY.format(name="x", command="mousepad") + "Hidden=true\n", "is hidden"),
            ("link", "[Desktop Entry]\nType=Link\nName=x\nURL=http://localhost\n", "starts no program"),
            ("odd", ENTRY.format(name="x", command="mousepad") + "what\n", r"odd\.desktop:\d+: "),
            ("field", ENTRY.format(name="x", command="mousepad %x"), r"field\.desktop:\d+: Exec: "),
            ("", "", "a name or a path is empty"),
        ):
            with self.subTest(name):
                if name:
                    self.account.file(self.own / f"{name}.desktop", text)
                before = tree(self.home)
                self.assertRegex(self.run_sbox("enable", name, status=125).err, part)
                self.assertEqual(tree(self.home), before)

    def test_one_that_cannot_be_enabled_does_not_stop_the_others(self) -> None:
        self.entry("bad", "mousepad %x")
        self.service("bad", SLEEP)
        self.entry("good", "/usr/bin/evince")
        self.assertIn("field code", self.run_sbox("enable", "bad", "good", "--shims", status=125).err)
        self.assertEqual([path.name for path in self.own.glob("*.desktop")], ["good.desktop"])
        self.assertEqual([path.name for path in (self.home / ".local/bin").glob("[a-z]*")], ["evince"])
        self.assertFalse((self.home / ".local/share/dbus-1").exists())

    def test_for_all_users(self) -> None:
        self.root_only()
        user = f"setpriv --reuid {self.account.uid} --regid {self.account.gid} --clear-groups env HOME={self.home}"
        before = self.file("before")
        script = f"""set -e
mount -t tmpfs none /usr/local
cd /usr/local && find . >{before}
{SBOX} enable --system --shims mousepad >&2
desktop-file-validate share/applications/org.xfce.mousepad.desktop
grep -h ^Exec= share/applications/org.xfce.mousepad.desktop
tail -n 1 bin/mousepad
{user} {SBOX} enable --list | grep mousepad
{SBOX} disable --system --all >&2
find . | diff {before} -"""
        result = self.account.run(["unshare", "--mount", "sh", "-c", script], user=0, group=0)
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"Exec={SBOX} run --notify -- mousepad %U\n", result.out)
        self.assertIn(f"\nexec '{SBOX}' run -- '/usr/bin/mousepad' \"$@\"\n", result.out)
        self.assertRegex(result.out, r"wrapped +org.xfce.mousepad ")
        self.run_sbox("enable", "--system", "--all", status=125)


class Shims(EntryTest):
    def test_a_shim_starts_the_program_behind_it_in_a_sandbox(self) -> None:
        tools = self.directory("tools")
        shown = f"{tools}:/usr/bin:/bin"
        # By the name of a program that has a profile; what it does is to print its arguments and mount namespace.
        program = '#!/bin/sh\nreadlink /proc/self/ns/mnt\nprintf "%s\\n" "$0" "$@"\n'
        self.account.file(tools / "keepassxc-cli", program, 0o755)
        self.entry("a", "keepassxc-cli")
        self.run_sbox("enable", "a", "--shims", env={"PATH": shown})
        shim = self.home / ".local/bin/keepassxc-cli"
        path = f"{shim.parent}:{shown}"
        script = f"PATH={shlex.quote(path)}; keepassxc-cli --help '$(x)' -- run"
        control = self.account.run(["/bin/sh", "-c", script.replace(f"{shim.parent}:", "")], self.env)
        self.assertEqual(control.out.splitlines()[0], namespace("self", "mnt"))
        result = self.account.run(["/bin/sh", "-c", script], self.env)
        self.assertEqual(result.status, 0, result)
        self.assertNotEqual(result.out.splitlines()[0], namespace("self", "mnt"))
        self.assertEqual(result.out.splitlines()[1:], [str(tools / "keepassxc-cli"), "--help", "$(x)", "--", "run"])
        # A call by name is not led back to the shim either.
        self.assertEqual(self.run_sbox("keepassxc-cli", "x", env={"PATH": path}).out.splitlines()[-1], "x")

    def test_a_shim_goes_when_the_program_does(self) -> None:
        self.entry("a", "mousepad")
        self.run_sbox("enable", "a", "--shims")
        self.entry("a", "/opt/other/mousepad-next")
        self.run_sbox("enable", "a")
        self.assertFalse((self.home / ".local/bin").exists())

    def test_a_program_without_a_profile_gets_none(self) -> None:
        self.entry("a", 'sh -c "exit 0"')
        self.run_sbox("enable", "a", "--shims")
        self.assertFalse((self.home / ".local/bin").exists())


class Launchers(EntryTest):
    """Real programs that read the entries: gio, gtk-launch, a session bus."""

    def launch(self, path: pathlib.Path, *files: str) -> None:
        self.account.daemon(["gio", "launch", str(path), *files], self.env)

    def started(self, marker: str) -> int:
        return wait_for(lambda: [p for p in running(marker) if not namespace(p, "mnt") == ""
                                 and "sleep" in pathlib.Path(f"/proc/{p}/comm").read_text()], what=marker)[0]

    def end(self, marker: str) -> None:
        for pid in running(marker):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        wait_for(lambda: not running(marker))

    def test_a_started_entry_runs_in_a_sandbox(self) -> None:
        original = self.entry("a", "env X=1 " + SLEEP)
        self.addCleanup(self.end, "4713.25")
        self.launch(original)
        self.assertFalse(inside(self.started("4713.25")))
        self.end("4713.25")
        self.run_sbox("enable", "a")
        self.launch(self.own / "a.desktop")
        self.assertTrue(inside(self.started("4713.25")))

    def test_a_menu_starts_a_real_program_with_its_file_in_a_sandbox(self) -> None:
        document = self.account.file(self.home / "a b.txt", "text\n")
        env = self.env | {"XDG_DATA_DIRS": "/usr/share"}
        with display(self.account) as screen:
            launch = ["gtk-launch", "org.xfce.mousepad", str(document)]
            for enabled in (False, True):
                with self.subTest(enabled=enabled):
                    child = self.account.daemon(launch, env | screen.env)
                    screen.wait_for_window("a b.txt")
                    pids = wait_for(lambda: [p for p in running("mousepad") if not running_sbox(p)])
                    self.assertEqual([inside(pid) for pid in pids], [enabled] * len(pids))
                    for pid in pids:
                        os.kill(pid, 15)
                    wait_for(lambda: not running("mousepad"))
                    self.account.end(child)
                self.run_sbox("enable", "mousepad", env=env)

    def test_activation_over_the_bus_starts_it_in_a_sandbox(self) -> None:
        name = "org.test.Sleeper"
        self.entry(name, SLEEP, "DBusActivatable=true\n")
        self.service(name, SLEEP)
        self.addCleanup(self.end, "4713.25")
        call = ["gdbus", "call", "--session", "--timeout=1", "-d", name, "-o", "/"]
        call += ["-m", "org.freedesktop.DBus.Peer.Ping"]
        # dbus-daemon looks for the home in the user database, not in HOME.
        env = self.env | {"XDG_DATA_HOME": str(self.home / ".local/share")}
        for enabled in (False, True):
            with self.subTest(enabled=enabled), session_bus(self.account, env) as bus:
                caller = self.account.daemon(call, bus)
                self.assertEqual(inside(self.started("4713.25")), enabled)
                self.account.end(caller)
            self.end("4713.25")
            self.run_sbox("enable", name)
        self.assertIn("DBusActivatable=false\n", (self.own / f"{name}.desktop").read_text())
        self.assertNotIn("SystemdService", (self.home / f".local/share/dbus-1/services/{name}.service").read_text())

    def test_one_that_can_only_be_activated_stays_so(self) -> None:
        path = self.entry("org.test.Only", "x", "DBusActivatable=true\n")
        path.write_text(path.read_text().replace("Exec=x\n", ""))
        self.run_sbox("enable", "org.test.Only", status=125)
        self.service("org.test.Only", SLEEP)
        self.run_sbox("enable", "org.test.Only")
        self.assertIn("DBusActivatable=true\n", (self.own / path.name).read_text())
        service = self.home / ".local/share/dbus-1/services/org.test.Only.service"
        self.assertEqual(self.commands(service), [f"{SBOX} run --notify -- {SLEEP}"])
        path.write_text(path.read_text() + f"Exec={SLEEP}\n")
        (self.share / "dbus-1/services/org.test.Only.service").unlink()
        self.assertEqual(self.state("org.test.Only"), "stale")
        self.run_sbox("enable", "org.test.Only")
        self.assertEqual(self.state("org.test.Only"), "enabled")
        self.assertFalse(service.exists())

    def test_hostile_command_lines_do_not_become_commands(self) -> None:
        marker = self.home / "marker"
        lines = {
            "separator": f"/usr/bin/true; touch {marker}",
            "substitution": f"/usr/bin/true $(touch {marker})",
            "backticks": f"/usr/bin/true `touch {marker}`",
            "and": f"/usr/bin/true && touch {marker}",
            "newline": f"/usr/bin/true\\ntouch {marker}",
            "quoted": f'/usr/bin/true "x$(touch {marker})"',
            "shell": f'/bin/sh -c "touch {marker}"',
            "dashes": f'-- /bin/sh -c "touch {marker}"',
            "options": f'--notify -s home.mode=host -- /bin/sh -c "touch {marker}"',
        }
        for name, line in lines.items():
            self.entry(name, line)
        self.run_sbox("enable", *lines)
        # Some launchers hand a line with ; or $ in it to a shell: that is what the control does, and what a written one
        # is tried with too.
        for name, line in lines.items():
            with self.subTest(name):
                control = self.account.run(["/bin/sh", "-c", unescaped(line)], self.env)
                if name not in ("dashes", "options"):
                    self.assertTrue(marker.exists(), control)
                marker.unlink(missing_ok=True)
                written = unescaped(self.commands(self.own / f"{name}.desktop")[0])
                self.account.run(["/bin/sh", "-c", written], self.env)
                self.account.run(["gio", "launch", str(self.own / f"{name}.desktop")], self.env)
                wait_for(lambda: not running(str(marker)))
                self.assertFalse(marker.exists(), written)

    def test_a_hostile_name_stays_a_name(self) -> None:
        path = self.entry("a", SLEEP)
        path.write_text(path.read_text().replace("Name=a", "Name=$(touch x)\\nExec=touch x;`y`\x1b[2K"))
        result = self.run_sbox("enable", "a")
        self.assertNotIn("\x1b", result.out)
        self.assertEqual(self.commands(self.own / "a.desktop"), [f"{SBOX} run --notify -- {SLEEP}"])


def running_sbox(pid: int) -> bool:
    """Whether the process is one of sbox's own, which have the program's name in their command line too."""
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip() in ("sbox", "sbox-launch", "gtk-launch")


class Notifications(EntryTest):
    """What people see who have no terminal."""

    FAIL = ["run", "--notify", "-p", "no<b>&such", "--", "true"]

    def assert_notified(self, heard: pathlib.Path, body: str = "no&lt;b&gt;&amp;such") -> None:
        text = wait_for(lambda: heard.read_text() if "member=Notify" in heard.read_text() else "")
        self.assertIn('string "sbox"', text)
        self.assertIn(body, text)

    def test_an_error_becomes_a_notification_and_stays_a_line_and_a_status(self) -> None:
        with monitored(self.account) as (bus, heard):
            result = self.refused(*self.FAIL, env=bus)
            self.assertIn("no<b>&such", result.err)
            self.assert_notified(heard)

    def test_what_the_launcher_refuses_becomes_a_notification_too(self) -> None:
        with monitored(self.account) as (bus, heard):
            script = self.file("not-executable-by-kernel", "\x7fELF garbage")
            script.chmod(0o755)
            argv = ["run", "--notify", "-s", f"files.read-only={script}", "--", str(script)]
            result = self.sbox(*argv, env=bus)
            self.assertEqual(result.status, 126, result)
            self.assert_notified(heard, script.name)
            self.assertIn(script.name, result.err)

    def test_a_limit_that_ended_the_program_becomes_one_too(self) -> None:
        with monitored(self.account) as (bus, heard):
            result = self.sbox("run", "--notify", "-s", "limits.time=1s", "--", "sleep", "100", env=bus)
            self.assertEqual(result.status, 128 + signal.SIGKILL, result)
            self.assert_notified(heard, "the time limit was reached")

    def test_a_start_that_takes_too_long_becomes_one_too(self) -> None:
        with monitored(self.account) as (bus, heard):
            argv = ["strace", "-o", "/dev/null", "-e", "inject=memfd_create:signal=SIGALRM", str(SBOX), "run", "--notify"]
            result = self.account.run([*argv, "--", "true"], bus)
            self.assertEqual(result.status, 125, result)
            self.assertIn("took too long", result.err)
            self.assert_notified(heard, "took too long")

    def test_busctl_serves_where_there_is_no_notify_send(self) -> None:
        self.root_only()
        with monitored(self.account) as (bus, heard):
            user = f"setpriv --reuid {self.account.uid} --regid {self.account.gid} --clear-groups"
            hide = f"mount --bind {self.file('none')} /usr/bin/notify-send"
            script = f"{hide} && exec {user} {SBOX} {shlex.join(self.FAIL)}"
            result = self.account.run(["unshare", "--mount", "sh", "-c", script], bus, user=0, group=0)
            self.assertEqual(result.status, 125, result)
            self.assert_notified(heard)

    def test_nobody_is_told_who_has_not_asked_or_has_a_terminal(self) -> None:
        with monitored(self.account) as (bus, heard):
            self.refused("run", "-p", "no-such", "--", "true", env=bus)
            self.refused("run", "-p", "no-such", "--", "true", "--notify", env=bus)
            terminal, slave = os.openpty()
            self.addCleanup(os.close, terminal)
            result = self.account.run([str(SBOX), *self.FAIL], bus, stderr=slave)
            os.close(slave)
            self.assertEqual(result.status, 125)
            # The control comes last, so that anything said before it would have been heard.
            self.refused(*self.FAIL, env=bus)
            self.assert_notified(heard)
            self.assertEqual(heard.read_text().count("member=Notify"), 1)

    def test_no_bus_and_one_that_never_answers_change_nothing(self) -> None:
        self.refused(*self.FAIL, env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}, timeout=10)
        code = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); "
        code += "print(flush=True); sys.stdin.read()"
        silent = self.account.runtime / "silent"
        server = self.account.start(
            ["python3", "-c", code, str(silent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert server.stdout
        server.stdout.readline()
        self.refused(*self.FAIL, env={"DBUS_SESSION_BUS_ADDRESS": f"unix:path={silent}"}, timeout=6)
        self.account.end(server)


if __name__ == "__main__":
    unittest.main()
