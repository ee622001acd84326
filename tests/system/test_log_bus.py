"""`sbox log`: what filtered buses deny is told, with the line that allows it."""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import signal
import subprocess
from typing import Any

from account import Result
from desktop import session_bus
from harness import SystemTest, descendants, read_process, wait_for
from services import WIRE, answering, system_bus

TALK, PART, NO = "org.example.Talk", "org.example.Part", "org.example.No"
BUS = "org.freedesktop.DBus"
LARGEST = 160 * 1024
# Does what the file says that is its first argument: a list of [bus, name, path, interface.member, name that is the argument or ""], and
# prints the errors.
ASK = """
import json, sys
buses, errors = {}, []
for variable, name, path, method, argument in json.load(open(sys.argv[1])):
    if variable not in buses: buses[variable] = Wire(os.environ[variable].split("=", 1)[1])
    interface, member = method.rsplit(".", 1)
    arguments = [("s", argument)] if argument else []
    if member in ("RequestName", "StartServiceByName"): arguments.append(("u", 0))
    errors.append(buses[variable].ask(name, path, interface, member, *arguments)[0].rsplit(".", 1)[-1])
print(json.dumps(errors))
"""
SESSION, SYSTEM, ACCESSIBILITY = "DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS", "AT_SPI_BUS_ADDRESS"
FILTERED = ("-s", "dbus.session=filtered", "-s", f"dbus.talk={TALK}", "-s", f"dbus.call={PART}={PART}.Other@/x")
Ask = tuple[str, str, str, str, str]


def call(name: str, bus: str = SESSION) -> Ask:
    return (bus, name, "/x", f"{name}.Do", "")


def of_bus(member: str, name: str) -> Ask:
    return (SESSION, BUS, "/", f"{BUS}.{member}", name)


