"""Hosts of other shapes: locales, mounts, homes, roots, and what installing, updating and removing does to them."""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
from typing import Any

from account import BUILD, ROOT, SBOX, Result
from harness import SystemTest, probe
from installation import Installation

# A root of its own for the script that follows: what is named is there, /usr only where `usr` is a word of it.
NEW_ROOT = """
mount -t tmpfs -o mode=755 root /mnt && cd /mnt && mkdir proc dev etc tmp home run old build && chmod 1777 tmp
mount --rbind /dev dev && mount --rbind /proc proc && mount --bind "$BUILD" build && mount --rbind /home home
for part in $PARTS; do mkdir -p $part && mount --bind /usr/${part#usr} $part; done
grep "^$USER:" /etc/passwd > etc/passwd && grep "^$USER:" /etc/group > etc/group
/sbin/pivot_root . old
"""


class HostTest(SystemTest):
    def on_host(self, prepare: str, *argv: str, become: str = "", **options: Any) -> Result:
        """Runs `argv` as the user in a mount namespace that root has changed by a script; `become`: the path of the program
        that gives root's rights up there.
        """
        self.root_only()
        drop = [become or probe("become_user"), str(self.account.uid), str(self.account.gid)]
        script = f'set -e; {prepare}\nexec "$@"'
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *drop, *argv]
        return self.account.run(command, env={"BUILD": str(BUILD)}, user=0, group=0, **options)

    def assert_starts(self, result: Result) -> None:
        self.assertEqual((result.status, result.out), (0, "started\n"), result)


class Sessions(HostTest):
    def test_any_locale_starts_the_same_and_fails_in_the_same_words(self) -> None:
        words = set()
        for locale in ("C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.EUC-JP", "nonsense", ""):
            with self.subTest(locale=locale):
                env = {"LANG": locale, "LC_ALL": locale, "LANGUAGE": "de"}
                self.assert_starts(self.sbox("echo", "started", env=env))
                words.add(self.refused("-s", "home.mode=hosts", "true", env=env).err)
        self.assertEqual(len(words), 1, words)

    def test_names_in_any_encoding_are_names(self) -> None:
        for name in ("grüße.txt", "日本.txt", os.fsdecode(b"latin-\xe4.txt")):
            with self.subTest(name=name.encode(errors="surrogateescape")):
                path = self.file(name, "content\n")
                result = self.sbox("-s", "files.arguments=read-only", "cat", str(path), env={"LANG": "C"})
                self.assertEqual(result.out, "content\n", result)

    def test_without_a_runtime_directory_or_any_xdg_variable_programs_start(self) -> None:
        child = self.account.run(["env", "-i", f"HOME={self.account.home}", str(SBOX), "echo", "started"])
        self.assert_starts(child)
        self.assert_starts(self.sbox("echo", "started", env={"XDG_RUNTIME_DIR": "/run/user/nonexistent"}))


class Processes(HostTest):
    def test_where_processes_are_hidden_sandboxes_are_listed_joined_and_stopped(self) -> None:
        """hidepid hides what the user may not trace, and that is process 1 of a sandbox too."""
        script = f"""
            rm -f {self.work}/up
            {SBOX} --name hidden -- sh -c 'echo up; exec sleep 100' > {self.work}/up & sandbox=$!
            until grep -qs up {self.work}/up; do test -d /proc/$sandbox || exit; done
            {SBOX} list --json; {SBOX} join hidden -- echo joined; {SBOX} doctor --json; {SBOX} stop hidden; wait $sandbox; echo $?"""
        for hidden in ("2", "ptraceable"):
            with self.subTest(hidepid=hidden):
                prepare = f"mount -t proc -o hidepid={hidden} proc /proc"
                result = self.on_host(prepare, "/bin/bash", "-c", script)
                self.assertRegex(result.out, r'"name": "hidden"[^$]*\njoined\n', result)
                self.assertRegex(result.out, r'"process list",\n *"state": "limited"')
                self.assertTrue(result.out.endswith("\n143\n"), result)
                others = self.on_host(prepare, "/bin/sh", "-c", "test -d /proc/1 && echo seen")
                self.assertEqual(others.out, "", "the control: processes are hidden")


