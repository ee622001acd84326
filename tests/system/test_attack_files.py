"""Attack suite, paths: protected paths inside of granted ones, links, magic links, and names that change during a start."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

from account import SBOX
from attack import AttackTest
from attack_stage import unix_listener
from test_attack_persistence import snapshot
from test_faults import Swapper

# Every way to get at, or around, a protected path in a writable directory; says what worked.
AROUND = """
import ctypes, json, os, shutil, sys
top, protected = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, call, *arguments):
    try: call(*arguments); print(name, flush=True)
    except OSError: pass
def write(path):
    with open(path, "w") as file: file.write("planted")
def rename(a, b):
    os.rename(a, b)
    os.rename(b, a)
def exchange(a, b):
    for _ in range(2):
        if libc.renameat2(-100, a.encode(), -100, b.encode(), 2): raise OSError
os.mkdir(f"{top}/spare"); write(f"{top}/spare/file")
for path in protected:
    folders = [path]
    while os.path.dirname(folders[-1]) != top: folders.append(os.path.dirname(folders[-1]))
    for folder in folders:
        attempt("rename " + folder, rename, folder, f"{top}/moved")
        attempt("exchange " + folder, exchange, folder, f"{top}/spare")
        attempt("rmdir " + folder, os.rmdir, folder)
        attempt("unlink " + folder, os.unlink, folder)
        attempt("replace " + folder, os.rename, f"{top}/spare", folder)
    attempt("write " + path, write, path if os.path.isfile(path) else path + "/planted")
    attempt("link " + path, os.link, path, f"{top}/link")
    attempt("chmod " + path, os.chmod, path, 0o777)
    attempt("utime " + path, os.utime, path, (1, 1))
    shutil.rmtree(path, ignore_errors=True)