class BusLog(SystemTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.env = cls.enterClassContext(session_bus(cls.account))
        socket = cls.env[SESSION].split("=", 1)[1].split(",")[0]
        cls.enterClassContext(answering(cls.account, socket, TALK, PART, NO))

    def ask(self, asked: list[Ask], *options: str, env: dict[str, str] | None = None) -> list[str]:
        questions = self.file("asked", json.dumps(asked))
        argv = ["/usr/bin/python3", "-I", "-S", "-c", WIRE + ASK, str(questions)]
        result = self.sbox(*options, "-s", f"files.read-only+={questions}", "--", *argv, env=self.env | (env or {}))
        self.assertEqual(result.status, 0, result)
        errors: list[str] = json.loads(result.out)
        return errors

    def run_of(self) -> dict[str, Any]:
        result = self.sbox("log", "--json")
        self.assertEqual(result.status, 0, result)
        run: dict[str, Any] = json.loads(result.out)["runs"][0]
        return run

    def denied(self) -> list[dict[str, Any]]:
        denied: list[dict[str, Any]] = self.run_of()["denied_on_buses"]
        return denied

    def helper(self, child: subprocess.Popen[bytes]) -> int:
        (found,) = [pid for pid in descendants(child.pid) if read_process(pid, "comm") == "sbox-bus\n"]
        return found


def as_option(line: str) -> list[str]:
    section, rest = line[1:].split("] ", 1)
    key, value = rest.split(" = ", 1)
    return ["-s", f"{section}.{key}{'=' if key in ('session', 'system') else '+='}{value}"]


class Denials(BusLog):
    def test_each_kind_is_told_and_the_line_that_is_told_allows_it(self) -> None:
        kinds = {
            "call": (call(NO), f"[dbus] call = {NO}={NO}.Do@/x"),
            "own": (of_bus("RequestName", "org.example.Mine"), "[dbus] own = org.example.Mine"),
            "see": (of_bus("GetNameOwner", NO), f"[dbus] see = {NO}"),
            "start": (of_bus("StartServiceByName", NO), f"[dbus] talk = {NO}"),
        }
        for kind, (asked, line) in kinds.items():
            with self.subTest(kind):
                self.assertNotEqual(self.ask([call(TALK), asked, asked, asked], *FILTERED)[1:], [""] * 3)
                (denial,) = self.denied()
                self.assertEqual((denial["bus"], denial["kind"], denial["count"]), ("session", kind, 3), denial)
                self.assertEqual((denial["name"], denial["remedy"]), (asked[4] or asked[1], line))
                # The bus itself starts nothing that has no file for that.
                expected = "ServiceUnknown" if kind == "start" else ""
                self.assertEqual(self.ask([asked], *FILTERED, *as_option(line)), [expected])
                self.assertEqual(self.denied(), [])

    def test_a_method_that_is_not_named_is_told_as_well_and_what_passes_is_not(self) -> None:
        self.assertEqual(self.ask([call(TALK), call(PART)], *FILTERED), ["", "AccessDenied"])
        (denial,) = self.denied()
        self.assertEqual((denial["name"], denial["member"], denial["path"]), (PART, "Do", "/x"))
        self.assertEqual(self.ask([call(PART)], *FILTERED, *as_option(denial["wider"])), [""])

    def test_buses_are_told_apart(self) -> None:
        self.root_only()
        options = [*FILTERED, "-s", "dbus.system=filtered", "-s", "desktop.accessibility=yes"]
        with system_bus(self.account) as system, answering(self.account, system[SYSTEM].split("=", 1)[1], NO):
            env = system | {ACCESSIBILITY: self.env[SESSION]}
            asked = [call(NO, SYSTEM), call(PART, SESSION), call(TALK, ACCESSIBILITY), call(NO, SYSTEM)]
            self.assertNotIn("", self.ask(asked, *options, env=env))
            told = {(each["bus"], each["name"]): each["remedy"] for each in self.denied()}
            line = f"[dbus] system-call = {NO}={NO}.Do@/x"
            self.assertEqual(told, {("system", NO): line, ("session", PART): f"[dbus] call = {PART}={PART}.Do@/x",
                                    ("accessibility", TALK): ""})  # fmt: skip
            self.assertEqual(self.ask([call(NO, SYSTEM)], *options, *as_option(line), env=env), [""])

    def test_where_a_word_brought_the_bus_along_the_other_line_is_told_too(self) -> None:
        options = ("-s", "desktop.notifications=yes")
        self.ask([call(NO)], *options)
        (denial,) = self.denied()
        self.assertEqual(denial["with"], "[dbus] session = filtered")
        self.assertEqual(self.ask([call(NO)], *options, *as_option(denial["with"]), *as_option(denial["remedy"])), [""])

    def test_switched_off_nothing_is_told_and_as_much_is_denied(self) -> None:
        asked = [call(TALK), call(PART), call(NO), of_bus("RequestName", NO)]
        with_log = self.ask(asked, *FILTERED)
        self.assertEqual(len(self.denied()), 3)
        self.assertEqual(self.ask(asked, *FILTERED, "-s", "dbus.log=no"), with_log)
        self.assertEqual(self.denied(), [])

    def test_it_is_there_without_a_log_of_system_calls(self) -> None:
        self.ask([call(NO)], *FILTERED, "-s", "seccomp.log=no")
        self.assertEqual([each["name"] for each in self.denied()], [NO])

    def test_it_is_there_while_the_program_runs(self) -> None:
        script = WIRE + f'Wire(os.environ["{SESSION}"].split("=", 1)[1]).ask("{NO}", "/x", "{NO}", "Do")\nimport sys; sys.stdin.read()'
        child = self.start(*FILTERED, "--", "/usr/bin/python3", "-I", "-S", "-c", script, env=self.env, stdin=subprocess.PIPE)
        logs = self.account.home / ".local/share/sbox/log"
        wait_for(lambda: logs.exists() and list(logs.iterdir()), what="a log")
        wait_for(lambda: [each["name"] for each in self.denied()] == [NO], what="the denial")
        child.communicate(timeout=10)


class Hostile(BusLog):
    def test_no_program_can_fill_the_disk_and_all_is_counted(self) -> None:
        asked = [call(f"org.example.X{i % 200}.Y{i}") for i in range(1500)] + [call(NO)] * 500
        self.assertNotIn("", self.ask(asked, *FILTERED))
        run = self.run_of()
        counted = sum(each["count"] for each in run["denied_on_buses"]) + run["other_notes"]
        self.assertEqual(counted, len(asked))
        self.assertGreater(run["other_notes"], 0)
        place = self.account.home / ".local/share/sbox/log"
        self.assertLess(max(path.stat().st_size for path in place.iterdir()), LARGEST)

    def test_what_a_program_calls_steers_no_terminal(self) -> None:
        self.ask([(SESSION, "org.example.\x1b[2J", "/\x1b[1m\n*HIDDEN*\n", "a.b\x9b\x07.c", "")], *FILTERED)
        result = self.sbox("log")
        self.assertNotRegex(result.out.replace("\n", ""), r"[\x00-\x1f\x7f-\x9f]")
        self.assertIn(r"org.example.\x1b[2J", result.out)

    def start_waiting(self) -> subprocess.Popen[bytes]:
        """A program that asks for something and then waits for the end of its input."""
        script = WIRE + f'Wire(os.environ["{SESSION}"].split("=", 1)[1]).ask("{NO}", "/x", "{NO}", "Do")\n'
        script += "print('up', flush=True)\nimport sys; sys.stdin.read(); sys.exit(7)"
        child = self.start(*FILTERED, "--", "/usr/bin/python3", "-I", "-S", "-c", script, env=self.env,
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        assert child.stdout
        self.assertEqual(child.stdout.readline(), b"up\n")
        return child

    def test_a_helper_that_is_stopped_or_killed_keeps_nobody_from_ending(self) -> None:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            with self.subTest(number.name):
                child = self.start_waiting()
                os.kill(self.helper(child), number)
                child.communicate(timeout=10)
                self.assertEqual(child.returncode, 7)
                self.assertEqual(descendants(child.pid), [])

    def test_a_helper_that_lies_can_do_no_more_than_fill_its_part_of_the_log(self) -> None:
        """The socket of the helper, taken over by root, in place of a proxy that has broken out of everything else."""
        self.root_only()
        notes = [(place, 512) for place in (3, 127, 128, 1 << 31, (1 << 32) - 1)] + [(1, 511), (1, 513), (1, 40000), (1, 0)]
        for place, size in notes:
            with self.subTest(place=place, size=size):
                child = self.start_waiting()
                wait_for(lambda: [each["name"] for each in self.denied()] == [NO], what="what it told before")
                self.tell(self.helper(child), place.to_bytes(4, "little") + b"\xff" * (size - 4) if size else b"")
                child.communicate(timeout=10)
                self.assertEqual(child.returncode, 7)
                result = self.sbox("log")
                self.assertEqual(result.status, 0, result)
                self.assertLess(max(path.stat().st_size for path in self.logs()), LARGEST)
                self.assertEqual(self.run_of()["denied_calls"], [])
                self.assertEqual([each["name"] for each in self.denied()], [NO])

    def logs(self) -> list[pathlib.Path]:
        return list((self.account.home / ".local/share/sbox/log").iterdir())

    @staticmethod
    def tell(pid: int, note: bytes) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        ready = 4
        process = libc.syscall(434, pid, 0)
        taken = libc.syscall(438, process, ready, 0)
        if taken < 0:
            raise OSError(ctypes.get_errno(), "the socket of the helper")
        try:
            os.write(taken, note)
        finally:
            os.close(taken)
            os.close(process)

    def test_the_proxies_cannot_write_to_the_log(self) -> None:
        child = self.start_waiting()
        helper = self.helper(child)
        (proxy,) = [pid for pid in descendants(helper) if "xdg-dbus-proxy" in read_process(pid, "cmdline")]
        ready = os.readlink(f"/proc/{helper}/fd/4")
        self.assertTrue(ready.startswith("socket:"))
        held = [os.readlink(entry) for entry in pathlib.Path(f"/proc/{proxy}/fd").iterdir()]
        self.assertNotIn(ready, held)
        child.communicate(timeout=10)


class Plans(BusLog):
    def plan(self, *options: str) -> dict[str, Any]:
        result: Result = self.sbox("--dry-run", *options, "true", env=self.env)
        plan: dict[str, Any] = json.loads(result.out)
        return plan

    def test_the_plan_says_which_helper_tells(self) -> None:
        self.assertEqual([each["log"] for each in self.plan(*FILTERED)["helpers"]], [True])
        self.assertEqual([each["log"] for each in self.plan(*FILTERED, "-s", "dbus.log=no")["helpers"]], [False])
