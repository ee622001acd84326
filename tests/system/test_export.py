"""sbox export: a bundle that crun starts as the same ordinary user holds what a start by sbox holds."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import shlex
import socket
import stat
from collections.abc import Sequence
from typing import Any

from account import SBOX, Result
from harness import SystemTest, namespace, probe
from test_confinement import CAPABILITIES, MASKED, READABLE, STATUS, WRITABLE_SYSCTL
from test_terminal import Terminal

# crun takes cgroup v1 or v2 as they are, and no mixture: there it gets the part of v2 alone to see.
MIXED = pathlib.Path("/sys/fs/cgroup/unified")
ALONE = f"mount --rbind {MIXED} /sys/fs/cgroup" if MIXED.exists() else ":"
# What a runtime mounts by itself, instead of what a start has there.
OF_RUNTIME = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
numbers = itertools.count()


def after(command: str) -> list[str]:
    """A command line that runs another one where mounts that `command` makes are seen by nobody else."""
    return ["unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "sh", "-c", f'{command} && exec "$@"', "sh"]


class ExportTest(SystemTest):
    def export(self, *arguments: str, status: int = 0, **options: Any) -> pathlib.Path:
        bundle = self.work / f"bundle-{next(numbers)}"
        result = self.sbox("export", "--oci", str(bundle), *arguments, **options)
        self.assertEqual((result.status, result.out), (status, ""), result)
        return bundle

    def crun(self, bundle: pathlib.Path, before: str = ALONE, wrapper: Sequence[str] = (), **options: Any) -> Result:
        name = f"sbox-test-{os.getpid()}-{next(numbers)}"
        command = ["crun", "--cgroup-manager=disabled", "run", "-b", str(bundle), name]
        return self.account.run([*after(before), *wrapper, *command], **options)

    def bundled(self, script: str, *options: str, **settings: Any) -> str:
        """What a shell script prints in the bundle of the profile `default` changed by `options`; it must succeed."""
        result = self.crun(self.export(*options, "--", "/bin/sh", "-c", script, **settings))
        self.assertEqual((result.status, result.err), (0, ""), result)
        return result.out

    def bundled_python(self, code: str, *options: str) -> str:
        result = self.crun(self.export(*options, "--", "/usr/bin/python3", "-I", "-S", "-c", code))
        self.assertEqual(result.status, 0, result)
        return result.out


def mounts(table: str) -> dict[str, tuple[str, str, str]]:
    """Of /proc/self/mountinfo: what is seen at each mount point, with its flags."""
    seen = {}
    for line in table.splitlines():
        head, tail = line.split(" - ")
        root, target, flags = head.split()[3:6]
        kind, _, options = tail.split()
        size = next((option for option in options.split(",") if option.startswith("size=")), "")
        seen[target] = (kind, flags if kind != "tmpfs" else f"{flags} {size}", root)
    return seen


class Runs(ExportTest):
    def test_the_program_runs_with_its_arguments_and_its_status_is_passed_on(self) -> None:
        bundle = self.export("--", "/bin/sh", "-c", 'echo "$1,$2"; exit 7', "sh", "a b", "$c")
        for _ in range(2):
            result = self.crun(bundle)
            self.assertEqual((result.status, result.out), (7, "a b,$c\n"), result)

    def test_standard_input_arrives(self) -> None:
        self.assertEqual(self.crun(self.export("cat"), data=b"words").out, "words")

    def test_environment_ids_and_places_are_those_of_a_start(self) -> None:
        script = 'env | grep -v ^PWD= | sort; id; pwd; umask; hostname; ulimit -n; cat /etc/passwd /etc/group'
        options = ["-s", "environment.set+=MINE=a b", "-s", "limits.open-files=256", "-s", "system.hostname=box"]
        for umask in (0o022, 0o077):
            with self.subTest(umask=umask):
                own = self.inside(script, *options, umask=umask)
                self.assertEqual(self.bundled(script, *options, umask=umask), own)
                self.assertIn("MINE=a b\n", own)

    def test_shipped_presets_run(self) -> None:
        project = self.directory("project")
        page = self.file("page", "words")
        agent = self.export("-p", "agent", "sh", "-c", "echo made >file && pwd", cwd=str(project))
        self.assertEqual(self.crun(agent).out, f"{project}\n")
        self.assertEqual((project / "file").read_text(), "made\n")
        viewer = self.export("-p", "viewer", "-s", "profile.optional+=display", "cat", str(page))
        self.assertEqual(self.crun(viewer).out, "words")
        script = self.file("script", "#!/bin/sh\nls -A ~\necho $0\n", 0o755)
        self.assertEqual(self.crun(self.export(str(script))).out.splitlines()[-1], str(script))
        self.assertEqual(self.crun(self.export("/usr/bin/true")).status, 0)

    def test_a_program_with_a_private_home_keeps_it_and_finds_it_in_a_start(self) -> None:
        options = ["-p", "keepassxc-cli", "-s", "profile.optional+=display"]
        bundle = self.export(*options, "sh", "-c", "echo more >>~/kept; cat ~/kept")
        self.assertEqual([self.crun(bundle).out for _ in range(2)], ["more\n", "more\nmore\n"])
        self.assertEqual(self.sbox(*options, "cat", f"{self.account.home}/kept").out, "more\nmore\n")

    def test_keepassxc_runs(self) -> None:
        result = self.crun(self.export("keepassxc-cli", "--version"))
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, r"\A\d+\.\d+\.\d+\n\Z")

    def test_on_a_terminal_the_program_gets_one_of_its_own(self) -> None:
        terminal = Terminal(self)
        terminal.expect("READY> ")
        bundle = self.work / "bundle"
        terminal.type(f"$SBOX export --oci {bundle} -- sh -c 'tty; echo $((40+2))'; echo ended $?\n")
        terminal.expect("\nended 0")
        self.assertTrue(json.loads((bundle / "config.json").read_text())["process"]["terminal"])
        command = " ".join(f"'{word}'" for word in after(ALONE))
        terminal.type(f"{command} crun --cgroup-manager=disabled run -b {bundle} sbox-test-{os.getpid()}-{next(numbers)}\n")
        self.assertIn("/dev/pts/0", terminal.expect("42"))


class Holds(ExportTest):
    def test_nothing_inside_has_a_privilege(self) -> None:
        for options in ([], ["-s", "process.nested-sandbox=yes"]):
            for task, status in json.loads(self.bundled_python(STATUS, *options)).items():
                with self.subTest(task=task, options=options):
                    self.assertEqual([int(status[name], 16) for name in CAPABILITIES], [0] * 5)
                    self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
                    self.assertEqual(status["Uid"].split(), [str(self.account.uid)] * 4)

    def test_every_namespace_is_the_bundle_s_own(self) -> None:
        out = self.bundled("cd /proc/self/ns && for n in *; do echo $n $(readlink $n); done; cat /proc/self/uid_map")
        inside = dict(line.split(" ", 1) for line in out.splitlines())
        for kind in ("user", "mnt", "pid", "ipc", "uts", "net", "cgroup"):
            with self.subTest(namespace=kind):
                self.assertTrue(inside[kind].startswith(kind))
                self.assertNotEqual(inside[kind], namespace("self", kind))
        self.assertEqual(out.splitlines()[-1].split(), [str(self.account.uid), str(self.account.uid), "1"])

    def test_the_mounts_are_those_of_a_start(self) -> None:
        for name in ("all/between/secret", "all/open/read", "scratch/below", "read"):
            self.directory(name)
        self.file("all/key", "secret")
        options = ["-s", f"files.read-write+={self.work}/all", "-s", f"files.hide+={self.work}/all/between/secret",
                   "-s", f"files.hide+={self.work}/all/key", "-s", f"files.read-only+={self.work}/all/open/read",
                   "-s", f"files.read-only+={self.work}/read", "-s", f"files.tmpfs+={self.work}/scratch",
                   "-s", "system.tmp-size=5M"]  # fmt: skip
        own, bundled = (mounts(run("cat /proc/self/mountinfo", *options)) for run in (self.inside, self.bundled))
        for target in {*own, *bundled} - OF_RUNTIME:
            with self.subTest(target=target):
                self.assertIn(target, own)
                self.assertIn(target, bundled)
                if target == "/":
                    self.assertTrue(bundled[target][1].startswith("ro,"), bundled[target])
                elif target.startswith("/proc/"):
                    self.assertIn("ro", bundled[target][1].split(",") + bundled["/proc/sys"][1].split(","))
                elif target.endswith(("/secret", "/key")):  # an empty one of the bundle instead of one of a tmpfs
                    self.assertEqual(own[target][1].split()[0], bundled[target][1])
                else:
                    self.assertEqual(own[target], bundled[target])

    def test_nothing_is_written_where_the_plan_is_read_only(self) -> None:
        self.directory("read")
        self.directory("write")
        options = ["-s", f"files.read-only+={self.work}/read", "-s", f"files.read-write+={self.work}/write"]
        closed = f"/ /usr /etc /dev /proc /run /home {self.work}/read"
        script = f"for p in {closed}; do (: >$p/made) 2>/dev/null && echo $p; done; : >{self.work}/write/made"
        self.assertEqual(self.bundled(script, *options), "")
        self.assertEqual([path.name for path in self.work.glob("*/made")], ["made"])
        self.assertTrue((self.work / "write/made").exists())

    def test_what_is_mounted_below_a_read_only_directory_is_there_and_read_only_too(self) -> None:
        self.root_only()
        read = self.directory("read/below").parent
        bundle = self.work / "bundle"
        export = [str(SBOX), "export", "-q", "--oci", str(bundle), "-s", f"files.read-only+={read}", "--", "sh", "-c",
                  f"ls {read}/below; : >{read}/below/made"]  # fmt: skip
        user = ["setpriv", f"--reuid={self.account.uid}", f"--regid={self.account.gid}", "--clear-groups"]
        mount = f"mount -t tmpfs none {read}/below && : >{read}/below/there"
        seen = ["unshare", "--mount", "sh", "-c", f"{mount} && exec {shlex.join(user + export)}"]
        self.assertEqual(self.account.run(seen, user=0, group=0).status, 0)
        # crun sees it where it may copy mounts itself, then without what is below, and where it may not.
        unprivileged = ["unshare", "--user", "--map-current-user"]
        for before, command in ((f"{ALONE} && {mount}", []), (f"{ALONE} && {mount}", unprivileged)):
            with self.subTest(command=command):
                result = self.crun(bundle, before, command)
                self.assertEqual(result.out, "there\n", result)
                self.assertIn("Read-only file system", result.err)

    def test_what_is_not_granted_or_hidden_is_not_seen(self) -> None:
        self.file("secret", "secret")
        self.file("all/between/hidden/file", "secret")
        self.file("all/key", "secret")
        everything = f"{self.work}/all"
        options = ["-s", f"files.read-write+={everything}", "-s", f"files.hide+={everything}/between/hidden",
                   "-s", f"files.hide+={everything}/key"]  # fmt: skip
        script = (
            f"cat {self.work}/secret; cd {everything}; cat key between/hidden/file; ls between/hidden; "
            "chmod 700 between/hidden key; mv between away; cat key; ls -A ~; true"
        )
        result = self.crun(self.export(*options, "--", "sh", "-c", script))
        self.assertNotIn("secret\n", result.out)
        self.assertEqual(result.err.count("Permission denied"), 4, result)
        self.assertEqual(result.err.count("Read-only file system"), 2, result)
        self.assertIn("busy", result.err)
        self.assertEqual(result.out.split(), [self.work.name], result)

    def test_hidden_parts_of_proc_tell_nothing(self) -> None:
        names = [*MASKED, "sys/kernel/random/boot_id"]
        self.assertEqual(json.loads(self.bundled_python(READABLE.replace("NAMES", repr(names)))), [])
        # A runtime hides files by /dev/null, which swallows what is written.
        self.assertLessEqual(set(json.loads(self.bundled_python(WRITABLE_SYSCTL))), {"/proc/sys/kernel/random/boot_id"})

    def test_system_calls_are_answered_as_in_a_start(self) -> None:
        case = probe("syscalls")
        names = self.account.run([case]).out.split()
        script = f"for name in {' '.join(names)}; do echo $name $({case} $name); done"
        for options in ([], ["-s", "process.nested-sandbox=yes"]):
            with self.subTest(options=options):
                grant = ["-s", f"files.read-only+={case}", *options]
                own, bundled = (dict(line.split() for line in run(script, *grant).splitlines())
                                for run in (self.inside, self.bundled))  # fmt: skip
                # Where the runtime's libseccomp does not know a name, the call is not there.
                self.assertEqual({name: bundled[name] for name in own if bundled[name] != "38"},
                                 {name: own[name] for name in own if bundled[name] != "38"})  # fmt: skip
                self.assertNotIn("ok", [own[name] for name in own if bundled[name] == "38"])
                self.assertEqual((bundled["clone3"], bundled["keyctl"], bundled["getpid"]), ("38", "1", "ok"))

    def test_there_is_no_network_but_where_it_is_the_host_s(self) -> None:
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        abstract = socket.socket(socket.AF_UNIX)
        self.addCleanup(abstract.close)
        abstract.bind(f"\0sbox-test-{os.getpid()}")
        abstract.listen()
        code = f"""
