"""System calls that must fail inside, made by static programs with raw numbers."""

from __future__ import annotations

from harness import DENIED, SystemTest, probe

# Calls that any user may make outside. Where one fails there, the probe is broken or the machine hides what we test.
LIVE = ("clone", "ptrace", "process_vm_readv", "keyctl", "open_tree", "getpid")
NESTED = ("unshare", "unshare-high-bits", "unshare-mount", "clone", "setns", "mount", "umount", "chroot", "pivot_root",
          "open_tree")  # fmt: skip
ALLOWED = ("getpid", "personality")


class SystemCalls(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.probe = probe("syscalls")
        self.names = self.account.run([self.probe]).out.split()

    def results(self, names: list[str], *options: str) -> dict[str, str]:
        """What each probe prints inside."""
        script = f"for name in {' '.join(names)}; do echo $name $({self.probe} $name); done"
        out = self.inside(script, "-s", f"files.read-only+={self.probe}", *options)
        return dict(line.split(" ", 1) for line in out.splitlines())

    def assert_denied(self, name: str, result: str) -> None:
        # A wide ioctl or clone argument may be refused as invalid: the call has no effect either way.
        allowed = [str(number) for number in DENIED] + (["22"] if name.endswith("high-bits") else [])
        self.assertIn(result, allowed, f"{name} inside: {result}")

    def test_the_probes_work_outside(self) -> None:
        for name in LIVE:
            with self.subTest(call=name):
                self.assertEqual(self.account.run([self.probe, name]).out, "ok\n")

    def test_dangerous_calls_are_denied(self) -> None:
        names = [name for name in self.names if name not in ALLOWED]
        for name, result in self.results(names).items():
            with self.subTest(call=name):
                self.assert_denied(name, result)

    def test_harmless_calls_are_not(self) -> None:
        self.assertEqual(self.results(["getpid"]), {"getpid": "ok"})

    def test_with_a_nested_sandbox_allowed_the_rest_stays_denied(self) -> None:
        names = [name for name in self.names if name not in ALLOWED + NESTED]
        for name, result in self.results(names, "-s", "process.nested-sandbox=yes").items():
            with self.subTest(call=name):
                self.assert_denied(name, result)

    def test_a_nested_sandbox_is_possible_where_the_profile_says_so(self) -> None:
        result = self.results(["unshare", "clone", "clone3"], "-s", "process.nested-sandbox=yes")
        self.assertEqual((result["unshare"], result["clone"]), ("ok", "ok"))
        # libc must fall back to the call whose flags a filter can see.
        self.assertEqual(result["clone3"], "38")

    def test_clone3_is_enosys_so_that_libc_falls_back(self) -> None:
        self.assertEqual(self.results(["clone3"]), {"clone3": "38"})

    def test_threads_and_processes_work_all_the_same(self) -> None:
        code = "import threading, os\nt = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
        code += "print(os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)[1])"
        self.assertEqual(self.python(code), "thread\n0\n")

    def test_debug_allows_ptrace_and_nothing_more(self) -> None:
        result = self.results(["ptrace", "process_vm_readv", "unshare", "keyctl"], "-s", "process.debug=yes")
        self.assertEqual((result["ptrace"], result["process_vm_readv"]), ("ok", "ok"))
        self.assert_denied("unshare", result["unshare"])
        self.assert_denied("keyctl", result["keyctl"])

    def test_the_32_bit_entry_is_no_way_around_the_filter(self) -> None:
        compat = probe("compat")
        result = self.sbox("-s", f"files.read-only+={compat}", "--", compat)
        self.assertTrue(result.status == 128 + 31 or result.out.strip() in ("-1", "-38", "unsupported"), result)

    def test_numbers_newer_than_the_table_are_enosys(self) -> None:
        code = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        code += "for number in [*range(467, 475), 500, 700]:\n  r = libc.syscall(number, -1, -1, -1, -1)\n"
        code += "  print(number, r, ctypes.get_errno())\n"
        for line in self.python(code).splitlines():
            with self.subTest(line=line):
                self.assertIn(line.split()[2], ("1", "38"))

    def test_kill_ends_a_program_that_makes_a_denied_call(self) -> None:
        options = ["-s", f"files.read-only+={self.probe}", "-s", "seccomp.action=kill"]
        self.assertEqual(self.sbox(*options, "--", self.probe, "keyctl").status, 128 + 31)

    def test_allow_and_deny_change_single_calls(self) -> None:
        self.assertEqual(self.results(["keyctl"], "-s", "seccomp.allow+=keyctl"), {"keyctl": "ok"})
        result = self.sbox("-s", "seccomp.deny+=uname", "--", "uname", "-s")
        self.assertNotEqual(result.status, 0, result)

    def test_an_unknown_system_call_in_a_profile_is_refused(self) -> None:
        self.refused("-s", "seccomp.deny+=no_such_call", "true")

    def test_what_sbox_needs_inside_cannot_be_denied_and_the_rest_can(self) -> None:
        for word, call in (("@network", "sendmsg"), ("@memory", "brk"), ("waitid", "it")):
            with self.subTest(word):
                result = self.refused("-s", f"seccomp.deny+={word}", "true", timeout=10)
                self.assertIn(f"seccomp deny = {word}: sbox itself needs {call} inside", result.err)
        denied = "socket, socketpair, connect, bind, listen, accept, accept4, recvmsg, sendto, recvfrom, @ipc, @aio, @xattr"
        self.assertEqual(self.sbox("-s", f"seccomp.deny+={denied}", "--", "/bin/echo", "ran").out, "ran\n")

    def test_write_xor_execute_denies_memory_that_is_both(self) -> None:
        code = "import mmap\ntry: mmap.mmap(-1, 4096, prot=7); print('both')\nexcept OSError: print('denied')\n"
        self.assertEqual(self.python(code, "-s", "process.write-xor-execute=yes"), "denied\n")
        self.assertEqual(self.python(code), "both\n")
