"""Attack suite, the kernel's interfaces: sockets and keys, mounts, system calls, Landlock, resources."""

from __future__ import annotations

import collections
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

from account import REFUSED, SBOX
from attack import BY_ROOT, DEFAULT, MOUNTING, NESTED, SHARED_NETWORK, SHIPPED, AttackTest, Circumstance
from attack_stage import staged
from harness import probe, processes, status_field, wait_for

# These profiles let a program make namespaces of its own.
NESTED_NAMES = set() if REFUSED else {"profile chromium", "profile firefox", "profile thunderbird", NESTED.name, MOUNTING.name}
COMPAT = Circumstance("32-bit", ["-s", "seccomp.32-bit=yes"])
EXCLUSIVE = Circumstance("write xor execute", ["-s", "process.write-xor-execute=yes"])
KEPT = Circumstance("private home, write xor execute", [*EXCLUSIVE.options, "-s", "home.mode=private"])

EPERM, ENOENT, EINVAL, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT = "1", "2", "22", "38", "93", "97"
# Calls that an ordinary user may make outside: the control.
LIVE = {
    "tiocsti", "tiocsti-high", "tiocsti-all-high", "tiocsti-dev-tty", "tiocsti-reopened", "tiocsetd", "tiocsetd-high",
    "clone-high", "personality-high", "personality-all-high", "netlink-diag", "netlink-diag-high", "netlink-netfilter",
    "keyctl-session-to-parent", "keyctl-join-session", "keyctl-user-keyring", "ptrace-traceme", "kcmp", "adjtimex",
    "openat2", "lease", "lease-high",
}  # fmt: skip
LIVE_NESTED = {"unshare", "mount-tmpfs", "bind", "fsopen", "fsmount", "chroot", "netfilter", "packet", "raw"}
# What has nothing of the host in it; the second row by the version of the kernel.
MOUNTABLE = {"mount-tmpfs", "mount-proc", "bind", "fsmount"}
MOUNTABLE_SINCE = {"mount-overlay", "mount-mqueue", "mount-binfmt"}
LIVE_MEMORY = {"mmap-both", "mprotect-exec", "pkey_mprotect", "shmat", "memfd", "file-tmp", "personality", "proc-mem"}
NEW_MOUNT_CALLS = ("457", "458", "467")


class Probing(AttackTest):
    program = "attack_calls"

    def setUp(self) -> None:
        super().setUp()
        self.probe = probe(self.program)

    def results(self, circumstance: Circumstance, *arguments: str, options: tuple[str, ...] = ()) -> dict[str, str]:
        # A path that is named for the probe is no document that is opened.
        grant = ("-s", f"files.read-only+={self.probe}", "-s", "files.arguments=no")
        return table(self.attack(circumstance, self.probe, *arguments, options=grant + options).out)

    def control(self, *arguments: str) -> dict[str, str]:
        return table(self.outside(self.probe, *arguments).out)


def table(text: str) -> dict[str, str]:
    return dict(line.rsplit(" ", 1) for line in text.splitlines())