write(f"{top}/proof")
"""
SWAP_INSIDE = """
import ctypes, sys
libc = ctypes.CDLL(None)
open(sys.argv[3], "w").close()
while True: libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2)
"""
# The form in which overlay file systems say that a file is gone.
WHITEOUTS = """
mknod whiteout c 0 0; touch moved; python3 -c 'import ctypes; ctypes.CDLL(None).renameat2(-100, b"moved", -100, b"there", 4)'
"""
# What a program leaves for who cleans up, looks in, or starts next.
LEAVE = f"""
for place in "$XDG_RUNTIME_DIR" /tmp /dev/shm ~; do
  rm -rf "$place"/* "$place"/.[!.]* "$place"; ln -s "$2" "$place/link"; mv "$place" "$place.old"; ln -s "$2" "$place"
done
cd "$1" || exit 1
cp /bin/true set-id && chmod 6755 set-id; chmod u+s set-id; mkdir sticky && chmod 2777 sticky
{WHITEOUTS}
mknod pipe p; ln -s "$2" link; ln -s ../../../../../../../../etc/passwd up
true
"""


class Protected(AttackTest):
    def tree(self, name: str = "top") -> pathlib.Path:
        for part in ("a/b/c/file", "a/other/file", "a/plain", "d/e/file"):
            self.file(f"{name}/{part}", "canary")
        return self.work / name

    def around(self, top: pathlib.Path, protected: list[str], *options: str) -> str:
        what = json.dumps([str(top), [str(top / part) for part in protected]])
        return self.python_with(what, "-s", f"files.read-write+={top}", *options)

    def python_with(self, what: str, *options: str) -> str:
        result = self.sbox(*options, "--", "/usr/bin/python3", "-I", "-S", "-c", AROUND, what)
        self.assertEqual(result.status, 0, result)
        return result.out

    def test_there_is_no_way_around_a_protected_path(self) -> None:
        control = self.tree("control")
        what = json.dumps([str(control), [str(control / part) for part in ("a/b/c", "a/plain", "d")]])
        outside = self.outside("/usr/bin/python3", "-I", "-S", "-c", AROUND, what).out
        for word in ("rename", "exchange", "write", "chmod", "utime", "replace"):
            self.assertIn(word + " ", outside, "the control")
        top = self.tree()
        protect = ["-s", f"files.read-only+={top}/a/b/c", "-s", f"files.hide+={top}/a/other, {top}/a/plain",
                   "-s", f"files.tmpfs+={top}/d/e"]  # fmt: skip
        before = snapshot(top, [])
        said = self.around(top, ["a/b/c", "a/other", "a/plain"], *protect).splitlines()
        self.assertEqual(said, [])
        self.assertTrue((top / "proof").exists(), "the control")
        (top / "proof").unlink()
        shutil.rmtree(top / "spare")
        self.assertEqual(snapshot(top, []), before)
        # A tmpfs may be written; what is under it may not be moved.
        said = self.around(top, ["d/e"], *protect)
        self.assertNotIn("rename", said)
        self.assertEqual((top / "d/e/file").read_text(), "canary")

    def test_what_is_hidden_takes_nothing(self) -> None:
        top = self.tree()
        hide = ["-s", f"files.read-write+={top}", "-s", f"files.hide+={top}/a/b, {top}/a/plain"]
        script = f"for p in {top}/a/b {top}/a/plain; do stat -c %a $p; done; cd {top}/a; (echo x >b/new || echo x >>plain || "
        script += "touch b || chmod 700 b || mkdir b/x || cat plain || ls b) 2>/dev/null; grep ' /.*/a/b ' /proc/self/mountinfo"
        out = self.inside(script, *hide).splitlines()
        self.assertEqual(out[:2], ["0", "0"])
        self.assertEqual(len(out), 3, out)
        self.assertRegex(out[2], r" ro,\S*nosuid")

    def test_the_rules_of_sbox_cannot_be_changed_by_whoever_has_the_whole_home(self) -> None:
        rules = [".config/sbox/profiles", ".local/share/sbox/homes"]
        for name in rules:
            self.account.file(self.account.home / name / "default.profile", "[network]\nmode = none\n")
        self.addCleanup(shutil.rmtree, self.account.home / ".config")
        top = self.account.home
        self.inside("true")  # makes the directory of its logs
        logs = [top / ".local/share/sbox/log"]
        before = {name: snapshot(top / name, logs) for name in (".config/sbox", ".local/share/sbox")}
        for wide in (["-s", f"files.read-write+={top}"], ["-s", "home.mode=host"], ["-s", "home.keep+=~/.config, ~/.local"]):
            with self.subTest(wide=wide):
                what = json.dumps([str(top / ".config"), [str(top / ".config/sbox")]])
                said = self.python_with(what, *wide)
                self.assertEqual(said, "")
                self.assertTrue((top / ".config/proof").exists(), "the control")
                shutil.rmtree(top / ".config/spare")
                what = json.dumps([str(top / ".local"), [str(top / ".local/share/sbox")]])
                self.assertEqual(self.python_with(what, *wide), "")
                shutil.rmtree(top / ".local/spare")
                self.assertEqual({name: snapshot(top / name, logs) for name in before}, before)

    def test_what_is_protected_and_not_there_yet_refuses_the_start(self) -> None:
        top = self.tree()
        for key in ("hide", "read-only"):
            for name in ("new", "a/new", "a/b/new/deep"):
                with self.subTest(key=key, name=name):
                    self.refused("-s", f"files.read-write+={top}", "-s", f"files.{key}+={top}/{name}", "--", "true")
        # Nobody inside could make it, but whoever makes it on the host would show it to the program.
        self.refused("-s", f"files.read-only+={top}", "-s", f"files.hide+={top}/a/new", "--", "true")
        shutil.rmtree(self.account.home / ".config", ignore_errors=True)
        self.refused("-s", f"files.read-write+={self.account.home}", "--", "true")
        self.refused("-s", "home.mode=host", "--", "true")

    def test_a_repository_that_is_protected_runs_nothing_of_the_sandbox_s_on_the_host(self) -> None:
        project, marker = self.directory("project"), self.work / "marker"
        git = ["git", "-C", str(project)]
        self.assertEqual(self.outside(*git, "init", "-q").status, 0)
        plant = "git config core.fsmonitor 'touch MARKER; true'; printf '[core]\\n\\tfsmonitor = touch MARKER\\n' >>.git/config; "
        plant += "mv .git old; mkdir -p .git/hooks; cp -r old/. .git; "
        plant += "printf '[core]\\n\\tfsmonitor = touch MARKER\\n' >>.git/config; "
        plant += "rm -rf .git; echo gitdir: /tmp >.git; : >proof; true"
        script = plant.replace("MARKER", str(marker))
        options = ("-p", "agent", "-s", f"files.read-only+={project}/.git")
        result = self.sbox(*options, "--", "/bin/sh", "-c", f"({script}) 2>/dev/null", cwd=str(project))
        self.assertEqual(result.status, 0, result)
        self.assertTrue((project / "proof").exists(), "the control")
        self.assertEqual(self.outside(*git, "status", "--short").out, "?? proof\n")
        self.assertFalse(marker.exists())
        self.outside("/bin/sh", "-c", f"cd {project}; ({script.split('mv .git')[0]})")
        self.outside(*git, "status")
        self.assertTrue(marker.exists(), "the control")


