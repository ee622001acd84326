"""Attack suite, processes: the terminal, descriptors, /proc, other processes, facts, lifetime, privileges."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import termios
import threading
import tty
from typing import Any

from account import BUILD, REFUSED, SBOX
from attack import BY_ROOT, DEFAULT, NESTED, SHARED_NETWORK, AttackTest, Circumstance
from harness import probe, processes, read_process, running, status_field, wait_for
from test_confinement import MASKED

CANARY = "sbox-canary-7c3e"
DEBUG = Circumstance("debug", ["-s", "process.debug=yes", *NESTED.options])
# What /proc may tell of the machine to every program; SECURITY.md says so. A new file of a new kernel is to be thought about.
FACTS = {
    "buddyinfo", "bootconfig", "cgroups", "cmdline", "consoles", "cpuinfo", "crypto", "devices", "diskstats", "dma", "driver",
    "execdomains", "fb", "filesystems", "loadavg", "locks", "mdstat", "meminfo", "misc", "mounts", "net", "partitions", "self",
    "softirqs", "stat", "swaps", "sys", "sysvipc", "thread-self", "tty", "uptime", "version", "version_signature", "vmstat",
    "zoneinfo",
}  # fmt: skip
SYS = {"/sys/dev", "/sys/dev/char", "/sys/devices", "/sys/devices/system", "/sys/devices/system/cpu"}

# Everything that a program can see of processes and of the machine, in one look.
LOOK = r"""
import json, os, sys
def read(path, size=200000):
    try:
        with open(path, "rb", 0, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            return file.read(size).decode(errors="replace")
    except OSError: return None
def link(path):
    try: return os.readlink(path)
    except OSError: return None
def names(path):
    try: return os.listdir(path)
    except OSError: return None
def opens(path, flags):
    try: os.close(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)); return True
    except OSError: return False
def below(top, depth):
    found = []
    for folder, folders, files in os.walk(top):
        found += [os.path.join(folder, name) for name in folders + files]
        if folder.count("/") >= depth: folders.clear()
    return found
processes, tasks = {}, {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    at = "/proc/" + pid
    try:
        if not INSIDE and os.stat(at).st_uid != USER: continue
    except OSError: continue
    processes[pid] = {
        "texts": {name: read(f"{at}/{name}") for name in ("cmdline", "environ", "maps", "comm", "stat", "mountinfo", "cgroup", "wchan")},
        "links": {name: link(f"{at}/{name}") for name in ("exe", "cwd", "root")},
        "descriptors": {fd: link(f"{at}/fd/{fd}") for fd in names(f"{at}/fd") or []},
        "reopened": [fd for fd in names(f"{at}/fd") or [] if INSIDE and opens(f"{at}/fd/{fd}", os.O_RDONLY)],
        "writes": [flags for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND) if opens(f"{at}/exe", flags)],
        "memory": opens(f"{at}/mem", os.O_RDWR),
    }
    for task in names(f"{at}/task") or []:
        status = read(f"{at}/task/{task}/status") or ""
        tasks[f"{pid} {task}"] = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
general = [name for name in os.listdir("/proc") if not name.isdigit()]
writable = []
for folder, folders, files in os.walk("/proc"):
    if folder == "/proc": folders[:] = [name for name in folders if not name.isdigit() and name not in ("self", "thread-self", "net")]
    writable += [os.path.join(folder, name) for name in files if opens(os.path.join(folder, name), os.O_WRONLY)]
