"""Started from a terminal: job control, window size, and that the terminal itself stays out of reach."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time

from account import SBOX
from harness import SystemTest, descendants, end_sleep, parents, read_process, running, status_field, wait_for

# TIOCSTI (also with garbage above the 32 bits that the kernel looks at), TIOCLINUX and TIOCSETD, by the raw call.
INJECT = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
number = 16 if os.uname().machine == "x86_64" else 29
for fd in (0, 1, 2, os.open("/dev/tty", os.O_RDWR)):
    for request in (0x5412, 0x5412 | 1 << 32, 0x5412 | 0xffffffff << 32, 0x541c, 0x5423):
        result = libc.syscall(number, ctypes.c_long(fd), ctypes.c_ulong(request), ctypes.c_char_p(b"#"))
        print("RESULT", hex(request), result, ctypes.get_errno())
print("DONE")
"""


class Terminal:
    """A pseudo terminal with an interactive shell of the account on it."""

    def __init__(self, test: SystemTest, *shell: str) -> None:
        account = test.account
        self.leader, follower = os.openpty()
        self.resize(24, 80)
        os.set_blocking(self.leader, False)
        if os.getuid() == 0:
            os.fchown(follower, account.uid, account.gid)
        env = {"TERM": "dumb", "PS1": "READY> ", "SBOX": str(SBOX), "HISTFILE": "/dev/null"}
        argv = ["setsid", "--ctty", "--wait", *(shell or ("bash", "--norc", "--noprofile", "-i"))]
        self.child = account.start(argv, env, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        self.seen = ""
        test.addCleanup(self.close)

    def close(self) -> None:
        os.close(self.leader)
        self.child.kill()
        self.child.wait()

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.leader, text.encode())

    def type_until_full(self, text: str) -> None:
        """As a terminal that says much by itself, until nobody reads it any more."""
        deadline = time.monotonic() + 15
        while select.select([], [self.leader], [], 1)[1]:
            if time.monotonic() > deadline:
                raise TimeoutError("somebody goes on reading")
            with contextlib.suppress(BlockingIOError):
                self.type(text)

    def expect(self, text: str, timeout: float = 15) -> str:
        """Reads until `text` appears after what was expected before; returns what came up to it."""
        deadline = time.monotonic() + timeout
        while text not in self.seen:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.leader], [], [], left)[0]:
                raise TimeoutError(f"no {text!r} on the terminal, but {self.seen[-2000:]!r}")
            try:
                self.seen += os.read(self.leader, 65536).decode(errors="replace")
            except OSError:
                raise EOFError(f"the terminal closed before {text!r}: {self.seen[-2000:]!r}") from None
        before, self.seen = self.seen.split(text, 1)
        return before


