"""sbox-userns: sandboxes where ordinary users may make no user namespace, and nothing more than that for anyone."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import re
import resource
import shutil
import subprocess
from typing import Any

from account import Result
from desktop import session_bus
from harness import SystemTest, descendants, probe, read_process, status_field, wait_for
from installation import Installation, run_where_refused, where_refused
from test_launcher import OFFER

NO_PLAN = "sbox: sbox-launch: no plan (start programs by `sbox`)\n"
HOSTILE = {"LD_PRELOAD": "/nonexistent.so", "LD_LIBRARY_PATH": ".", "LD_AUDIT": "/nonexistent.so", "LD_DEBUG": "all",
           "GLIBC_TUNABLES": "glibc.malloc.check=3", "GCONV_PATH": ".", "MALLOC_TRACE": "trace", "TMPDIR": ".", "PATH": "."}
# Starts its second argument with the words of the third on as argv, [0] included, and the descriptors that the first
# names closed; descriptor 3 is /dev/null. Its environment are the variables that begin with X_, without that.
EXECUTE = """
import os, sys
null = os.open("/dev/null", os.O_RDWR)
if null != 3: os.dup2(null, 3)
os.set_inheritable(3, True)
for number in sys.argv[1].split(): os.close(int(number))
os.execve(sys.argv[2], sys.argv[3:], {name[2:]: text for name, text in os.environ.items() if name.startswith("X_")})
"""


class GrantTest(SystemTest):
    host: Installation

    def setUp(self) -> None:
        super().setUp()
        self.root_only()
        self.host = Installation()
        self.addCleanup(self.host.remove)

    def granted(self, *arguments: str, **options: Any) -> Result:
        return run_where_refused(self.account, self.host.sbox, *arguments, **options)

    def start_granted(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        argv = where_refused(self.account, self.host.sbox, *arguments)
        return self.account.start(argv, user=0, group=0, **options)

    def by_hand(self, *argv: str, program: str = "", closed: str = "", **options: Any) -> Result:
        """sbox-userns as any process of the user might start it; without a plan the launcher itself refuses."""
        program = program or str(self.host.granter)
        return self.account.run(["/usr/bin/python3", "-IS", "-c", EXECUTE, closed, program, *argv], **options)

    def assert_refuses(self, result: Result, why: str) -> None:
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertRegex(result.err, rf"\Asbox: sbox-userns: [^\n]*{why}[^\n]*\n\Z")


class Granted(GrantTest):
    def test_where_namespaces_are_refused_only_sbox_userns_makes_programs_start(self) -> None:
        without = Installation(bits=None)
        self.addCleanup(without.remove)
        refused = run_where_refused(self.account, without.sbox, "echo", "started")
        self.assertEqual((refused.status, refused.out), (125, ""), refused)
        self.assertEqual(refused.err, "sbox: namespaces: Operation not permitted (run `sbox doctor` for the remedy)\n")
        self.assertEqual(self.granted("echo", "started").out, "started\n")

    def test_the_program_has_one_id_and_nothing_more(self) -> None:
        result = self.granted("grep", "-E", "^(Uid|Gid|Cap...|NoNewPrivs|Seccomp):", "/proc/self/status")
        fields = dict(line.split(":\t") for line in result.out.splitlines())
        ids = {"Uid": "\t".join([str(self.account.uid)] * 4), "Gid": "\t".join([str(self.account.gid)] * 4)}
        none = {f"Cap{name}": "0" * 16 for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")}
        self.assertEqual(fields, ids | none | {"NoNewPrivs": "1", "Seccomp": "2"}, result)
        maps = self.granted("cat", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups")
        uid, gid = str(self.account.uid), str(self.account.gid)
        self.assertEqual(maps.out.split(), [uid, uid, "1", gid, gid, "1", "deny"], maps)

    def test_no_process_of_the_sandbox_keeps_a_capability(self) -> None:
        # With a terminal there is one more, which puts that right when the supervisor is killed.
        terminal, inside = pty.openpty()
        self.addCleanup(os.close, terminal)
        with session_bus(self.account) as env:
            child = self.start_granted("-s", "dbus.session=filtered", "--", "sh", "-c", "echo up; exec sleep 100",
                                       env=env, stdin=inside, stdout=subprocess.PIPE)
            os.close(inside)
            assert child.stdout is not None
            self.assertEqual(child.stdout.readline(), b"up\n")
            everyone = [child.pid, *descendants(child.pid)]
            names = ["sbox-bus", *["sbox-launch"] * 3, "sleep", "xdg-dbus-proxy"]
            wait_for(lambda: sorted(read_process(pid, "comm").strip() for pid in everyone) == names, what="the program")
            for pid in everyone:
                with self.subTest(process=read_process(pid, "comm")):
                    # The supervisor drops its own when it hears that the program has started.
                    sets = ("Inh", "Prm", "Eff", "Amb")
                    wait_for(lambda: {status_field(pid, f"Cap{name}") for name in sets} == {"0" * 16}, what="no capability")
                    self.assertEqual(pathlib.Path(f"/proc/{pid}/environ").read_bytes().count(b"LD_"), 0)
            # Nor could any get one by executing something, but for the one at the terminal, which executes nothing.
            wait_for(lambda: sum(status_field(pid, "CapBnd") != "0" * 16 for pid in everyone) == 1, what="empty bounding sets")
            child.terminate()
            child.stdout.close()
            child.wait(20)

    def test_what_is_hidden_and_replaced_outside_ends_the_sandbox(self) -> None:
        key = self.file("place/key", "secret")
        options = ["-p", "agent", "-s", "network.mode=none", "-s", f"files.hide={key}"]
        child = self.start_granted(*options, "--", "sh", "-c", "echo up; exec sleep 100", cwd=key.parent,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        assert child.stdout and child.stderr
        self.assertEqual(child.stdout.readline(), b"up\n")
        self.file("place/new", "new secret").rename(key)
        self.assertEqual(child.wait(20), 137)
        self.assertIn(f"{key}: a program outside replaced it", child.stderr.read().decode())
        child.stdout.close(), child.stderr.close()

    def test_where_users_may_make_namespaces_it_is_not_used(self) -> None:
        self.host.granter.unlink()
        self.host.granter.write_text("#!/bin/sh\necho used\n")
        self.host.granter.chmod(0o755)
        self.assertEqual(self.account.run([self.host.sbox, "echo", "started"]).out, "started\n")
        self.assertEqual(self.granted("echo", "started").out, "used\n")

    def test_a_caller_that_waits_for_no_child_is_served_too(self) -> None:
        result = run_where_refused(self.account, "/bin/sh", "-c", """trap '' CHLD; exec "$@" """, "sh", self.host.sbox, "echo", "started")
        self.assertEqual((result.status, result.out), (0, "started\n"), result)

    def test_no_namespace_can_be_made_inside(self) -> None:
        script = "for kind in --user '--user --net' '--user --mount'; do unshare $kind echo made; done"
        options = ["-s", "seccomp.mode=none", "-s", "process.debug=yes", "--", "sh", "-c", script]
        for arguments in (options, options[2:]):
            result = self.granted(*arguments)
            self.assertEqual(result.out, "", result)
            self.assertNotEqual(result.status, 0, result)
        limit = self.granted("cat", "/proc/sys/user/max_user_namespaces")
        self.assertEqual(limit.out, "0\n", limit)

    def test_a_profile_with_sandboxes_of_its_own_is_refused_or_does_without(self) -> None:
        wanting = self.profile("[process]\nnested-sandbox = yes\n", "wanting")
        result = self.granted("-p", wanting, "echo", "started")
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertIn("wanting.profile:2: process nested-sandbox = yes: user namespaces come from sbox-userns", result.err)
        doing_without = self.profile("[profile]\noptional = nested-sandbox\n[process]\nnested-sandbox = yes\n", "content")
        result = self.granted("-p", doing_without, "sh", "-c", "cat /proc/sys/user/max_user_namespaces; unshare -U echo made")
        self.assertEqual(result.out, "0\n", result)

    def test_doctor_tells_whether_it_works(self) -> None:
        result = self.granted("doctor")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.out, r"user namespaces +ok +by sbox-userns")
        self.host.granter.chmod(0o755)
        result = self.granted("doctor")
        self.assertEqual(result.status, 1, result)
        self.assertRegex(result.out, r"user namespaces +missing .*sbox-userns: .*no privilege to give")

    def test_portals_which_could_not_know_the_program_are_refused(self) -> None:
        result = self.granted("-s", "desktop.portals=yes", "echo", "started")
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertIn("desktop portals = yes: portals cannot tell", result.err)

    def test_the_launcher_itself_refuses_a_plan_with_namespaces(self) -> None:
        # A front end that believes in user namespaces, and a launcher that copies the plan.
        taker = Installation(bits=None)
        self.addCleanup(taker.remove)
        taker.launcher.write_text("#!/usr/bin/python3 -IS\nimport os, sys; sys.stdout.buffer.write(os.pread(3, 1 << 20, 0))\n")
        offer = ("/usr/bin/python3", "-IS", "-c", OFFER, "sealed", "file", str(self.host.granter))
        for nested, expected in (("no", (0, "carried out\n")), ("yes", (125, ""))):
            taken = self.account.run([taker.sbox, "-s", "seccomp.log=no", "-s", f"process.nested-sandbox={nested}", "echo", "carried out"])
            plan = self.file("plan", taken.raw)
            result = run_where_refused(self.account, *offer, str(plan))
            self.assertEqual((result.status, result.out), expected, result)
        self.assertIn("user namespaces come from sbox-userns, which gives programs none", result.err)


class Network(GrantTest):
    def test_a_private_network_is_as_good(self) -> None:
        script = "ip -brief -4 address; grep -c : /proc/net/dev; ip link set lo down && echo changed"
        result = self.granted("-s", "network.mode=private", "--", "sh", "-c", script)
        self.assertRegex(result.out, r"\Alo [^\n]*127\.0\.0\.1/8[^\n]*\neth0 [^\n]*10\.183\.17\.2/30[^\n]*\n2\n\Z", result)

    def test_only_its_helpers_have_capabilities_and_only_over_it(self) -> None:
        child = self.start_granted("-s", "network.mode=private", "--", "sh", "-c", "echo up; exec sleep 100", stdout=subprocess.PIPE)
        assert child.stdout is not None
        self.addCleanup(child.stdout.close)
        self.assertEqual(child.stdout.readline(), b"up\n")
        everyone = [child.pid, *descendants(child.pid)]
        wait_for(lambda: any(read_process(pid, "comm") == "sleep\n" for pid in everyone), what="the program")
        # The supervisor drops its own when it hears that the program has started.
        wait_for(lambda: status_field(child.pid, "CapEff") == "0" * 16, what="a supervisor without capabilities")
        held = sorted((read_process(pid, "comm").strip(), int(status_field(pid, "CapEff"), 16)) for pid in everyone)
        of_pasta = [capabilities for name, capabilities in held if name.startswith("pas")]
        admin, bind, system = 1 << 12, 1 << 10, 1 << 21
        self.assertEqual([each for each in held if not each[0].startswith("pas")],
                         [("sbox-launch", 0), ("sbox-launch", 0), ("sbox-network", admin), ("sleep", 0)])
        self.assertEqual(len(of_pasta), 1)
        self.assertEqual(of_pasta[0] & ~(admin | bind | system), 0)
        self.assertEqual(self.account.run([probe("enter_userns"), str(child.pid)]).out, "EACCES -\n")
        child.terminate()
        child.wait(20)


class Ownership(GrantTest):
    """The namespace is root's: another process of the user is as far from it as if there were none."""

    def running(self, *, is_granted: bool) -> tuple[subprocess.Popen[bytes], list[int]]:
        argv = [self.host.sbox, "--", "sh", "-c", "echo up; exec sleep 100"]
        if is_granted:
            child = self.account.start(where_refused(self.account, *argv), user=0, group=0, stdout=subprocess.PIPE)
        else:
            child = self.account.start(argv, stdout=subprocess.PIPE)
        assert child.stdout is not None
        self.addCleanup(child.stdout.close)
        self.assertEqual(child.stdout.readline(), b"up\n")
        return child, [pid for pid in [child.pid, *descendants(child.pid)]]

    def test_no_process_of_the_user_gets_into_it(self) -> None:
        child, everyone = self.running(is_granted=True)
        self.assertEqual(len(everyone), 3)
        for pid in everyone:
            with self.subTest(process=read_process(pid, "comm")):
                self.assertEqual(self.account.run([probe("enter_userns"), str(pid)]).out, "EACCES -\n")
                self.assertEqual(self.account.run([probe("enter_userns"), str(pid)], user=0, group=0).out, "entered 0\n")
        child.kill()
        # The control: a namespace that the user has made lets all of this user in.
        child, everyone = self.running(is_granted=False)
        self.assertEqual(self.account.run([probe("enter_userns"), str(everyone[-1])]).out, f"entered {self.account.uid}\n")
        child.kill()

    def test_it_is_listed_and_stopped_and_not_joined(self) -> None:
        child, _ = self.running(is_granted=True)
        (row,) = json.loads(run_where_refused(self.account, self.host.sbox, "list", "--json").out)
        self.assertEqual((row["pid"], row["program"]), (child.pid, "/usr/bin/sh"))
        result = run_where_refused(self.account, self.host.sbox, "join", row["name"], "true")
        self.assertEqual(result.status, 125)
        self.assertIn("sandboxes by sbox-userns cannot be joined", result.err)
        self.assertEqual(run_where_refused(self.account, self.host.sbox, "stop", "--force", row["name"]).status, 0)
        child.wait(5)

    def test_it_cannot_be_traced_at_any_moment(self) -> None:
        result = self.account.run([probe("trace_start"), "2", str(self.host.granter), "test"])
        seen = {name: (int(tried), int(got)) for name, tried, got in map(str.split, result.out.splitlines())}
        for name in ("sbox-userns", "sbox-launch"):
            with self.subTest(name=name):
                self.assertGreaterEqual(seen[name][0], 5, result)
                self.assertEqual(seen[name][1], 0, result)
        control = self.account.run([probe("trace_start"), "1", "/usr/bin/sleep", "10"])
        tried, got = map(int, control.out.split()[1:3])
        self.assertGreaterEqual(got, 3 * tried, control)
        self.assertGreater(tried, 0)

    def test_under_a_tracer_it_has_nothing_to_give(self) -> None:
        log = self.work / "strace"
        result = self.by_hand("sbox", "a", "b", "c")
        self.assertEqual((result.status, result.err), (125, NO_PLAN))
        argv = ["/usr/bin/strace", "-f", "-qq", "-o", str(log), self.host.sbox, "echo", "started"]
        result = run_where_refused(self.account, *argv)
        self.assert_refuses(result, "no privilege to give")

    def test_killed_at_any_moment_it_leaves_no_process(self) -> None:
        argv = [probe("trace_start"), "1", str(self.host.granter), "test"]
        self.assertEqual(self.account.run(argv).status, 0)
        wait_for(lambda: not [pid for pid in self.own_processes() if "sbox" in read_process(pid, "comm")], 10)

    def own_processes(self) -> list[int]:
        mine = str(self.account.uid)
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and status_field(name, "Uid").split()[:1] == [mine]]