readable = [name for name in general if (names("/proc/" + name) if os.path.isdir("/proc/" + name) else read("/proc/" + name, 10))]
devices = [path for path in below("/dev", 3) if not path.startswith(("/dev/pts/", "/dev/fd/"))]
print(json.dumps({
    "me": os.getpid(), "processes": processes, "tasks": tasks, "readable": readable, "writable": writable,
    "mounts": read("/proc/self/mountinfo"), "cwd": os.getcwd(), "own": sorted(fd for fd in range(3, 4096) if link(f"/proc/self/fd/{fd}") and opens(f"/proc/self/fd/{fd}", os.O_RDONLY)),
    "environment": dict(os.environ), "sys": below("/sys", 4), "devices": devices, "terminals": names("/dev/pts"),
    "ids": [read("/proc/self/uid_map"), read("/proc/self/gid_map"), read("/proc/self/setgroups")],
    "relative": {path: read(path, 50) for path in PATHS}, "texts": {path: read(path, 2000) for path in TEXTS},
}))
"""
RELATIVE = [f"{'../' * level}neighbour/file" for level in range(1, 8)] + ["neighbour/file"]
TEXTS = ["/proc/sys/kernel/random/boot_id", "/etc/machine-id", "/proc/sys/kernel/hostname", "/var/run/utmp", "/run/utmp", "/var/log/wtmp",
         "/var/log/lastlog", "/proc/net/unix", "/proc/net/tcp", "/proc/net/route", "/proc/net/dev", "/proc/kallsyms"]  # fmt: skip
PYTHON = ("/usr/bin/python3", "-I", "-S", "-c")


class Seen(AttackTest):
    """Looks once in each circumstance; each test asks for one thing in all of them."""

    looks: list[tuple[Circumstance, dict[str, Any]]] = []
    outside_look: dict[str, Any] = {}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.looks, cls.outside_look = [], {}

    def setUp(self) -> None:
        super().setUp()
        if not self.looks:
            self.look_around()

    def look_around(self) -> None:
        cls = type(self)
        code = LOOK.replace("PATHS", repr(RELATIVE)).replace("TEXTS", repr(TEXTS))
        # The profile `agent` gives the current directory, and nothing beside it.
        hidden = self.directory(f"{CANARY}-directory/current")
        self.file(f"{CANARY}-directory/neighbour/file", "neighbour")
        cls.canary_pid = self.account.daemon(["sleep", "86399.75"]).pid
        names = [f"\0{CANARY}-socket", str(self.account.runtime / f"{CANARY}-socket")]
        servers = [socket.socket(socket.AF_UNIX) for _ in names]
        for server, name in zip(servers, names):
            server.bind(name)
        env = {"CANARY_TOKEN": f"{CANARY}-environment"}
        cls.outside_look = json.loads(self.outside(*PYTHON, f"INSIDE, USER = False, {self.account.uid}\n{code}", cwd=str(hidden), env=env).out)
        for circumstance in [*self.circumstances(), NESTED, DEBUG]:
            settings = {"cwd": str(hidden), "env": circumstance.settings.get("env", {}) | env}
            result = self.attack(circumstance, *PYTHON, f"INSIDE = True\n{code}", **settings)
            cls.looks.append((circumstance, json.loads(result.out)))
        for server in servers:
            server.close()

    def expect(self, check: Any) -> None:
        for circumstance, seen in self.looks:
            with self.subTest(circumstance.name):
                check(circumstance, seen)


class Proc(Seen):
    def test_only_processes_of_its_own_are_there(self) -> None:
        self.assertIn(str(self.canary_pid), self.outside_look["processes"], "the control")

        def check(_: Circumstance, seen: dict[str, Any]) -> None:
            self.assertEqual(seen["processes"].keys(), {"1", str(seen["me"])})
            self.assertNotIn("86399.75", json.dumps(seen["processes"]))

        self.expect(check)

    def test_no_environment_has_a_secret_of_the_caller(self) -> None:
        self.assertIn(f"{CANARY}-environment", json.dumps(self.outside_look), "the control")

        def check(_: Circumstance, seen: dict[str, Any]) -> None:
            self.assertNotIn(f"{CANARY}-environment", json.dumps(seen))
            self.assertFalse(seen["processes"]["1"]["texts"]["environ"])

        self.expect(check)

    def test_the_first_process_tells_nothing_of_the_host(self) -> None:
        def check(circumstance: Circumstance, seen: dict[str, Any]) -> None:
            first = seen["processes"]["1"]
            self.assertEqual(first["links"], {"exe": None, "cwd": None, "root": None})
            # Who has the id of the first process may count its descriptors, and no more.
            self.assertEqual((first["reopened"], set(first["descriptors"].values()) - {None}), ([], set()))
            self.assertTrue(circumstance is BY_ROOT or not first["descriptors"])
            self.assertFalse(first["memory"])
            self.assertEqual((first["texts"]["maps"] or "", first["texts"]["environ"] or ""), ("", ""))
            text = json.dumps({name: first["texts"][name] for name in ("cmdline", "comm", "stat", "wchan")})
            for word in (CANARY, ".profile", str(BUILD), self.account.name, "profile.optional", "network.mode"):
                self.assertNotIn(word, text)

        self.expect(check)

    def test_the_installed_program_cannot_be_written(self) -> None:
        own = [SBOX, BUILD / "libexec/sbox/sbox-launch"]
        before = [hashlib.sha256(path.read_bytes()).digest() for path in own]

        def check(_: Circumstance, seen: dict[str, Any]) -> None:
            for process in seen["processes"].values():
                self.assertEqual(process["writes"], [])

        self.expect(check)
        self.assertEqual([hashlib.sha256(path.read_bytes()).digest() for path in own], before)

    def test_nothing_of_proc_that_is_the_machine_s_can_be_written(self) -> None:
        if os.getuid() == 0:
            code = "INSIDE, USER = False, None\n" + LOOK.replace("PATHS", "[]").replace("TEXTS", "[]")
            as_root = json.loads(self.outside(*PYTHON, code, **BY_ROOT.settings).out)
            self.assertGreater(len(as_root["writable"]), 100, "the control")
        self.expect(lambda _, seen: self.assertEqual(seen["writable"], []))

    def test_of_the_machine_only_harmless_facts_can_be_read(self) -> None:
        self.assertGreaterEqual(len(set(self.outside_look["readable"]) & set(MASKED)), 3, "the control")

        def check(_: Circumstance, seen: dict[str, Any]) -> None:
            self.assertEqual(set(seen["readable"]) - FACTS, set())
            self.assertFalse(seen["texts"]["/proc/kallsyms"])

        self.expect(check)

    def test_sys_is_not_there_or_what_graphics_need(self) -> None:
        self.assertIn("/sys/class/net", self.outside_look["sys"], "the control")
        graphics = {"profile chromium", "profile firefox", "profile thunderbird", "profile mpv", "profile vlc"}

        def check(circumstance: Circumstance, seen: dict[str, Any]) -> None:
            if circumstance.name not in graphics:
                self.assertEqual(seen["sys"], [])
            for path in seen["sys"]:
                if not path.startswith(("/sys/dev/char/", "/sys/devices/system/cpu/", "/sys/class/drm", "/sys/devices/pci", "/sys/module/nvidia")):
                    self.assertIn(path, SYS)

        self.expect(check)

    def test_mounts_tell_no_name_that_was_not_granted(self) -> None:
        self.assertIn("/", self.outside_look["mounts"])

        def check(circumstance: Circumstance, seen: dict[str, Any]) -> None:
            text = json.dumps([seen["mounts"], [process["texts"]["mountinfo"] for process in seen["processes"].values()]])
            self.assertNotIn("neighbour", text)
            self.assertNotIn(str(self.account.base), text)
            if circumstance.name != "profile agent":
                self.assertNotIn(CANARY, text)

        self.expect(check)

    def test_the_network_s_lists_are_the_sandbox_s_own(self) -> None:
        self.assertIn(f"{CANARY}-socket", self.outside_look["texts"]["/proc/net/unix"], "the control")

        def check(circumstance: Circumstance, seen: dict[str, Any]) -> None:
            host = "network.mode=host" in circumstance.options or "eth" in json.dumps(seen["texts"]["/proc/net/dev"])
            if not host:
                self.assertNotIn(CANARY, json.dumps(seen["texts"]))
                self.assertEqual(self.sockets(seen), [])
                self.assertEqual(len(seen["texts"]["/proc/net/dev"].splitlines()), 3)

        self.expect(check)
        alone = [c.name for c, seen in self.looks if not self.sockets(seen)]
        self.assertIn("default", alone)
        self.assertIn("profile evince", alone)

    def sockets(self, seen: dict[str, Any]) -> list[str]:
        """All but the one on which process 1 answers those who join."""
        return [line for line in seen["texts"]["/proc/net/unix"].splitlines()[1:] if not line.endswith(" .sbox-door")]

    def test_a_proc_without_masks_cannot_be_had(self) -> None:
        argv = ["unshare", "-Urpf", "--mount-proc", "ls", "/proc"]
        self.assertIn("meminfo", self.outside(*argv).out, "the control")
        for circumstance in (DEFAULT, NESTED, SHARED_NETWORK):
            with self.subTest(circumstance.name):
                result = self.attack(circumstance, "sh", "-c", " ".join(argv) + " 2>/dev/null; true")
                self.assertEqual(result.out, "")

    def test_processes_of_other_users_are_not_there_with_the_host_s_network_either(self) -> None:
        self.root_only()
        other = self.account.daemon(["sleep", "86398.5"], user=65534, group=65534, cwd="/")
        self.addCleanup(self.account.end, other)
        self.assertIn("86398.5", self.outside("cat", f"/proc/{other.pid}/cmdline").out, "the control")
        script = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
        for circumstance in (DEFAULT, SHARED_NETWORK, BY_ROOT):
            with self.subTest(circumstance.name):
                self.assertNotIn("86398.5", self.attack(circumstance, "sh", "-c", script).out)

    def test_a_false_null_device_or_proc_refuses_the_start(self) -> None:
        self.root_only()
        drop = f"exec setpriv --reuid {self.account.uid} --regid {self.account.gid} --clear-groups -- {SBOX} echo started"
        own = self.account.file(self.account.base / "false", "")
        for what in (
            f"mount --bind {own} /dev/null",
            "mount --bind /dev/zero /dev/null",
            "mount --bind /dev/full /dev/urandom",
            "mount -t tmpfs none /proc",
            f"mount --bind {self.account.scratch} /proc",
        ):
            with self.subTest(what=what):
                argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"{what} && {drop}"]
                result = self.account.run(argv, user=0, group=0)
                self.assertEqual((result.status, result.out), (125, ""), result)
        argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", drop]
        self.assertEqual(self.account.run(argv, user=0, group=0).out, "started\n", "the control")


class Privileges(Seen):
    def test_no_task_has_a_privilege_and_each_has_the_filter(self) -> None:
        self.assertNotEqual(self.outside_look["tasks"][f"{self.outside_look['me']} {self.outside_look['me']}"]["CapBnd"], "0" * 16, "the control")

        def check(circumstance: Circumstance, seen: dict[str, Any]) -> None:
            self.assertIn("1 1", seen["tasks"])
            for status in seen["tasks"].values():
                sets = [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
                self.assertEqual(sets, [0] * 5)
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
                # One that decides as both of the plan do, and tells of what it denies.
                by_harness = 1 if REFUSED and circumstance is not BY_ROOT else 0
                self.assertEqual(status.get("Seccomp_filters", str(1 + by_harness)), str(1 + by_harness))
                self.assertEqual(len(status["Groups"].split()), 0)
            self.assertEqual([key for key in seen["tasks"] if key.startswith("1 ")], ["1 1"])

        self.expect(check)

    def test_one_user_and_one_group_exist(self) -> None:
        def check(circumstance: Circumstance, seen: dict[str, Any]) -> None:
            user, group = (0, 0) if circumstance is BY_ROOT else (self.account.uid, self.account.gid)
            self.assertEqual([text.split() for text in seen["ids"]], [[str(user), str(user), "1"], [str(group), str(group), "1"], ["deny"]])

        self.expect(check)

    def test_there_are_no_control_groups_to_write_to(self) -> None:
        def check(_: Circumstance, seen: dict[str, Any]) -> None:
            self.assertNotIn(" - cgroup", seen["mounts"])
            self.assertNotIn("/sys/fs", json.dumps(seen["sys"]))
            # The cgroup namespace is rooted where the sandbox is.
            own = seen["processes"][str(seen["me"])]["texts"]["cgroup"]
            self.assertEqual({line.rsplit(":", 1)[1] for line in own.splitlines()} - {"/"}, set())

        self.expect(check)

    def test_what_only_a_supplementary_group_may_read_stays_hidden(self) -> None:
        self.root_only()
        group = 44
        hidden = self.account.file(self.account.home / "sbox-group-canary", f"{CANARY}-group", 0o640)
        os.chown(hidden, 0, group)
        self.addCleanup(hidden.unlink)
        script = f"cat {hidden} 2>/dev/null; true"
        self.assertIn(CANARY, self.outside("sh", "-c", script, extra_groups=[group]).out, "the control")
        for circumstance in [each for each in self.circumstances() if each is not BY_ROOT]:
            with self.subTest(circumstance.name):
                self.assertEqual(self.attack(circumstance, "sh", "-c", script, extra_groups=[group]).out, "")


class Inherited(Seen):
    def test_three_descriptors_are_open_and_none_leads_to_the_host(self) -> None:
        def check(_: Circumstance, seen: dict[str, Any]) -> None:
            self.assertEqual(seen["own"], [])
            for process in seen["processes"].values():
                for target in process["descriptors"].values():
                    if target:
                        self.assertRegex(target, r"^(pipe:\[\d+\]|/dev/null|/dev/pts/\d+|/proc/\d+/fd)$")
            self.assertLessEqual({"0", "1", "2"}, seen["processes"][str(seen["me"])]["descriptors"].keys())

        self.expect(check)

    def test_the_current_directory_leads_nowhere(self) -> None:
        self.assertIn("neighbour", self.outside_look["relative"].values(), "the control")

        def check(circumstance: Circumstance, seen: dict[str, Any]) -> None:
            self.assertEqual(set(seen["relative"].values()), {None})
            self.assertNotIn("unreachable", seen["cwd"])
            if circumstance.name != "profile agent":
                self.assertNotIn(CANARY, seen["cwd"])

        self.expect(check)

    def test_descriptors_of_every_kind_end_at_the_door(self) -> None:
        descriptors = probe("attack_processes")
        hidden = self.file("hidden/canary", "secret").parent
        left, right = socket.socketpair()
        kinds = [
            os.open(hidden, os.O_RDONLY), os.open(hidden, os.O_PATH), os.open(hidden / "canary", os.O_RDWR), left.fileno(), right.fileno(),
            os.pidfd_open(os.getpid()), os.memfd_create("canary"), os.open("/proc/self/ns/net", os.O_RDONLY),
            os.open("/proc/self/ns/user", os.O_RDONLY), os.open("/", os.O_PATH), os.open("/proc", os.O_RDONLY), *os.pipe(),
            select.epoll().detach() if hasattr(select.epoll, "detach") else os.dup(2), os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY),
        ]  # fmt: skip
        numbers = [*range(40, 40 + len(kinds)), 255, 600, 1000]
        for number, fd in zip(numbers, itertools.cycle(kinds)):
            os.dup2(fd, number)
        try:
            control = self.outside(descriptors, "descriptors", pass_fds=numbers).out
            self.assertGreaterEqual(len(control.splitlines()), len(numbers), "the control")
            self.assertEqual(self.outside(descriptors, "enter", "canary", pass_fds=numbers).out, "canary ok\n", "the control")
            for circumstance in (DEFAULT, SHARED_NETWORK, NESTED):
                with self.subTest(circumstance.name):
                    options = ("-s", f"files.read-only+={descriptors}")
                    found = self.attack(circumstance, descriptors, "descriptors", options=options, pass_fds=numbers).out
                    self.assertEqual([line.split()[0] for line in found.splitlines()], ["0", "1", "2"])
                    entered = self.attack(circumstance, descriptors, "enter", "canary", "passwd", options=options, pass_fds=numbers).out
                    self.assertNotIn("ok", entered)
        finally:
            for fd in (*kinds[5:], *kinds[:3], *numbers):
                os.close(fd)
            left.close()
            right.close()

    def test_what_is_behind_the_streams_cannot_be_touched(self) -> None:
        streams = probe("attack_processes")
        for flags in (os.O_RDONLY, os.O_WRONLY | os.O_APPEND, os.O_RDWR):
            for outside in (True, False):
                with self.subTest(flags=flags, outside=outside):
                    file, report = self.file(f"stream-{flags}-{outside}", "first line\n"), self.directory("report", 0o777) / "r"
                    report.unlink(missing_ok=True)
                    before = file.stat()
                    fd = os.open(file, flags)
                    options = ["-s", f"files.read-write+={report.parent}", "-s", f"files.read-only+={streams}", "--"]
                    command = [streams, "streams", str(report)]
                    try:
                        result = self.account.run(command if outside else [str(SBOX), *options, *command], stdin=fd, stdout=fd, stderr=fd)
                    finally:
                        os.close(fd)
                    self.assertEqual(result.status, 0, report.read_text())
                    after = file.stat()
                    changed = [name for name in ("st_mode", "st_mtime", "st_gid", "st_ino") if getattr(before, name) != getattr(after, name)]
                    said = dict(line.rsplit(" ", 1) for line in report.read_text().splitlines())
                    if outside:
                        self.assertIn("st_mode", changed, "the control")
                        self.assertIn("ok", (said["0-reopen-read"], said["0-fchmod"]))
                        continue
                    # What is written to a stream that the caller opened for writing goes through, at its end and nowhere else.
                    self.assertEqual([name for name in changed if name != "st_mtime"], [])
                    self.assertTrue(file.read_text().startswith("first line\n") or flags == os.O_RDWR, file.read_text())
                    self.assertEqual(os.listxattr(file), [])
                    for name in ("pread", "pwrite", "seek", "map", "ftruncate", "fallocate", "setflags", "openat", "fchdir", "link"):
                        for number in range(3):
                            self.assertNotEqual(said[f"{number}-{name}"], "ok", f"{number}-{name}")
                    if flags == os.O_RDONLY:
                        self.assertEqual((file.read_text(), before.st_mtime_ns), ("first line\n", after.st_mtime_ns))

    def test_the_streams_are_other_objects_than_the_caller_s(self) -> None:
        descriptors = probe("attack_processes")
        report = self.directory("report", 0o777) / "r"
        left, right = socket.socketpair()
        reader, writer = os.pipe()
        leader, follower = pty.openpty()
        folder = os.open(self.work, os.O_RDONLY)
        file = os.open(self.file("file", "text"), os.O_RDWR)
        memory = os.memfd_create("canary")
        script = f"{descriptors} descriptors >{report}"
        place, pidfd, space = os.open(self.work, os.O_PATH), os.pidfd_open(os.getpid()), os.open("/proc/self/ns/mnt", os.O_RDONLY)
        kinds = {"socket": left.fileno(), "pipe": reader, "terminal": follower, "directory": folder, "file": file, "memory": memory,
                 "place": place, "pidfd": pidfd, "namespace": space}  # fmt: skip
        try:
            for name, fd in kinds.items():
                with self.subTest(name):
                    options = ["-s", f"files.read-write+={report.parent}", "-s", f"files.read-only+={descriptors}", "--"]
                    status = os.fstat(fd)
                    own = f"{status.st_dev}:{status.st_ino}"
                    self.account.run(["sh", "-c", script.replace(">", "3>").replace("descriptors 3>", "descriptors >")], stdin=fd)
                    self.assertIn(own, report.read_text(), "the control")
                    result = self.account.run([str(SBOX), *options, "sh", "-c", script], stdin=fd)
                    self.assertIn(result.status, (0, 125), result)
                    if result.status == 0:
                        self.assertNotIn(own, report.read_text())
        finally:
            for fd in (reader, writer, leader, follower, folder, file, memory, place, pidfd, space):
                os.close(fd)
            left.close()
            right.close()

    def test_streams_that_the_caller_closed_are_dev_null(self) -> None:
        report = self.directory("report")
        code = f"import os; open('{report}/r', 'w').write(' '.join(os.readlink(f'/proc/self/fd/{{n}}') for n in range(3)))"
        for closed in [closed for count in range(1, 4) for closed in itertools.combinations(range(3), count)]:
            with self.subTest(closed=closed):
                redirect = " ".join(f"{number}>&-" for number in closed)
                script = f'exec "$0" -s files.read-write+={report} -- /usr/bin/python3 -I -S -c "{code}" {redirect}'
                result = self.account.run(["/bin/sh", "-c", script, str(SBOX)], data=b"")
                self.assertEqual(result.status, 0, result)
                targets = (report / "r").read_text().split()
                for number in range(3):
                    self.assertRegex(targets[number], "^/dev/null$" if number in closed else r"^(pipe:|/dev/null)")

    def test_a_directory_that_is_gone_or_hidden_is_no_place_to_start_from(self) -> None:
        gone, hidden = self.directory("gone"), self.directory("hidden/deep")
        self.file("hidden/canary", "secret")
        look = "cat ../canary ./../canary 2>/dev/null; /bin/pwd -P"
        for name, script in (
            ("gone", f'cd {gone} && rmdir {gone} && exec "$0" sh -c "$1"'),
            ("hidden", f'cd {hidden} && exec "$0" sh -c "$1"'),
            ("by a descriptor", f'exec 9<{hidden} && cd /proc/self/fd/9 && exec "$0" sh -c "$1"'),
        ):
            with self.subTest(name):
                result = self.account.run(["/bin/sh", "-c", script, str(SBOX), look])
                self.assertEqual((result.status, result.out), (0, f"{self.account.home}\n"), result)


class Facts(Seen):
    def test_what_names_this_machine_is_not_there(self) -> None:
        host = self.outside_look["texts"]
        self.assertTrue(host["/proc/sys/kernel/random/boot_id"], "the control")

        def check(_: Circumstance, seen: dict[str, Any]) -> None:
            self.assertFalse(seen["texts"]["/proc/sys/kernel/random/boot_id"])
            self.assertEqual(seen["texts"]["/proc/sys/kernel/hostname"], "sbox\n")
            self.assertNotEqual(seen["texts"]["/etc/machine-id"], host["/etc/machine-id"])
            self.assertFalse([path for path in seen["sys"] if "dmi" in path or path.startswith("/sys/class/net")])

        self.expect(check)
        identities = [seen["texts"]["/etc/machine-id"] for _, seen in self.looks]
        self.assertEqual(len(set(identities)), len(identities))

    def test_who_was_here_and_what_was_opened_is_not_there(self) -> None:
        home = self.account.home
        names = [".cache/thumbnails/normal/canary.png", ".local/share/recently-used.xbel", ".cache/canary", ".bash_history", ".viminfo",
                 ".local/share/gvfs-metadata/home", ".xsession-errors", ".lesshst"]  # fmt: skip
        for name in names:
            self.account.file(home / name, CANARY)
            self.addCleanup((home / name).unlink)
        script = f"cat {' '.join(str(home / name) for name in names)} 2>/dev/null; true"
        self.assertEqual(self.outside("sh", "-c", script).out.count(CANARY), len(names), "the control")
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                self.assertNotIn(CANARY, self.attack(circumstance, "sh", "-c", script).out)
        for path in ("/var/run/utmp", "/run/utmp", "/var/log/wtmp", "/var/log/lastlog"):
            self.expect(lambda _, seen, path=path: self.assertIsNone(seen["texts"][path]))

    def test_only_the_harmless_devices_are_there(self) -> None:
        harmless = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "fd", "stdin", "stdout", "stderr", "core",
                    "mqueue", "console"}  # fmt: skip

        def check(_: Circumstance, seen: dict[str, Any]) -> None:
            names = {path.removeprefix("/dev/") for path in seen["devices"]}
            self.assertEqual({name for name in names if not name.startswith(("dri", "nvidia", "kfd"))} - harmless, set())
            self.assertLessEqual({"null", "zero", "tty", "ptmx"}, names)

        self.expect(check)


class Others(AttackTest):
    def setUp(self) -> None:
        super().setUp()
        self.probe = probe("attack_processes")

    def target(self) -> tuple[subprocess.Popen[bytes], list[str]]:
        child = self.account.start([self.probe, "target"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout
        return child, child.stdout.readline().decode().split()

    def test_a_process_outside_cannot_be_reached_in_any_way(self) -> None:
        child, where = self.target()
        outside = dict(line.split() for line in self.outside(self.probe, "reach", *where).out.splitlines())
        live = {"seize", "process_vm_readv", "process_vm_writev", "mem", "proc", "environ", "fd", "pidfd_open", "pidfd_getfd", "pidfd_send_signal",
                "kill", "tgkill", "sigqueue", "prlimit", "affinity", "scheduler", "ioprio", "getpgid", "robust-list", "kcmp"}  # fmt: skip
        self.assertLessEqual(live, {name for name, result in outside.items() if result == "ok"}, "the control")
        self.account.end(child)
        child, where = self.target()
        before = os.getpriority(os.PRIO_PROCESS, child.pid)
        for circumstance in [*self.circumstances(), NESTED, DEBUG]:
            with self.subTest(circumstance.name):
                options = ("-s", f"files.read-only+={self.probe}")
                out = self.attack(circumstance, self.probe, "reach", *where, options=options).out
                inside = dict(line.split() for line in out.splitlines())
                self.assertEqual(inside.keys(), outside.keys())
                self.assertEqual({name for name, result in inside.items() if result == "ok"}, {"end"})
                self.assertEqual(os.getpriority(os.PRIO_PROCESS, child.pid), before)
        self.assertIsNone(child.poll())
        self.assertEqual(status_field(child.pid, "TracerPid"), "0")

    def test_a_service_that_is_granted_is_reached_by_its_socket_alone(self) -> None:
        # The kernel hands out a descriptor of the process behind a socket, in whatever namespace that is.
        place = self.work / "service"
        ways = """
