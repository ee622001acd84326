"""Any step of the set-up may fail, and the files that it uses may change under it: nothing starts, or all is as always."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import threading

from account import SBOX
from desktop import display, session_bus
from harness import SystemTest, descendants, probe, read_process, wait_for

# What a program can tell of its confinement; each run must give the same.
FINGERPRINT = """
grep -h '^Cap\\|^NoNewPrivs\\|^Seccomp:\\|^Groups' /proc/self/status
cut -d' ' -f5,6 /proc/self/mountinfo | grep -v '^/proc/[0-9]' | sort
ls -A / /dev /proc/sys ~ /tmp /run/user/*; cat /proc/self/uid_map; hostname; ulimit -c; ls /proc/self/fd | wc -l
for n in user mnt pid ipc uts net cgroup; do readlink /proc/self/ns/$n | cut -d: -f1; done
for s in /proc/sys/kernel/hostname /usr/x /etc/x /x; do (echo x >$s) 2>/dev/null && echo wrote $s; done; echo complete
"""
CALLS = (
    "clone", "unshare", "mount_setattr", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "pivot_root",
    "umount2", "chdir", "fchdir", "prctl", "capset", "setgroups", "close_range", "prlimit64", "setsid", "seccomp",
    "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "openat2", "openat", "mkdirat", "symlinkat",
    "write", "read", "sethostname", "pipe2", "socketpair", "vfork", "memfd_create", "fcntl", "execveat", "ioctl",
    "rt_sigprocmask", "fstat", "lseek", "dup3", "umask", "fchmod",
)  # fmt: skip
# Which occurrence of a call fails: the first ones, then ever wider apart.
OCCURRENCES = (1, 2, 3, 5, 8, 14, 25, 45, 80)
# And in other ways: no space, no memory, interruptions, short reads and writes, a success that is none.
OTHER_WAYS = (
    ("write", "error=ENOSPC"), ("write", "error=EINTR"), ("write", "retval=0"), ("write", "retval=1"),
    ("read", "error=EIO"), ("read", "error=EINTR"), ("read", "retval=0"), ("openat", "error=EMFILE"),
    ("openat2", "error=ENOMEM"), ("open_tree", "error=ENOMEM"), ("move_mount", "error=ENOSPC"), ("fsmount", "error=ENOSPC"),
    ("memfd_create", "error=ENOMEM"), ("mmap", "error=ENOMEM"), ("clone", "error=ENOSPC"), ("clone", "error=ENOSYS"),
    ("vfork", "error=EAGAIN"), ("seccomp", "error=ENOSYS"), ("seccomp", "error=EINVAL"), ("prctl", "error=EINVAL"),
    ("prctl", "retval=0"), ("capset", "retval=0"), ("seccomp", "retval=0"), ("landlock_restrict_self", "retval=0"),
    ("close_range", "retval=0"), ("pivot_root", "retval=0"), ("umount2", "retval=0"), ("mount_setattr", "retval=0"),
    ("poll", "error=EINTR"), ("sendmsg", "error=ENOBUFS"), ("recvmsg", "error=EINTR"), ("execve", "error=ENOMEM"),
)  # fmt: skip
OTHER_OCCURRENCES = (1, 2, 4, 11)


class Faults(SystemTest):
    timeout = 300

    def setUp(self) -> None:
        super().setUp()
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")

    def traced(self, call: str, how: str, occurrence: int) -> tuple[int, str, bool]:
        """Status and output of a run in which a call goes wrong, and whether any did."""
        log = self.work / "strace"
        log.unlink(missing_ok=True)
        inject = f"inject={call}:{how}:when={occurrence}"
        argv = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}", "-e", inject, str(SBOX), "--", "sh", "-c", FINGERPRINT]
        try:
            result = self.account.run(argv, timeout=25)
        except TimeoutError:
            return 124, "", True
        return result.status, result.out, "(INJECTED)" in log.read_text(errors="replace")

    def test_a_call_that_goes_wrong_refuses_the_start_or_changes_nothing(self) -> None:
        normal = self.inside(FINGERPRINT)
        self.assertIn("complete", normal)
        ways = [(call, "error=EPERM", OCCURRENCES) for call in CALLS]
        refused = 0
        for call, how, occurrences in ways + [(call, how, OTHER_OCCURRENCES) for call, how in OTHER_WAYS]:
            for occurrence in occurrences:
                status, out, injected = self.traced(call, how, occurrence)
                if not injected:
                    break
                with self.subTest(call=call, how=how, occurrence=occurrence, status=status):
                    self.assertNotEqual(status, 124, "hangs")
                    self.assert_refused_or_normal(status, out, normal)
                    refused += status == 125
        self.assertGreater(refused, len(CALLS))

    def assert_refused_or_normal(self, status: int, out: str, normal: str) -> None:
        # The shell and its tools meet the fault too when it comes late; then they print less, but never more.
        self.assertEqual([line for line in out.splitlines() if line not in normal], [])
        if "complete" in out and "Cap" in out:
            self.assertIn("NoNewPrivs:\t1\nSeccomp:\t2\n", out)


class Lies(SystemTest):
    """A call that says that it succeeded, and did nothing."""

    WRITE, RECVMSG, CLONE, SIGNALFD, FSCONFIG = 1, 47, 56, 289, 431
    # As tests/cases/inject.c knows them: the process, the call, which one of its (0: the last).
    LIES = {
        "network.mode=private": {
            "who enters the sandbox's user namespace is there": ("0", CLONE, 2),
            "the rules are written": ("0.1.0", WRITE, 1),
            "a file of the tree is written": ("0.0", WRITE, 0),
            "the helpers serve": ("0.0.0", RECVMSG, 1),
        },
        "home.mode=overlay": {
            "signals will be heard": ("0", SIGNALFD, 1),
            "the overlay has attributes of the user's kind": ("0.0", FSCONFIG, 2),
        },
    }

    def told(self, setting: str, *what: str) -> tuple[int, str, list[str]]:
        report = self.directory("report") / "report"
        command = [str(SBOX), "-s", setting, "--", "sh", "-c", "echo ran"]
        result = self.account.run([probe("inject"), str(report), "15", *what, "--", *command], timeout=40)
        lines = report.read_text().splitlines()
        shutil.rmtree(report.parent)
        status = next(int(line.split()[1]) for line in lines if line.startswith("status "))
        return status, result.out, lines

    def test_nobody_starts_on_the_word_of_one_call(self) -> None:
        if os.uname().machine != "x86_64":
            self.skipTest("tests/cases/inject.c knows the registers of x86_64 alone")
        for setting, lies in self.LIES.items():
            status, out, calls = self.told(setting, "record")
            self.assertEqual((status, out), (0, "ran\n"))
            for lie, place in lies.items():
                with self.subTest(lie):
                    self.assert_refused(setting, calls, *place)

    def assert_refused(self, setting: str, calls: list[str], role: str, call: int, occurrence: int) -> None:
        made = [line.split()[2] for line in calls if line.startswith(f"{role} {call} ")]
        # A new process is told that it is one.
        value = "0" if call == self.CLONE else made[occurrence - 1]
        status, out, lines = self.told(setting, role, str(call), str(occurrence or len(made)), value)
        self.assertIn("injected 1", lines)
        self.assertIn("left 0", lines)
        self.assertEqual((status, out), (125, ""))


class Races(SystemTest):
    def test_a_directory_that_is_swapped_for_a_link_never_leads_outside(self) -> None:
        self.file("outside/canary", "secret")
        folder = self.directory("folder")
        self.file("folder/real/file", "text")
        os.symlink(self.work / "outside", folder / "link")
        self.account.own(folder / "link")
        swapper = Swapper(str(folder / "real"), str(folder / "link"))
        self.addCleanup(swapper.stop)
        statuses = set()
        for _ in range(60):
            options = ["-s", f"files.read-write+={folder}", "-s", f"files.read-only+={folder}/real"]
            result = self.sbox(*options, "--", "sh", "-c", f"cat {folder}/*/canary 2>/dev/null; true")
            self.assertNotIn("secret", result.out)
            statuses.add(result.status)
        # 137: the link had taken the place of what is protected while the program ran.
        self.assertLessEqual(statuses, {0, 125, 128 + signal.SIGKILL})


