"""Hostile or odd circumstances of the start: environment, limits, umask, root, other sandboxes."""

from __future__ import annotations

import os
import pathlib
import pwd
import resource
import shutil
import signal
import subprocess

from account import BUILD, SBOX
from harness import SystemTest


class Circumstances(SystemTest):
    def test_home_and_other_variables_steer_nothing(self) -> None:
        target = self.directory("attacker")
        for env in (
            {"XDG_CONFIG_HOME": str(target), "XDG_DATA_HOME": str(target)},
            {"TMPDIR": "/nonexistent", "LANG": "C\n[network]\nmode = host"},
            {"SHELL": "/nonexistent", "USER": "root", "LOGNAME": "root"},
            {"HUGE": "x" * 100_000},
        ):
            with self.subTest(env=str(env)[:80]):
                result = self.sbox("sh", "-c", "cd; /bin/pwd; readlink /proc/self/ns/net", env=env)
                self.assertEqual(result.status, 0, result)
                home, net = result.out.splitlines()
                self.assertEqual(home, str(self.account.home))
                self.assertNotEqual(net, os.readlink("/proc/self/ns/net"))
        self.assertEqual(list(target.iterdir()), [])

    def test_a_home_that_is_not_the_user_s_refuses(self) -> None:
        open_one = self.directory("open", 0o777)
        for home in ("/etc", "/tmp\nnetwork.mode = host", "", "relative", "/nonexistent", "/", str(open_one)):
            with self.subTest(home=home):
                self.refused("true", env={"HOME": home})

    def test_a_profile_directory_named_by_the_environment_is_not_read(self) -> None:
        folder = self.directory("config/sbox/profiles")
        (folder / "default.profile").write_text("[network]\nmode = host\n")
        env = {"XDG_CONFIG_HOME": str(self.work / "config"), "HOME": str(self.work)}
        self.assertNotEqual(self.inside("readlink /proc/self/ns/net", env=env).strip(), os.readlink("/proc/self/ns/net"))

    def test_an_empty_environment_is_enough(self) -> None:
        result = self.account.run(["env", "-i", str(SBOX), "/bin/sh", "-c", "echo $HOME"])
        self.assertEqual((result.status, result.out), (0, pwd.getpwuid(self.account.uid).pw_dir + "\n"), result)

    def test_a_runtime_directory_of_someone_else_or_open_to_others_gives_nothing(self) -> None:
        open_one = self.directory("run", 0o777)
        for path in ("/usr", "/nonexistent", str(open_one), "relative", ""):
            with self.subTest(runtime=path):
                result = self.sbox("sh", "-c", 'stat -c %a "$XDG_RUNTIME_DIR"', env={"XDG_RUNTIME_DIR": path})
                self.assertIn((result.status, result.out), [(0, "700\n"), (125, "")], result)
        self.assertEqual(list(open_one.iterdir()), [])

    def test_a_strict_umask_changes_nothing_for_others(self) -> None:
        for umask in (0o077, 0o002):
            with self.subTest(umask=oct(umask)):
                out = self.inside('stat -c %a / /tmp /etc/passwd "$HOME" "$XDG_RUNTIME_DIR"; umask', umask=umask)
                root, tmp, passwd, _, runtime, inherited = out.split()
                self.assertEqual((root, tmp, passwd, runtime), ("755", "1777", "644", "700"))
                self.assertEqual(int(inherited, 8), umask)

    def test_a_current_directory_that_is_gone_is_no_way_out(self) -> None:
        gone = self.directory("gone")
        script = 'cd "$1" && rmdir "$1" && exec "$0" /bin/pwd -P'
        result = self.account.run(["/bin/sh", "-c", script, str(SBOX), str(gone)])
        self.assertIn((result.status, result.out), [(0, f"{self.account.home}\n"), (0, "/\n"), (125, "")], result)

    def test_what_is_no_profile_file_is_refused_at_once(self) -> None:
        fifo = self.work / "fifo.profile"
        os.mkfifo(fifo)
        self.account.own(fifo)
        loop = self.file("loop.profile", f"[profile]\ninclude = {self.work}/loop.profile\n")
        long = self.file("long.profile", "[home]\nkeep = " + "~/x," * 100_000 + "\n")
        nul = self.file("nul.profile", b"[home]\nmode = empty\0\n")
        for path in (fifo, pathlib.Path("/dev/zero"), self.work, loop, long, nul):
            with self.subTest(path=path.name):
                self.refused("-p", f"{path}", "true", timeout=5)

    def test_tight_limits_refuse_and_never_weaken(self) -> None:
        limits = {
            "open files": (resource.RLIMIT_NOFILE, 3),
            "processes": (resource.RLIMIT_NPROC, 0),
            "address space": (resource.RLIMIT_AS, 8 << 20),
            "file size": (resource.RLIMIT_FSIZE, 0),
            "stack": (resource.RLIMIT_STACK, 64 << 10),
        }
        for name, (number, value) in limits.items():
            with self.subTest(limit=name):
                script = ["prlimit", f"--{prlimit_name(number)}={value}:{value}"]
                result = self.account.run([*script, str(SBOX), "grep", "-h", "^Seccomp:\\|^NoNewPrivs:", "/proc/self/status"])
                if result.status == 0:
                    self.assertEqual(result.out.split(), ["NoNewPrivs:", "1", "Seccomp:", "2"], result)
                else:
                    self.assertEqual(result.out, "", result)

    def test_a_limit_of_file_sizes_is_told_of(self) -> None:
        for words in (["true"], ["--ephemeral", "true"]):
            with self.subTest(words=words):
                result = self.account.run(["prlimit", "--fsize=0:0", str(SBOX), *words])
                self.assertEqual(result.status, 125, result)
                self.assertRegex(result.err, "^sbox: .*File too large.*\n$")

    def test_signals_that_the_caller_ignores_or_blocks_are_the_program_s_and_none_of_sbox_s_own(self) -> None:
        show = ["/bin/grep", "-h", "^Sig[BI]", "/proc/self/status"]

        def block() -> None:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGWINCH})

        for prepare in (None, block):
            with self.subTest(prepare=prepare):
                expected = self.account.run(show, preexec_fn=prepare)
                self.assertEqual(self.account.run([str(SBOX), *show], preexec_fn=prepare).out, expected.out)

    def test_a_sandbox_in_a_sandbox_refuses(self) -> None:
        options = ["-s", f"files.read-only+={BUILD}"]
        result = self.sbox(*options, "--", str(SBOX), "echo", "started")
        self.assertEqual(result.out, "", result)
        self.assertEqual(result.status, 125, result)

    def test_a_copy_with_set_user_id_refuses(self) -> None:
        self.root_only()
        copy = self.account.base / "prefix"
        for name in ("bin", "libexec", "lib", "share"):
            if (BUILD / name).exists():
                shutil.copytree(BUILD / name, copy / name)
        os.chown(copy / "bin/sbox", 0, 0)
        os.chmod(copy / "bin/sbox", 0o4755)
        result = self.account.run([str(copy / "bin/sbox"), "echo", "started"])
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertIn("it is installed set-user-ID", result.err)

    def test_nothing_of_sbox_is_installed_with_privileges(self) -> None:
        for path in (*BUILD.glob("bin/*"), *BUILD.glob("libexec/sbox/*")):
            with self.subTest(path=path):
                self.assertEqual(path.stat().st_mode & 0o6022, 0)


