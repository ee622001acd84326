"""The launcher by itself: what it believes of a plan, and whether its self-check notices a call that did nothing."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

from account import BUILD, SBOX
from harness import SystemTest, descendants, read_process

LAUNCHER = str(BUILD / "libexec" / "sbox" / "sbox-launch")
# Gives the launcher a plan on descriptor 3, and a file as the claim of a name on 5, as sbox does; the words on the
# command line say what is wrong with it.
OFFER = """
import fcntl, os, sys
kind, claim, launcher, plan = sys.argv[1:]
F_ADD_SEALS, ALL = 1033, 15
if kind == "file":
    held = os.open(plan, os.O_RDONLY)
else:
    held = os.memfd_create("plan", os.MFD_ALLOW_SEALING)
    os.write(held, open(plan, "rb").read())
    if kind == "sealed": fcntl.fcntl(held, F_ADD_SEALS, ALL)
    if kind == "growing": fcntl.fcntl(held, F_ADD_SEALS, ALL & ~4)
if kind == "none": os.close(held)
elif held != 3: os.dup2(held, 3)
if kind != "none": os.set_inheritable(3, True)
if claim == "none": os.closerange(5, 6)
else: os.dup2(os.open(plan if claim == "file" else "/", os.O_RDONLY), 5)
os.execve(launcher, ["sbox", "test", "test", "test"], {})
"""
# Reads the plan that sbox hands over, instead of the launcher.
TAKE = "import os, sys; sys.stdout.buffer.write(os.pread(3, 1 << 20, 0))"


class Plans(SystemTest):
    def taken_plan(self, *arguments: str, log: str = "no", **settings: object) -> bytes:
        """The bytes of a plan: sbox of an installation whose launcher is a program that copies them."""
        prefix = self.directory("prefix")
        for part in ("bin", "share", "lib"):
            shutil.copytree(BUILD / part, prefix / part, symlinks=True)
        self.file("prefix/libexec/sbox/sbox-launch", f"#!/usr/bin/python3 -IS\n{TAKE}\n", 0o755)
        argv = [str(prefix / "bin/sbox"), "-s", f"seccomp.log={log}", *arguments]
        result = self.account.run(argv, **settings)  # type: ignore[arg-type]
        shutil.rmtree(prefix)
        self.assertEqual(result.status, 0, result)
        return result.raw

    def offer(self, kind: str, plan: bytes, claim: str = "file") -> str:
        """What starting the launcher with the plan prints, status first."""
        path = self.file("plan", plan)
        result = self.account.run(["/usr/bin/python3", "-IS", "-c", OFFER, kind, claim, LAUNCHER, str(path)])
        return f"{result.status} {result.out}{result.err}"

    def test_only_a_sealed_plan_is_carried_out(self) -> None:
        plan = self.taken_plan("echo", "carried out")
        self.assertEqual(self.offer("sealed", plan), "0 carried out\n")
        for kind in ("file", "memory", "growing", "none"):
            with self.subTest(kind=kind):
                self.assertEqual(self.offer(kind, plan), "125 sbox: sbox-launch: no plan (start programs by `sbox`)\n")

    def test_a_plan_that_is_cut_or_changed_at_its_start_or_end_is_none(self) -> None:
        plan = self.taken_plan("echo", "carried out")
        for bad in (b"", plan[:-1], plan[: len(plan) // 2], plan + b"\0", b"x" + plan[1:], b"\0" * len(plan)):
            with self.subTest(size=len(bad)):
                what = "not one of this version" if bad else "no plan"
                self.assertRegex(self.offer("sealed", bad), rf"\A125 sbox: sbox-launch: [^\n]*{what}[^\n]*\n\Z")

    def test_a_plan_with_a_log_is_refused_where_none_is_handed_over(self) -> None:
        plan = self.taken_plan("echo", "carried out", log="yes")
        self.assertRegex(self.offer("sealed", plan), r"\A125 sbox: sbox-launch: the log is not as planned [^\n]+\n\Z")

    def test_what_would_not_be_listed_is_refused(self) -> None:
        plan = self.taken_plan("echo", "carried out")
        for claim in ("none", "directory"):
            with self.subTest(claim=claim):
                self.assertRegex(self.offer("sealed", plan, claim), r"\A125 sbox: sbox-launch: the claim of its name [^\n]+\n\Z")

    def test_a_plan_of_another_user_is_refused(self) -> None:
        self.root_only()
        plan = self.taken_plan("echo", "carried out", user=0, group=0, env={"HOME": "/root"})
        self.assertIn("125 sbox: sbox-launch: the plan is another user's", self.offer("sealed", plan))

    def test_a_link_that_came_after_the_plan_refuses_the_start(self) -> None:
        granted, other = self.file("granted/below/name", "granted\n").parent, self.file("other/name", "canary\n").parent
        plan = self.taken_plan("-s", f"files.read-only={granted}", "--", "/bin/cat", str(granted / "name"))
        self.assertEqual(self.offer("sealed", plan), "0 granted\n")
        for swapped in (granted, granted.parent):
            with self.subTest(swapped=swapped.name):
                swapped.rename(self.work / "away")
                swapped.symlink_to(other if swapped == granted else self.directory("tree"))
                (self.work / "tree" / "below").mkdir(parents=True, exist_ok=True)
                self.assertRegex(self.offer("sealed", plan), r"\A125 sbox: [^\n]+\n\Z")
                swapped.unlink()
                (self.work / "away").rename(swapped)

    def test_no_process_of_sbox_has_the_caller_s_environment(self) -> None:
        child = self.start("--", "sh", "-c", "echo up; exec sleep 100", env={"CANARY": "canary"}, stdout=subprocess.PIPE)
        assert child.stdout is not None
        self.assertEqual(child.stdout.readline(), b"up\n")
        own = [child.pid, *(pid for pid in descendants(child.pid) if "sbox" in read_process(pid, "cmdline"))]
        self.assertEqual(len(own), 2)
        for pid in own:
            self.assertEqual(pathlib.Path(f"/proc/{pid}/environ").read_bytes() if os.getuid() == 0 or pid == child.pid else b"", b"")
        child.terminate()
        child.stdout.close()

    def test_by_hand_it_says_how_to_start_programs(self) -> None:
        result = self.account.run([LAUNCHER])
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertIn("start programs by `sbox`", result.err)


class SelfCheck(SystemTest):
    """Each call of the set-up that takes something away does nothing, and says that it did."""

    def setUp(self) -> None:
        super().setUp()
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")

    def pretended(self, call: str, when: str, *options: str) -> str:
        """Status and output of a run in which `call` only pretends."""
        log = self.work / "strace"
        argv = ["strace", "-f", "-qq", "-o", str(log), "-e", f"inject={call}:retval=0:when={when}"]
        result = self.account.run([*argv, str(SBOX), *options, "--", "sh", "-c", "echo started"])
        self.assertIn("(INJECTED)", log.read_text(errors="replace"))
        return f"{result.status} {result.out}{result.err}"

    def test_a_call_that_only_pretends_refuses_the_start(self) -> None:
        for call, when in (
            ("capset", "1+"), ("seccomp", "1"), ("landlock_restrict_self", "1"), ("umount2", "1"),
            ("mount_setattr", "2"), ("mount_setattr", "5"), ("move_mount", "20"), ("close_range", "1+"), ("sethostname", "1"),
        ):  # fmt: skip
            with self.subTest(call=call, when=when):
                self.assertRegex(self.pretended(call, when), r"\A125 sbox: [^\n]+\n\Z")

    def test_so_does_a_filter_without_a_log(self) -> None:
        for when in ("1", "2"):
            with self.subTest(when=when):
                self.assertRegex(self.pretended("seccomp", when, "-s", "seccomp.log=no"), r"\A125 sbox: [^\n]+\n\Z")

    def test_the_bounding_set_and_no_new_privs_are_read_back(self) -> None:
        # prctl asks and changes: every one pretends, so the bits that are asked for seem to be 0 as well.
        self.assertRegex(self.pretended("prctl", "1+"), r"\A125 sbox: [^\n]+\n\Z")