class Callers(GrantTest):
    """Whoever starts it in whatever way gets the launcher or a refusal."""

    def test_other_arguments_than_sbox_s_are_refused(self) -> None:
        self.assertEqual(self.by_hand("sbox", "a", "b", "c").err, NO_PLAN)
        for argv in (["sbox"], ["sbox", "x", "y"], ["sbox", "x", "y", "z", "-c"], ["x" * 100_000]):
            with self.subTest(argv=[word[:10] for word in argv]):
                self.assert_refuses(self.by_hand(*argv), "other arguments than sbox gives it")

    def test_words_and_environment_choose_nothing(self) -> None:
        for word in ("/bin/sh", "../../bin/sh", "-c", "", "%n%n", "\x1b[2J", "x" * 100_000):
            with self.subTest(word=word[:10]):
                result = self.by_hand("/bin/sh", word, word, "z", env={f"X_{name}": text for name, text in HOSTILE.items()})
                self.assertEqual((result.status, result.out, result.err), (125, "", NO_PLAN))

    def test_closed_descriptors_start_nothing(self) -> None:
        # The C library opens /dev/null in the place of the first three, as in every set-user-ID program.
        for closed, why in (("0", NO_PLAN), ("1", NO_PLAN), ("2", ""), ("3", "descriptors are closed"), ("0 1 2 3", ""), ("0 2", "")):
            with self.subTest(closed=closed):
                result = self.by_hand("sbox", "a", "b", "c", closed=closed)
                self.assertEqual((result.status, result.out), (125, ""), result)
                self.assertIn(why, result.err)
                self.assertLessEqual(len(result.err), 100, result)

    def test_signals_and_limits_of_the_caller_weaken_nothing(self) -> None:
        ignoring = 'trap "" TERM INT PIPE HUP CHLD USR1; exec "$@"'
        argv = ["/bin/sh", "-c", ignoring, "sh", self.host.sbox, "grep", "-h", "^Cap\\(Eff\\|Bnd\\)", "/proc/self/status"]
        nothing = ["CapEff:", "0" * 16, "CapBnd:", "0" * 16]
        result = run_where_refused(self.account, *argv)
        self.assertEqual(result.out.split(), nothing, result)
        for limit in ("nofile=4", "nofile=64", "nproc=0", "as=8388608", "fsize=0", "stack=65536", "cpu=1", "core=0", "memlock=0"):
            with self.subTest(limit=limit):
                result = run_where_refused(self.account, "/usr/bin/prlimit", f"--{limit.replace('=', '=')}", *argv[4:])
                if result.status == 0:
                    self.assertEqual(result.out.split(), nothing, result)
                else:
                    self.assertEqual(result.out, "", result)

    def test_processes_count_with_those_of_root_and_a_limit_below_these_refuses(self) -> None:
        def with_most(count: int) -> Result:
            limited = ["/usr/bin/prlimit", f"--nproc={count}", self.host.sbox, "sh", "-c", "true & wait; echo up"]
            return run_where_refused(self.account, *limited)

        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        enough = with_most(30000 if hard == resource.RLIM_INFINITY else min(hard, 30000))
        self.assertEqual(enough.out, "up\n", enough)
        for count in (1, 3):  # with the first, sbox itself has no further process, in whatever else the account runs
            with self.subTest(count=count):
                result = with_most(count)
                self.assertEqual((result.status, result.out), (125, ""), result)
                self.assertRegex(result.err, r"\Asbox: [^\n]+ \(more processes than `ulimit -u`[^\n]+\n\Z")

    def test_without_new_privileges_it_has_none_to_give(self) -> None:
        argv = ["/usr/bin/setpriv", "--no-new-privs", str(self.host.granter), "a", "b", "c"]
        script = 'exec 3</dev/null; exec "$@"'
        self.assert_refuses(self.account.run(["/bin/sh", "-c", script, "sh", *argv]), "no privilege to give")

    def test_on_a_file_system_without_set_id_programs_it_has_none_to_give(self) -> None:
        mount = 'mount --bind "$0" "$0" && mount -o remount,bind,nosuid "$0" && exec 3</dev/null && exec "$@"'
        drop = ["setpriv", f"--reuid={self.account.uid}", f"--regid={self.account.gid}", "--clear-groups"]
        argv = ["unshare", "--mount", "sh", "-c", mount, str(self.host.prefix), *drop, str(self.host.granter), "a", "b", "c"]
        self.assert_refuses(self.account.run(argv, user=0, group=0), "no privilege to give")
        argv[4] = argv[4].replace(",nosuid", "")
        self.assertEqual(self.account.run(argv, user=0, group=0).err, NO_PLAN)

    def test_a_proc_that_hides_processes_is_no_hindrance(self) -> None:
        hide = 'mount -o remount,hidepid=2 /proc && exec "$@"'
        argv = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", hide, "sh"]
        result = self.account.run([*argv, *where_refused(self.account, self.host.sbox, "echo", "started")], user=0, group=0)
        self.assertEqual((result.status, result.out), (0, "started\n"), result)
        result = self.account.run([*argv, "sh", "-c", "grep hidepid /proc/mounts"], user=0, group=0)
        self.assertIn("hidepid", result.out)

    def test_root_and_foreign_groups_are_refused(self) -> None:
        script = 'exec 3</dev/null; exec "$@"'
        argv = ["/bin/sh", "-c", script, "sh", str(self.host.granter), "a", "b", "c"]
        self.assert_refuses(self.account.run(argv, user=0, group=0), "root needs it not")

    def test_another_user_gets_a_namespace_of_that_user_alone(self) -> None:
        other = self.account.uid + 4000
        argv = ["/bin/sh", "-c", 'exec 3</dev/null; exec "$@"', "sh", str(self.host.granter), "a", "b", "c"]
        result = self.account.run(argv, user=other, group=other, extra_groups=[], cwd="/")
        self.assertEqual((result.status, result.err), (125, NO_PLAN))