import ctypes, fcntl, socket, struct, sys
SO_PEERPIDFD, PIDFD_GET_USER_NAMESPACE = 77, 0xff09
libc = ctypes.CDLL(None, use_errno=True)
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
print("connected")
try: pidfd = struct.unpack("i", peer.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD, 4))[0]
except OSError: sys.exit()
print("descriptor")
for name, call, *arguments in (("signal", 424, 0, 0, 0), ("descriptor of it", 438, 0, 0), ("signal to all", 424, 0, 0, 4)):
    if libc.syscall(call, pidfd, *arguments) >= 0: print(name)
try: fcntl.ioctl(pidfd, PIDFD_GET_USER_NAMESPACE); print("namespace")
except OSError: pass
"""
        serve = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\nwhile True: s.accept()[0].recv(1)"
        service = self.account.daemon([*PYTHON, serve, str(place)])
        self.wait_for_file(place, service)
        outside = wait_for(lambda: self.outside(*PYTHON, ways, str(place)).out.split("\n"), what="the service")
        self.assertIn("connected", outside, "the control")
        if "descriptor" in outside:
            self.assertLessEqual({"signal", "descriptor of it"}, set(outside), "the control")
        for circumstance in (DEFAULT, SHARED_NETWORK, NESTED):
            with self.subTest(circumstance.name):
                out = self.attack(circumstance, *PYTHON, ways, str(place), options=("-s", f"files.read-write+={place}")).out
                self.assertEqual(out.split("\n")[0], "connected")
                self.assertLessEqual(set(out.split("\n")), {"connected", "descriptor", ""})
        self.assertIsNone(service.poll())

    def test_the_first_process_cannot_be_traced_or_stopped(self) -> None:
        # Its memory is the only one inside with sbox's own code; and with it, all that it waits for.
        for circumstance in [DEFAULT, SHARED_NETWORK, NESTED, DEBUG, *([BY_ROOT] if os.getuid() == 0 else [])]:
            with self.subTest(circumstance.name):
                options = ("-s", f"files.read-only+={self.probe}")
                inside = dict(line.split() for line in self.attack(circumstance, self.probe, "reach", "1", "0x400000", options=options).out.splitlines())
                for name in ("seize", "attach", "process_vm_readv", "process_vm_writev", "mem", "environ", "root", "ns", "pidfd_getfd",
                             "setns-pidfd", "process_madvise", "process_mrelease", "kcmp", "migrate_pages", "perf", "robust-list"):  # fmt: skip
                    self.assertNotEqual(inside[name], "ok", name)

    def test_no_signal_from_inside_disturbs_sbox(self) -> None:
        code = """