class SystemCalls(Probing):
    def expected(self, circumstance: Circumstance, name: str) -> str:
        nested = circumstance.name in NESTED_NAMES
        if name.startswith("x32-") or name.startswith("entry32-") and circumstance is not COMPAT:
            return "killed"
        if name == "entry32-getpid" or nested and name in ("clone-high", "clone-net"):
            return "ok"
        if name.startswith("vsock") or name == "entry32-socket":
            return EAFNOSUPPORT
        if name.startswith("netlink-"):
            return EPROTONOSUPPORT
        if name.startswith("dev-"):
            return ENOENT
        if name == "openat2":
            return ENOSYS
        if name == "another-group" or name == "setuid-root" and circumstance is not BY_ROOT:
            return EINVAL  # an id that does not exist
        if nested and name == "unshare-all-high":
            return EINVAL  # as outside
        return EPERM

    def test_calls_that_no_program_needs_fail_in_every_circumstance(self) -> None:
        outside = self.control("calls")
        self.assertLessEqual(LIVE, {name for name, result in outside.items() if result == "ok"}, "the control")
        for circumstance in [*self.circumstances(), COMPAT]:
            results = self.results(circumstance, "calls")
            self.assertEqual(results.keys(), outside.keys())
            for name, result in results.items():
                with self.subTest(circumstance.name, call=name):
                    self.assertEqual(result, self.expected(circumstance, name))

    def test_the_probes_of_single_calls_fail_in_every_circumstance(self) -> None:
        single = probe("syscalls")
        names = [name for name in self.outside(single).out.split() if name not in ("getpid", "personality")]
        granted = {"unshare", "unshare-high-bits", "clone", "setns", "open_tree"}
        script = f"for name in {' '.join(names)}; do echo $name $({single} $name); done"
        self.assertIn("open_tree ok", self.outside("sh", "-c", script).out, "the control")
        for circumstance in self.circumstances():
            out = self.attack(circumstance, "sh", "-c", script, options=("-s", f"files.read-only+={single}")).out
            self.assertEqual(len(out.splitlines()), len(names))
            for name, result in table(out).items():
                with self.subTest(circumstance.name, call=name):
                    if circumstance.name not in NESTED_NAMES or name not in granted:
                        self.assertNotEqual(result, "ok")

    def test_a_user_namespace_of_one_s_own_gives_nothing_further(self) -> None:
        outside = self.control("nested")
        self.assertLessEqual(LIVE_NESTED, {name for name, result in outside.items() if result == "ok"}, "the control")
        for circumstance in [*self.circumstances(), NESTED, MOUNTING]:
            with self.subTest(circumstance.name):
                results = self.results(circumstance, "nested")
                self.assertEqual(results.keys(), outside.keys())
                worked = {name for name, result in results.items() if result == "ok"}
                nested = circumstance.name in NESTED_NAMES
                if circumstance is MOUNTING:
                    self.assertLessEqual(MOUNTABLE, worked)
                    worked -= MOUNTABLE | MOUNTABLE_SINCE
                self.assertEqual(worked, {"unshare", "chroot", "fsopen"} if nested else set())

    def test_numbers_that_the_table_does_not_have_look_missing(self) -> None:
        self.assertNotEqual(self.control("numbers", "458", "458"), {"458": ENOSYS}, "the control")
        for circumstance in (DEFAULT, SHARED_NETWORK, NESTED, COMPAT):
            with self.subTest(circumstance.name):
                gap, new = self.results(circumstance, "numbers", "337", "423"), self.results(circumstance, "numbers", "457", "600")
                newer = {name: result for name, result in new.items() if int(name) > 467}
                self.assertEqual(set((gap | newer).values()), {ENOSYS})
                self.assertEqual({new[name] for name in NEW_MOUNT_CALLS}, {EPERM})

    def test_memory_that_was_written_is_never_executed_where_the_profile_says_so(self) -> None:
        outside = self.control("memory")
        self.assertLessEqual(LIVE_MEMORY, {name for name, result in outside.items() if result == "ok"}, "the control")
        for circumstance in (EXCLUSIVE, KEPT):
            for name, result in self.results(circumstance, "memory").items():
                with self.subTest(circumstance.name, way=name):
                    self.assertIn(result, (EPERM, "13", ENOSYS))

    def test_a_million_denied_calls_leave_no_trace_outside(self) -> None:
        kernel_log = subprocess.run(["dmesg"], capture_output=True, check=False).stdout if os.getuid() == 0 else b""
        result = self.sbox("-s", f"files.read-only+={self.probe}", "--", self.probe, "denied", "1000000", timeout=100)
        self.assertEqual((result.status, result.out, result.err), (0, "1000000\n", ""), result)
        if kernel_log:
            after = subprocess.run(["dmesg"], capture_output=True, check=False).stdout
            self.assertLess(len(after) - len(kernel_log), 100_000)


class SetIdBits(Probing):
    def files_with_bits(self, folder: pathlib.Path) -> list[str]:
        return [str(path) for path in folder.rglob("*") if path.lstat().st_mode & 0o6000]

    def test_no_file_of_the_host_gets_a_set_id_bit(self) -> None:
        outside = self.directory("outside")
        self.outside(self.probe, "set-id", str(outside))
        self.assertGreater(len(self.files_with_bits(outside)), 20, "the control")
        agent = next(each for each in SHIPPED if each.name == "profile agent")
        root = [BY_ROOT] if os.getuid() == 0 else []
        for number, circumstance in enumerate([DEFAULT, NESTED, COMPAT, agent, *root]):
            with self.subTest(circumstance.name):
                folder = self.account.directory(self.account.base / f"set-id-{number}", 0o777)
                grant = ("-s", f"files.read-write+={folder}")
                results = self.results(circumstance, "set-id", str(folder), options=grant)
                self.assertEqual({name for name, result in results.items() if result == "ok"}, set())
                self.assertTrue(list(folder.iterdir()), "the probe made files")
                self.assertEqual(self.files_with_bits(folder), [])

    def test_a_private_home_has_no_file_with_such_a_bit_either(self) -> None:
        home = str(self.account.home)
        options = ("-s", "home.mode=private", *NESTED.options)
        self.results(DEFAULT, "set-id", home, options=options)
        kept = self.account.home / ".local/share/sbox/homes"
        self.assertTrue(list(kept.rglob("set-id-*")), "the probe made files")
        self.assertEqual(self.files_with_bits(kept), [])