class Places(GrantTest):
    """Where it lies decides what it starts; what others could change there, it starts not."""

    def fake(self, directory: pathlib.Path) -> None:
        path = self.account.file(directory / "sbox-launch", "#!/bin/sh\necho fake\n", 0o755)
        self.assertEqual(self.account.run([str(path)]).out, "fake\n")

    def test_a_symlink_leads_to_root_s_launcher(self) -> None:
        place = self.directory("libexec/sbox")
        self.fake(place)
        (place / "sbox-userns").symlink_to(self.host.granter)
        result = self.by_hand("sbox", "a", "b", "c", program=str(place / "sbox-userns"))
        self.assertEqual((result.status, result.err), (125, NO_PLAN))

    def test_a_hard_link_starts_nothing(self) -> None:
        place = self.directory("libexec/sbox")
        self.fake(place)
        os.link(self.host.granter, place / "sbox-userns")
        self.assert_refuses(self.by_hand("sbox", "a", "b", "c", program=str(place / "sbox-userns")), "others than root can change")

    def test_a_launcher_that_others_could_change_is_not_started(self) -> None:
        directory = self.host.launcher.parent
        for path, mode, owner in (
            (self.host.launcher, 0o775, 0), (self.host.launcher, 0o757, 0), (self.host.launcher, 0o4755, 0),
            (self.host.launcher, 0o755, self.account.uid), (directory, 0o777, 0), (directory, 0o1777, 0),
            (directory.parent, 0o775, 0), (self.host.prefix, 0o755, self.account.uid),
        ):
            with self.subTest(path=path.name, mode=oct(mode), owner=owner):
                os.chown(path, owner, 0)
                path.chmod(mode)
                self.assert_refuses(self.by_hand("sbox", "a", "b", "c"), "others than root can change")
                os.chown(path, 0, 0)
                path.chmod(0o755)
        self.assertEqual(self.by_hand("sbox", "a", "b", "c").err, NO_PLAN)

    def test_a_launcher_that_is_a_symlink_is_not_started(self) -> None:
        self.host.launcher.unlink()
        self.host.launcher.symlink_to("/bin/sh")
        self.assert_refuses(self.by_hand("sbox", "a", "b", "c"), "others than root can change")

    def test_replaced_while_it_runs_it_starts_the_launcher_of_its_place(self) -> None:
        copy = self.host.granter.with_suffix(".new")
        shutil.copy(self.host.granter, copy)
        copy.chmod(0o4755)
        copy.rename(self.host.granter)
        self.assertEqual(self.by_hand("sbox", "a", "b", "c").err, NO_PLAN)


