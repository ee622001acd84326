"""Attack suite, the session bus: what passes the filter, by the rules of the profiles and by messages nobody would write."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Iterator

from account import Account
from attack import SHIPPED, AttackTest, Circumstance
from harness import wait_for, wait_for_server

WIRE = (pathlib.Path(__file__).parent / "dbus_wire.py").read_text()
NOTIFICATIONS, SYSTEMD = "org.freedesktop.Notifications", "org.freedesktop.systemd1"
PEER, ACTIVATED = "org.example.Peer", "org.example.Activated"
# What a program could ask of a session that is not meant for it: name, interface and method, arguments.
CALLS: list[tuple[str, str, list[tuple[str, object]]]] = [
    (SYSTEMD, f"{SYSTEMD}.Manager.StartTransientUnit", [("s", "x.service"), ("s", "replace")]),
    (SYSTEMD, f"{SYSTEMD}.Manager.SetEnvironment", [("as", ["LD_PRELOAD=/tmp/x.so"])]),
    ("org.gnome.Shell", "org.gnome.Shell.Eval", [("s", "1")]),
    ("org.kde.KWin", "org.kde.kwin.Scripting.loadScript", [("s", "/tmp/x")]),
    ("org.kde.plasmashell", "org.kde.PlasmaShell.evaluateScript", [("s", "1")]),
    ("org.kde.klauncher5", "org.kde.KLauncher.exec_blind", [("s", "/bin/sh")]),
    ("org.freedesktop.Flatpak", "org.freedesktop.Flatpak.Development.HostCommand", [("s", "/bin/sh")]),
    ("org.freedesktop.portal.Flatpak", "org.freedesktop.portal.Flatpak.Spawn", [("s", "/bin/sh")]),
    ("org.freedesktop.portal.Desktop", "org.freedesktop.portal.OpenURI.OpenURI", [("s", ""), ("s", "file:///x.desktop")]),
    ("org.freedesktop.portal.Documents", "org.freedesktop.portal.Documents.Add", []),
    ("org.freedesktop.impl.portal.PermissionStore", "org.freedesktop.impl.portal.PermissionStore.Set", [("s", "devices")]),
    ("org.freedesktop.impl.portal.desktop.gtk", "org.freedesktop.impl.portal.Access.AccessDialog", []),
    ("org.freedesktop.FileManager1", "org.freedesktop.FileManager1.ShowItems", [("as", ["file:///etc"]), ("s", "")]),
    ("org.freedesktop.secrets", "org.freedesktop.Secret.Service.SearchItems", [("a{ss}", {})]),
    ("org.kde.kwalletd5", "org.kde.KWallet.readPassword", [("s", "x")]),
    ("org.gnome.OnlineAccounts", "org.freedesktop.DBus.ObjectManager.GetManagedObjects", []),
    ("org.gnome.evolution.dataserver.AddressBook10", "org.gnome.evolution.dataserver.AddressBookFactory.OpenAddressBook", []),
    ("org.gtk.vfs.Daemon", "org.gtk.vfs.MountTracker.ListMounts", []),
    ("ca.desrt.dconf", "ca.desrt.dconf.Writer.Change", [("s", "x")]),
    ("org.a11y.Bus", "org.a11y.Bus.GetAddress", []),
    ("org.gnome.Terminal", "org.freedesktop.Application.Activate", [("a{ss}", {})]),
    ("org.gnome.SessionManager", "org.gnome.SessionManager.Setenv", [("s", "LD_PRELOAD"), ("s", "/tmp/x")]),
    ("org.mpris.MediaPlayer2.other", "org.mpris.MediaPlayer2.Player.OpenUri", [("s", "file:///etc/passwd")]),
    ("org.kde.StatusNotifierWatcher", "org.kde.StatusNotifierWatcher.RegisterStatusNotifierItem", [("s", "x")]),
    ("org.ayatana.bamf", "org.ayatana.bamf.control.Quit", []),
    (PEER, f"{PEER}.Secret", [("s", "x")]),
    (ACTIVATED, f"{ACTIVATED}.Start", []),
    ("org.freedesktop.DBus", "org.freedesktop.DBus.StartServiceByName", [("s", ACTIVATED), ("u", 0)]),
    ("org.freedesktop.DBus", "org.freedesktop.DBus.UpdateActivationEnvironment", [("a{ss}", {"LD_PRELOAD": "/planted"})]),
    ("org.freedesktop.DBus", "org.freedesktop.DBus.ReloadConfig", []),
    ("org.freedesktop.DBus", "org.freedesktop.DBus.RequestName", [("s", "org.freedesktop.ScreenSaver2"), ("u", 0)]),
    ("org.freedesktop.DBus", "org.freedesktop.DBus.RequestName", [("s", "org.mpris.MediaPlayer2.vlc"), ("u", 0)]),
    ("org.freedesktop.DBus", "org.freedesktop.DBus.RequestName", [("s", "com.canonical.AppMenu.Registrar"), ("u", 0)]),
    ("org.freedesktop.DBus", "org.freedesktop.DBus.RequestName", [("s", "org.gtk.Notifications"), ("u", 7)]),
]
OF_THE_BUS = "org.freedesktop.DBus"
WITH_A_BUS = ("firefox", "chromium", "thunderbird", "hexchat")
SCREEN_SAVER = "org.freedesktop.ScreenSaver"
GRANTED = [NOTIFICATIONS, SCREEN_SAVER]
PROPERTIES = "org.freedesktop.DBus.Properties"
# The last one has no interface.
OF_A_SHELL = ("org.kde.PlasmaShell.evaluateScript", "org.kde.klipper.klipper.getClipboardContents", "org.Cinnamon.Eval",
              "org.gnome.Shell.Eval", "org.kde.kwin.Scripting.loadScript", ".Notify")  # fmt: skip
NAMES = sorted({name for name, _, _ in CALLS} - {OF_THE_BUS, ACTIVATED})
# Two services: one that may be called and one with all other names. Both write down every message that comes; the first
# sends secrets to the second and tells all of notifications when asked to (CloseNotification), and asks its caller
# something (GetCapabilities).
MOCK = """
import sys, threading
path, log, ready, granted, *names = sys.argv[1:]
service, peer = Wire(path), Wire(path)
for name in granted.split(): service.ask(BUS, "/", BUS, "RequestName", ("s", name), ("u", 4))
for name in names: peer.ask(BUS, "/", BUS, "RequestName", ("s", name), ("u", 4))
print(service.own, peer.own, file=open(ready, "w"))
def serve(wire, output):
    wire.socket.settimeout(None)
    while True:
        data = wire.receive()
        kind, serial, fields = header(data)
        if fields.get(SENDER) in (BUS, service.own, peer.own): continue
        print(kind, fields.get(DESTINATION), fields.get(INTERFACE), fields.get(MEMBER), file=output, flush=True)
        if kind != CALL: continue
        if fields.get(MEMBER) == "CloseNotification":
            for member in ("NotificationReplied", "ActionInvoked"):
                notifications = {PATH: "/x", INTERFACE: "org.freedesktop.Notifications", MEMBER: member}
                wire.send(SIGNAL, notifications, ("s", f"sbox-canary-{member}"))
            secret = {DESTINATION: "org.example.Peer", PATH: "/x", INTERFACE: "org.example.Peer", MEMBER: "Between"}
            wire.send(CALL, secret, ("s", "sbox-canary-between"))
            wire.send(SIGNAL, secret, ("s", "sbox-canary-between"))
        if fields.get(MEMBER) == "GetCapabilities":
            wire.send(CALL, {DESTINATION: fields[SENDER], PATH: "/x", INTERFACE: "org.example.Ask", MEMBER: "Question"})
        wire.send(RETURN, {DESTINATION: fields[SENDER], REPLY_SERIAL: serial}, ("s", "done"))