class Mounts(Probing):
    def read_only_points(self, circumstance: Circumstance, options: tuple[str, ...]) -> set[str]:
        lines = self.attack(circumstance, "cat", "/proc/self/mountinfo", options=options).out.splitlines()
        return {line.split()[4] for line in lines if "ro" in line.split()[5].split(",")}

    def test_no_mount_can_be_changed_moved_or_taken_away(self) -> None:
        top = self.account.file(self.account.base / "top/hidden/canary", "secret").parents[1]
        options = ("-s", f"files.read-only+={top}", "-s", f"files.hide+={top}/hidden")
        root = [BY_ROOT] if os.getuid() == 0 else []
        for circumstance in (DEFAULT, SHARED_NETWORK, NESTED, MOUNTING, *root):
            with self.subTest(circumstance.name):
                results = self.results(circumstance, "mounts", options=options)
                self.assertIn(f"{top}/hidden remount", results)
                worked = collections.defaultdict(set)
                for line, result in results.items():
                    point, change = line.rsplit(" ", 1)
                    if result == "ok":
                        worked[change].add(point)
                if REFUSED or circumstance not in (NESTED, MOUNTING):
                    self.assertEqual(dict(worked), {})
                    continue
                if circumstance is MOUNTING:
                    worked.pop("nested-share")  # among its own namespaces
                # In a namespace of its own a program may look at mounts, and copy those that cover nothing; a copy is as
                # read-only as what it is of, and is nowhere.
                self.assertLessEqual(worked.keys(), {f"nested-{name}" for name in ("copy", "copy-alone", "fspick", "setattr", "copy-writable")})
                covered = {str(top), "/"} | ({"/proc"} if circumstance is NESTED else set())
                self.assertEqual(covered & worked["nested-copy-alone"], set())
                fixed = self.read_only_points(circumstance, options)
                self.assertGreater(len(fixed), 20)
                self.assertEqual(fixed & (worked["nested-setattr"] | worked["nested-copy-writable"]), set())

    def test_mounts_of_the_host_below_a_grant_are_read_only_like_it(self) -> None:
        self.root_only()
        folder = self.directory("folder/below").parent
        setup = f"mount -t tmpfs -o mode=777 none {folder}/below"
        script = f"(echo x >{folder}/below/x) 2>/dev/null && echo written; grep -c {folder} /proc/self/mountinfo"
        self.assertEqual(staged(self.account, setup, "sh", "-c", script).out, "written\n1\n", "the control")
        inside = staged(self.account, setup, str(SBOX), "-s", f"files.read-only+={folder}", "--", "sh", "-c", script)
        self.assertEqual((inside.status, inside.out), (0, "2\n"), inside)

    def test_mounts_that_come_later_are_on_their_own_side(self) -> None:
        self.root_only()
        folder, report = self.directory("folder/late").parent, self.directory("report")
        wait = "while [ ! -e {0} ]; do sleep 0.01; done"
        # The folder is a shared mount: a namespace that was made carelessly gets what is mounted below it.
        setup = f"mount -t tmpfs none {folder}; mount --make-shared {folder}; mkdir {folder}/late"
        look = f": >{report}/up; {wait.format(f'{report}/go')}; cat /proc/self/mountinfo >{report}/seen"
        late = f"{wait.format(f'{report}/up')}; mount -t tmpfs none {folder}/late; : >{report}/go; wait"
        drop = f"setpriv --reuid {self.account.uid} --regid {self.account.gid} --clear-groups"
        grants = f"-s files.read-only+={folder} -s files.read-write+={report}"
        for name, command in (("control", "unshare --mount --propagation unchanged"), ("sbox", f"{drop} {SBOX} {grants} --")):
            for old in report.iterdir():
                old.unlink()
            script = f"{setup}; {command} sh -c '{look}' & {late}; cat /proc/self/mountinfo >{report}/host"
            argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
            result = self.account.run(argv, user=0, group=0)
            self.assertEqual(result.status, 0, result)
            seen, outside = (report / "seen").read_text(), (report / "host").read_text()
            self.assertIn(f" {folder}/late ", outside, "the control")
            self.assertEqual(f" {folder}/late " in seen, name == "control", seen)
            # Nothing of the sandbox is mounted outside: the masks of /proc tell it.
            self.assertEqual(" /proc/kallsyms " in seen, name == "sbox", seen)
            self.assertNotIn(" /proc/kallsyms ", outside)

    def test_no_mount_leads_to_the_rest_of_the_host(self) -> None:
        canary = self.file("canary/file", "secret")
        wanted = [(status.st_dev, status.st_ino) for status in map(os.stat, (canary, canary.parent, self.work, "/", "/etc"))]
        code = f"""
import os, sys
seen = 0
for line in open("/proc/self/mountinfo"):
    for folder, folders, names in os.walk(line.split()[4]):
        if folder.startswith(("/proc", "/usr/share/doc")): folders.clear()
        for name in (".", "..", *names):
            try: status = os.lstat(os.path.join(folder, name))
            except OSError: continue
            seen += 1
            if (status.st_dev, status.st_ino) in {wanted}: print("found", folder, name)
        if folder.count("/") > 3: folders.clear()
print("seen", seen > 500)
"""
        for circumstance in (DEFAULT, NESTED, MOUNTING):
            with self.subTest(circumstance.name):
                self.assertEqual(self.attack(circumstance, "/usr/bin/python3", "-I", "-S", "-c", code).out, "seen True\n")

    def test_a_device_in_a_granted_directory_cannot_be_opened(self) -> None:
        self.root_only()
        folder = self.directory("folder")
        for name, number in (("zero", os.makedev(1, 5)), ("null", os.makedev(1, 3))):
            os.mknod(folder / name, 0o020666, number)
            (folder / name).chmod(0o666)
        script = f"cat {folder}/null; head -c 1 {folder}/zero 2>/dev/null | wc -c"
        self.assertEqual(self.outside("sh", "-c", script).out, "1\n", "the control")
        for option in ("files.read-only", "files.read-write"):
            with self.subTest(option):
                self.assertEqual(self.inside(f"ls {folder}; ({script}) 2>/dev/null", "-s", f"{option}+={folder}"), "null\nzero\n0\n")

    def test_files_that_only_root_s_or_other_users_eyes_may_see_are_not_there(self) -> None:
        self.root_only()
        places = ["/root", "/boot", "/srv", "/mnt", "/media", "/var/log", "/var/mail", "/var/spool", "/var/lib", "/etc/ssh",
                  "/etc/sudoers.d", "/etc/ssl/private", "/home"]  # fmt: skip
        places = [place for place in places if os.path.isdir(place)]
        setup = "".join(f"mount -t tmpfs -o mode=755 none {place}; echo secret >{place}/canary; " for place in places if place != "/home")
        mine = [f"{place}/canary" for place in places if place != "/home"] + ["/etc/shadow", "/etc/gshadow", "/etc/sudoers"]
        script = f"cat {' '.join(mine)} 2>/dev/null; true"
        self.assertGreaterEqual(staged(self.account, setup, "sh", "-c", script).out.count("secret"), 8, "the control")
        for circumstance in (DEFAULT, *SHIPPED):
            with self.subTest(circumstance.name):
                argv = [str(SBOX), *circumstance.options, "--", "sh", "-c", script]
                result = staged(self.account, setup, *argv, cwd=str(self.work))
                self.assertEqual((result.status, result.out), (0, ""), result)
        as_root = self.outside("sh", "-c", script, **BY_ROOT.settings).out
        self.assertIn("root:", as_root, "the control")
        self.assertEqual(self.attack(BY_ROOT, "sh", "-c", script).out, "")

    def test_devices_of_the_host_keep_mode_owner_and_times(self) -> None:
        self.root_only()
        devices = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")]
        before = [(status.st_mode, status.st_uid, status.st_mtime_ns) for status in map(os.stat, devices)]
        for device, (mode, _, _) in zip(devices, before):
            self.addCleanup(os.chmod, device, mode)
        script = f"cd /dev; chmod 600 {' '.join(devices)}; touch -d @1 {' '.join(devices)}; chown 0:1 {' '.join(devices)}; echo x >null; echo works"
        for circumstance in (DEFAULT, BY_ROOT):
            with self.subTest(circumstance.name):
                self.assertEqual(self.attack(circumstance, "sh", "-c", f"({script}) 2>/dev/null").out, "works\n")
                self.assertEqual([(s.st_mode, s.st_uid, s.st_mtime_ns) for s in map(os.stat, devices)], before)