class Swapper:
    """Exchanges two paths as fast as it can until stopped."""

    def __init__(self, first: str, second: str) -> None:
        self.stopped = threading.Event()
        self.paths = first.encode(), second.encode()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        libc = ctypes.CDLL(None)
        exchange = 2
        while not self.stopped.is_set():
            libc.renameat2(-100, self.paths[0], -100, self.paths[1], exchange)

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join()


class Helpers(SystemTest):
    """The proxy of the session bus."""

    LIST = ("gdbus", "call", "--session", "-d", "org.freedesktop.DBus", "-o", "/", "-m", "org.freedesktop.DBus.ListNames")

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.env = cls.enterClassContext(session_bus(cls.account))

    def filtered(self, *options: str) -> list[str]:
        return ["-s", "dbus.session=filtered", *options, "--"]

    def test_a_missing_helper_refuses_the_start(self) -> None:
        self.root_only()
        script = 'mount --bind /dev/null /usr/bin/xdg-dbus-proxy && exec setpriv --reuid "$0" --regid "$1" --clear-groups -- '
        script += '"$2" -s dbus.session=filtered -- echo started'
        argv = ["unshare", "--mount", "sh", "-c", script, str(self.account.uid), str(self.account.gid), str(SBOX)]
        env = self.account.environment(self.env)
        result = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual((result.returncode, result.stdout), (125, ""), result)

    def test_without_a_bus_outside_there_is_none_inside(self) -> None:
        env = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.work}/none"}
        script = 'echo "[$DBUS_SESSION_BUS_ADDRESS]"; ls -A "$XDG_RUNTIME_DIR"'
        self.assertEqual(self.inside(script, *self.filtered()[:-1], env=env), "[]\n")

    def test_the_end_of_a_helper_takes_the_bus_away_and_gives_nothing_else(self) -> None:
        for victim in ("sbox-bus", "xdg-dbus-proxy"):
            with self.subTest(victim):
                self.end_helper(victim)

    def end_helper(self, victim: str) -> None:
        report = self.directory("report")
        script = f"{' '.join(self.LIST)} && : >{report}/up && while [ ! -e {report}/go ]; do sleep 0.05; done; {' '.join(self.LIST)}; echo $?"
        child = self.start(
            *self.filtered("-s", f"files.read-write+={report}"), "sh", "-c", script,
            env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.wait_for_file(report / "up", child)
        helper = [pid for pid in descendants(child.pid) if read_process(pid, "comm") in (victim + "\n", victim[:15] + "\n")]
        self.assertEqual(len(helper), 1)
        os.kill(helper[0], signal.SIGKILL)
        (report / "go").touch()
        out, _ = child.communicate(timeout=15)
        self.assertEqual(out.decode().count("org.freedesktop.DBus'"), 1, out)
        shutil.rmtree(report)

    def test_helpers_know_nothing_of_the_caller_s_environment_and_end_with_the_program(self) -> None:
        report = self.directory("report")
        script = f": >{report}/up; exec sleep 600"
        env = {**self.env, "CANARY": "sbox-canary-env", "LD_LIBRARY_PATH": "/sbox-canary-env"}
        child = self.start(*self.filtered("-s", f"files.read-write+={report}"), "sh", "-c", script, env=env)
        self.wait_for_file(report / "up", child)
        own = [child.pid, *descendants(child.pid)]
        helpers = [pid for pid in own if "xdg-dbus-proxy" in read_process(pid, "cmdline")]
        self.assertTrue(helpers)
        for pid in own:
            with self.subTest(process=read_process(pid, "cmdline")):
                self.assertNotIn("sbox-canary-env", read_process(pid, "environ"))
        child.terminate()
        child.wait(10)
        wait_for(lambda: not [pid for pid in own if read_process(pid, "cmdline")], 5, "the end of all")

    def test_the_filter_shows_only_the_names_of_the_profile(self) -> None:
        outside = self.account.run(list(self.LIST), self.env)
        self.assertEqual(outside.status, 0, outside)
        result = self.sbox(*self.filtered(), *self.LIST, env=self.env)
        self.assertEqual(result.status, 0, result)
        names = set(re.findall(r"'([^']+)'", result.out))
        self.assertLessEqual({name for name in names if not name.startswith(":")}, {"org.freedesktop.DBus"})

    def test_a_program_cannot_take_or_call_a_name_that_is_not_granted(self) -> None:
        take = ["gdbus", "call", "--session", "-d", "org.freedesktop.DBus", "-o", "/", "-m", "org.freedesktop.DBus.RequestName"]
        self.assertNotEqual(self.sbox(*self.filtered(), *take, "org.example.Mine", "0", env=self.env).status, 0)
        granted = self.filtered("-s", "dbus.own+=org.example.Mine")
        result = self.sbox(*granted, *take, "org.example.Mine", "0", env=self.env)
        self.assertEqual(result.status, 0, result)
        other = self.sbox(*granted, *take, "org.example.Other", "0", env=self.env)
        self.assertNotEqual(other.status, 0, other)


class Cookie(SystemTest):
    def test_only_the_cookie_of_the_one_display_is_inside(self) -> None:
        with display(self.account, manager=False) as screen:
            secret = "0123456789abcdef" * 2
            tool = ["xauth", "-q", "-f", screen.env["XAUTHORITY"], "add", "unix:77", ".", secret]
            added = self.account.run(tool)
            self.assertEqual(added.status, 0, added)
            out = self.inside("xauth -f $XAUTHORITY list; od -An -tx1 $XAUTHORITY | tr -d ' \\n'", env=screen.env)
        self.assertNotIn(secret, out)
        self.assertIn("MIT-MAGIC-COOKIE-1", out)
