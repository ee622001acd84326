"""Limits of a private network's bandwidth: what a second really carries, on an internet of two network namespaces."""

from __future__ import annotations

import concurrent.futures
import json
import subprocess
from typing import NamedTuple

from account import SBOX
from harness import descendants, read_process, wait_for
from lab import WORLD4, WORLD6
from test_network import PRIVATE, NetworkTest

KIB = 1024
DOWN, UP = 2048 * KIB, 768 * KIB
LIMITED = (*PRIVATE, "-s", "network.bandwidth=2M down, 768K up")
PLACES = [f"{kind} {address}" for kind in ("tcp", "udp") for address in (WORLD4, WORLD6)]
# The largest part of a second's bytes that a rate may be off; ours is to have the first, the kernel's the second.
TOLERANCE = 0.15
# In the world: sends without end to who comes to the first port, and takes what comes to the second, by TCP and UDP.
# By UDP it sends three times the limit, for as long as it was asked to. At the end it says when how much had come.
PEER = f"""
import socket, sys, threading, time
SOURCE, SINK, ECHO, SLICE, PAYLOAD = 9001, 9002, 9003, 0.005, b'x' * 1200
lock = threading.Lock()
def say(place, marks):
    with lock: print(place, *(f'{{at:.4f}}:{{total}}' for at, total in marks), flush=True)
def send(client, address):
    try:
        while True: client.sendall(b'x' * 65536)
    except OSError: client.close()
def take(client, address):
    marks, total = [], 0
    try:
        while part := client.recv(1 << 20):
            total += len(part)
            marks.append((time.monotonic(), total))
    except OSError: pass  # its end
    say('tcp ' + address, marks)
def serve(server, address, way):
    while True:
        client, _ = server.accept()
        threading.Thread(target=way, args=(client, address), daemon=True).start()
def serve_datagrams(source, address):
    while True:
        asked, peer = source.recvfrom(100)
        start, sent = time.monotonic(), 0
        while (now := time.monotonic() - start) < float(asked):
            while sent < now * {3 * DOWN}:
                sent += source.sendto(PAYLOAD, peer)
            time.sleep(SLICE)
def echo_datagrams(server, address):
    while True: server.sendto(*server.recvfrom(65536))
def take_datagrams(sink, address):
    sink.settimeout(0.5)
    while True:
        marks, total = [], 0
        try:
            while True:
                total += len(sink.recv(65536))
                marks.append((time.monotonic(), total))
        except TimeoutError:  # the end, where there was a beginning
            if marks: say('udp ' + address, marks)
for family, address in ((socket.AF_INET, '{WORLD4}'), (socket.AF_INET6, '{WORLD6}')):
    for port, stream in ((SOURCE, send), (SINK, take)):
        server = socket.create_server((address, port), family=family)
        threading.Thread(target=serve, args=(server, address, stream), daemon=True).start()
    for port, datagrams in ((SOURCE, serve_datagrams), (SINK, take_datagrams), (ECHO, echo_datagrams)):
        other = socket.socket(family, socket.SOCK_DGRAM)
        other.bind((address, port))
        threading.Thread(target=datagrams, args=(other, address), daemon=True).start()
print('up', flush=True)
sys.stdin.read()
"""
# Inside, for SECONDS KIND DIRECTION ADDRESS: receives or sends, and says of what it received when how much had come.
VISITOR = """
import socket, sys, time
seconds, (kind, direction, address) = float(sys.argv[1]), sys.argv[2:]
s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.connect((address, 9001 if direction == 'down' else 9002))
s.settimeout(1)
if (kind, direction) == ('udp', 'down'): s.send(str(seconds).encode())
start, marks, total = time.monotonic(), [], 0
while time.monotonic() - start < seconds:
    try:
        if direction == 'up': s.send(b'x' * (65536 if kind == 'tcp' else 1200))
        else: total += len(s.recv(65536))
    except TimeoutError: continue
    marks.append((time.monotonic(), total))
if direction == 'down': print(kind, address, *(f'{at:.4f}:{total}' for at, total in marks))
"""


class Mark(NamedTuple):
    at: float
    total: int


def rate(line: str, first: float = 0.6, last: float = 2.3) -> float:
    """Bytes in a second, from `first` to `last` seconds after the first of "KIND ADDRESS SECONDS:BYTES..."."""
    marks = [Mark(float(at), int(total)) for at, total in (word.split(":") for word in line.split()[2:])]
    inner = [mark for mark in marks if first <= mark.at - marks[0].at <= last]
    return (inner[-1].total - inner[0].total) / (inner[-1].at - inner[0].at) if len(inner) > 1 else 0.0