with open(log, "a") as output:
    threading.Thread(target=serve, args=(peer, output), daemon=True).start()
    serve(service, output)
"""
# Makes every call by the name of the service, some by the unique one too, and says what was done and what it can see.
ASK = """
import json, sys
path, calls, unique = json.loads(sys.argv[1])
wire, done = Wire(path or os.environ["DBUS_SESSION_BUS_ADDRESS"].split("=", 1)[1]), []
def ask(name, member, arguments):
    member, _, place = member.partition("@")
    interface, method = member.rsplit(".", 1)
    place = "/org/freedesktop/DBus" if name == BUS else place or "/x"
    error, text = wire.ask(name, place, interface, method, *map(tuple, arguments))
    if not error: done.append(f"{name} {method}")
for call in calls: ask(*call)
for name in unique: ask(name, "org.freedesktop.systemd1.Manager.ByUniqueName", [["s", "x"]])
seen = [name for name in json.loads(sys.argv[2]) if not wire.ask(BUS, "/", BUS, "GetNameOwner", ("s", name))[0]]
wire.ask(BUS, "/", BUS, "ListNames")
print(json.dumps([done, seen]))
"""
# Tries to hear what others say to each other.
LISTEN = """
import sys
wire = Wire(sys.argv[1] or os.environ["DBUS_SESSION_BUS_ADDRESS"].split("=", 1)[1])
rules = ["eavesdrop='true'", "eavesdrop=true", " eavesdrop='true'", "eavesdrop ='true'", "eavesdrop= 'true'",
         "eavesdrop\\t=\\t'true'",
         "type='method_call',eavesdrop='true'", "type='method_call', eavesdrop='true'", "type='method_call',eavesdrop= 'true' ",
         "eavesdrop='tr''ue'", "eavesdrop=\\\\'true\\\\'", "eavesdrop='true',", ",eavesdrop='true'",
         "eavesdrop=''true", "eavesdrop='true'\\n",
         "\\neavesdrop='true'", "interface='org.example.Peer',eavesdrop='true'", "destination='org.example.Peer',eavesdrop='true'",
         "sender='org.freedesktop.Notifications'", "type='signal',eavesdrop='true'", "", "path_namespace='/',eavesdrop='true'"]
