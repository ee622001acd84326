"""Attack suite, the network: which sockets can be made, who can be reached, and what happens when it cannot be closed."""

from __future__ import annotations

import os
import socket

from account import SBOX
from attack import NESTED, SHARED_NETWORK, AttackTest, Circumstance
from attack_stage import Listener, internet_listener, internet_listeners, limited, staged, unix_listener
from harness import probe, wait_for

STREAM, DATAGRAM, RAW, PACKET = 1, 2, 3, 5
UNIX, INET, INET6, NETLINK, VSOCK = 1, 2, 10, 16, 40
USUAL_PROTOCOLS = {0, 1, 6, 17, 58}  # whichever, ICMP's echo, TCP, UDP, ICMPv6's echo
PRIVATE = Circumstance("private network", ["-s", "network.mode=private"])
# Of the profiles, those with the host's network.
CLIENTS = {"agent", "chromium", "firefox", "thunderbird", "transmission-gtk", "qbittorrent", "hexchat", "remmina"}
# Not nscd's: the programs that prepare the machine ask it, too.
SERVICES = ("dbus/system_bus_socket", "systemd/resolve/io.systemd.Resolve", "avahi-daemon/socket", "cups/cups.sock",
            "systemd/private", "docker.sock")  # fmt: skip


def has_host_network(circumstance: Circumstance) -> bool:
    return circumstance is SHARED_NETWORK or circumstance.name.removeprefix("profile ") in CLIENTS


def is_harmless(line: str) -> bool:
    """Of the lines of the probe, what a program may make."""
    word, *numbers = line.split()
    if word == "option":
        return False
    family, kind, protocol = map(int, numbers)
    if word == "pair" or family == UNIX:
        return family == UNIX
    if family == NETLINK:
        return protocol == 0
    return family in (INET, INET6) and kind in (STREAM, DATAGRAM) and protocol in USUAL_PROTOCOLS


class Families(AttackTest):
    def setUp(self) -> None:
        super().setUp()
        self.probe = probe("attack_d_network")

    def test_only_the_usual_sockets_can_be_made(self) -> None:
        outside = self.outside(self.probe, "families").out.splitlines()
        self.assertTrue([line for line in outside if not is_harmless(line)], "the control")
        for circumstance in [*self.circumstances(), NESTED, PRIVATE]:
            with self.subTest(circumstance.name):
                made = set(self.attack(circumstance, self.probe, "families").out.splitlines())
                self.assertEqual([line for line in sorted(made) if not is_harmless(line)], [])
                usual = {f"socket {family} {STREAM} 0" for family in (UNIX, INET, INET6)}
                self.assertLessEqual(usual, made)

    def test_privileges_in_a_network_namespace_of_one_s_own_bring_no_further_ones(self) -> None:
        outside = self.outside(self.probe, "own-network").out.splitlines()
        self.assertEqual(outside[0], "unshared", "the control")
        self.assertIn(f"socket {INET} {RAW} 17", outside, "the control")
        self.assertIn("option 0 17", outside, "the control: policies of IPsec")
        made = self.attack(NESTED, self.probe, "own-network").out.splitlines()
        self.assertEqual(made[0], "unshared")
        self.assertEqual([line for line in made[1:] if not is_harmless(line)], [])
        closed = self.sbox(self.probe, "own-network")
        self.assertEqual((closed.status, closed.out), (1, ""), closed)