class Links(AttackTest):
    def setUp(self) -> None:
        super().setUp()
        self.outside_file = self.file("outside/b/c/canary", "secret")
        self.file("outside/canary", "secret")
        self.target = self.work / "outside"

    def link(self, path: pathlib.Path, target: str) -> None:
        os.symlink(target, path)
        self.account.own(path)

    def test_no_link_in_a_writable_directory_leads_a_mount_out_of_it(self) -> None:
        before = snapshot(self.target, [])
        folder = self.work / "folder"
        for depth, part in enumerate(("outside", "outside/b", "outside/b/c")):
            for place in ("../" * (depth + 1) + part, str(self.work / part)):
                shutil.rmtree(folder, ignore_errors=True)
                self.directory("folder/" + "/".join("abc"[:depth]))
                self.link(folder / "/".join("abc"[: depth + 1]), place)
                for key in ("files.tmpfs", "files.hide", "files.read-only", "files.read-write", "home.keep"):
                    with self.subTest(key=key, depth=depth, target=place):
                        options = ["-s", f"files.read-write+={folder}", "-s", f"{key}+={folder}/a/b/c"]
                        script = f"cat {folder}/a/b/c/canary; echo x >{folder}/a/b/c/planted; true"
                        result = self.sbox(*options, "--", "/bin/sh", "-c", f"({script}) 2>/dev/null")
                        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertEqual(snapshot(self.target, []), before)

    def test_a_private_home_that_the_program_has_closed_is_opened_again(self) -> None:
        profile = self.profile("[home]\nmode = private\n", "closes")
        for mode in ("0", "0400", "0577"):
            with self.subTest(mode=mode):
                self.inside(f"echo {mode} >~/file; chmod {mode} ~", "-p", profile)
                self.assertEqual(self.inside("cat ~/file", "-p", profile), mode + "\n")

    def test_what_a_program_left_in_its_private_home_is_not_followed_at_the_next_start(self) -> None:
        before = snapshot(self.target, [])
        home, real = self.account.home, self.account.home / "kept/deep"
        self.account.file(real / "file", "text")
        self.addCleanup(shutil.rmtree, home / "kept")
        profile = self.profile("[home]\nmode = private\n", "leaves")
        left = {
            "a link in the middle": f"ln -s {self.target} ~/kept",
            "a relative link": "ln -s ../../../../../outside ~/kept",
            "a link at the end": f"mkdir ~/kept; ln -s {self.target} ~/kept/deep",
            "a file in the middle": "echo x >~/kept",
            "a file at the end": "mkdir ~/kept; echo x >~/kept/deep",
            "a pipe": "mkfifo ~/kept",
        }
        for name, script in left.items():
            with self.subTest(name):
                self.inside(f"rm -rf ~/kept; {script}", "-p", profile)
                keep = ["-p", profile, "-s", "home.keep+=~/kept/deep"]
                result = self.sbox(*keep, "--", "/bin/sh", "-c", "cat ~/kept/deep/canary; echo x >~/kept/deep/planted", timeout=5)
                self.assertEqual((result.status, result.out), (125, ""), result)
                self.assertEqual("take it away" in result.err, "at the end" not in name, result)
                self.assertEqual(os.listdir(real), ["file"])
        self.assertEqual(snapshot(self.target, []), before)

    def test_a_link_of_another_user_is_not_followed(self) -> None:
        self.root_only()
        path = self.work / "foreign"
        os.symlink(self.target, path)
        os.lchown(path, 65534, 65534)
        self.refused("-s", f"files.read-only+={path}", "--", "cat", f"{path}/canary")
        self.refused("-s", f"files.read-only+={path}/b", "--", "cat", f"{path}/b/c/canary")
        os.lchown(path, self.account.uid, self.account.gid)
        self.assertEqual(self.inside(f"cat {path}/canary", "-s", f"files.read-only+={path}"), "secret", "the control")

    def test_links_that_the_kernel_makes_up_lead_nowhere(self) -> None:
        own = self.work / "own"
        self.link(own, f"/proc/self/cwd/{self.target.name}")
        number = os.open(self.target, os.O_RDONLY)
        self.addCleanup(os.close, number)
        settings = {"cwd": str(self.work), "pass_fds": (number,)}
        for path in (f"/proc/self/cwd/{self.target.name}", "/proc/self/root/etc", f"/proc/self/fd/{number}", f"/dev/fd/{number}",
                     f"/proc/{os.getpid()}/cwd", "/proc/thread-self/root", f"/proc/1/root{self.target}", str(own)):  # fmt: skip
            for key in ("files.read-only", "files.read-write", "files.hide", "files.tmpfs", "home.keep"):
                with self.subTest(path=path, key=key):
                    script = f"cat {self.target}/canary {path}/canary 2>/dev/null; true"
                    result = self.sbox("-s", f"{key}+={path}", "--", "/bin/sh", "-c", script, **settings)
                    self.assertIn((result.status, result.out), [(125, ""), (0, "")], result)
        self.file("x.profile", "[network]\nmode = host\n")
        self.refused("-p", "/proc/self/cwd/x.profile", "--", "true", cwd=str(self.work))
        self.assertEqual(self.sbox("-p", "./x.profile", "--", "true", cwd=str(self.work)).status, 0, "the control")
        program = self.sbox("/proc/self/root/bin/echo", "started")
        self.assertIn((program.status, program.out), [(125, ""), (126, ""), (127, "")], program)

    def test_names_and_paths_that_climb_are_refused(self) -> None:
        for path in ("/usr/../etc", "~/..", "~/../other", "${HOME}/../x", "/usr/share/../../etc", "..", "../x", "./x", "x"):
            for key in ("files.read-only", "files.read-write", "files.hide", "files.tmpfs", "home.keep", "home.keep-read-only"):
                with self.subTest(path=path, key=key):
                    self.refused("-s", f"{key}+={path}", "--", "true")
        for key in ("etc", "time-zone"):
            for name in ("../root", "/root", "a/../../root", "..", "."):
                with self.subTest(key=key, name=name):
                    result = self.sbox("-s", f"system.{key}={name}", "--", "ls", "/root")
                    self.assertNotEqual(result.status, 0, result)
                    self.assertEqual(result.out, "")

    def test_links_of_the_system_still_work(self) -> None:
        self.root_only()
        path = pathlib.Path(f"/run/sbox-attack-{os.getpid()}")
        path.write_text("text")
        self.addCleanup(path.unlink)
        for named in (f"/var/run/{path.name}", str(path)):
            with self.subTest(named=named):
                both = f"cat /var/run/{path.name} {path}"
                self.assertEqual(self.inside(both, "-s", f"files.read-only+={named}"), "texttext")

    def test_files_that_sbox_reads_are_not_read_through_what_leads_elsewhere(self) -> None:
        secret = self.file("secret", "secret-content-of-a-file\n")
        number = 900 + os.getpid() % 90
        socket = unix_listener(self.account, f"/tmp/.X11-unix/X{number}")
        self.addCleanup(os.unlink, f"/tmp/.X11-unix/X{number}")
        self.addCleanup(socket.server.close)
        cookies = self.work / "cookies"
        self.link(cookies, str(secret))
        env = {"DISPLAY": f":{number}", "XAUTHORITY": str(cookies)}
        result = self.refused("-s", "display.x11=yes", "--", "cat", "/etc/hostname", env=env)
        self.assertNotIn("secret-content", result.err)