import os, signal
for target in (1, os.getppid(), 0, -1):
    for number in range(1, 65):
        if target <= 0 and number in (signal.SIGKILL, signal.SIGSTOP): continue
        if target <= 0:
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): continue
        try: os.kill(target, number)
        except OSError: pass
print("done", flush=True)
os._exit(43)
"""
        for circumstance in (DEFAULT, SHARED_NETWORK, NESTED):
            with self.subTest(circumstance.name):
                result = self.account.run([str(SBOX), *circumstance.options, "--", *PYTHON, code])
                self.assertEqual((result.status, result.out, result.err), (43, "done\n", ""), result)


class Terminals(AttackTest):
    def open_terminal(self) -> tuple[int, int]:
        leader, follower = pty.openpty()
        tty.setraw(follower)
        if os.getuid() == 0:
            os.fchown(follower, self.account.uid, self.account.gid)
        self.addCleanup(os.close, leader)
        self.addCleanup(os.close, follower)
        return leader, follower

    def waiting(self, fd: int) -> int:
        count = bytearray(4)
        fcntl.ioctl(fd, termios.FIONREAD, count)
        return int.from_bytes(count, "little")

    def test_nothing_is_typed_into_the_terminal_that_sbox_was_started_from(self) -> None:
        code = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
number = 16 if os.uname().machine == "x86_64" else 29
fds = [0, 1, 2, os.open("/dev/tty", os.O_RDWR)]
for fd in range(3):
    try: fds.append(os.open(f"/proc/self/fd/{fd}", os.O_RDWR))
    except OSError: pass
errors = set()
for fd in fds:
    for request in (0x5412, 0x5412 | 1 << 32, 0x5412 | 0xffffffff << 32, 0x5412 | 0xdeadbeef << 32):
        if libc.syscall(number, ctypes.c_long(fd), ctypes.c_ulong(request), ctypes.c_char_p(b"#")) < 0: errors.add(ctypes.get_errno())
        else: errors.add(0)
print("ERRORS", len(fds), sorted(errors), "END")
"""
        for name, command in (("control", []), ("sbox", [str(SBOX), "--"])):
            with self.subTest(name):
                leader, follower = self.open_terminal()
                argv = ["setsid", "--ctty", "--wait", *command, *PYTHON, code]
                child = self.account.start(argv, stdin=follower, stdout=follower, stderr=follower)
                said = ""
                while "END" not in said:
                    self.assertTrue(select.select([leader], [], [], 15)[0], said)
                    said += os.read(leader, 4096).decode()
                child.wait(10)
                if name == "control":
                    self.assertIn("[0]", said)
                    self.assertGreater(self.waiting(follower), 10)
                else:
                    self.assertIn("ERRORS 7 [1]", said)
                    self.assertEqual(self.waiting(follower), 0)

    def test_terminals_of_the_host_cannot_be_opened(self) -> None:
        leader, follower = self.open_terminal()
        os.set_blocking(leader, False)
        path = os.ttyname(follower)
        code = f"""
import glob, os
opened = []
for name in ["/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ttyS0", {path!r}, *glob.glob("/dev/pts/[0-9]*")]:
    try: fd = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK); opened.append(name); os.write(fd, b"attack")
    except OSError: pass
print(opened)
"""
        self.assertIn(path, self.outside(*PYTHON, code).out, "the control")
        self.assertIn(b"attack", os.read(leader, 1000), "the control")
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                self.assertEqual(self.attack(circumstance, *PYTHON, code).out, "[]\n")
                with self.assertRaises(BlockingIOError):
                    os.read(leader, 1000)

    def test_what_sbox_says_has_no_control_characters_of_others(self) -> None:
        evil = "x\x1b]52;c;YQ==\x07\x1b[2K\r\nsbox: fake\u202etxt\u2028\u009b31m\u200b"
        name = self.work / evil.replace("/", "")
        self.account.file(name, "#!/bin/sh\n", 0o755)
        broken = self.account.file(self.work / f"broken {name.name}", "#!/nowhere\n", 0o755)
        profile = self.account.file(self.account.base / "profiles" / "evil.profile", f"[profile]\ndescription = {evil.splitlines()[0]}\n")
        sane = self.profile("[home]\nmode = empty\n", "sane")
        commands: list[list[str]] = [
            [evil], ["-p", evil, "true"], ["-p", f"/{evil}", "true"], ["-s", f"{evil}=x", "true"], ["-s", f"home.mode={evil}", "true"],
            ["-s", f"files.read-only={evil}", "true"], ["-s", f"files.read-only=/{evil}", "true"], ["-s", f"dbus.talk={evil}", "true"],
            ["--name", evil, "-v", "true"], ["-v", "-p", sane, "true", evil], ["--dry-run", "-p", sane, "true", evil], [f"--{evil}"],
            ["--dry-run", "--name", evil, "true"], ["-v", str(name)], ["-v", "-p", sane, str(broken)], ["explain", evil], ["explain", "default", f"/{evil}"], ["explain", str(profile)],
            ["show", evil], ["show", str(profile)], ["lint", evil], ["lint", str(profile)], ["-p", str(profile), "true"], ["run", evil], [evil, "x"],
            ["-s", f"environment.set=A={evil}", "--dry-run", "true"], ["-s", f"seccomp.allow={evil}", "true"], ["-s", f"system.time-zone={evil}", "true"],
        ]  # fmt: skip
        for command in commands:
            with self.subTest(command=command):
                result = self.sbox(*command, env={"HOME": str(self.account.home), "DISPLAY": evil, "WAYLAND_DISPLAY": evil, "LANG": evil})
                for text in (result.out, result.err):
                    found = [character for character in text if character != "\n" and (not character.isprintable() and character != " ")]
                    self.assertEqual(found, [], text)
                if "--dry-run" in command and result.status == 0:
                    json.loads(result.out)
                self.assertNotIn("\nsbox: fake", result.err)