class Reach(AttackTest):
    def setUp(self) -> None:
        super().setUp()
        self.probe = probe("attack_d_network")
        self.listeners: dict[str, Listener] = self.enterContext(internet_listeners())

    def listen(self, path: str) -> str:
        """One more listener, at a path or at "\\0NAME"; its name for the probe."""
        name = f"abstract:{path[1:]}" if path.startswith("\0") else f"unix:{path}"
        self.listeners[name] = unix_listener(self.account, path)
        self.addCleanup(self.listeners[name].server.close)
        return name

    def visited(self) -> set[str]:
        return {name for name, listener in self.listeners.items() if listener.visitors()}

    def test_with_no_network_nobody_is_reached_and_with_the_host_s_no_local_socket(self) -> None:
        internet = set(self.listeners)
        self.listen(f"\0sbox-attack-{os.getpid()}")
        self.listen(str(self.account.runtime / "canary"))
        self.listen(str(self.account.base / "canary"))
        self.outside(self.probe, "connect", *self.listeners)
        self.assertEqual(self.visited(), set(self.listeners), "the control")
        for circumstance in [*self.circumstances(), PRIVATE]:
            with self.subTest(circumstance.name):
                # Neither variables nor a library say where to go: the kernel alone decides.
                granted = ("-s", f"files.read-only+={self.probe}")
                command = ["/usr/bin/env", "-i", self.probe, "connect", *self.listeners]
                self.attack(circumstance, *command, options=granted)
                self.assertEqual(self.visited(), internet if has_host_network(circumstance) else set())

    def test_services_of_the_system_are_out_of_reach(self) -> None:
        self.root_only()
        names = [self.listen(str(self.account.base / f"service-{i}")) for i in range(len(SERVICES))]
        setup, targets = ["mount -t tmpfs none /run"], []
        for name, service in zip(names, SERVICES):
            setup.append(f"mkdir -p $(dirname /run/{service}); : >/run/{service}; mount --bind {name[5:]} /run/{service}")
            targets += [f"unix:/run/{service}", f"unix:/var/run/{service}"]
        prepare = "\n".join(setup)
        result = staged(self.account, prepare, self.probe, "connect", *targets)
        self.assertEqual(result.out.split(), targets, "the control")
        self.assertEqual(self.visited(), set(names), "the control")
        for circumstance in [*self.circumstances(), PRIVATE]:
            with self.subTest(circumstance.name):
                command = [str(SBOX), *circumstance.options, "--", self.probe, "connect", *targets]
                settings = {"cwd": str(self.work)} | circumstance.settings
                if settings.pop("user", None) == 0:
                    continue  # staged runs are the user's
                settings.pop("group", None)
                result = staged(self.account, prepare, *command, **settings)
                self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertEqual(self.visited(), set())

    def test_names_are_not_looked_up_by_way_of_a_service(self) -> None:
        self.root_only()
        name = self.listen(str(self.account.base / "resolve"))
        place = "/run/systemd/resolve/io.systemd.Resolve"
        setup = f"mount -t tmpfs none /run; mkdir -p $(dirname {place}); : >{place}; mount --bind {name[5:]} {place}"
        lookup = ("getent", "-s", "hosts:files", "hosts", "localhost")
        self.assertIn("localhost", staged(self.account, setup, str(SBOX), *lookup).out, "the control")
        result = staged(self.account, setup, str(SBOX), "getent", "hosts", "canary.example")
        self.assertNotIn(result.status, (0, 125), result)
        self.assertEqual(self.visited(), set())

    def test_explain_says_who_reaches_this_machine_s_own_services(self) -> None:
        for profile, said in (("agent", True), ("default", False), ("gimp", False)):
            with self.subTest(profile=profile):
                page = self.sbox("explain", profile, cwd=str(self.work)).out
                self.assertEqual("listen on this machine alone" in page, said, page)


FAST_OPEN = """
import ctypes, os, socket, sys
MSG_FASTOPEN = 0x20000000
place, libc = ("127.0.0.1", int(sys.argv[1])), ctypes.CDLL(None, use_errno=True)
def by_many(s):  # struct mmsghdr
    address = ctypes.create_string_buffer(b"\\2\\0" + place[1].to_bytes(2, "big") + b"\\x7f\\0\\0\\1" + bytes(8))
    text = ctypes.create_string_buffer(b"attack")
    part = (ctypes.c_uint64 * 2)(ctypes.addressof(text), 6)
    head = (ctypes.c_uint64 * 8)(ctypes.addressof(address), 16, ctypes.addressof(part), 1, 0, 0, 0, 0)
    if libc.sendmmsg(s.fileno(), head, 1, MSG_FASTOPEN) < 0: raise OSError(ctypes.get_errno(), "")
ways = {
    "connect": lambda s: s.connect(place),
    "sendto": lambda s: s.sendto(b"attack", MSG_FASTOPEN, place),
    "sendmsg": lambda s: s.sendmsg([b"attack"], [], MSG_FASTOPEN, place),
    "sendmmsg": by_many,
    "first connect": lambda s: (s.setsockopt(6, 30, 1), s.connect(place), s.send(b"attack")),
}
for name, way in ways.items():
    with socket.socket() as s:
        try: way(s); print(name)
        except OSError: pass
"""