class BandwidthTest(NetworkTest):
    peer: subprocess.Popen[bytes]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        command = ["ip", "netns", "exec", cls.lab.world, "/usr/bin/python3", "-I", "-S", "-c", PEER]
        cls.peer = cls.account.start(command, user=0, group=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert cls.peer.stdin and cls.peer.stdout
        cls.addClassCleanup(cls.peer.stdout.close)
        cls.addClassCleanup(cls.peer.stdin.close)
        if cls.peer.stdout.readline() != b"up\n":
            raise RuntimeError("no servers in the world")

    def inside(self, code: str, *arguments: str, options: tuple[str, ...] = LIMITED) -> str:
        result = self.run_inside(*options, "--", "/usr/bin/python3", "-I", "-S", "-c", code, *arguments)
        self.assertEqual(result.status, 0, result)
        return result.out

    def rates(self, direction: str, places: list[str], *options: str, seconds: float = 2.5, **span: float) -> dict[str, float]:
        """Bytes in a second, for each of `places`: each in a sandbox of its own, all at once."""

        def visit(place: str) -> str:
            kind, address = place.split()
            return self.inside(VISITOR, str(seconds), kind, direction, address, options=options)

        with concurrent.futures.ThreadPoolExecutor(len(places)) as pool:
            lines = list(pool.map(visit, places))
        if direction == "up":
            assert self.peer.stdout
            lines = [self.peer.stdout.readline().decode() for _ in places]
        return {" ".join(line.split()[:2]): rate(line, **span) for line in lines}


class Rates(BandwidthTest):
    def is_free(self, direction: str, place: str, limit: int, *options: str) -> bool:
        """Whether more than twice the limit comes through, all that a stream begins with counted: what pasta carries
        outward often stands still after that, for want of acknowledgements."""
        return self.rates(direction, [place], *options, seconds=0.7, first=0)[place] > 2 * limit

    def test_what_comes_in_and_goes_out_is_as_much_as_the_profile_says(self) -> None:
        for direction, limit in (("down", DOWN), ("up", UP)):
            measured = self.rates(direction, PLACES, *LIMITED)
            for place in PLACES:
                with self.subTest(place, direction=direction):
                    self.assertAlmostEqual(measured[place] / limit, 1, delta=TOLERANCE)
            for place in (PLACES[0], PLACES[2]):
                with self.subTest("the control", place=place, direction=direction):
                    self.assertTrue(self.is_free(direction, place, limit, *PRIVATE))

    def test_one_direction_alone(self) -> None:
        for limited, value in (("down", "2M down"), ("up", "768K up")):
            for direction, limit in (("down", DOWN), ("up", UP)):
                with self.subTest(value, direction=direction):
                    line = ("-s", f"network.bandwidth={value}")
                    found = self.is_free(direction, PLACES[2], limit, *PRIVATE, *line)
                    self.assertEqual(found, direction != limited)

    def test_the_largest_packets_pass_and_the_loopback_is_not_limited(self) -> None:
        code = """
import socket, sys, threading, time
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 9003))
s.settimeout(5)
s.send(b'x' * 65000)
print(len(s.recv(65536)))
server = socket.create_server(('127.0.0.1', 9004))
def send():
    client = socket.create_connection(('127.0.0.1', 9004))
    for _ in range(512): client.sendall(b'x' * 65536)
    client.close()
threading.Thread(target=send).start()
taker, _ = server.accept()
start, total = time.monotonic(), 0
while part := taker.recv(1 << 20): total += len(part)
print(int(total / (time.monotonic() - start)))
"""
        for address in (WORLD4, WORLD6):
            with self.subTest(address):
                size, loopback = self.inside(code, address).split()
                self.assertEqual(size, "65000")
                self.assertGreater(int(loopback), 5 * DOWN)


class Queues(BandwidthTest):
    """What holds the limits, in the sandbox's network namespace."""

    def begin(self) -> subprocess.Popen[bytes]:
        child = self.lab.start(str(SBOX), *LIMITED, "--", "sh", "-c", "echo up; exec sleep 60", stdout=subprocess.PIPE)
        assert child.stdout
        self.addCleanup(child.stdout.close)
        self.addCleanup(self.account.end, child)
        self.assertEqual(child.stdout.readline(), b"up\n")
        self.family = descendants(child.pid)
        wait_for(lambda: self.named("sleep"), what="the program")
        return child

    def named(self, name: str) -> list[int]:
        return [pid for pid in self.family if read_process(pid, "comm").strip().startswith(name)]

    def in_its_network(self, *command: str) -> str:
        network = f"--net=/proc/{self.named('sleep')[0]}/ns/net"
        return subprocess.run(["nsenter", network, *command], check=True, capture_output=True, text=True).stdout

    def test_they_are_in_the_kernel_as_planned_and_their_device_is_no_way_out(self) -> None:
        plan = json.loads(self.run_inside(*LIMITED, "--dry-run", "--", "true").out)
        rules = next(node["content"] for node in plan["helpers"][-1]["nodes"] if node["target"] == "/rules")
        self.assertIn(f"limit down {DOWN}\nlimit up {UP}\n", rules)
        self.begin()
        queues = json.loads(self.in_its_network("tc", "-j", "qdisc"))
        rates = {queue["dev"]: queue["options"]["rate"] for queue in queues if queue["kind"] == "tbf"}
        self.assertEqual(rates, {"eth0": UP, "sbox-down": DOWN})
        (device,) = json.loads(self.in_its_network("ip", "-j", "address", "show", "dev", "sbox-down"))
        self.assertEqual(device["addr_info"], [])
        for family in ("-4", "-6"):
            self.assertEqual(self.in_its_network("ip", family, "route", "show", "table", "all", "dev", "sbox-down"), "")
            self.assertNotEqual(self.in_its_network("ip", family, "route", "show", "table", "all", "dev", "eth0"), "", "the control")

    def test_the_program_changes_none_of_them_and_sends_nothing_around_them(self) -> None:
        changes = ("tc qdisc del dev eth0 root", "tc qdisc del dev eth0 ingress", "ip link set sbox-down down",
                   "ip link del sbox-down", "ip address add 192.0.2.1/24 dev sbox-down", "tc qdisc add dev lo root tbf rate 1mbit burst 9k limit 9k")  # fmt: skip
        script = "; ".join(f"/usr/sbin/{change} 2>/dev/null; echo $?" for change in changes)
        out = self.run_inside(*LIMITED, "--", "sh", "-c", script).out.split()
        self.assertEqual(len(out), len(changes))
        self.assertNotIn("0", out)
        code = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[2].encode())