class Lifetime(AttackTest):
    def test_a_thread_that_started_sbox_may_end(self) -> None:
        ready = self.directory("ready") / "up"
        children: list[subprocess.Popen[bytes]] = []
        script = f": >{ready}; exec sleep 600"

        def start() -> None:
            children.append(self.start("-s", f"files.read-write+={ready.parent}", "--", "sh", "-c", script))

        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        child = children[0]
        self.wait_for_file(ready, child)
        inside = [pid for pid in processes() if len(status_field(pid, "NSpid").split()) == 2 and read_process(pid, "cmdline").startswith("sleep\x00600")]
        self.assertTrue(inside)
        self.assertIsNone(child.poll())
        child.kill()
        child.wait(5)
        wait_for(lambda: not [pid for pid in inside if read_process(pid, "cmdline")], 2, "the end of the program")

    def test_nobody_outlives_sbox_by_a_second_whatever_was_done(self) -> None:
        # Double-forked, in sessions of their own, deaf to signals, stopped, renamed, without the signal of a parent's death.
        code = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None)
ready, marker = sys.argv[1:3]
for step in range(6):
    if os.fork(): continue
    libc.prctl(1, 0)
    os.setsid()
    if os.fork(): os._exit(0)
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    if step == 1: os.kill(os.getpid(), signal.SIGSTOP)
    if step == 2:
        for fd in range(3): os.close(fd)
    if step == 3 and os.fork() == 0:
        while True: pass
    while True: signal.pause()
open(ready, "w").close()
signal.pause()
"""
        ready = self.directory("ready") / "up"
        for victim in ("sbox", "first process"):
            marker = f"sbox-marker-{os.getpid()}-{victim.replace(' ', '-')}"
            ready.unlink(missing_ok=True)
            child = self.start("-s", f"files.read-write+={ready.parent}", "--", *PYTHON, code, str(ready), marker)
            self.wait_for_file(ready, child)
            wait_for(lambda: len(running(marker)) >= 8, 5, "all of them")
            first = [pid for pid in processes() if status_field(pid, "NSpid").split()[1:] == ["1"] and "sbox" in read_process(pid, "cmdline")]
            mine = [pid for pid in first if os.path.exists(f"/proc/{pid}") and status_field(pid, "PPid") == str(child.pid)]
            self.assertEqual(len(mine), 1, first)
            os.kill(child.pid if victim == "sbox" else mine[0], signal.SIGKILL)
            child.wait(5)
            wait_for(lambda: not running(marker), 1, f"the end of all after {victim} was killed")