class Sockets(Probing):
    """Sockets of the session and the system; none of them is granted to anyone."""

    program = "attack_processes"
    ABSTRACT = ("/tmp/.X11-unix/X97", "/tmp/.ICE-unix/97", "/tmp/dbus-sbox-canary", "/tmp/ibus/dbus-sbox-canary",
                "sbox-at-spi-canary", "sbox-canary")  # fmt: skip
    RUNTIME = ("systemd/private", "systemd/notify", "gnupg/S.gpg-agent", "keyring/control", "keyring/ssh", "p11-kit/pkcs11",
               "gvfsd/socket-x", "at-spi/bus", "ibus/bus", "kitty-1", "vscode-ipc-1.sock", "emacs/server", "nvim.1.0",
               "docker.sock", "podman/podman.sock", "snapd-session-agent.socket", "ssh-agent.socket", "canary")  # fmt: skip
    HOME = (".gnupg/S.gpg-agent", ".ssh/control-canary", ".config/ibus/bus-canary", ".cache/keyring-canary/ssh")
    # Not nscd's: the programs that prepare the machine ask it, too.
    SYSTEM = ("docker.sock", "containerd/containerd.sock", "podman/podman.sock", "libvirt/libvirt-sock", "lxd.socket", "snapd.socket",
              "dbus/system_bus_socket", "systemd/private", "systemd/notify", "systemd/journal/stdout", "systemd/journal/dev-log",
              "systemd/io.system.ManagedOOM", "systemd/userdb/canary", "systemd/resolve/io.systemd.Resolve",
              "cups/cups.sock", "avahi-daemon/socket", "pcscd/pcscd.comm", "sssd/private", "screen/S-user/1.tty",
              "bluetooth/canary", "acpid.socket", "udev/control", "user/canary")  # fmt: skip

    def listen(self, stack: contextlib.ExitStack, name: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
        server = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
        if name.startswith("/"):
            path = pathlib.Path(name)
            self.account.directory(path.parent)
            path.unlink(missing_ok=True)
            server.bind(name)
            self.account.own(path).chmod(0o777)
            stack.callback(path.unlink)
        else:
            server.bind(name.replace("@", "\0", 1))
        if kind != socket.SOCK_DGRAM:
            server.listen(128)

    def test_no_socket_of_the_user_s_is_in_reach(self) -> None:
        folder = self.account.base / "t"  # short: an address has room for 108 bytes
        paths = [str(self.account.runtime / name) for name in self.RUNTIME]
        paths += [str(self.account.home / name) for name in self.HOME]
        shared = [f"/tmp/sbox-{os.getpid()}-{name}/default" for name in ("tmux", "ssh", "vscode")]
        names = [*paths, *shared, str(folder / "s")]
        abstract = [f"@{name}-{os.getpid()}" for name in self.ABSTRACT]
        with contextlib.ExitStack() as stack:
            for path in shared:
                stack.callback(shutil.rmtree, os.path.dirname(path), True)
            for name in [*names, *abstract]:
                self.listen(stack, name)
            for name in [f"@sbox-datagrams-{os.getpid()}", str(self.account.runtime / "datagrams")]:
                self.listen(stack, name, socket.SOCK_DGRAM)
                names.append(name)
            names += abstract
            self.assertEqual(set(self.control("connect", *names).values()), {"ok"}, "the control")
            for circumstance in [*self.circumstances(), NESTED]:
                with self.subTest(circumstance.name):
                    results = self.results(circumstance, "connect", *names)
                    self.assertEqual({name for name, result in results.items() if result == "ok"}, set())
                    self.assertEqual(len(results), len(names))

    def test_no_socket_of_the_system_s_is_in_reach(self) -> None:
        self.root_only()
        names = [f"/run/{name}" for name in self.SYSTEM]
        with contextlib.ExitStack() as stack:
            canary = str(self.account.base / "canary")
            self.listen(stack, canary)
            setup = "mount -t tmpfs -o mode=755 none /run; "
            setup += "; ".join(f"mkdir -p {os.path.dirname(name)}; : >{name}; mount --bind {canary} {name}" for name in names)
            names += ["/var/run/docker.sock"] if os.path.islink("/var/run") else []
            outside = table(staged(self.account, setup, self.probe, "connect", *names).out)
            self.assertEqual(set(outside.values()), {"ok"}, "the control")
            for circumstance in [DEFAULT, SHARED_NETWORK, *SHIPPED]:
                with self.subTest(circumstance.name):
                    options = [*circumstance.options, "-s", f"files.read-only+={self.probe}", "-s", "files.arguments=no", "--"]
                    argv = [str(SBOX), *options, self.probe, "connect", *names]
                    result = staged(self.account, setup, *argv, cwd=str(self.work))
                    self.assertEqual(result.status, 0, result)
                    self.assertEqual(set(table(result.out).values()), {ENOENT})

    def test_no_socket_is_to_be_seen_anywhere(self) -> None:
        with contextlib.ExitStack() as stack:
            self.listen(stack, str(self.account.runtime / "canary"))
            script = "find / -path /proc -prune -o -path /usr -prune -o -type s -print 2>/dev/null; true"
            for circumstance in self.circumstances():
                with self.subTest(circumstance.name):
                    self.assertEqual(self.attack(circumstance, "sh", "-c", script).out, "")

    def test_nobody_outside_reaches_a_socket_that_is_made_inside(self) -> None:
        report = self.directory("report")
        names = [f"/tmp/sbox-inside-{os.getpid()}", f"@sbox-inside-{os.getpid()}", "/run/user/sbox", "/dev/shm/sbox-inside"]
        code = f"""
import socket, os, sys
servers = []
for name in {names!r}:
    servers.append(socket.socket(socket.AF_UNIX))
    try: servers[-1].bind(name.replace("@", chr(0), 1)); servers[-1].listen(8)
    except OSError: pass
open("{report}/up", "w").write("x")
sys.stdin.read()
"""
        python = ["/usr/bin/python3", "-I", "-S", "-c", code]
        for name, command in (("control", python), ("sbox", [str(SBOX), "-s", f"files.read-write+={report}", "--", *python])):
            (report / "up").unlink(missing_ok=True)
            child = self.account.start(command, stdin=subprocess.PIPE)
            self.wait_for_file(report / "up", child)
            results = self.control("connect", *names)
            worked = {where for where, result in results.items() if result == "ok"}
            self.assertEqual(worked, {names[0], names[1], names[3]} if name == "control" else set())
            assert child.stdin
            child.stdin.close()
            child.wait(10)
            for path in (names[0], names[3]):
                pathlib.Path(path).unlink(missing_ok=True)

    def test_shared_memory_and_queues_of_others_are_not_found(self) -> None:
        key = str(700_000 + os.getpid())
        self.assertEqual(set(self.control("ipc", key, "make").values()), {"ok"})
        self.addCleanup(self.control, "ipc", key, "remove")
        self.assertEqual(set(self.control("ipc", key).values()), {"ok"}, "the control")
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                self.assertEqual(set(self.results(circumstance, "ipc", key).values()), {ENOENT})

    def test_two_sandboxes_share_nothing(self) -> None:
        key, report = str(700_000 + os.getpid()), self.directory("report")
        name = f"@sbox-neighbour-{os.getpid()}"
        code = f"""
import os, socket, subprocess, sys
subprocess.run([{self.probe!r}, "ipc", {key!r}, "make"], stdout=subprocess.DEVNULL)
server = socket.socket(socket.AF_UNIX); server.bind({name!r}.replace("@", chr(0))); server.listen(8)
for folder in ("/tmp", "/var/tmp", "/dev/shm", os.environ["XDG_RUNTIME_DIR"], os.environ["HOME"]):
    open(folder + "/neighbour", "w").close()
open("{report}/up", "w").write("x")
sys.stdin.read()
"""
        look = "ls -A /tmp /var/tmp /dev/shm $XDG_RUNTIME_DIR ~ | grep neighbou[r]; cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c neighbou[r]"
        for options in ([], ["-s", "network.mode=host"], ["-s", "network.mode=host", *MOUNTING.options]):
            with self.subTest(options=options):
                (report / "up").unlink(missing_ok=True)
                grants = ["-s", f"files.read-write+={report}", "-s", f"files.read-only+={self.probe}"]
                first = self.start(*grants, *options, "--", "/usr/bin/python3", "-I", "-S", "-c", code, stdin=subprocess.PIPE)
                self.wait_for_file(report / "up", first)
                circumstance = Circumstance("second", options)
                self.assertEqual(set(self.results(circumstance, "ipc", key).values()), {ENOENT})
                self.assertNotEqual(self.results(circumstance, "connect", name), {name: "ok"})
                self.assertEqual(self.inside(f"{look}; true", *options), "0\n")
                assert first.stdin
                first.stdin.close()
                self.assertEqual(first.wait(10), 0)


class Landlock(Probing):
    program = "attack_processes"

    def test_what_landlock_does_not_see_fails_all_the_same(self) -> None:
        # Not below the directory that the profile `agent` gives.
        file = self.account.file(self.account.home / "sbox-canary/folder/file", "text")
        self.addCleanup(shutil.rmtree, file.parents[1])
        other = self.file("other/file", "text")
        before = file.stat()
        outside = self.control("touch", str(other))
        self.assertLessEqual({"stat", "o_path", "chmod", "chown", "utimens", "truncate", "flock"},
                             {name for name, result in outside.items() if result == "ok"}, "the control")  # fmt: skip
        for circumstance in [*self.circumstances(), NESTED]:
            with self.subTest(circumstance.name, path="hidden"):
                self.assertEqual(set(self.results(circumstance, "touch", str(file)).values()), {ENOENT})
        harmless = {"stat", "o_path", "access", "flock", "inotify"}
        for circumstance in (DEFAULT, NESTED, SHARED_NETWORK):
            with self.subTest(circumstance.name, path="read-only"):
                results = self.results(circumstance, "touch", str(file), options=("-s", f"files.read-only+={file.parent}"))
                self.assertLessEqual({name for name, result in results.items() if result == "ok"}, harmless)
        after = file.stat()
        self.assertEqual((before.st_mode, before.st_mtime_ns, before.st_ino), (after.st_mode, after.st_mtime_ns, after.st_ino))
        self.assertEqual(file.read_text(), "text")

    def test_all_rights_that_this_kernel_knows_are_handled(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        create_ruleset, version = 444, 1
        abi = libc.syscall(create_ruleset, None, 0, version)
        rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)
        for circumstance in (DEFAULT, SHARED_NETWORK, *SHIPPED):
            with self.subTest(circumstance.name):
                result = self.sbox(*circumstance.options, "--dry-run", "--", "true", cwd=str(self.work))
                landlock = json.loads(result.out)["landlock"]
                self.assertEqual((landlock["abi"], landlock["handled"]), (abi, (1 << rights) - 1))
                self.assertEqual(landlock["scoped"], 3 if abi >= 6 else 0)

    def strace(self, *options: str, program: tuple[str, ...] = ("true",)) -> tuple[int, str, str]:
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        log = self.work / "strace"
        log.unlink(missing_ok=True)
        split = options.index("--") if "--" in options else len(options)
        argv = ["strace", "-f", "-qq", "-o", str(log), *options[:split], str(SBOX), *options[split + 1 :], "--", *program]
        result = self.account.run(argv, timeout=20)
        return result.status, result.out, log.read_text(errors="replace")

    def test_it_is_in_force_after_the_last_mount_and_before_the_program_for_the_one_thread_there_is(self) -> None:
        status, _, log = self.strace("-e", "trace=landlock_restrict_self,move_mount,mount_setattr,execve,clone,clone3,seccomp,vfork")
        self.assertEqual(status, 0, log)
        calls = [line.split(None, 1)[1].split("(")[0] for line in log.splitlines() if "(" in line]
        self.assertIn("landlock_restrict_self", calls, log)
        restrict = calls.index("landlock_restrict_self")
        self.assertNotIn("move_mount", calls[restrict:])
        self.assertNotIn("mount_setattr", calls[restrict:])
        self.assertIn("move_mount", calls[:restrict])
        self.assertEqual(calls[restrict:].count("execve"), 1)
        self.assertGreater(calls.index("execve", restrict), len(calls) - calls[::-1].index("seccomp") - 1)
        self.assertNotIn("CLONE_THREAD", log)

    def test_a_ruleset_that_cannot_be_made_refuses_the_start(self) -> None:
        for call in ("landlock_add_rule", "landlock_restrict_self"):
            with self.subTest(call=call):
                inject = ("-e", f"trace={call}", "-e", f"inject={call}:error=EOPNOTSUPP")
                status, out, log = self.strace(*inject, program=("echo", "started"))
                self.assertIn("(INJECTED)", log)
                self.assertEqual((status, out), (125, ""), log)

    def test_where_the_kernel_has_none_what_needs_it_is_refused(self) -> None:
        inject = ("-e", "trace=landlock_create_ruleset", "-e", "inject=landlock_create_ruleset:error=EOPNOTSUPP")
        status, out, log = self.strace(*inject, "--", "-s", "network.mode=host", program=("echo", "started"))
        self.assertIn("(INJECTED)", log)
        self.assertEqual((status, out), (125, ""), log)

    def test_with_all_layers_taken_the_start_is_refused(self) -> None:
        # A layer that is about the network only leaves sbox its mounts.
        code = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
for _ in range(int(sys.argv[1])):
    ruleset = libc.syscall(444, (ctypes.c_uint64 * 2)(0, 1), 16, 0)
    if ruleset < 0 or libc.syscall(446, ruleset, 0) != 0: sys.exit("no layer")
os.execv(sys.argv[2], sys.argv[2:])
"""
        command = ["/usr/bin/python3", "-I", "-S", "-c", code]
        fine = self.account.run([*command, "15", str(SBOX), "echo", "started"])
        self.assertEqual((fine.status, fine.out), (0, "started\n"), fine)
        full = self.account.run([*command, "16", str(SBOX), "echo", "started"])
        self.assertEqual((full.status, full.out), (125, ""), full)


class Resources(AttackTest):
    def test_every_file_system_of_its_own_has_a_size_and_a_number_of_files(self) -> None:
        for circumstance in self.circumstances():
            found = 0
            for line in self.attack(circumstance, "cat", "/proc/self/mountinfo").out.splitlines():
                left, right = line.split(" - ")
                kind, _, options = right.split(" ", 2)
                settings = dict(word.partition("=")[::2] for word in options.split(","))
                with self.subTest(circumstance.name, mount=left.split()[4]):
                    if kind == "tmpfs":
                        found += 1
                        size = int(settings["size"].removesuffix("k")) << 10
                        self.assertLessEqual(size, 1 << 30)
                        self.assertLessEqual(int(settings["nr_inodes"]), size // 1024)
                    if kind == "devpts":
                        self.assertLessEqual(int(settings["max"]), 256)
            self.assertGreaterEqual(found, 5)

    def test_terminals_run_out_inside_and_not_outside(self) -> None:
        code = """
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))
count = 0
try:
    while True: os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY); count += 1