class JobControl(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.terminal = Terminal(self)
        self.terminal.expect("READY> ")

    def command(self, line: str) -> None:
        """Types a command; the echo of it is read away."""
        self.terminal.type(line + "\n")
        self.terminal.expect("\n")

    def test_a_program_has_a_terminal_of_its_own(self) -> None:
        self.command("$SBOX -- sh -c 'tty; test -t 0 && test -t 1 && test -t 2 && echo all; echo x >/dev/tty'")
        said = self.terminal.expect("READY> ")
        self.assertRegex(said, r"/dev/pts/\d+\r\nall\r\nx\r\n")

    def test_a_program_may_close_its_terminal_and_open_it_again(self) -> None:
        # Long enough for sbox to see that nobody has the terminal open.
        script = "exec <&- >&- 2>&-; sleep 0.2; echo back >/dev/tty; exit 4"
        self.command(f"$SBOX -- sh -c '{script}'; echo status $?")
        self.terminal.expect("back")
        self.terminal.expect("status 4")

    def test_control_c_reaches_the_program(self) -> None:
        self.command("$SBOX -- sh -c 'trap \"echo caught; exit 5\" INT; echo begun; while :; do sleep 0.1; done'; echo status $?")
        self.terminal.expect("begun")
        self.terminal.type("\x03")
        self.terminal.expect("caught")
        self.terminal.expect("status 5")

    def test_control_c_ends_a_program_that_does_not_catch_it(self) -> None:
        self.command("$SBOX -- sh -c 'echo begun; exec sleep 997.25'; echo status $?")
        self.terminal.expect("begun")
        self.terminal.type("\x03")
        self.terminal.expect("READY> ")
        wait_for(lambda: not running("997.25"), 5)

    def test_control_z_stops_the_whole_job_and_fg_resumes_it(self) -> None:
        self.command("$SBOX -- sh -c 'echo begun; read line; echo got $line'; echo status $?")
        self.terminal.expect("begun")
        self.terminal.type("\x1a")
        self.terminal.expect("Stopped")
        self.terminal.expect("READY> ")
        self.command("jobs -p")
        job = int(self.terminal.expect("READY> ").split()[0])
        self.assertTrue(status_field(job, "State").startswith("T"))
        self.command("fg")
        self.terminal.type("hello\n")
        self.terminal.expect("got hello")

    def test_a_stopped_job_does_not_run_on(self) -> None:
        folder = self.directory("ticks")
        script = f"while :; do echo >>{folder}/t; sleep 0.02; done"
        self.command(f"$SBOX -s files.read-write+={folder} -- sh -c '{script}'")
        ticks = folder / "t"
        wait_for(lambda: ticks.exists() and ticks.stat().st_size > 3)
        self.terminal.type("\x1a")
        self.terminal.expect("Stopped")
        # Whoever ticks goes through 50 states in this time; the job must stay as it is.
        size = ticks.stat().st_size
        with self.assertRaises(TimeoutError):
            wait_for(lambda: ticks.stat().st_size > size + 1, 1)
        self.command("bg")
        wait_for(lambda: ticks.stat().st_size > size + 3)
        self.command("kill -KILL %1")
        self.terminal.expect("READY> ")

    def test_the_window_size_is_the_terminal_s_and_follows_it(self) -> None:
        self.command("$SBOX -- bash -c 'trap \"stty size\" WINCH; stty size; echo begun; while :; do read -t 0.1; done'")
        self.assertIn("24 80", self.terminal.expect("begun"))
        self.terminal.resize(33, 101)
        self.terminal.expect("33 101")
        self.terminal.type("\x03")

    def test_the_terminal_is_as_before_at_the_end(self) -> None:
        self.command("stty -g")
        before = self.terminal.expect("READY> ").split()[-1]
        self.command("$SBOX -- sh -c 'stty raw -echo; exit 3'; echo status $?")
        self.terminal.expect("status 3")
        self.terminal.expect("READY> ")
        self.command("stty -g")
        self.assertEqual(self.terminal.expect("READY> ").split()[-1], before)

    def test_what_the_program_did_not_read_is_not_typed_into_the_shell(self) -> None:
        self.command("$SBOX -- sh -c 'stty raw -echo; echo begun; sleep 997.48'")
        self.terminal.expect("begun")
        self.terminal.type_until_full("\necho $((6*7))\n")
        end_sleep("997.48")
        self.terminal.expect("READY> ")
        self.command("echo $((5*5))")
        self.assertNotIn("42", self.terminal.expect("25"))

    def test_the_end_of_input_is_passed_on(self) -> None:
        self.command("$SBOX -- cat; echo status $?")
        self.terminal.type("line\n")
        self.terminal.expect("line\r\nline\r\n")
        self.terminal.type("\x04")
        self.terminal.expect("status 0")


class Guard(SystemTest):
    """A process that holds nothing but the terminal puts it right when sbox is killed."""

    def raw_terminal(self) -> tuple[Terminal, list[object], int]:
        """A program on a raw terminal below a shell without job control; the modes before, and sbox's process."""
        folder = self.directory("secret-of-the-plan")
        grant = f"files.read-only+={folder}"
        script = '"$@"; echo status $?; stty -a >/dev/null; cat'
        terminal = Terminal(self, "sh", "-c", script, "sh", str(SBOX), "-s", grant, "--", "sh", "-c", "echo begun; exec sleep 996.5")
        before = termios.tcgetattr(terminal.leader)
        terminal.expect("begun")
        supervisor = next(pid for pid in descendants(terminal.child.pid) if read_process(pid, "cmdline").startswith("sbox"))
        wait_for(lambda: not termios.tcgetattr(terminal.leader)[3] & termios.ICANON, what="a raw terminal")
        return terminal, before, supervisor

    def guard_of(self, supervisor: int) -> int:
        children = [pid for pid, parent in parents().items() if parent == supervisor]
        return next(pid for pid in children if len(status_field(pid, "NSpid").split()) == 1)

    def test_a_killed_sbox_leaves_the_terminal_as_it_was(self) -> None:
        terminal, before, supervisor = self.raw_terminal()
        guard = self.guard_of(supervisor)
        os.kill(supervisor, signal.SIGKILL)
        terminal.expect("status 137")
        wait_for(lambda: termios.tcgetattr(terminal.leader) == before, 2, "the modes of before")
        wait_for(lambda: not read_process(guard, "cmdline"), 2, "the end of the guard")

    def test_killing_the_whole_group_leaves_the_terminal_as_it_was(self) -> None:
        terminal, before, supervisor = self.raw_terminal()
        os.killpg(os.getpgid(supervisor), signal.SIGKILL)
        wait_for(lambda: termios.tcgetattr(terminal.leader) == before, 2, "the modes of before")

    def test_what_a_shell_has_set_since_stays(self) -> None:
        terminal, _, supervisor = self.raw_terminal()
        guard = self.guard_of(supervisor)
        os.kill(guard, signal.SIGSTOP)
        os.kill(supervisor, signal.SIGKILL)
        terminal.expect("status 137")
        chosen = termios.tcgetattr(terminal.leader)
        chosen[3] = (chosen[3] | termios.ICANON) & ~termios.ECHO
        termios.tcsetattr(terminal.leader, termios.TCSANOW, chosen)
        os.kill(guard, signal.SIGCONT)
        wait_for(lambda: not read_process(guard, "cmdline"), 2, "the end of the guard")
        self.assertEqual(termios.tcgetattr(terminal.leader)[:4], chosen[:4])

    def test_the_guard_holds_nothing_but_the_terminal_and_a_pipe(self) -> None:
        self.root_only()
        _, _, supervisor = self.raw_terminal()
        guard = self.guard_of(supervisor)
        held = [os.readlink(f"/proc/{guard}/fd/{number}") for number in sorted(os.listdir(f"/proc/{guard}/fd"))]
        self.assertRegex(" ".join(held), r"\A/dev/pts/\d+ pipe:\[\d+\]\Z")
        self.assertEqual(read_process(guard, "environ"), "")
        self.assertIn(b"secret-of-the-plan", memory(supervisor), "the control")
        self.assertNotIn(b"secret-of-the-plan", memory(guard))

    def test_without_a_terminal_there_is_no_guard(self) -> None:
        child = self.start("--", "sh", "-c", "exec sleep 996.25", stdin=subprocess.DEVNULL)
        self.addCleanup(self.account.end, child)
        wait_for(lambda: [pid for pid in descendants(child.pid) if "996.25" in read_process(pid, "cmdline")])
        children = [pid for pid, parent in parents().items() if parent == child.pid]
        self.assertEqual(len(children), 1)


def memory(pid: int) -> bytes:
    """What a process has written into its memory."""
    found = []
    with open(f"/proc/{pid}/mem", "rb") as content:
        for line in read_process(pid, "maps").splitlines():
            if "rw-p" not in line:
                continue
            begin, end = (int(word, 16) for word in line.split()[0].split("-"))
            content.seek(begin)
            found.append(content.read(end - begin))
    return b"".join(found)


class Injection(SystemTest):
    def test_a_program_cannot_type_into_the_terminal(self) -> None:
        terminal = Terminal(self, str(SBOX), "--", "/usr/bin/python3", "-I", "-c", INJECT)
        said = terminal.expect("DONE")
        results = [line.split() for line in said.splitlines() if line.startswith("RESULT")]
        self.assertEqual(len(results), 20, said)
        for _, request, result, error in results:
            with self.subTest(request=request):
                self.assertEqual((result, error), ("-1", "1"))

    def test_closing_the_terminal_ends_the_sandbox(self) -> None:
        terminal = Terminal(self, str(SBOX), "--", "sh", "-c", "echo begun; exec sleep 998.5")
        terminal.expect("begun")
        os.close(terminal.leader)
        terminal.leader = os.open("/dev/null", os.O_RDONLY)
        self.assertNotEqual(terminal.child.wait(10), 0)