class Mounts(HostTest):
    def test_a_tmp_without_execution_is_no_hindrance(self) -> None:
        remount = "mount --bind /tmp /tmp && mount -o remount,bind,noexec,nosuid,nodev /tmp"
        host = Installation(bits=None)
        self.addCleanup(host.remove)
        become = shutil.copy(probe("become_user"), host.prefix)
        self.assert_starts(self.on_host(remount, host.sbox, "echo", "started", become=become))
        noexec = self.on_host(remount, "/bin/sh", "-c", "cp /bin/true /tmp/$$-true && /tmp/$$-true; echo $?; rm -f /tmp/$$-true", become=become)
        self.assertIn("126", noexec.out, noexec)

    def test_a_read_only_home_serves_programs_that_keep_nothing(self) -> None:
        home = str(self.account.home)
        remount = f"mount --bind {home} {home} && mount -o remount,bind,ro {home}"
        self.assert_starts(self.on_host(remount, str(SBOX), "echo", "started"))
        result = self.on_host(remount, str(SBOX), "-s", "home.mode=private", "echo", "started")
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertRegex(result.err, r"\Asbox: [^\n]*Read-only file system[^\n]*\n\Z")

    def test_a_read_only_home_lists_what_runs(self) -> None:
        self.sbox("true")
        home = pwd.getpwuid(self.account.uid).pw_dir  # where the list is, whatever HOME says
        remount = f"mount --bind {home} {home} && mount -o remount,bind,ro {home}"
        result = self.on_host(remount, str(SBOX), "list", "--json")
        self.assertEqual((result.status, result.out, result.err), (0, "[]\n", ""), result)

    def test_where_no_overlay_can_be_made_there_is_one_clear_line_and_nothing_is_left(self) -> None:
        home = self.account.home
        mount = f"""mount -t tmpfs layers /mnt && mkdir /mnt/lower /mnt/upper /mnt/work && chown {self.account.uid} /mnt/*
            mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work home {home}"""
        for words in ("-s home.mode=overlay", "--ephemeral", "-s home.mode=host --ephemeral"):
            with self.subTest(words=words):
                script = f"{SBOX} {words} -- true; echo $?; cd ~/.local/share/sbox && find ephemeral overlays -name upper"
                result = self.on_host(f"mkdir -p {home}/.config/sbox; {mount}", "/bin/sh", "-c", script, cwd="/")
                self.assertTrue(result.out.startswith("125\n"), result)
                self.assertRegex(result.err.splitlines()[0], r"\Asbox: .*overlay.*sbox doctor")
                self.assertNotIn("ephemeral/", result.out)

    def test_a_full_home_keeps_no_empty_log(self) -> None:
        home, owner = self.account.home, f"uid={self.account.uid},gid={self.account.gid}"
        mount = f"mount -t tmpfs -o size=16k,{owner},mode=700 full {home} && head -c 16384 /dev/zero > {home}/x"
        script = f"{SBOX} echo started; ls -A ~/.local/share/sbox/log"
        result = self.on_host(mount, "/bin/sh", "-c", script, cwd="/")
        self.assertEqual((result.status, result.out, result.err), (0, "started\n", ""), result)

    def test_a_mount_that_does_not_answer_holds_nobody_up_for_ever(self) -> None:
        """Its server takes no request, so that a look at it waits for what only the end of a process ends."""
        self.root_only()
        directory = self.directory("silent")
        script = f"""import ctypes, os, sys
fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
options = f"fd={{fuse}},rootmode=40000,user_id={self.account.uid},group_id=0,allow_other".encode()
if ctypes.CDLL(None).mount(b"silent", b"{directory}", b"fuse", 0, options) != 0: sys.exit("no mount")
status = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])
sys.exit(status if status >= 0 else 128 - status)"""
        drop = [probe("become_user"), str(self.account.uid), str(self.account.gid)]
        at_home = {"HOME": str(directory)}
        argv = ["unshare", "--mount", "--propagation", "private", "/usr/bin/python3", "-I", "-c", script, *drop, str(SBOX)]
        starts = {}
        for words, env in (
            (("-s", f"files.read-only={directory}", "true"), {}),
            (("cat", f"{directory}/file"), {}),
            (("true",), at_home),
            (("--ephemeral", "true"), at_home),
        ):
            pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            starts[words] = self.account.start([*argv, *words], env, user=0, group=0, **pipes)
        for words, child in starts.items():
            with self.subTest(words=words):
                out, _ = child.communicate(timeout=40)
                self.assertEqual((child.returncode, out), (128 + signal.SIGKILL, b""))

    def test_a_home_on_a_file_system_of_its_own_is_kept_like_any(self) -> None:
        home = str(self.account.home)
        mount = f"mount -t tmpfs -o uid={self.account.uid},gid={self.account.gid},mode=700 home {home}"
        script = f"{SBOX} -s home.mode=private -- sh -c 'echo kept > ~/file' && {SBOX} -s home.mode=private -- cat {home}/file"
        result = self.on_host(mount, "/bin/sh", "-c", script, cwd="/")
        self.assertEqual(result.out, "kept\n", result)
        self.assertFalse((self.account.home / ".local/share/sbox/homes").exists())

    def test_a_home_that_is_named_by_a_symlink_is_the_same_home(self) -> None:
        link = self.account.base / "link"
        link.symlink_to(self.account.home)
        script = "echo kept > ~/file; cat ~/file"
        result = self.sbox("-s", "home.mode=private", "--", "sh", "-c", script, env={"HOME": str(link)})
        self.assertEqual(result.out, "kept\n", result)
        again = self.sbox("-s", "home.mode=private", "--", "sh", "-c", "cat ~/file")
        self.assertEqual(again.out, "kept\n", again)