class Races(AttackTest):
    """Names change while sbox starts: what was looked at is what is mounted, or nothing is."""

    def setUp(self) -> None:
        super().setUp()
        self.file("outside/canary", "secret")
        self.file("outside/deep/canary", "secret")
        self.target = self.work / "outside"
        self.before = snapshot(self.target, [])

    def run_often(self, times: int, options: list[str], place: pathlib.Path, slow: str = "") -> set[int]:
        """The statuses of so many starts, none of which may reach the target."""
        tracer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={slow}", "-e", f"inject={slow}:delay_enter=2000"]
        command = [*(tracer if slow else []), str(SBOX), *options, "--", "/bin/sh", "-c"]
        script = f"cat {place}/canary {place}/deep/canary; echo x >{place}/planted; echo x >{place}/deep/planted; true"
        statuses = set()
        for _ in range(times):
            result = self.account.run([*command, f"({script}) 2>/dev/null"])
            self.assertEqual(result.out, "")
            statuses.add(result.status)
        self.assertEqual(snapshot(self.target, []), self.before)
        # 137: a symlink had taken the place of what is protected while the program ran.
        self.assertLessEqual(statuses, {0, 125, 128 + signal.SIGKILL})
        return statuses

    def swapped_folder(self) -> pathlib.Path:
        folder = self.directory("folder")
        self.directory("folder/real/deep")
        os.symlink(self.target, folder / "link")
        self.account.own(folder / "link")
        swapper = Swapper(str(folder / "real"), str(folder / "link"))
        self.addCleanup(swapper.stop)
        return folder

    def test_a_name_that_changes_all_the_time_never_leads_outside(self) -> None:
        folder = self.swapped_folder()
        writable = ["-s", f"files.read-write+={folder}"]
        for key in ("files.read-only", "files.tmpfs", "files.hide", "files.read-write"):
            with self.subTest(key=key):
                self.run_often(20, [*writable, "-s", f"{key}+={folder}/real/deep"], folder / "real")

    def test_nor_where_the_window_is_held_open(self) -> None:
        folder = self.swapped_folder()
        options = ["-s", f"files.read-write+={folder}", "-s", f"files.read-only+={folder}/real/deep"]
        for call in ("openat2", "open_tree", "move_mount", "mkdirat", "newfstatat", "readlink"):
            with self.subTest(call=call):
                self.run_often(3, options, folder / "real", slow=call)

    def test_a_sandbox_that_changes_names_harms_no_other_that_starts(self) -> None:
        self.account.file(self.account.home / "kept/deep/file", "text")
        self.addCleanup(shutil.rmtree, self.account.home / "kept")
        profile, ready = self.profile("[home]\nmode = private\n", "racing"), self.directory("ready")
        self.inside(f"mkdir -p ~/kept/deep; ln -s {self.target} ~/link", "-p", profile)
        home = self.account.home
        grant = ["-p", profile, "-s", f"files.read-write+={ready}", "--"]
        command = ["/usr/bin/python3", "-I", "-S", "-c", SWAP_INSIDE, f"{home}/kept", f"{home}/link", f"{ready}/up"]
        other = self.start(*grant, *command)
        self.wait_for_file(ready / "up", other)
        self.run_often(60, ["-p", profile, "-s", "home.keep+=~/kept/deep"], home / "kept")
        self.assertIsNone(other.poll(), "the control")
        self.account.end(other)

    def test_nothing_is_made_where_others_could_have_prepared_it(self) -> None:
        log = self.work / "strace"
        calls = "openat,open,creat,mkdir,mkdirat,mknod,mknodat,symlink,symlinkat,bind,link,rename"
        made = ("strace", "-f", "-qq", "-s", "300", "-o", str(log), "-e", f"trace={calls}")
        script = f"import tempfile; tempfile.NamedTemporaryFile(dir='{self.account.runtime}')"
        self.outside(*made, sys.executable if os.getuid() else "/usr/bin/python3", "-c", script)
        self.assertTrue(self.made_outside(log), "the control")
        result = self.outside(*made, str(SBOX), "--", "/bin/true")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.made_outside(log), [])

    def made_outside(self, log: pathlib.Path) -> list[str]:
        """Of the traced calls, those that make something by an absolute path of the host."""
        shared = ('"/tmp', '"/var/tmp', '"/dev/shm', '"/run', f'"{self.account.runtime}', f'"{self.account.home}')
        lines = log.read_text(errors="replace").splitlines()
        makes = [line for line in lines if "O_CREAT" in line or " open" not in line]
        return [line for line in makes if any(place in line for place in shared) and " = -1" not in line]