for rule in rules: wire.ask(BUS, "/", BUS, "AddMatch", ("s", rule))
error, text = wire.ask("org.freedesktop.Notifications", "/", "org.freedesktop.Notifications", "CloseNotification")
assert (error, text) == ("", "done"), error
heard = any(b"sbox-canary-between" in data for data in wire.heard)
signals = ("ActionInvoked", "NotificationReplied")
told = [name for name in signals if any(f"sbox-canary-{name}".encode() in data for data in wire.heard)]
monitor = wire.ask(BUS, "/org/freedesktop/DBus", "org.freedesktop.DBus.Monitoring", "BecomeMonitor", ("as", []), ("u", 0))[0]
print("heard" if heard else "nothing", "monitor" if not monitor else "no", *told)
"""
# Messages that claim to be answers, and greetings that go on with messages.
SMUGGLE = """
import sys
path, own, peer = sys.argv[1] or os.environ["DBUS_SESSION_BUS_ADDRESS"].split("=", 1)[1], sys.argv[2], sys.argv[3]
SYSTEMD, DESKTOP = "org.freedesktop.systemd1", "org.freedesktop.Notifications"
def quote(kind, name, which):
    # On a connection of its own, for the filter closes it at what it cannot believe.
    wire = Wire(path)
    serial = wire.send(CALL, {DESTINATION: DESKTOP, PATH: "/", INTERFACE: DESKTOP, MEMBER: "GetCapabilities"})
    question = None
    while question is None:
        _, asked, fields = header(wire.receive())
        if fields.get(MEMBER) == "Question": question = asked
    number = {"asked": question, "own": serial, "next": serial + 1}.get(which, which)
    fields = {DESTINATION: name, PATH: "/x", INTERFACE: SYSTEMD, MEMBER: "Quoted", REPLY_SERIAL: number}
    try:
        wire.send(kind, fields, ("s", "x"))
        wire.ask(DESKTOP, "/", DESKTOP, "GetServerInformation")
    except OSError: pass
    except EOFError: pass
for kind in (CALL, SIGNAL, 5):
    for name in (SYSTEMD, own, peer, "org.example.Peer"):
        for which in ("asked", "own", "next", 1, 0xffffffff): quote(kind, name, which)