class Doctors(HostTest):
    def test_what_refuses_a_start_is_what_the_doctor_says(self) -> None:
        """Devices that are missing, and profiles that anybody may write."""
        host = Installation(bits=None)
        self.addCleanup(host.remove)
        without_tty = "mount -t tmpfs -o mode=755 dev /mnt && cp -a /dev/null /dev/zero /mnt && mount --move /mnt /dev"
        open_to_all = f"chmod 777 {host.prefix}/share/sbox/profiles"
        for prepare in (without_tty, open_to_all):
            with self.subTest(prepare=prepare):
                refusal = self.on_host(prepare, host.sbox, "true")
                self.assertEqual(refusal.status, 125, refusal)
                told = self.on_host(prepare, host.sbox, "doctor", "--json")
                self.assertEqual(told.status, 1, told)
                row = next(check for check in json.loads(told.out)["checks"] if check["name"] == "start")
                self.assertEqual(f"sbox: {row['meaning']}\n", refusal.err)


class Roots(HostTest):
    def in_root(self, parts: str, *argv: str) -> Result:
        probe("become_user")
        return self.on_host(f"PARTS='{parts}'\n{NEW_ROOT}", *argv, become="/build/tests/cases/become_user", cwd="/")

    def test_a_root_whose_bin_and_lib_are_directories_of_their_own(self) -> None:
        result = self.in_root("usr bin sbin lib lib64", "/build/bin/sbox", "/bin/echo", "started")
        self.assert_starts(result)
        self.assertEqual(self.in_root("usr bin sbin lib lib64", "/bin/sh", "-c", "test ! -L /bin && echo so").out, "so\n")

    def test_a_root_without_usr_and_libraries_runs_a_static_program(self) -> None:
        probe("enter_userns")
        result = self.in_root("", "/build/bin/sbox", "/build/tests/cases/enter_userns", "self")
        self.assertRegex(result.out, r"\A\w+ \S+\n\Z", result)
        self.assertEqual(self.in_root("", "/bin/sh", "-c", "true").status, 99, "the control: there is no /bin")