import socket
for family, address in (socket.AF_INET, {server.getsockname()!r}), (socket.AF_UNIX, {abstract.getsockname()!r}):
    try: socket.socket(family).connect(address); print("connected")
    except OSError as error: print(error.errno)
print([name for _, name in socket.if_nameindex()])
"""
        self.assertEqual(self.bundled_python(code), "111\n111\n['lo']\n")
        host = ["-s", "network.mode=host", "-s", "profile.optional+=abstract-sockets"]
        self.assertEqual(self.bundled("readlink /proc/self/ns/net", *host).strip(), namespace("self", "net"))
        private = self.crun(self.export("-s", "network.mode=private", "--", "/usr/bin/python3", "-I", "-S", "-c", code))
        self.assertEqual(private.out, "111\n111\n['lo']\n", private)


class Refuses(ExportTest):
    def left(self) -> list[str]:
        return sorted(str(path.relative_to(self.work)) for path in self.work.rglob("*"))

    def refused_bundle(self, *arguments: str, directory: str = "", status: int = 125, **options: Any) -> Result:
        before = self.left()
        place = directory or str(self.work / "bundle")
        result = self.refused("export", "--oci", place, *arguments, status=status, **options)
        self.assertEqual(self.left(), before)
        return result

    def test_what_a_bundle_could_not_hold(self) -> None:
        for setting in ("limits.memory=1G", "limits.cpu=50%", "limits.time=1h", "limits.nice=5", "limits.io-priority=idle",
                        "home.mode=overlay", "network.mode=host", "seccomp.mode=none", "seccomp.allow=unshare",
                        "seccomp.32-bit=yes", "process.write-xor-execute=yes"):  # fmt: skip
            with self.subTest(setting=setting):
                self.assertRegex(self.refused_bundle("-s", setting, "true").err, r"\Asbox: export ")
        options = ["-s", "network.mode=host", "-s", "profile.optional+=abstract-sockets", "-s", "network.connect=tcp :443, udp"]
        self.assertIn("only Landlock closes ports", self.refused_bundle(*options, "true").err)

    def test_a_directory_that_the_program_may_write(self) -> None:
        project = self.directory("project")
        for place in ("project", "project/bundle"):
            result = self.refused_bundle("-p", "agent", "true", directory=str(self.work / place), cwd=str(project))
            self.assertIn("may write", result.err)
        result = self.refused_bundle("-s", "home.mode=host", "true", directory=f"{self.account.home}/bundle")
        self.assertFalse((self.account.home / "bundle").exists())

    def test_a_place_that_is_taken(self) -> None:
        victim = self.directory("victim")
        self.file("full/file")
        self.file("file")
        os.symlink(victim, self.work / "link")
        os.symlink(self.work / "nowhere", self.work / "dangling")
        self.file("victim-config", "{}")
        os.mkfifo(self.work / "fifo")
        for name in ("full", "file", "link", "link/", "dangling", "fifo", "missing/bundle", "file/bundle", ".", "..", "/"):
            with self.subTest(name=name):
                self.refused_bundle("true", directory=str(self.work) + "/" + name if name != "/" else name)
        self.assertEqual(list(victim.iterdir()), [])
        closed = self.directory("closed", 0o555)
        if os.getuid() == 0:
            os.chown(closed, 0, 0)
        self.refused_bundle("true", directory=f"{closed}/bundle")
        self.refused_bundle("true", directory="/usr/bundle")

    def test_bad_command_lines(self) -> None:
        for arguments in (["--no-such", "true"], ["--ephemeral", "true"], ["--dry-run", "true"], [], [""],
                          ["-p", "no-such", "true"], ["-s", "no.such=1", "true"], ["true", "\udcff"]):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.refused_bundle(*arguments)
        for arguments in (["true"], ["--oci"], ["--oci", ""], ["--oci=", "true"], []):
            with self.subTest(arguments=arguments):
                self.refused("export", *arguments)

    def test_a_program_that_is_not_there(self) -> None:
        self.refused_bundle("no-such-program", status=127)
        self.refused_bundle(str(self.work), status=126)
        self.refused_bundle(str(self.file("text")), status=126)

    def test_a_disk_that_is_full_leaves_nothing(self) -> None:
        before = self.left()
        command = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", str(SBOX), "export", "--oci", str(self.work / "bundle"), "true"]
        result = self.account.run(command)
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertRegex(result.err, r"\Asbox: [^\n]+\n\Z")
        self.assertEqual(self.left(), before)


class Files(ExportTest):
    def test_the_bundle_is_its_owner_s_alone_whatever_the_umask(self) -> None:
        shapes = []
        for umask in (0o000, 0o022, 0o777):
            bundle = self.export("true", umask=umask)
            self.assertEqual(stat.S_IMODE(bundle.stat().st_mode), 0o700)
            self.assertEqual(stat.S_IMODE((bundle / "config.json").stat().st_mode), 0o600)
            paths = sorted(bundle.rglob("*"))
            shapes.append([(str(path.relative_to(bundle)), path.lstat().st_mode) for path in paths])
            for path in paths:
                writable = path.lstat().st_mode & 0o022
                self.assertFalse(writable and not path.is_symlink(), path)
        self.assertEqual(shapes[0], shapes[1])
        self.assertEqual(shapes[0], shapes[2])

    def test_an_empty_directory_is_taken_and_a_full_one_is_not(self) -> None:
        bundle = self.directory("bundle", 0o755)
        self.assertEqual(self.sbox("export", f"--oci={bundle}/", "true").status, 0)
        self.assertEqual(stat.S_IMODE(bundle.stat().st_mode), 0o700)
        before = (bundle / "config.json").read_bytes()
        self.refused("export", f"--oci={bundle}", "false")
        self.assertEqual((bundle / "config.json").read_bytes(), before)
        self.assertEqual([path.name for path in self.work.iterdir()], ["bundle"])

    def test_the_option_may_stand_among_the_others_and_ends_at_the_program(self) -> None:
        bundle = self.work / "bundle"
        options = ["-qs", "system.hostname=box", "--profile", "default", "--oci", str(bundle), "-v"]
        self.assertEqual(self.sbox("export", *options, "echo", "--oci", "x").err, "")
        self.assertEqual(self.crun(bundle).out, "--oci x\n")
        self.assertEqual(self.sbox("export", "--oci", "other", "true", cwd=str(self.work)).status, 0)
        self.assertTrue((self.work / "other/config.json").exists())

    def test_what_is_left_out_is_told_in_one_line_each(self) -> None:
        result = self.sbox("export", "--oci", str(self.work / "bundle"), "-s", "network.mode=private", "true")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r"\A(sbox: export: [^\n]+\n){3}\Z")
        self.assertIn("no network", result.err)
