"""What a program sees of the machine: environment, processes, namespaces, privileges, /proc, /dev, /sys, sockets."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket

from harness import SystemTest, namespace

CANARY = "sbox-canary-5f21"
SECRETS = [
    "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS", "LD_PRELOAD",
    "LD_LIBRARY_PATH", "LD_AUDIT", "PYTHONPATH", "PERL5LIB", "NODE_OPTIONS", "BASH_ENV", "ENV", "GTK_MODULES",
    "QT_PLUGIN_PATH", "GCONV_PATH", "XAUTHORITY", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "AT_SPI_BUS_ADDRESS",
    "PULSE_SERVER", "TMPDIR", "IFS", "OLDPWD", "SUDO_COMMAND", "HISTFILE", "XDG_CONFIG_HOME", "CANARY",
]  # fmt: skip
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
DEVICES = {
    "console", "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
    "tty", "urandom", "zero",
}  # fmt: skip
MASKED = (
    "kcore", "kallsyms", "keys", "key-users", "timer_list", "kmsg", "interrupts", "modules", "config.gz", "iomem",
    "ioports", "slabinfo", "sched_debug", "vmallocinfo", "sysrq-trigger", "acpi", "scsi", "asound", "bus", "fs", "irq",
    "driver",
)  # fmt: skip
STATUS = """
import os, json
result = {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    for task in os.listdir(f"/proc/{pid}/task"):
        lines = open(f"/proc/{pid}/task/{task}/status").read().splitlines()
        result[pid + " " + task] = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
print(json.dumps(result))
"""
READABLE = """
import os, json, stat
found = []
for name in NAMES:
    path = "/proc/" + name
    try:
        if os.path.isdir(path):
            if os.listdir(path): found.append(name)
        elif open(path, "rb", 0).read(10): found.append(name)
    except OSError: pass
print(json.dumps(found))
"""
WRITABLE_SYSCTL = """
import os, json
found = []
for folder, _, names in os.walk("/proc/sys"):
    for name in names:
        try: os.close(os.open(os.path.join(folder, name), os.O_WRONLY)); found.append(os.path.join(folder, name))
        except OSError: pass
print(json.dumps(found))
"""


class Environment(SystemTest):
    def test_no_secret_of_the_caller_is_in_any_environment_inside(self) -> None:
        env = {name: f"{CANARY}-{name}" for name in SECRETS}
        # These decide how our own process is loaded; an empty file would stop it before sbox is even asked.
        for name in ("LD_PRELOAD", "LD_AUDIT", "GCONV_PATH"):
            env[name] = f"/nonexistent/{CANARY}"
        out = self.inside("env; cat /proc/[0-9]*/environ 2>/dev/null; true", "-s", "display.x11=no", "-s", "display.wayland=no", env=env)
        self.assertNotIn(CANARY, out)

    def test_what_a_program_needs_is_there(self) -> None:
        out = self.inside('echo "$HOME|$USER|$PATH|$LANG|$XDG_RUNTIME_DIR"').strip()
        home, user, path, language, runtime = out.split("|")
        self.assertEqual((home, user, language), (str(self.account.home), self.account.name, "C.UTF-8"))
        self.assertIn("/usr/bin", path)
        self.assertTrue(runtime.startswith("/run/"), runtime)

    def test_a_kept_and_a_set_variable_arrive(self) -> None:
        options = ["-s", "environment.keep+=WANTED", "-s", "environment.set+=MINE=a b"]
        self.assertEqual(self.inside('echo "$WANTED,$MINE"', *options, env={"WANTED": "x y"}), "x y,a b\n")

    def test_command_lines_inside_tell_nothing_of_sbox_s(self) -> None:
        out = self.inside("cat /proc/[0-9]*/cmdline", "-s", f"environment.set+=X={CANARY}")
        self.assertNotIn(CANARY, out)
        self.assertNotIn("environment.set", out)
        self.assertNotIn("profiles", out)

    def test_the_working_directory_is_inside_or_the_home(self) -> None:
        for directory in (self.work, pathlib.Path("/usr/share")):
            with self.subTest(directory=directory):
                out = self.inside("/bin/pwd -P; ls ../.. >/dev/null && echo fine", cwd=str(directory)).split("\n")
                self.assertIn(out[0], (str(self.account.home), "/usr/share", "/"))
                self.assertEqual(out[1], "fine")


class Processes(SystemTest):
    def test_every_namespace_is_the_sandbox_s_own(self) -> None:
        out = self.inside("cd /proc/self/ns && for n in *; do echo $n $(readlink $n); done")
        inside = dict(line.split(" ", 1) for line in out.splitlines())
        for kind in ("user", "mnt", "pid", "ipc", "uts", "net", "cgroup"):
            with self.subTest(namespace=kind):
                self.assertTrue(inside[kind].startswith(kind))
                self.assertNotEqual(inside[kind], namespace("self", kind))

    def test_the_host_s_network_namespace_is_there_only_where_asked(self) -> None:
        out = self.inside("readlink /proc/self/ns/net", "-s", "network.mode=host")
        self.assertEqual(out.strip(), namespace("self", "net"))

    def test_no_process_inside_has_a_privilege(self) -> None:
        for options in ([], ["-s", "process.nested-sandbox=yes"], ["-s", "network.mode=host"]):
            statuses = json.loads(self.python(STATUS, *options))
            self.assertGreaterEqual(len(statuses), 1)
            for task, status in statuses.items():
                with self.subTest(task=f"{task} {status['Name']}", options=options):
                    self.assertEqual([int(status[name], 16) for name in CAPABILITIES], [0] * 5)
                    self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_no_later_step_can_bring_capabilities_back(self) -> None:
        locked = 0xEF  # root and set-id changes give none, ambient ones cannot be raised; all of it for good
        code = "import ctypes; print(ctypes.CDLL(None).prctl(27, 0, 0, 0, 0))"  # PR_GET_SECUREBITS
        self.assertEqual(self.account.run(["/usr/bin/python3", "-c", code]).out, "0\n")
        self.assertEqual(int(self.python(code)), locked)

    def test_ids_are_the_caller_s_and_no_others_exist(self) -> None:
        out = self.inside("id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups")
        lines = [line.split() for line in out.splitlines()]
        uid, gid = str(self.account.uid), str(self.account.gid)
        self.assertEqual(lines, [[uid], [gid], [uid, uid, "1"], [gid, gid, "1"], ["deny"]])

    def test_processes_of_the_host_are_invisible(self) -> None:
        other = self.account.start(["sleep", "86399.25"])
        out = self.inside(f"cat /proc/[0-9]*/cmdline; ls -d /proc/{other.pid} 2>&1; kill -0 {other.pid} 2>&1; true")
        self.assertNotIn("86399.25", out)
        self.assertIn("No such", out)

    def test_a_program_cannot_signal_or_trace_the_first_process(self) -> None:
        self.inside("for s in STOP TERM KILL; do kill -$s 1 2>/dev/null; done; echo still here")
        code = "import os\ntry: os.listdir('/proc/1/fd'); print('seen')\nexcept OSError: print('denied')\n"
        self.assertEqual(self.python(code), "denied\n")

    def test_set_user_id_programs_gain_nothing(self) -> None:
        self.root_only()
        path = pathlib.Path(self.file("id"))
        path.write_bytes(pathlib.Path("/usr/bin/id").read_bytes())
        os.chown(path, 0, 0)
        os.chmod(path, 0o4755)
        self.assertEqual(self.account.run([str(path), "-u"]).out, "0\n", "the control")
        out = self.inside(f"{path} -u", "-s", f"files.read-only+={path}")
        self.assertEqual(out, f"{self.account.uid}\n")

    def test_memory_of_a_crash_is_not_written(self) -> None:
        result = self.sbox("sh", "-c", "ulimit -c; cd; kill -6 $$", timeout=20)
        self.assertIn(result.out.strip(), ("0", "1"), result)


class Proc(SystemTest):
    def test_what_tells_of_the_kernel_is_masked(self) -> None:
        found = json.loads(self.python(READABLE.replace("NAMES", repr(MASKED))))
        # All addresses of kallsyms are zero where it can be read at all.
        self.assertEqual(found, [])

    def test_nothing_below_proc_sys_can_be_written(self) -> None:
        self.assertEqual(json.loads(self.python(WRITABLE_SYSCTL)), [])

    def test_proc_sys_is_read_only_whoever_owns_its_files(self) -> None:
        self.assertRegex(self.inside("cat /proc/self/mountinfo"), r" /proc/sys ro,")

    def test_mountinfo_tells_no_name_that_was_not_granted(self) -> None:
        out = self.inside("cat /proc/self/mountinfo /proc/self/mounts")
        self.assertNotIn(self.work.name, out)

    def test_every_writable_mount_is_nosuid_and_nodev(self) -> None:
        options = ["-s", "home.mode=private", "-s", f"files.read-write+={self.work}"]
        for line in self.inside("cat /proc/self/mountinfo", *options).splitlines():
            point, flags = line.split()[4:6]
            with self.subTest(mount=point):
                self.assertIn("nosuid", flags.split(","))
                if "rw" in flags.split(",") and not point.startswith("/dev"):
                    self.assertIn("nodev", flags.split(","))

    def test_nothing_of_the_host_s_tree_is_left_behind(self) -> None:
        out = self.inside("ls -A /; ls /oldroot /old_root /newroot /.old /put_old 2>/dev/null; true").split()
        allowed = {"bin", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "opt", "proc", "run", "sbin", "srv",
                   "sys", "tmp", "usr", "var"}  # fmt: skip
        self.assertLessEqual(set(out), allowed)


class Devices(SystemTest):
    def test_dev_holds_the_harmless_devices_only(self) -> None:
        names = set(self.inside("ls -A /dev").split())
        self.assertLessEqual(names, DEVICES)
        self.assertLessEqual({"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm"}, names)

    def test_the_devices_work(self) -> None:
        out = self.inside("head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; echo x >/dev/null && echo w")
        self.assertEqual(out.split(), ["4", "4", "w"])

    def test_nothing_can_be_made_in_dev_but_in_shm(self) -> None:
        out = self.inside("echo x >/dev/new 2>/dev/null || echo no; echo x >/dev/shm/new && echo yes")
        self.assertEqual(out.split(), ["no", "yes"])

    def test_there_is_no_sys(self) -> None:
        self.assertEqual(self.inside("ls -A /sys 2>/dev/null; echo end"), "end\n")

    def test_pseudo_terminals_of_the_host_are_not_there(self) -> None:
        leader, follower = os.openpty()
        try:
            number = os.ttyname(follower).rsplit("/", 1)[1]
            self.assertNotIn(number, self.inside("ls /dev/pts").split())
        finally:
            os.close(leader)
            os.close(follower)


class Sockets(SystemTest):
    def test_no_socket_of_the_host_is_in_reach(self) -> None:
        path = self.account.runtime / "canary.sock"
        with contextlib.ExitStack() as stack:
            for name in (str(path), "\0sbox-canary"):
                server = stack.enter_context(socket.socket(socket.AF_UNIX))
                server.bind(name)
                server.listen()
            path.chmod(0o777)
            for options in ([], ["-s", "network.mode=host"]):
                with self.subTest(options=options):
                    code = "import socket\nfor name in NAMES:\n  s = socket.socket(socket.AF_UNIX)\n"
                    code += "  try: s.connect(name); print('connected', repr(name))\n  except OSError as e: print('no')\n"
                    names = repr([str(path), "\0sbox-canary"])
                    self.assertEqual(self.python(code.replace("NAMES", names), *options), "no\nno\n")

    def test_the_runtime_directory_is_private_and_empty(self) -> None:
        (self.account.runtime / "host-file").touch()
        out = self.inside('stat -c %a "$XDG_RUNTIME_DIR"; ls -A "$XDG_RUNTIME_DIR"; find / -type s 2>/dev/null; true')
        self.assertEqual(out, "700\n")

    def test_without_network_there_is_a_loopback_and_nothing_else(self) -> None:
        code = "import socket\nprint([name for _, name in socket.if_nameindex()])\n"
        code += "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()); print('loopback')"
        self.assertEqual(self.python(code), "['lo']\nloopback\n")

    def test_a_server_of_the_host_is_reached_with_its_network_only(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            code = f"import socket\ntry: socket.create_connection(('127.0.0.1', {server.getsockname()[1]})); print('yes')\n"
            code += "except OSError: print('no')\n"
            self.assertEqual(self.python(code), "no\n")
            self.assertEqual(self.python(code, "-s", "network.mode=host"), "yes\n")

    def test_with_the_host_s_network_names_and_certificates_are_there(self) -> None:
        out = self.inside("ls /etc/resolv.conf /etc/hosts /etc/nsswitch.conf /etc/ssl/certs", "-s", "network.mode=host")
        self.assertIn("/etc/resolv.conf", out)


class Identity(SystemTest):
    def test_etc_passwd_names_the_user_and_hardly_anyone_else(self) -> None:
        lines = self.inside("cat /etc/passwd").splitlines()
        self.assertIn(self.account.name, [line.split(":")[0] for line in lines])
        self.assertLessEqual(len(lines), 3)

    def test_the_host_name_is_sbox_or_as_asked(self) -> None:
        self.assertEqual(self.inside("uname -n"), "sbox\n")
        self.assertEqual(self.inside("uname -n", "-s", "system.hostname=host").strip(), os.uname().nodename)

    def test_the_machine_id_is_another_one_each_time(self) -> None:
        first, second = self.inside("cat /etc/machine-id"), self.inside("cat /etc/machine-id")
        self.assertRegex(first, r"^[0-9a-f]{32}\n$")
        self.assertNotEqual(first, second)
        host = pathlib.Path("/etc/machine-id")
        if host.exists():
            self.assertNotEqual(first, host.read_text())

    def test_two_sandboxes_see_nothing_of_each_other(self) -> None:
        ready = self.directory("ready")
        script = f"echo x >/tmp/{CANARY}; echo x >/dev/shm/{CANARY}; echo x >{ready}/up; exec sleep 600"
        first = self.start("-s", f"files.read-write+={ready}", "--", "sh", "-c", script)
        self.wait_for_file(ready / "up", first)
        out = self.inside("ls -A /tmp /dev/shm; cat /proc/[0-9]*/cmdline; ipcs")
        self.assertNotIn(CANARY, out)
        self.assertNotIn("sleep600", out.replace("\0", ""))