class Leftovers(AttackTest):
    def test_what_a_program_leaves_is_neither_followed_nor_privileged(self) -> None:
        canary = self.file("canary/file", "text").parent
        before = snapshot(canary, [])
        profile = self.profile("[home]\nmode = private\n", "leftover")
        given, outside = self.directory("given"), self.directory("outside")
        self.outside("/bin/sh", "-c", f"cd {outside}; {WHITEOUTS}")
        for name in ("whiteout", "moved"):
            self.assertTrue((outside / name).is_char_device(), "the control")
        for _ in range(2):
            result = self.sbox("-p", profile, "-s", f"files.read-write+={given}", "--", "/bin/sh", "-c", f"({LEAVE}) 2>/dev/null",
                               "sh", str(given), str(canary))  # fmt: skip
            self.assertIn(result.status, (0, 1), result)
            self.assertTrue((given / "link").is_symlink(), "the control")
            homes = self.account.home / ".local/share/sbox"
            find = f"find {given} {homes} -perm /6000 -o -type c -o -type b".split()
            found = subprocess.run(find, capture_output=True, text=True, check=True)
            self.assertEqual(found.stdout, "")
            self.assertEqual(snapshot(canary, []), before)

    def test_what_is_made_has_the_usual_modes_whatever_the_umask(self) -> None:
        script = 'stat -c "%a %n" / /etc /etc/passwd /proc /dev /run /tmp /dev/shm "$XDG_RUNTIME_DIR" | sed s,/run/user/.*,runtime,'
        expected = ["755 /", "755 /etc", "644 /etc/passwd", "555 /proc", "755 /dev", "755 /run", "1777 /tmp", "1777 /dev/shm",
                    "700 runtime"]  # fmt: skip
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                self.assertEqual(self.attack(circumstance, "/bin/sh", "-c", script).out.splitlines(), expected)

    def test_the_directories_of_private_homes_are_the_user_s_alone_whatever_the_umask(self) -> None:
        for umask in (0, 0o022, 0o777):
            with self.subTest(umask=oct(umask)):
                self.forget_private_homes()
                self.inside("echo x >~/file", "-s", "home.mode=private", umask=umask)
                path = self.account.home / ".local/share/sbox"
                for each in (path, path / "homes", path / "homes/default"):
                    self.assertEqual(each.stat().st_mode & 0o7777, 0o700, each)

    def test_under_any_limit_a_start_is_whole_or_refused(self) -> None:
        whole = self.inside("grep -h '^Cap\\|^NoNew\\|^Seccomp:' /proc/self/status; ls -A / ~ /dev | sort")
        limits = [f"--nofile={n}:{n}" for n in range(3, 40, 3)] + [f"--as={n << 20}" for n in (4, 16, 32, 64)]
        limits += ["--fsize=0", "--fsize=100", "--stack=16384", "--nproc=1", "--memlock=0", "--data=65536", "--sigpending=0"]
        outcomes = set()
        for limit in limits:
            with self.subTest(limit):
                command = ["prlimit", limit, str(SBOX), "--", "/bin/sh", "-c",
                           "grep -h '^Cap\\|^NoNew\\|^Seccomp:' /proc/self/status; ls -A / ~ /dev | sort"]  # fmt: skip
                result = self.account.run(command)
                outcomes.add(result.status == 0)
                if result.status == 125:
                    self.assertEqual(result.out, "", result)
                self.assertEqual([line for line in result.out.splitlines() if line not in whole], [])
        self.assertEqual(outcomes, {True, False}, "the control")