except OSError as error: print(count, error.errno)
"""
        count, error = self.python(code).split()
        self.assertLessEqual(int(count), 256)
        self.assertEqual(int(error), 28)

    def test_what_is_not_the_sandbox_s_own_cannot_be_filled_up(self) -> None:
        script = "for d in / /dev /run /run/user /etc /proc /var /home /usr; do (head -c 1M /dev/zero >$d/fill) 2>/dev/null && echo $d; done; true"
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                self.assertEqual(self.attack(circumstance, "sh", "-c", script).out, "")

    def test_the_largest_file_holds_in_directories_of_the_host_too(self) -> None:
        folder = self.directory("folder")
        result = self.sbox(
            "-s", "limits.file-size=1M", "-s", f"files.read-write+={folder}", "--", "sh", "-c", f"head -c 3M /dev/zero >{folder}/big; echo $?"
        )  # fmt: skip
        self.assertNotEqual(result.out, "0\n", result)
        self.assertEqual((folder / "big").stat().st_size, 1 << 20)
        self.outside("sh", "-c", f"head -c 3M /dev/zero >{folder}/big")
        self.assertEqual((folder / "big").stat().st_size, 3 << 20, "the control")

    def test_the_caller_s_limit_of_processes_holds_inside(self) -> None:
        code = """
import os, signal
children = []
try:
    while len(children) < 300: 
        pid = os.fork()
        if pid == 0: signal.pause()
        children.append(pid)
    print("all")
except BlockingIOError: print("limit")
for pid in children:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""
        python = ["/usr/bin/python3", "-I", "-S", "-c", code]
        self.assertEqual(self.outside(*python).out, "all\n", "the control")
        busy = len([pid for pid in processes() if status_field(pid, "Uid").split()[:1] == [str(self.account.uid)]])
        result = self.account.run(["prlimit", f"--nproc={busy + 100}", str(SBOX), "--", *python])
        self.assertEqual((result.status, result.out), (0, "limit\n"), result)
        self.assertEqual(self.outside("true").status, 0)