class Root(SystemTest):
    """sbox started by root: confined as for anyone else, or refused; never half."""

    def setUp(self) -> None:
        super().setUp()
        self.root_only()

    def as_root(self, script: str, *options: str) -> subprocess.CompletedProcess[str]:
        argv = [str(SBOX), *options, "--", "/bin/sh", "-c", script]
        env = {"PATH": "/usr/bin:/bin", "HOME": "/root"}
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=30, check=False)

    def test_root_s_sandbox_has_no_privilege_and_no_secret(self) -> None:
        script = "cat /etc/shadow /root/.bashrc 2>/dev/null; cat /proc/self/status"
        result = self.as_root(script)
        if result.returncode == 125:
            self.assertEqual(result.stdout, "")
            return
        self.assertEqual(result.returncode, 0, result)
        self.assertTrue(result.stdout.startswith("Name:"), result.stdout[:200])
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertRegex(result.stdout, rf"{name}:\t0{{16}}\n")
        self.assertRegex(result.stdout, r"NoNewPrivs:\t1\n")

    def test_root_s_sandbox_cannot_change_the_system(self) -> None:
        script = "touch /usr/x /etc/x /bin/x; mount -t tmpfs none /mnt; echo x >/proc/sys/kernel/hostname; mknod /tmp/n c 1 1"
        self.as_root(f"({script}) 2>/dev/null")
        for path in ("/usr/x", "/etc/x", "/bin/x"):
            self.assertFalse(pathlib.Path(path).exists())

    def test_the_installed_program_is_unchanged_afterwards(self) -> None:
        before = [path.read_bytes() for path in (SBOX, BUILD / "libexec/sbox/sbox-launch")]
        self.as_root("for e in /proc/[0-9]*/exe; do echo x >$e; done 2>/dev/null")
        self.assertEqual([path.read_bytes() for path in (SBOX, BUILD / "libexec/sbox/sbox-launch")], before)


def prlimit_name(number: int) -> str:
    names = {resource.RLIMIT_NOFILE: "nofile", resource.RLIMIT_NPROC: "nproc", resource.RLIMIT_AS: "as"}
    return names.get(number) or {resource.RLIMIT_FSIZE: "fsize", resource.RLIMIT_STACK: "stack"}[number]