UPPER_LAYER = """
import socket
for family in (socket.AF_INET, socket.AF_INET6):
    for name in (b"smc", b"tls"):
        with socket.socket(family) as s:
            try: s.setsockopt(6, 31, name)
            except OSError as error: print(error.errno)
            else: print(0)
"""


class Ports(AttackTest):
    """What gets round a limit of ports on the host's network, which is Landlock's, and is asked at connect(2) alone."""

    def test_a_connection_that_is_made_by_sending_is_limited_too(self) -> None:
        server = internet_listener("127.0.0.1", socket.SOCK_STREAM)
        port = server.server.getsockname()[1]
        run = ("/usr/bin/python3", "-I", "-S", "-c", FAST_OPEN, str(port))
        ways = ["connect", "sendto", "sendmsg", "sendmmsg", "first connect"]
        for ports in ((), ("-s", f"network.connect=tcp :{port}, udp")):
            with self.subTest("the control", ports=ports):
                reached = self.attack(SHARED_NETWORK, *run, options=ports).out.splitlines()
                self.assertEqual(reached, [way for way in ways if not ports or not way.startswith("send")])
                wait_for(lambda: server.visitors() > 0)
        for options in ((), ("-s", "seccomp.32-bit=yes"), ("-s", "seccomp.log=yes")):
            with self.subTest(options=options):
                limit = ("-s", "network.connect=tcp :443, udp", *options)
                self.assertEqual(self.attack(SHARED_NETWORK, *run, options=limit).out, "")
                self.assertEqual(server.visitors(), 0)
        denied = self.sbox("log").out
        self.assertIn("sendto", denied)

    def test_no_socket_of_tcp_becomes_another(self) -> None:
        """As one of SMC it would connect where it likes. The kernel that is tested here need not have that."""
        run = ("/usr/bin/python3", "-I", "-S", "-c", UPPER_LAYER)
        self.assertNotIn("92", self.attack(SHARED_NETWORK, *run).out, "the control")
        for limit in ("connect=tcp :443, udp", "listen=7102"):
            for options in ((), ("-s", "seccomp.32-bit=yes"), ("-s", "seccomp.log=yes")):
                with self.subTest(limit, options=options):
                    asked = self.attack(SHARED_NETWORK, *run, options=("-s", f"network.{limit}", *options)).out
                    self.assertEqual(asked.split(), ["92"] * 4)

    def test_what_would_hide_it_from_the_filter_is_refused(self) -> None:
        for limit in ("connect=tcp :443, udp", "listen=7102"):
            options = ("-s", "network.mode=host", "-s", f"network.{limit}")
            self.assertEqual(self.sbox(*options, "--", "true").status, 0, "the control")
            for setting in ("seccomp.mode=none", "seccomp.allow=@io-uring", "seccomp.allow=socketcall"):
                with self.subTest(limit, setting=setting):
                    self.refused(*options, "-s", setting, "--", "true")


class FailClosed(AttackTest):
    def test_a_network_that_cannot_be_made_refuses_the_start(self) -> None:
        self.root_only()
        marker = self.directory("marker") / "started"
        own, host = [], SHARED_NETWORK.options
        for limit, options, starts in (("", own, True), ("max_net_namespaces", own, False), ("max_net_namespaces", host, True)):
            with self.subTest(limit=limit, options=options):
                marker.unlink(missing_ok=True)
                grant = ["-s", f"files.read-write+={marker.parent}", *options, "--"]
                result = limited(self.account, limit, str(SBOX), *grant, "sh", "-c", f": >{marker}")
                self.assertEqual((result.status, marker.exists()), (0 if starts else 125, starts), result)