def greet(*parts):
    other = socket.socket(socket.AF_UNIX)
    other.settimeout(0.3)
    other.connect(path)
    hello = message(CALL, 1, {DESTINATION: BUS, PATH: "/", INTERFACE: BUS, MEMBER: "Hello"})
    call = message(CALL, 2, {DESTINATION: SYSTEMD, PATH: "/x", INTERFACE: SYSTEMD, MEMBER: "Smuggled"}, ("s", "x"))
    try:
        uid = str(os.getuid()).encode().hex().encode()
        for part in parts: other.sendall(part.replace(b"UID", uid).replace(b"MSG", hello + call))
        while other.recv(65536): pass
    except OSError: pass
plain = b"\\0AUTH EXTERNAL UID\\r\\nBEGIN\\r\\nMSG"
greet(plain)
greet(*[plain[i : i + 1] for i in range(30)], plain[30:])
greet(b"\\0AUTH EXTERNAL UID\\r\\nNEGOTIATE_UNIX_FD\\r\\nBEGIN\\r\\nMSG")
greet(b"\\0AUTH EXTERNAL\\r\\nDATA\\r\\nBEGIN\\r\\nMSG")
greet(b"\\0AUTH\\r\\nAUTH EXTERNAL UID\\r\\nBEGIN\\r\\nMSG")
greet(b"\\0AUTH EXTERNAL UID BEGIN\\r\\nBEGIN\\r\\nMSG")
greet(b"\\0AUTH EXTERNAL UID\\r\\n" + b"NEGOTIATE_UNIX_FD " + b"x" * 16000 + b"\\r\\nBEGIN\\r\\nMSG")
greet(b"\\0AUTH EXTERNAL UID\\r\\nBEGIN \\r\\nMSG")
greet(b"\\0AUTH EXTERNAL UID\\r\\nBEGIN\\nMSG", b"\\r\\nBEGIN\\r\\nMSG")
greet(b"\\0AUTH EXTERNAL UID\\r\\nERROR\\r\\nBEGINX\\r\\nBEGIN\\r\\nMSG")
greet(b"\\0AUTH EXTERNAL UID\\r\\nBEGIN\\r\\n", b"BEGIN\\r\\nMSG")
greet(b"AUTH EXTERNAL UID\\r\\nBEGIN\\r\\nMSG")
print(Wire(path).ask(DESKTOP, "/", DESKTOP, "GetServerInformation")[1])
"""


@contextlib.contextmanager
def bus_with_services(account: Account, base: pathlib.Path) -> Iterator[tuple[str, pathlib.Path, list[str]]]:
    """A session bus with the mock and a service that is started on demand: address, log, unique names."""
    socket, log, ready = account.runtime / "bus", base / "log", base / "ready"
    services = account.directory(base / "services")
    script = f"#!/bin/sh\nenv >{base}/environment\nmv {base}/environment {base}/activated\nexit 1\n"
    starter = account.file(base / "start", script, 0o755)
    account.file(services / f"{ACTIVATED}.service", f"[D-BUS Service]\nName={ACTIVATED}\nExec={starter}\n")
    standard = pathlib.Path("/usr/share/dbus-1/session.conf").read_text()
    config = standard.replace("<standard_session_servicedirs />", f"<servicedir>{services}</servicedir>")
    path = account.file(base / "bus.conf", config)
    argv = ["dbus-daemon", f"--config-file={path}", "--nofork", "--nopidfile", f"--address=unix:path={socket}"]
    with contextlib.ExitStack() as stack:
        stack.callback(socket.unlink, missing_ok=True)
        bus = account.daemon(argv)
        stack.callback(account.stop, bus)
        wait_for_server(account, bus, socket)
        account.file(log)
        mock = ["/usr/bin/python3", "-I", "-S", "-c", WIRE + MOCK, str(socket), str(log), str(ready), " ".join(GRANTED), *NAMES]
        stack.callback(account.end, account.daemon(mock))
        wait_for(lambda: ready.exists() and ready.read_text().endswith("\n"), what="services")
        yield str(socket), log, ready.read_text().split()


class Bus(AttackTest):
    def setUp(self) -> None:
        super().setUp()
        self.socket, self.log, self.unique = self.enterContext(bus_with_services(self.account, self.work))
        self.env = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.socket}"}
        filtered = ["-s", "dbus.session=filtered"]
        self.filtered = [
            Circumstance("filtered", [*filtered, "-s", f"dbus.talk+={NOTIFICATIONS}"]),
            Circumstance("notifications", ["-s", "desktop.notifications=yes"]),
            Circumstance("own names", [*filtered, "-s", f"dbus.talk+={NOTIFICATIONS}", "-s", "dbus.own+=org.example.Mine.*"]),
            *(each for each in SHIPPED if each.name.removeprefix("profile ") in WITH_A_BUS),
        ]  # fmt: skip

    def heard(self) -> list[str]:
        """What has come to the services since this was asked last."""
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return lines

    def code(self, code: str, *arguments: str) -> list[str]:
        return ["/usr/bin/python3", "-I", "-S", "-c", WIRE + code, *arguments]

    def test_no_service_of_the_session_is_seen_called_or_started(self) -> None:
        activated = self.work / "activated"
        # Starting a service is another answer: it fails, for this one never takes its name.
        prompt = [call for call in CALLS if ACTIVATED not in (call[0], *(value for _, value in call[2]))]
        what = json.dumps([self.socket, prompt, self.unique]), json.dumps(NAMES + GRANTED)
        done, seen = json.loads(self.outside(*self.code(ASK, *what)).out)
        self.assertEqual(len(done), len(prompt) + len(self.unique), "the control")
        sent = [call for call in prompt if call[0] != OF_THE_BUS]
        self.assertEqual(len(self.heard()), len(sent) + len(self.unique), "the control")
        self.assertEqual(seen, NAMES + GRANTED, "the control")
        self.start_service()
        self.assertIn("LD_PRELOAD=/planted", activated.read_text(), "the control")
        for circumstance in self.filtered:
            with self.subTest(circumstance.name):
                activated.unlink(missing_ok=True)
                usual = [[NOTIFICATIONS, f"{NOTIFICATIONS}.Notify", []]]
                what = json.dumps([None, usual + CALLS, self.unique[1:]]), json.dumps(NAMES + GRANTED)
                done, seen = json.loads(self.attack(circumstance, *self.code(ASK, *what), env=self.env).out)
                self.assertEqual(done, [f"{NOTIFICATIONS} Notify"])
                self.assertLessEqual(set(seen), set(GRANTED))
                self.assertEqual(self.heard(), [f"1 {NOTIFICATIONS} {NOTIFICATIONS} Notify"])
                self.assertFalse(activated.exists())

    def test_of_who_has_a_granted_name_only_what_that_is_for_is_called(self) -> None:
        """A desktop's shell may be behind it, with all that it offers to others."""
        shell = [
            *((name, member, [("s", "x")]) for name in GRANTED for member in OF_A_SHELL),
            (NOTIFICATIONS, f"{PROPERTIES}.Get", [("s", NOTIFICATIONS), ("s", "x")]),
            (NOTIFICATIONS, f"{PROPERTIES}.Set@/org/freedesktop/Notifications", [("s", NOTIFICATIONS), ("s", "x")]),
            # Of the same interfaces: on Plasma the first turns off the notifications of all.
            (NOTIFICATIONS, f"{NOTIFICATIONS}.Inhibit", [("s", "x"), ("s", "x")]),
            *((SCREEN_SAVER, f"{SCREEN_SAVER}.{method}", []) for method in ("Lock", "SetActive", "SimulateUserActivity")),
        ]  # fmt: skip
        usual = (NOTIFICATIONS, f"{NOTIFICATIONS}.Notify", [])
        done, _ = json.loads(self.outside(*self.code(ASK, json.dumps([self.socket, shell, self.unique]), "[]")).out)
        self.assertEqual(len(done), len(shell) + len(self.unique), "the control")
        self.heard()
        for circumstance in self.filtered:
            if "dbus.session=filtered" in circumstance.options:
                continue
            with self.subTest(circumstance.name):
                what = json.dumps([None, [usual, *shell], self.unique])
                done, _ = json.loads(self.attack(circumstance, *self.code(ASK, what, "[]"), env=self.env).out)
                self.assertEqual(done, [f"{NOTIFICATIONS} Notify"])
                self.assertEqual(self.heard(), [f"1 {NOTIFICATIONS} {NOTIFICATIONS} Notify"])

    def test_what_others_say_to_each_other_is_not_heard(self) -> None:
        signals = "ActionInvoked NotificationReplied"
        self.assertEqual(self.outside(*self.code(LISTEN, self.socket)).out, f"heard monitor {signals}\n", "the control")
        for circumstance in self.filtered:
            # What the user has answered to a notification is for who showed it; who may talk to its server hears all.
            told = signals if "dbus.session=filtered" in circumstance.options else "ActionInvoked"
            with self.subTest(circumstance.name):
                result = self.attack(circumstance, *self.code(LISTEN, ""), env=self.env)
                self.assertEqual(result.out, f"nothing no {told}\n", result)

    def test_answers_that_are_none_and_odd_greetings_carry_nothing_through(self) -> None:
        self.assertEqual(self.outside(*self.code(SMUGGLE, self.socket, *self.unique)).out, "done\n", "the control")
        control = "\n".join(self.heard())
        for word in (f"1 {SYSTEMD} {SYSTEMD} Quoted", f"4 {SYSTEMD} {SYSTEMD} Quoted", f"1 {PEER} {SYSTEMD} Quoted", "Smuggled"):
            self.assertIn(word, control, "the control")
        for circumstance in self.filtered[:3]:
            with self.subTest(circumstance.name):
                result = self.attack(circumstance, *self.code(SMUGGLE, "", *self.unique), env=self.env)
                self.assertEqual(result.out, "done\n", result)
                heard = [line for line in self.heard() if f" {NOTIFICATIONS} " not in line]
                # Who may be called may also be called by the unique name.
                self.assertEqual([line for line in heard if line.split()[1] != self.unique[0]], [])

    def start_service(self) -> None:
        """Asks for the service from outside, and waits until it has told its environment."""
        start = [[OF_THE_BUS, f"{OF_THE_BUS}.StartServiceByName", [["s", ACTIVATED], ["u", 0]]]]
        command = self.code(ASK, json.dumps([self.socket, start, []]), "[]")
        self.outside(*command)
        wait_for((self.work / "activated").exists, what="the service")

    def test_the_environment_of_services_to_come_is_not_changed(self) -> None:
        plant = [call for call in CALLS if "Environment" in call[1]]
        self.assertTrue(plant)
        self.attack(self.filtered[0], *self.code(ASK, json.dumps([None, plant, []]), "[]"), env=self.env)
        self.start_service()
        self.assertNotIn("/planted", (self.work / "activated").read_text())

    def test_rules_that_would_open_the_inner_side_of_the_portals_are_refused(self) -> None:
        for name in ("org.freedesktop.impl.portal.PermissionStore", "org.freedesktop.impl.portal.*", "org.freedesktop.impl.*",
                     "org.freedesktop.*"):  # fmt: skip
            for key, value in (("talk", name), ("own", name), ("see", name), ("call", f"{name}=*"), ("call", f"{name}=a.b.C@/x")):
                with self.subTest(key=key, name=value):
                    options = ["-s", "dbus.session=filtered", "-s", f"dbus.{key}+={value}"]
                    self.refused(*options, "--", "true", env=self.env)

    def test_without_a_grant_there_is_no_bus(self) -> None:
        script = 'echo "[$DBUS_SESSION_BUS_ADDRESS]"; ls -A "$XDG_RUNTIME_DIR"; ls /run/dbus 2>/dev/null; true'
        for circumstance in self.circumstances():
            if circumstance.name.removeprefix("profile ") in WITH_A_BUS:
                continue
            with self.subTest(circumstance.name):
                both = circumstance.settings.get("env", {}) | self.env
                self.assertEqual(self.attack(circumstance, "/bin/sh", "-c", script, env=both).out, "[]\n")


