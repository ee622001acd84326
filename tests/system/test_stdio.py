"""Standard input, output and error; descriptors that the caller leaves open."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import select
import signal
import socket
import struct
import subprocess

from account import SBOX
from harness import SystemTest, descendants, read_process, wait_for

BIG = 50_000_000
LIST_DESCRIPTORS = """
import os, json
found = {}
for name in os.listdir("/proc/self/fd"):
    try: found[name] = os.readlink(f"/proc/self/fd/{name}")
    except OSError: pass
print(json.dumps(found))
"""
# Opened without waiting: where the output is a pipe, as it must be, reading it would never end.
REWRITE_OUTPUT = """
import os, sys
for attempt in (lambda: os.ftruncate(1, 0), lambda: os.pwrite(1, b"XXXX", 0), lambda: os.lseek(1, 0, 0)):
    try: attempt()
    except OSError: pass
try: sys.stderr.write(repr(os.read(os.open("/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK), 10)))
except OSError: sys.stderr.write("unreadable")
"""


class Relay(SystemTest):
    def test_input_comes_in_and_output_and_error_come_out_apart(self) -> None:
        result = self.sbox("sh", "-c", "cat; echo problem >&2", data=b"text\0more\n")
        self.assertEqual((result.status, result.raw, result.err), (0, b"text\0more\n", "problem\n"), result)

    def test_50_megabytes_pass_in_both_directions_unchanged(self) -> None:
        data = os.urandom(1_000_000) * (BIG // 1_000_000)
        result = self.sbox("cat", data=data, timeout=60)
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(hashlib.sha256(result.raw).digest(), hashlib.sha256(data).digest())

    def test_the_end_of_input_reaches_the_program(self) -> None:
        result = self.sbox("wc", "-c", data=b"12345")
        self.assertEqual((result.status, result.out.strip()), (0, "5"), result)

    def test_output_that_nobody_reads_ends_the_program(self) -> None:
        child = self.start("yes", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert child.stdout
        self.assertEqual(child.stdout.read(4), b"y\ny\n")
        child.stdout.close()
        self.assertEqual(child.wait(10), 128 + 13)

    def test_output_that_nobody_reads_does_not_keep_sbox_from_ending(self) -> None:
        child = self.start("head", "-c", "80000", "/dev/zero", stdout=subprocess.PIPE)
        assert child.stdout
        self.addCleanup(child.stdout.close)
        select.select([child.stdout], [], [])
        wait_for(lambda: not any(read_process(pid, "cmdline") for pid in descendants(child.pid)), what="the end of the program")
        child.send_signal(signal.SIGUSR1)
        self.assertIsNone(child.poll(), "the control: it waits for the reader")
        # What comes before it has seen the end is for the program.
        wait_for(lambda: child.send_signal(signal.SIGTERM) or child.poll() is not None, 10, "the end of sbox")
        self.assertEqual(child.wait(), 128 + signal.SIGTERM)

    def test_nor_who_has_joined_and_it_is_waited_for_without_work(self) -> None:
        running = self.start("--name", "unread", "--", "/bin/sleep", "999")
        self.addCleanup(self.account.end, running)
        wait_for(lambda: self.sbox("join", "unread", "true").status == 0, what="a program joins")
        child = self.start("join", "unread", "--", "head", "-c", "80000", "/dev/zero", stdout=subprocess.PIPE)
        assert child.stdout
        self.addCleanup(child.stdout.close)
        select.select([child.stdout], [], [])
        wait_for(lambda: not any("head" in read_process(pid, "cmdline") for pid in descendants(running.pid)), what="its end")
        child.send_signal(signal.SIGUSR1)
        wait_for(lambda: {read_process(child.pid, "stat").split()[2] for _ in range(100)} == {"S"}, 5, "it sleeps")
        wait_for(lambda: child.send_signal(signal.SIGTERM) or child.poll() is not None, 10, "the end of sbox join")
        self.assertEqual(child.wait(), 128 + signal.SIGTERM)

    def test_a_program_that_does_not_read_its_input_ends_all_the_same(self) -> None:
        result = self.sbox("true", data=b"x" * 1_000_000, timeout=10)
        self.assertEqual(result.status, 0, result)

    def test_output_for_which_there_is_no_room_is_not_lost_in_silence(self) -> None:
        line = "sbox: output of the program: No space left on device (not all of it was written)\n"
        for script, status in (("echo x", 125), ("echo x; exit 3", 3)):
            with open("/dev/full", "wb") as full:
                result = self.sbox("--", "/bin/sh", "-c", script, stdout=full)
                self.assertEqual((result.status, result.err), (status, line))
        name = "roomless"
        running = self.start("--name", name, "--", "/bin/sleep", "999")
        self.addCleanup(self.account.end, running)
        wait_for(lambda: self.sbox("join", name, "true").status == 0, what="a program joins")
        for script, status in (("echo x", 125), ("echo x; exit 3", 3)):
            with open("/dev/full", "wb") as full:
                result = self.sbox("join", name, "--", "/bin/sh", "-c", script, stdout=full)
                self.assertEqual((result.status, result.err), (status, line))

    def test_output_beyond_the_limit_of_file_sizes_ends_nothing_in_silence(self) -> None:
        line = "on\nsbox: output of the program: File too large (not all of it was written)\n"
        running = self.start("--name", "limited", "--", "/bin/sleep", "999")
        self.addCleanup(self.account.end, running)
        wait_for(lambda: self.sbox("join", "limited", "true").status == 0, what="a program joins")
        for words in (["--"], ["join", "limited", "--"]):
            with self.subTest(words=words), open(self.file("output"), "wb") as output:
                script = "head -c 100000 /dev/zero; echo on >&2"
                command = ["prlimit", "--fsize=30000:30000", str(SBOX), *words, "/bin/sh", "-c", script]
                result = self.account.run(command, stdout=output)
                self.assertEqual((result.status, result.err), (125, line))
                self.assertEqual(os.fstat(output.fileno()).st_size, 30000)

    def test_who_shares_a_pipe_does_not_wait_for_the_others(self) -> None:
        """Each of those that write into one pipe hears signals when its reader has stopped to read."""
        taken, output = os.pipe()
        fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, 4096)
        runs = [self.start("--", "/usr/bin/yes", stdout=output) for _ in range(12)]
        wait_for(lambda: all(len(descendants(run.pid)) == 2 for run in runs), what="all run")
        for _ in range(3000):
            os.read(taken, 4096)
        for run in runs:
            run.terminate()
        inside = [pid for run in runs for pid in descendants(run.pid)]
        wait_for(lambda: not any("yes" in read_process(pid, "cmdline") for pid in inside), 5, "the end of the programs")
        for run in runs:
            run.terminate()  # no longer waiting to hand on what they wrote
        wait_for(lambda: all(run.poll() is not None for run in runs), 5, "their end")
        os.close(output)
        os.close(taken)

    def test_a_reader_that_has_gone_is_no_loss(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as output:
            reader, _ = server.accept()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its end is a reset
            reader.close()
            result = self.sbox("--", "/bin/sh", "-c", "echo x; exit 3", stdout=output)
            self.assertEqual((result.status, result.err), (3, ""), result)

    def test_an_output_that_takes_nothing_keeps_nobody_waiting(self) -> None:
        running = self.start("--name", "reading", "--", "/bin/sleep", "999")
        self.addCleanup(self.account.end, running)
        wait_for(lambda: self.sbox("join", "reading", "true").status == 0, what="a program joins")
        readable, writable = os.pipe()
        self.addCleanup(os.close, readable)
        self.addCleanup(os.close, writable)
        for words in (["--"], ["join", "reading", "--"]):
            with self.subTest(words=words):
                result = self.sbox(*words, "/bin/sh", "-c", "echo x || exit 3", stdout=readable, timeout=10)
                self.assertEqual(result.status, 3, result)
                self.sbox(*words, "/bin/sh", "-c", "echo x 2>&-; echo y >&2", stdout=readable, stderr=writable, timeout=10)
                self.assertEqual(os.read(readable, 100), b"y\n")

    def test_what_a_program_wrote_before_its_end_is_not_lost(self) -> None:
        out = self.inside("head -c 3000000 /dev/zero | tr '\\0' x; exit 0")
        self.assertEqual(len(out), 3_000_000)

    def test_a_file_is_appended_to_where_the_caller_appends(self) -> None:
        log = self.file("log", "old\n")
        with open(log, "ab") as output:
            self.account.run([str(SBOX), "echo", "new"], stdout=output)
        self.assertEqual(log.read_text(), "old\nnew\n")


class RegularFiles(SystemTest):
    """A file as standard input or output is the caller's grant of a stream, not of the file."""

    def with_input(self, code: str) -> str:
        self.path = self.file("input", "original\n", 0o644)
        before = os.stat(self.path)
        with open(self.path, "rb") as stream:
            out = self.python(code, stdin=stream)
        after = os.stat(self.path)
        self.assertEqual(self.path.read_text(), "original\n")
        self.assertEqual((before.st_mode, before.st_mtime_ns), (after.st_mode, after.st_mtime_ns))
        return out

    def test_an_input_file_cannot_be_opened_for_writing(self) -> None:
        code = "\nfor path in ('/proc/self/fd/0', '/dev/stdin'):\n  try: open(path, 'r+b', 0).write(b'changed')\n"
        self.with_input(code + "  except OSError as error: print(error)\n")

    def test_an_input_file_keeps_mode_times_and_size(self) -> None:
        attempts = ["os.fchmod(0, 0o777)", "os.utime(0, (1, 1))", "os.ftruncate(0, 0)", "os.setxattr(0, 'user.x', b'x')"]
        self.with_input("import os\n" + "".join(f"try: {call}\nexcept OSError: pass\n" for call in attempts))

    def test_an_output_file_cannot_be_truncated_or_read_back(self) -> None:
        log = self.file("log", "secret earlier line\n")
        with open(log, "ab") as output:
            result = self.sbox("--", "/usr/bin/python3", "-I", "-c", REWRITE_OUTPUT, stdout=output)
        self.assertNotIn("secret", result.err)
        self.assertTrue(log.read_text().startswith("secret earlier line\n"), log.read_text())

    def test_a_directory_as_input_gives_no_way_out(self) -> None:
        fd = os.open(self.file("canary/file", "secret").parent, os.O_RDONLY)
        try:
            code = "import os\ntry: print(os.listdir(0))\nexcept OSError as e: print('denied')\n"
            result = self.sbox("--", "/usr/bin/python3", "-I", "-c", code, stdin=fd)
        finally:
            os.close(fd)
        self.assertNotIn("file", result.out)


class Descriptors(SystemTest):
    def test_only_the_three_descriptors_are_open_inside(self) -> None:
        leak = self.file("leak", "leaked secret")
        fds = [os.open(leak, os.O_RDWR), os.open(self.work, os.O_RDONLY)]
        left, right = os.pipe()
        fds += [left, right]
        try:
            found = json.loads(self.python(LIST_DESCRIPTORS, pass_fds=tuple(fds)))
        finally:
            for fd in fds:
                os.close(fd)
        # Listing opens one more, which is gone when its link is read.
        self.assertEqual(sorted(found), ["0", "1", "2"], found)

    def test_the_streams_lead_to_nothing_of_the_host(self) -> None:
        found = json.loads(self.python(LIST_DESCRIPTORS, stdin=subprocess.DEVNULL))
        for name, target in found.items():
            with self.subTest(fd=name):
                self.assertRegex(target, r"^(pipe:\[\d+\]|/dev/null|/dev/pts/\d+)$")

    def test_no_process_inside_holds_a_descriptor_of_the_host(self) -> None:
        script = "for link in /proc/[0-9]*/fd/*; do readlink $link; done 2>/dev/null | sort -u"
        targets = self.inside(script).splitlines()
        self.assertGreater(len(targets), 2)
        for line in targets:
            with self.subTest(target=line):
                self.assertRegex(line, r"^(pipe:\[\d+\]|/dev/(null|pts/\d+|ptmx)|/proc/\d+/fd)$")

    def test_closed_streams_are_dev_null_inside(self) -> None:
        report = self.directory("report")
        code = f"import os; open('{report}/r', 'w').write(' '.join(os.readlink(f'/proc/self/fd/{{n}}') for n in range(3)))"
        script = f'exec "$0" -s files.read-write+={report} -- /usr/bin/python3 -I -c "{code}" <&- >&- 2>&-'
        result = self.account.run(["/bin/sh", "-c", script, str(SBOX)])
        self.assertEqual(result.status, 0, result)
        self.assertEqual((report / "r").read_text(), "/dev/null /dev/null /dev/null")

    def test_a_closed_output_is_dev_null_and_the_rest_works(self) -> None:
        result = self.account.run(["/bin/sh", "-c", 'exec "$0" sh -c "cat; echo out; echo err >&2" >&-', str(SBOX)], data=b"x")
        self.assertEqual((result.status, result.err), (0, "err\n"), result)