class Sweep(GrantTest):
    """System calls of sbox-userns fail once, and once only seem to succeed: the program is refused, or runs as ever. One in
    SBOX_USERNS_SWEEP of them.
    """

    timeout = 300

    SHOW = ("sh", "-c", "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups /proc/sys/user/max_user_namespaces; "
            "grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):' /proc/self/status")

    def traced(self, *options: str) -> tuple[Result, str]:
        """A start whose sbox-userns is watched by root's strace, under which it keeps its privilege."""
        log = self.work / "strace"
        argv = ["strace", "-f", "-qq", "-o", str(log), *options]
        result = self.account.run([*argv, *where_refused(self.account, self.host.sbox, *self.SHOW)], user=0, group=0, timeout=60)
        return result, log.read_text(errors="replace")

    def test_no_failing_or_faked_call_gives_more(self) -> None:
        sound, log = self.traced("-e", "trace=all")
        self.assertEqual(sound.status, 0, sound)
        begin = log.index(f'execve("{self.host.granter}"')
        before, during = log[:begin], log[begin : log.index(f'execve("{self.host.launcher}"')]
        calls = ("close_range", "prctl", "setrlimit", "prlimit64", "capset", "setfsuid", "setresuid", "setresgid", "unshare",
                 "fork", "clone", "pipe2", "wait4", "fstatfs", "openat", "write", "rt_sigaction", "getresuid", "getresgid")
        tried, injected, every = 0, 0, int(os.environ.get("SBOX_USERNS_SWEEP", "8"))
        for call in calls:
            first = len(re.findall(rf"^\d+ +{call}\(", before, re.MULTILINE)) + 1
            count = len(re.findall(rf"^\d+ +{call}\(", during, re.MULTILINE))
            for number in range(first, first + count):
                for fault in ("error=EPERM", "retval=0"):
                    with self.subTest(call=call, number=number - first + 1, fault=fault):
                        tried += 1
                        if tried % every != 0:
                            continue
                        result, log = self.traced("-e", f"inject={call}:{fault}:when={number}")
                        granting, _, later = log.partition(f'execve("{self.host.launcher}"')
                        injected += "(INJECTED)" in granting
                        if "(INJECTED)" in later:
                            # It met a tool of the program, which prints less then, but never more.
                            self.assertLessEqual(set(result.out.splitlines()), set(sound.out.splitlines()), result)
                        elif result.status == 0:
                            self.assertEqual(result.out, sound.out, result)
                        else:
                            self.assertEqual(result.out, "", result)
        self.assertGreater(tried, 50)
        self.assertGreater(injected, tried // every // 2)


class Capabilities(GrantTest):
    def installed_with(self, capabilities: str) -> Result:
        self.host = Installation(0o755, capabilities)
        self.addCleanup(self.host.remove)
        return self.granted("sh", "-c", "echo started; cat /proc/self/uid_map")

    def test_file_capabilities_serve_instead_of_the_set_user_id_bit(self) -> None:
        result = self.installed_with("cap_sys_admin,cap_setuid,cap_sys_ptrace=p")
        uid = str(self.account.uid)
        self.assertEqual(result.out.split(), ["started", uid, uid, "1"], result)
        traced = self.account.run([probe("trace_start"), "1", str(self.host.granter), "test"])
        for _, tried, got in map(str.split, traced.out.splitlines()):
            self.assertEqual(got, "0", traced)
        self.assertRegex(traced.out, re.compile("^sbox-userns [1-9]", re.MULTILINE))

    def test_a_part_of_them_is_refused(self) -> None:
        for capabilities in ("cap_sys_admin=p", "cap_setuid,cap_sys_ptrace=p"):
            with self.subTest(capabilities=capabilities):
                self.assert_refuses(self.installed_with(capabilities), "no privilege to give")