class Installing(HostTest):
    def make(self, *words: str) -> None:
        done = subprocess.run(["/usr/bin/make", "-s", f"BUILD={BUILD}", *words], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])

    def files(self, where: pathlib.Path) -> list[str]:
        return sorted(str(path.relative_to(where)) for path in where.rglob("*") if not path.is_dir())

    def test_a_staging_directory_works_and_removing_leaves_nothing(self) -> None:
        stage = self.account.directory(self.account.base / "stage")
        kept = self.account.file(stage / "usr/share/man/man1/other.1", "of another package\n")
        words = (f"DESTDIR={stage}", "PREFIX=/usr", "SETUID=yes")
        self.make("install", *words)
        self.assert_starts(self.account.run([str(stage / "usr/bin/sbox"), "echo", "started"]))
        lint = self.account.run([str(stage / "usr/bin/sbox"), "lint"])
        self.assertEqual(lint.status, 0, lint)
        marked = [path.name for path in stage.rglob("*") if path.stat().st_mode & 0o6000]
        self.assertEqual(marked, ["sbox-userns"] if os.getuid() == 0 else marked)
        for path in stage.rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o022, 0, path)
        self.make("uninstall", *words)
        self.assertEqual(self.files(stage), [str(kept.relative_to(stage))])
        self.assertEqual([str(path) for path in stage.rglob("*sbox*")], [])

    def test_a_place_with_a_space_is_refused(self) -> None:
        first = self.account.directory(self.account.base / "first")
        for words in ((f"DESTDIR={first} second",), (f"DESTDIR={first}", "PREFIX=/usr /opt")):
            for target in ("install", "uninstall"):
                with self.subTest(words=words, target=target):
                    argv = ["/usr/bin/make", "-n", f"BUILD={BUILD}", target, *words]
                    self.assertEqual(subprocess.run(argv, cwd=ROOT, capture_output=True).returncode, 2)

    def test_the_debian_packages_take_all_that_is_installed(self) -> None:
        stage = self.account.directory(self.account.base / "debian")
        self.make("install", f"DESTDIR={stage}", "PREFIX=/usr", "SETUID=yes")
        lists = (ROOT / "contrib/debian").glob("*.install")
        taken = [line for path in lists for line in path.read_text().split()]
        left = [name for name in self.files(stage) if not any(name == line or name.startswith(f"{line}/") for line in taken)]
        self.assertEqual(left, [])
        self.assertTrue(all((stage / line).exists() for line in taken), taken)

    def test_an_update_harms_no_running_sandbox(self) -> None:
        self.root_only()
        host = Installation(bits=None)
        self.addCleanup(host.remove)
        argv = [host.sbox, "--name", "running", "--", "sh", "-c", "echo up; read word; echo $word; exit 7"]
        child = self.account.start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin is not None and child.stdout is not None
        self.assertEqual(child.stdout.readline(), b"up\n")
        newer = Installation(bits=None)
        for part in ("bin", "libexec", "share", "lib"):
            (host.prefix / part).rename(host.prefix / f"{part}.old")
            (newer.prefix / part).rename(host.prefix / part)
        newer.remove()
        for part in ("bin", "libexec", "share", "lib"):
            subprocess.run(["rm", "-r", str(host.prefix / f"{part}.old")], check=True)
        self.assert_starts(self.account.run([host.sbox, "echo", "started"]))
        out, _ = child.communicate(b"still there\n", timeout=20)
        self.assertEqual((child.returncode, out), (7, b"still there\n"))

    def test_the_same_tree_makes_the_same_archive(self) -> None:
        if not (ROOT / ".git").exists():
            self.skipTest("not a clone")
        sums = []
        for umask in (0o022, 0o077):
            build = self.account.directory(self.account.base / f"dist-{umask}")
            done = subprocess.run(["/usr/bin/make", "-s", f"BUILD={build}", "dist"], cwd=ROOT, capture_output=True, umask=umask)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            sums += [path.read_bytes() for path in build.glob("sbox-*.tar.gz")]
        self.assertEqual(len(sums), 2)
        self.assertEqual(sums[0], sums[1])