s.settimeout(1)
try:
    s.sendto(b'x', (sys.argv[1], 9003))
    print(s.recv(10).decode())
except OSError as error: print(type(error).__name__)
"""
        for address in (WORLD4, WORLD6):
            with self.subTest(address):
                self.assertEqual(self.inside(code, address, "eth0"), "x\n", "the control")
                self.assertIn(self.inside(code, address, "sbox-down"), ("TimeoutError\n", "OSError\n"))

    def test_when_one_of_them_is_gone_so_is_the_network(self) -> None:
        for change in ("tc qdisc del dev eth0 root", "tc qdisc del dev eth0 ingress", "ip link set sbox-down down", "ip link del sbox-down",
                       "tc filter del dev eth0 ingress", "tc qdisc replace dev sbox-down root tbf rate 1gbit burst 200k limit 1m",
                       "tc qdisc replace dev eth0 root tbf rate 1gbit burst 200k limit 1m", "ip link add name other up type ifb"):  # fmt: skip
            with self.subTest(change):
                child = self.begin()
                both = [*self.named("pasta"), *self.named("sbox-network")]
                self.assertEqual(len(both), 2)
                self.in_its_network("tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", "1gbit", "burst", "200k", "limit", "1m")
                self.in_its_network("tc", "qdisc", "del", "dev", "lo", "root")
                self.assertTrue(all(read_process(pid, "cmdline") for pid in both), "the control: another change")
                self.in_its_network(*change.split())
                wait_for(lambda: not any(read_process(pid, "cmdline") for pid in both), what="the end of the network")
                self.assertIsNone(child.poll())
                self.account.end(child)


class Refused(NetworkTest):
    def test_what_is_no_limit_is_refused_at_its_line(self) -> None:
        for value, why in (("2M", "is not SIZE down"), ("2M sideways", "is not SIZE down"), ("down 2M", "is not SIZE down"),
                           ("2M down,", "is not SIZE down"), ("0 down", "is less than 16K"), ("1K up", "is less than 16K"),
                           ("2M down, 20G up", "is more than 10G"), ("1M up, 2M up", "says up twice"), ("1.5M down", "is not SIZE")):  # fmt: skip
            with self.subTest(value):
                path = self.profile(f"[network]\nmode = private\nbandwidth = {value}\n")
                message = self.refused("-p", path, "--", "true").err
                self.assertRegex(message, rf"\Asbox: {path}:3: network.bandwidth = {value}: .*{why}.* \(write it like 2M down, 500K up\)\n")

    def test_on_the_host_s_network_it_is_refused_with_a_pointer(self) -> None:
        path = self.profile("[network]\nmode = host\nbandwidth = 2M down\n")
        self.assertRegex(self.refused("-p", path, "--", "true").err, rf"\Asbox: {path}:3: .*host's network \(set \[network\] mode = private\)")

    def test_a_kernel_that_cannot_hold_it_refuses_the_start_and_says_what_helps(self) -> None:
        said = set()
        for occurrence in range(1, 60):
            log = self.file("strace")
            fault = f"inject=sendto:error=EOPNOTSUPP:when={occurrence}"
            tracer = ["strace", "-f", "-qq", "-o", str(log), "-e", "trace=sendto", "-e", fault]
            result = self.lab.run(*tracer, str(SBOX), *LIMITED, "--", "echo", "started")
            if result.status == 0:
                break
            self.assertEqual((result.status, result.out), (125, ""), result)
            self.assertRegex(result.err, r"\Asbox: [^\n]+\n\Z")
            said.add(result.err)
        self.assertEqual((result.status, result.out), (0, "started\n"), "the control: all was set up before that one")
        for part in ("ifb", "tbf", "ingress", "u32 and mirred"):
            remedy = "(sudo modprobe -a ifb sch_tbf sch_ingress cls_u32 act_mirred, or take network.bandwidth out of the profile)"
            self.assertIn(f"sbox: bandwidth: this kernel has no {part} {remedy}\n", said)
        # What is asked of the kernel at the end: its interfaces, its queues, what leads to them.
        self.assertGreaterEqual(len([line for line in said if "sbox: bandwidth: " in line and remedy not in line]), 3, said)
