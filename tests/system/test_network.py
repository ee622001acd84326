"""Private networks, on an internet of two network namespaces."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from typing import Any

from account import SBOX, Result
from harness import SystemTest, descendants, namespace, read_process, status_field, wait_for
from lab import MACHINE4, MACHINE6, NAME_SERVER, WORLD4, WORLD6, Lab, make_lab

PRIVATE = ("-s", "network.mode=private")
SHARED = ("-s", "network.mode=host")
# Inside: tries each "tcp ADDRESS PORT" or "udp ADDRESS PORT" of its arguments, prints what the server said or why not.
VISIT = """
import concurrent.futures, socket, sys
def visit(place):
    kind, address, port = place.split()
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
    s.settimeout(4 if kind == 'tcp' else 1)
    if kind == 'udp': s.setsockopt(*((41, 25) if ':' in address else (0, 11)), 1)  # so that a refusal is heard at once
    try:
        s.connect((address, int(port)))
        if kind == 'udp': s.send(b'x')
        return s.recv(1000).decode().strip()
    except OSError as error:
        return f'no {place} {type(error).__name__} {error.errno}'
for line in concurrent.futures.ThreadPoolExecutor(20).map(visit, sys.argv[1:]): print(line, flush=True)
"""
WORLD = [f"{kind} {address} {port}" for kind in ("tcp", "udp") for address in (WORLD4, WORLD6) for port in (80, 443)]


class NetworkTest(SystemTest):
    lab: Lab

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = make_lab(cls)

    def visit(self, places: list[str], *options: str, **settings: Any) -> list[str]:
        """What a program in a sandbox with these options gets from each place: "KIND ADDRESS PORT WHO" or "no ..."."""
        result = self.run_inside(*options, "--", "/usr/bin/python3", "-I", "-S", "-c", VISIT, *places, **settings)
        self.assertEqual(result.status, 0, result)
        return result.out.splitlines()

    def run_inside(self, *arguments: str, **settings: Any) -> Result:
        return self.lab.run(str(SBOX), *arguments, **settings)

    def reached(self, places: list[str], *options: str) -> set[str]:
        lines = self.visit(places, *options)
        self.assertEqual(len(lines), len(places), lines)
        return {place for place, line in zip(places, lines) if line.startswith(place)}


class Outward(NetworkTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.world = cls.lab.serve(cls.lab.world, *WORLD)

    def test_the_internet_is_there_by_tcp_and_udp_and_both_families(self) -> None:
        lines = self.visit(WORLD, *PRIVATE)
        came_from = {False: MACHINE4, True: MACHINE6}
        self.assertEqual(lines, [f"{place} {came_from[':' in place]}" for place in WORLD])
        self.assertEqual(self.reached(WORLD), set(), "the control: without a network")

    def test_it_has_addresses_a_name_and_a_loopback_of_its_own(self) -> None:
        script = "cat /proc/net/fib_trie /proc/net/if_inet6 /proc/sys/kernel/hostname; grep . /proc/net/dev | wc -l"
        shared = self.run_inside(*SHARED, "--", "sh", "-c", script).out
        own = self.run_inside(*PRIVATE, "--", "sh", "-c", script).out
        six = socket.inet_pton(socket.AF_INET6, MACHINE6).hex()
        for text in (MACHINE4, six):
            self.assertIn(text, shared, "the control")
            self.assertNotIn(text, own)
        self.assertEqual(own.split()[-2:], ["sbox", "4"], own)  # two lines of heading, lo, eth0
        self.assertEqual(self.visit(["tcp 127.0.0.1 80", "tcp ::1 80"], *PRIVATE), [
            "no tcp 127.0.0.1 80 ConnectionRefusedError 111", "no tcp ::1 80 ConnectionRefusedError 111"])  # fmt: skip

    def test_without_pasta_nothing_starts(self) -> None:
        empty = self.file("empty")
        command = ["sh", "-c", 'mount --bind "$1" /usr/bin/passt && shift && exec "$@"', "sh", str(empty)]
        inner = [*self.lab.command(str(SBOX), *PRIVATE, "--", "echo", "started")]
        result = self.account.run(["unshare", "--mount", *command, *inner], user=0, group=0)
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertRegex(result.err, r"\Asbox: [^\n]*there is no pasta \(install the package passt\)\n\Z")

    def test_when_pasta_cannot_serve_nothing_starts(self) -> None:
        command = ["sh", "-c", 'mount --bind /bin/false /usr/bin/passt && exec "$@"', "sh"]
        inner = [*self.lab.command(str(SBOX), *PRIVATE, "--", "echo", "started")]
        result = self.account.run(["unshare", "--mount", *command, *inner], user=0, group=0)
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertRegex(result.err, r"\Asbox: pasta: [^\n]+\n\Z")


class Helpers(NetworkTest):
    """What runs beside the sandbox for its network."""

    def setUp(self) -> None:
        super().setUp()
        self.child = self.lab.start(str(SBOX), *PRIVATE, "--", "sh", "-c", "echo up; exec sleep 60", stdout=subprocess.PIPE)
        assert self.child.stdout
        self.addCleanup(self.child.stdout.close)
        self.addCleanup(self.account.end, self.child)
        self.assertEqual(self.child.stdout.readline(), b"up\n")
        self.family = descendants(self.child.pid)
        self.pasta = self.one("pasta")
        self.helper = self.one("sbox-network")
        wait_for(lambda: "sleep" in [read_process(pid, "comm").strip() for pid in self.family], what="the program")
        self.program = self.one("sleep")

    def one(self, name: str) -> int:
        found = [pid for pid in self.family if read_process(pid, "comm").strip().startswith(name)]
        self.assertEqual(len(found), 1, [read_process(pid, "comm") for pid in self.family])
        return found[0]

    def test_they_are_confined(self) -> None:
        admin, system, low_ports = 1 << 12, 1 << 21, 1 << 10
        for pid, allowed in ((self.helper, admin), (self.pasta, admin | system | low_ports)):
            with self.subTest(pid=pid, name=read_process(pid, "comm")):
                self.assertEqual(namespace(pid, "user"), namespace(self.program, "user"))
                for kind in ("pid", "mnt", "ipc", "uts"):
                    self.assertNotIn(namespace(pid, kind), (namespace("self", kind), namespace(self.program, kind)))
                self.assertEqual(int(status_field(pid, "CapEff"), 16) & ~allowed, 0)
                self.assertEqual(int(status_field(pid, "CapBnd"), 16) & ~(admin | system | low_ports), 0)
                self.assertEqual((status_field(pid, "Seccomp"), status_field(pid, "NoNewPrivs")), ("2", "1"))
                self.assertEqual(status_field(pid, "Uid").split()[0], str(self.account.uid))
        self.assertEqual(os.listdir(f"/proc/{self.pasta}/root/"), [], "pasta sees files")
        self.assertEqual(set(os.listdir(f"/proc/{self.helper}/root/")) & {"home", "root", "var", "run"}, set())

    def test_the_program_sees_none_of_them_and_has_no_right_over_its_network(self) -> None:
        self.assertEqual(int(status_field(self.program, "CapEff"), 16), 0)
        inside = self.run_inside(*PRIVATE, "--", "sh", "-c", "cat /proc/[0-9]*/comm; /usr/sbin/ip link set eth0 down; echo $?")
        self.assertEqual([word for word in inside.out.split() if "pasta" in word or "network" in word], [])
        self.assertNotEqual(inside.out.split()[-1], "0")

    def test_when_one_of_them_dies_the_network_is_gone_and_the_program_goes_on(self) -> None:
        for victim in ("pasta", "sbox-network"):
            with self.subTest(victim):
                script = VISIT + "\nprint('waiting', flush=True)\nsys.stdin.readline()\n"
                script += VISIT.replace("import", "#", 1)
                world = self.lab.serve(self.lab.world, f"tcp {WORLD4} 8080")
                command = [str(SBOX), *PRIVATE, "--", "/usr/bin/python3", "-I", "-S", "-c", script, f"tcp {WORLD4} 8080"]
                child = self.lab.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                assert child.stdin and child.stdout
                with child.stdin, child.stdout:
                    self.assertEqual(child.stdout.readline().split()[0], b"tcp", "the control")
                    self.assertEqual(child.stdout.readline(), b"waiting\n")
                    self.family = descendants(child.pid)
                    both = [self.one("pasta"), self.one("sbox-network")]
                    os.kill(self.one(victim), signal.SIGKILL)
                    wait_for(lambda: not any(read_process(pid, "cmdline") for pid in both), what="the end of both")
                    child.stdin.write(b"\n")
                    child.stdin.flush()
                    self.assertEqual(child.stdout.readline().split()[0], b"no")
                    child.stdin.close()
                self.account.end(child)
                self.assertEqual(len(world.visits()), 1)
                self.account.end(world.process)

    def test_pasta_cannot_write_to_the_log(self) -> None:
        ready = os.readlink(f"/proc/{self.helper}/fd/4")
        self.assertTrue(ready.startswith("socket:"))
        self.assertNotIn(ready, [os.readlink(f"/proc/{self.pasta}/fd/{fd}") for fd in os.listdir(f"/proc/{self.pasta}/fd")])

    def test_they_end_with_the_sandbox(self) -> None:
        supervisor = int(status_field(self.helper, "PPid"))
        os.kill(supervisor, signal.SIGKILL)
        wait_for(lambda: not any(read_process(pid, "cmdline") for pid in self.family), what="the end of all")

    def test_the_rules_are_in_the_kernel_as_they_were_planned(self) -> None:
        plan = json.loads(self.run_inside(*PRIVATE, "--dry-run", "--", "true").out)
        network = plan["helpers"][-1]
        rules = next(node["content"] for node in network["nodes"] if node["target"] == "/rules")
        planned = [line for line in rules.splitlines() if line.split()[0] in ("deny", "allow")]
        command = ["nsenter", f"--net=/proc/{self.program}/ns/net", "nft", "list", "ruleset"]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        self.assertEqual(shown.count("policy drop"), 3, shown)
        for line in planned:
            verdict, where, _, _ = line.split()
            if where == "any":
                continue
            net = where.removesuffix("/32").removesuffix("/128")
            self.assertRegex(shown, rf"daddr {net} .*{'accept' if verdict == 'allow' else 'reject'}", planned)
        for address in (MACHINE4, MACHINE6, "127.0.0.1"):
            self.assertIn(address, shown)
        own = [line.split()[1] for line in rules.splitlines() if line.startswith("own ")]
        self.assertEqual(len(own), 2, rules)
        for address in own:
            self.assertRegex(shown, rf"saddr != {address} notrack")


class Host(NetworkTest):
    """Attacks on what listens on the machine itself."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.abstract = f"sbox-lab-{os.getpid()}"
        places = [("127.0.0.1", 5001), ("::1", 5001), (MACHINE4, 5002), (MACHINE6, 5002), ("0.0.0.0", 5003), ("::", 5003)]
        cls.lines = [f"{kind} {address} {port}" for kind in ("tcp", "udp") for address, port in places]
        cls.services = cls.lab.serve(cls.lab.machine, *cls.lines, f"abstract {cls.abstract}")
        cls.world = cls.lab.serve(cls.lab.world, f"tcp {WORLD4} 80")

    def targets(self) -> list[str]:
        gateways = ["10.183.17.1", "fd73:626f:7800::1", WORLD4, WORLD6]
        own = ["10.183.17.2", "fd73:626f:7800::2"]
        odd = ["10.0.2.2", "169.254.1.1", "169.254.169.254", "198.51.100.255", "255.255.255.255", "224.0.0.1", "0.0.0.0", "::"]
        mapped = [f"::ffff:{address}" for address in ("127.0.0.1", MACHINE4)]
        addresses = ["127.0.0.1", "::1", MACHINE4, MACHINE6, *gateways, *own, *odd, *mapped]
        return [f"{kind} {address} {port}" for kind in ("tcp", "udp") for address in addresses for port in (5001, 5002, 5003)]

    def test_nothing_of_it_is_reached_by_any_address(self) -> None:
        control = self.lab.run("/usr/bin/python3", "-I", "-S", "-c", VISIT, *self.targets(), timeout=60)
        self.assertEqual(set(self.services.visits()), set(self.lines), control)
        lines = self.visit([*self.targets(), f"tcp {WORLD4} 80"], *PRIVATE, timeout=100)
        self.assertEqual([line for line in lines if not line.startswith("no")], [f"tcp {WORLD4} 80 {MACHINE4}"])
        self.assertEqual(self.services.visits(), [])

    def test_link_local_addresses_do_not_lead_to_it(self) -> None:
        self.lab.ip("-n", self.lab.machine, "address", "replace", "fe80::99/64", "dev", "wire", "nodad")
        services = self.lab.serve(self.lab.machine, "tcp :: 5004", "udp :: 5004")
        code = """
import socket
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    s = socket.socket(socket.AF_INET6, kind)
    s.settimeout(1)
    try:
        s.connect(('fe80::99', 5004, 0, socket.if_nametoindex('IF')))
        s.send(b'x')
        s.recv(100)
    except OSError: pass
"""
        argv = ("/usr/bin/python3", "-I", "-S", "-c")
        self.lab.run(*argv, code.replace("IF", "wire"))
        self.assertEqual(len(services.visits()), 2, "the control")
        self.run_inside(*PRIVATE, "--", *argv, code.replace("IF", "eth0"))
        self.assertEqual(services.visits(), [])
        self.account.end(services.process)

    def test_an_address_of_its_own_that_is_another_s_opens_no_way_there(self) -> None:
        """A connection that the program makes to itself in the name of another is none with that one."""
        script = """
import socket, sys
own = next(l.split()[0] for l in open('/proc/net/if_inet6') if l.split()[5] == 'eth0' and l.split()[3] == '00')
own = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(own))
for victim in sys.argv[1:]:
    mine, false = (socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(2))
    mine.bind((own, 4444))
    mine.settimeout(1)
    false.setsockopt(socket.IPPROTO_IPV6, 78, 1)  # IPV6_FREEBIND
    false.bind((victim, 5002))
    false.sendto(b'x', (own, 4444))
    heard = mine.recvfrom(10)[1][0] == victim
    try:
        mine.sendto(b'x', (victim, 5002))
        print(heard, mine.recv(100).decode().strip())
    except OSError as error: print(heard, 'no')
"""
        world = self.lab.serve(self.lab.world, f"udp {WORLD6} 5002")
        argv = ("/usr/bin/python3", "-I", "-S", "-c", script, MACHINE6, WORLD6)
        for options, seen in (((), ["True no", f"True udp {WORLD6} 5002 {MACHINE6}"]),
                              (("-s", "network.connect=203.0.113.1:80"), ["True no"] * 2)):  # fmt: skip
            with self.subTest(options=options):
                inside = self.run_inside(*PRIVATE, *options, "--", *argv)
                self.assertEqual(inside.out.splitlines(), seen, inside)
        self.assertEqual(self.services.visits(), [])
        self.account.end(world.process)

    def test_no_packet_is_the_answer_to_one_in_another_s_name(self) -> None:
        """What goes where it may, in the name of another, lets nothing through to that one as if it were the answer."""
        script = """
import socket, sys
def claim(address, port):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, 78, 1)  # IPV6_FREEBIND
    s.bind((address, port))
    return s
victim, allowed = sys.argv[1:]
question, answer = claim(victim, 5002), claim(allowed, 4444)
question.sendto(b'x', (allowed, 4444))
try:
    answer.sendto(b'x', (victim, 5002))
    print('sent')
except PermissionError: print('no')
"""
        argv = ("/usr/bin/python3", "-I", "-S", "-c", script, MACHINE6, WORLD6)
        self.assertEqual(self.run_inside(*PRIVATE, "--", *argv).out, "no\n")
        self.assertEqual(self.services.visits(), [])

    def test_an_address_that_comes_later_is_closed_too(self) -> None:
        late = "203.0.113.77"
        services = self.lab.serve(self.lab.machine, "tcp 0.0.0.0 5005")
        script = VISIT.replace("for line", "sys.stdin.readline()\nfor line") + "print('end')"
        command = [str(SBOX), *PRIVATE, "--", "/usr/bin/python3", "-I", "-S", "-c", script]
        for closed in (True, False):
            with self.subTest(closed=closed):
                child = self.lab.start(*command, f"tcp {late} 5005", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                assert child.stdin and child.stdout
                program = wait_for(lambda: [p for p in descendants(child.pid) if read_process(p, "comm") == "python3\n"])
                rules = ["nsenter", f"--net=/proc/{program[0]}/ns/net", "nft"]
                self.lab.ip("-n", self.lab.machine, "address", "add", f"{late}/32", "dev", "lo")
                element = f"{{ {late} }}"
                wait_for(lambda: late in subprocess.run([*rules, "list", "ruleset"], capture_output=True, text=True).stdout)
                if not closed:  # the control: it is this that keeps it away
                    subprocess.run([*rules, "delete", "element", "inet", "sbox", "host_4", element], check=True)
                out, _ = child.communicate(b"\n", 20)
                self.assertEqual(out.startswith(b"no"), closed, out)
                self.assertEqual(len(services.visits()), 0 if closed else 1)
                self.lab.ip("-n", self.lab.machine, "address", "delete", f"{late}/32", "dev", "lo")
        self.account.end(services.process)

    def test_its_abstract_sockets_are_not_there(self) -> None:
        code = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{self.abstract}')"
        argv = ("/usr/bin/python3", "-I", "-S", "-c", code)
        self.services.visits()
        self.assertEqual(self.lab.run(*argv).status, 0, "the control")
        self.assertIn(f"abstract {self.abstract}", self.services.visits())
        self.assertEqual(self.run_inside(*PRIVATE, "--", *argv).status, 1)
        self.assertEqual(self.services.visits(), [])

    def test_nobody_outside_reaches_what_listens_inside(self) -> None:
        script = "import socket; s = socket.create_server(('0.0.0.0', 5006)); print('up', flush=True); s.accept(); print('came')"
        child = self.lab.start(str(SBOX), *PRIVATE, "--", "/usr/bin/python3", "-I", "-S", "-c", script, stdout=subprocess.PIPE)
        assert child.stdout
        with child.stdout:
            self.assertEqual(child.stdout.readline(), b"up\n")
            places = [f"tcp {address} 5006" for address in ("127.0.0.1", MACHINE4, "10.183.17.2")]
            result = self.lab.run("/usr/bin/python3", "-I", "-S", "-c", VISIT, *places)
            self.assertEqual([line.split()[0] for line in result.out.splitlines()], ["no"] * 3, result)
        self.account.end(child)


class Names(NetworkTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab.reach(NAME_SERVER)
        cls.lab.names.write_text(f"www.example.org 60 {WORLD4} {WORLD6}\nother.example.org 60 {WORLD4}\n")
        cls.server = cls.lab.serve(cls.lab.world, f"dns {NAME_SERVER} {cls.lab.names}", *WORLD)

    def test_names_are_found_by_the_host_s_resolver(self) -> None:
        out = self.run_inside(*PRIVATE, "--", "sh", "-c", "getent ahosts www.example.org; getent hosts no.example.org; echo $?").out
        self.assertIn(WORLD4, out)
        self.assertIn(WORLD6, out)
        self.assertEqual(out.split()[-1], "2")
        self.assertIn(f"dns {NAME_SERVER} no.example.org", self.server.visits())

    def test_a_resolver_on_the_loopback_of_the_host_serves_too(self) -> None:
        self.lab.resolv_conf.write_text("nameserver 127.0.0.53\n")
        self.addCleanup(self.lab.resolv_conf.write_text, f"nameserver {NAME_SERVER}\n")
        local = self.lab.serve(self.lab.machine, f"dns 127.0.0.53 {self.lab.names}")
        out = self.run_inside(*PRIVATE, "--", "getent", "ahosts", "www.example.org").out
        self.assertIn(WORLD4, out)
        self.assertEqual({visit.split()[-1] for visit in local.visits()}, {"www.example.org"})
        self.account.end(local.process)

    def test_questions_by_stream_are_answered(self) -> None:
        script = "import os; os.environ['RES_OPTIONS'] = 'use-vc'; import socket; print(socket.gethostbyname('www.example.org'))"
        self.server.visits()
        out = self.run_inside(*PRIVATE, "--", "/usr/bin/python3", "-I", "-S", "-c", script)
        self.assertEqual(out.out.strip(), WORLD4, out)
        self.assertIn(f"dns {NAME_SERVER} www.example.org by stream", self.server.visits())

    def test_a_name_may_have_thousands_of_addresses(self) -> None:
        names = self.lab.names.read_text()
        self.addCleanup(self.lab.names.write_text, names)
        many = " ".join(f"198.19.{i // 256}.{i % 256}" for i in range(2600))
        self.lab.names.write_text(f"{names}many.example.org 60 {many} {WORLD4}\n")
        script = f"""
import os; os.environ['RES_OPTIONS'] = 'use-vc'
import socket
found = socket.getaddrinfo('many.example.org', 80, socket.AF_INET, socket.SOCK_STREAM)
with socket.create_connection(('{WORLD4}', 80), 4) as s: print(len(found), s.recv(100).decode().split()[1])
"""
        options = ("-s", "network.connect=many.example.org")
        out = self.run_inside(*PRIVATE, *options, "--", "/usr/bin/python3", "-I", "-S", "-c", script)
        self.assertEqual(out.out.split(), ["2601", WORLD4], out)

    def test_another_server_that_the_profile_names(self) -> None:
        self.lab.reach("198.51.100.54")
        other = self.lab.serve(self.lab.world, f"dns 198.51.100.54 {self.lab.names}")
        self.server.visits()
        out = self.run_inside(*PRIVATE, "-s", "network.dns=198.51.100.54", "--", "getent", "ahosts", "www.example.org").out
        self.assertIn(WORLD4, out)
        self.assertNotEqual(other.visits(), [])
        self.assertEqual(self.server.visits(), [])
        self.account.end(other.process)

    def found_by(self, *servers: str, attempts: int = 2) -> str:
        """What programs that ask so often find where these are the host's servers."""
        self.lab.resolv_conf.write_text("".join(f"nameserver {each}\n" for each in servers))
        self.addCleanup(self.lab.resolv_conf.write_text, f"nameserver {NAME_SERVER}\n")
        command = ["env", f"RES_OPTIONS=attempts:{attempts}", "getent", "ahosts", "www.example.org"]
        return self.run_inside(*PRIVATE, "--", *command, timeout=60).out

    def test_a_server_that_is_not_there_or_refuses_is_passed_over_at_once(self) -> None:
        out = self.found_by("fe80::1", WORLD4, NAME_SERVER, attempts=1)
        self.assertIn(WORLD4, out)
        self.assertIn(WORLD6, out)

    def test_a_server_that_gives_no_answer_is_passed_over_when_programs_ask_again(self) -> None:
        self.lab.reach("198.51.100.99")
        mute = self.lab.serve(self.lab.world, "udp 198.51.100.99 53")
        out = self.found_by("198.51.100.99", NAME_SERVER)
        self.assertIn(WORLD4, out)
        self.assertIn(WORLD6, out)
        self.account.end(mute.process)

    def test_a_change_of_the_host_s_servers_is_followed(self) -> None:
        script = "getent ahosts www.example.org >/dev/null && echo found; read line; getent ahosts www.example.org || echo gone"
        child = self.lab.start(str(SBOX), *PRIVATE, "--", "sh", "-c", script, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin and child.stdout
        self.assertEqual(child.stdout.readline(), b"found\n")
        self.addCleanup(self.lab.resolv_conf.write_text, f"nameserver {NAME_SERVER}\n")
        self.lab.resolv_conf.write_text("nameserver 198.51.100.1\n")  # where nobody answers
        out, _ = child.communicate(b"\n", 30)
        self.assertEqual(out, b"gone\n")


class Lists(NetworkTest):
    """What connect and deny leave open."""

    LAN = ("192.168.77.1", "10.9.8.7", "172.31.0.1", "100.64.0.1", "fd00:77::1")

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab.reach(NAME_SERVER, *cls.LAN)
        cls.near = [f"tcp {address} 80" for address in cls.LAN]
        cls.world = cls.lab.serve(cls.lab.world, *WORLD, *cls.near, f"dns {NAME_SERVER} {cls.lab.names}")

    def settings(self, *values: str) -> list[str]:
        return [word for value in ("mode=private", *values) for word in ("-s", f"network.{value}")]

    def test_addresses_networks_ports_and_protocols(self) -> None:
        def those(*words: str) -> set[str]:
            return {place for place in WORLD if all(word in f"{place} " for word in words)}

        for values, expected in (
            (("connect=192.0.2.1",), set()),
            ((f"connect={WORLD4}",), those(f" {WORLD4} ")),
            ((f"connect={WORLD4}:80",), those(f" {WORLD4} 80 ")),
            (("connect=198.51.100.0/31:79-81",), those(f" {WORLD4} 80 ")),
            (("connect=198.51.100.2/31",), set()),
            ((f"connect=tcp [{WORLD6}]:443",), those("tcp", f" {WORLD6} 443 ")),
            (("connect=2001:db8::/32",), those(WORLD6)),
            (("connect=2001:db9::/32",), set()),
            (("connect=:443",), those(" 443 ")),
            (("connect=udp",), those("udp")),
            (("connect=udp :80", f"connect+=tcp {WORLD6}"), those("udp", " 80 ") | those("tcp", WORLD6)),
            (("deny=:80",), those(" 443 ")),
            (("connect=tcp", f"deny={WORLD4}"), those("tcp", WORLD6)),
            ((f"connect={WORLD4}:80", "deny=0.0.0.0/0"), set()),
        ):
            with self.subTest(values):
                self.assertEqual(self.reached(WORLD, *self.settings(*values)), expected)

    def test_the_local_network_is_closed_by_one_line(self) -> None:
        places = [*self.near, f"tcp {WORLD4} 80", f"tcp {WORLD6} 80"]
        self.assertEqual(self.reached(places, *PRIVATE), set(places), "the control")
        self.assertEqual(self.reached(places, *self.settings("deny=lan")), set(places[-2:]))
        self.assertEqual(self.reached(places, *self.settings("connect=lan")), set(self.near))

    def test_one_port_of_the_host_s_loopback_and_nothing_else(self) -> None:
        lines = [f"{kind} {address} {port}" for kind in ("tcp", "udp") for address in ("127.0.0.1", "::1") for port in (6001, 6002)]
        services = self.lab.serve(self.lab.machine, *lines)
        asked = [*lines, *WORLD]
        self.assertEqual(self.reached(asked, *self.settings("connect=tcp localhost:6001")) - {"tcp ::1 6001"}, {"tcp 127.0.0.1 6001"})
        self.assertEqual({visit.split()[0] + visit.split()[2] for visit in services.visits()}, {"tcp6001"})
        self.account.end(services.process)

    LOOK_UP = VISIT.replace("kind, address, port = place.split()", """kind, address, port = place.split()
    if address.startswith('name:'):
        try: return socket.gethostbyname(address[5:])
        except OSError as error: return f'no {place} {type(error).__name__}'""").replace("ThreadPoolExecutor(20)", "ThreadPoolExecutor(1)")  # fmt: skip

    def steps(self, places: list[str], *options: str) -> list[bool]:
        """Whether each place could be reached or, as "- name:NAME -", looked up, one after the other."""
        result = self.run_inside(*options, "--", "/usr/bin/python3", "-I", "-S", "-c", self.LOOK_UP, *places)
        self.assertEqual(result.status, 0, result)
        return [not line.startswith("no") for line in result.out.splitlines()]

    def test_a_name_opens_what_it_leads_to_once_it_was_looked_up(self) -> None:
        self.lab.names.write_text(f"www.example.org 60 {WORLD4} {WORLD6}\nother.example.org 60 {self.LAN[0]}\n")
        self.world.visits()
        there, other = f"tcp {WORLD4} 80", f"tcp {self.LAN[0]} 80"
        places = [there, "- name:www.example.org -", there, f"tcp {WORLD4} 443", "- name:other.example.org -", other]
        found = self.steps(places, *self.settings("connect=www.example.org:80"))
        self.assertEqual(found, [False, True, True, False, False, False])
        asked = {visit.split()[2] for visit in self.world.visits() if visit.startswith("dns")}
        self.assertEqual(asked, {"www.example.org"}, "another name has left the sandbox")
        below = self.settings("connect=*.example.org")
        self.assertEqual(self.steps(["- name:example.org -", "- name:other.example.org -", other], *below), [False, True, True])

    def test_no_other_name_leaves_by_a_stream_either(self) -> None:
        self.lab.names.write_text(f"www.example.org 60 {WORLD4}\nother.example.org 60 {WORLD4}\n")
        self.world.visits()
        script = "for name in www other; do RES_OPTIONS=use-vc getent ahostsv4 $name.example.org >/dev/null; echo $?; done"
        out = self.run_inside(*self.settings("connect=www.example.org"), "--", "sh", "-c", script).out
        self.assertEqual(out.split(), ["0", "2"])
        asked = {" ".join(visit.split()[2:]) for visit in self.world.visits() if visit.startswith("dns")}
        self.assertEqual(asked, {"www.example.org by stream"})

    def test_both_families_are_opened_by_a_name(self) -> None:
        self.lab.names.write_text(f"www.example.org 60 {WORLD4} {WORLD6}\n")
        script = "import socket; s = socket.create_connection(socket.getaddrinfo('www.example.org', 80, socket.AF_INET6)[0][4][:2], 2)"
        result = self.run_inside(*self.settings("connect=www.example.org:80"), "--", "/usr/bin/python3", "-I", "-S", "-c", script)
        self.assertEqual(result.status, 0, result)

    def test_a_name_that_is_led_elsewhere_leads_neither_to_the_host_nor_to_what_is_denied(self) -> None:
        self.lab.names.write_text(f"evil.example.org 1 {MACHINE4} 127.0.0.1 {self.LAN[0]} 169.254.169.254\n")
        services = self.lab.serve(self.lab.machine, "tcp 0.0.0.0 80")
        near = f"tcp {self.LAN[0]} 80"
        places = ["- name:evil.example.org -", f"tcp {MACHINE4} 80", "tcp 127.0.0.1 80", near]
        found = self.steps(places, *self.settings("connect=evil.example.org", "deny=lan"))
        self.assertEqual(found, [True, False, False, False])
        self.assertEqual(services.visits(), [])
        control = self.steps([places[0], near], *self.settings("connect=evil.example.org"))
        self.assertEqual(control, [True, True], "the control: it is deny that closes it")
        self.account.end(services.process)

    def test_a_name_is_followed_when_it_changes(self) -> None:
        self.lab.names.write_text(f"www.example.org 0 {self.LAN[1]}\n")
        first, second = f"tcp {self.LAN[1]} 80", f"tcp {self.LAN[0]} 80"
        script = self.LOOK_UP.replace("for line", "read = lambda: sys.stdin.readline()\nfor line").replace(
            "kind, address, port = place.split()\n    if", "if place == '-': return read()\n    kind, address, port = place.split()\n    if")
        look = "- name:www.example.org -"
        command = [str(SBOX), *self.settings("connect=www.example.org"), "--", "/usr/bin/python3", "-I", "-S", "-c", script]
        child = self.lab.start(*command, look, first, second, "-", look, second, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin and child.stdout
        lines = [child.stdout.readline().decode() for _ in range(3)]
        self.assertEqual([line.startswith("no") for line in lines], [False, False, True], lines)
        self.lab.names.write_text(f"www.example.org 0 {self.LAN[0]}\n")
        out, _ = child.communicate(b"go\n", 20)
        self.assertEqual([line.startswith("no") for line in out.decode().splitlines()[1:]][-2:], [False, False], out)

    def test_settings_that_make_no_sense_are_refused_at_their_line(self) -> None:
        for line in ("connect = example.org:http", "connect = 192.0.2.0/33", "connect = localhost", "forward = 8080",
                     "listen = http", "dns = example.org"):  # fmt: skip
            with self.subTest(line):
                path = self.profile(f"[network]\nmode = private\n{line}\n")
                self.assertRegex(self.refused("-p", path, "--", "true").err, rf"\Asbox: {path}:3: ")


class Published(NetworkTest):
    """Ports of the program on the host's loopback."""

    SERVE = """
import socket, sys
servers = [socket.create_server(('0.0.0.0', int(port))) for port in sys.argv[1:]]
print('up', flush=True)
import select
while True:
    for server in select.select(servers, [], [])[0]:
        client, _ = server.accept()
        client.sendall(f'inside {server.getsockname()[1]}'.encode())
        client.close()
"""

    def test_they_are_reached_where_the_profile_says_and_only_there(self) -> None:
        options = [*PRIVATE, "-s", "network.listen=7001", "-s", "network.forward=7002:7003"]
        command = [str(SBOX), *options, "--", "/usr/bin/python3", "-I", "-S", "-c", self.SERVE, "7001", "7003", "7004"]
        child = self.lab.start(*command, stdout=subprocess.PIPE)
        assert child.stdout
        self.assertEqual(child.stdout.readline(), b"up\n")
        places = [f"tcp {address} {port}" for address in ("127.0.0.1", MACHINE4) for port in (7001, 7002, 7003, 7004)]
        result = self.lab.run("/usr/bin/python3", "-I", "-S", "-c", VISIT, *places)
        found = {place: line for place, line in zip(places, result.out.splitlines()) if not line.startswith("no")}
        self.assertEqual(found, {"tcp 127.0.0.1 7001": "inside 7001", "tcp 127.0.0.1 7002": "inside 7003"})
        taken = self.lab.run(str(SBOX), *PRIVATE, "-s", "network.listen=7001", "--", "true")
        self.assertEqual((taken.status, "forward another one" in taken.err), (125, True), taken)
        child.stdout.close()
        self.account.end(child)


class Proxy(NetworkTest):
    """A proxy and nothing else: by SOCKS as curl speaks it, from the world and from the machine's loopback."""

    SERVE = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print('up', flush=True)
while True:
    client, _ = server.accept()
    greeting = client.recv(100)
    client.sendall(b'\\5\\0')
    asked = client.recv(300)
    print(asked[5:5 + asked[4]].decode(), flush=True)
    client.sendall(b'\\5\\0\\0\\1\\0\\0\\0\\0\\0\\0')
    client.recv(4096)
    client.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nby proxy')
    client.close()
"""

    def test_all_traffic_goes_through_it_or_none(self) -> None:
        self.lab.reach(NAME_SERVER)
        self.lab.names.write_text(f"www.example.org 60 {WORLD4}\nproxy.example.org 60 {WORLD4}\n")
        world = self.lab.serve(self.lab.world, *WORLD, f"dns {NAME_SERVER} {self.lab.names}")
        visits = "curl -sS -m 5 http://www.example.org/; " + "; ".join(
            f"curl -sS -m 2 --noproxy '*' http://{host}/ && echo direct" for host in (WORLD4, f"'[{WORLD6}]'", "www.example.org"))
        for where, address, host in ((self.lab.world, WORLD4, "proxy.example.org"), (self.lab.machine, "127.0.0.1", "localhost")):
            with self.subTest(host):
                command = ["ip", "netns", "exec", where, "/usr/bin/python3", "-I", "-S", "-c", self.SERVE, address, "1080"]
                proxy = self.account.start(command, user=0, group=0, stdout=subprocess.PIPE)
                assert proxy.stdout
                self.assertEqual(proxy.stdout.readline(), b"up\n")
                world.visits()
                options = [*PRIVATE, "-s", f"network.proxy=socks5://{host}:1080"]
                result = self.run_inside(*options, "--", "sh", "-c", visits)
                self.assertEqual(result.out, "by proxy", result)
                self.assertEqual(proxy.stdout.readline(), b"www.example.org\n", "the name was not left to the proxy")
                visitors = [visit for visit in world.visits() if "www.example.org" in visit or visit.startswith(("tcp", "udp"))]
                self.assertEqual(visitors, [])
                proxy.stdout.close()
                self.account.end(proxy)
        control = self.run_inside(*PRIVATE, "--", "sh", "-c", visits)
        self.assertIn("tcp", " ".join(world.visits()), control)


class Ports(NetworkTest):
    """The host's network with a limit of ports, which Landlock holds."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.world = cls.lab.serve(cls.lab.world, *WORLD)

    def test_connections_are_limited_by_port(self) -> None:
        self.assertEqual(self.reached(WORLD, *SHARED), set(WORLD), "the control")
        limited = self.reached(WORLD, *SHARED, "-s", "network.connect=tcp :443, udp")
        self.assertEqual(limited, {place for place in WORLD if place.startswith("udp") or place.endswith(" 443")})

    def test_listening_is_limited_by_port(self) -> None:
        code = "import socket, sys\nfor port in sys.argv[1:]:\n" \
               "    try: socket.create_server(('127.0.0.1', int(port))); print(port)\n" \
               "    except PermissionError: print('no')"  # fmt: skip
        argv = ("--", "/usr/bin/python3", "-I", "-S", "-c", code, "7101", "7102", "0")
        self.assertEqual(self.run_inside(*SHARED, *argv).out.split(), ["7101", "7102", "0"], "the control")
        self.assertEqual(self.run_inside(*SHARED, "-s", "network.listen=7102", *argv).out.split(), ["no", "7102", "no"])

    def test_what_landlock_cannot_hold_is_refused_with_a_pointer(self) -> None:
        for value in ("connect=example.org", "deny=lan", "forward=8080:80", "proxy=http://localhost:80"):
            with self.subTest(value):
                self.assertIn("mode = private", self.refused(*SHARED, "-s", f"network.{value}", "--", "true").err)
