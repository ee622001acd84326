"""The one-word settings, each with the real service of a Debian desktop: what the word gives, and that without it nothing is there."""

from __future__ import annotations

import array
import math
import os
import pathlib
import re
import shutil
import subprocess
from typing import Any

from account import SBOX
from desktop import display, session_bus, sound, wayland
from harness import SystemTest, wait_for
from services import (
    PRINTER,
    WIRE,
    answering,
    card_service,
    checked,
    gpg_agent,
    has_owner,
    named_service,
    printer,
    ssh_agent,
    system_bus,
)

CARDS = """
import ctypes
library, context, size = ctypes.CDLL("libpcsclite.so.1"), ctypes.c_long(), ctypes.c_ulong()
made = library.SCardEstablishContext(2, None, None, ctypes.byref(context))
print(hex(made & 0xffffffff), hex(library.SCardListReaders(context, None, None, ctypes.byref(size)) & 0xffffffff))
"""
SERVED, NO_SERVICE = "0x0 0x8010002e\n", "0x8010001d"  # no readers; no service

WATCHER = "org.kde.StatusNotifierWatcher"
# Registers as a tray icon, waits until the tray asks it something, then tries to be more.
TRAY = """
wire = Wire(os.environ["DBUS_SESSION_BUS_ADDRESS"].split("=", 1)[1])
def take(name): return not wire.ask(BUS, "/", BUS, "RequestName", ("s", name), ("u", 4))[0]
watcher = "org.kde.StatusNotifierWatcher"
def register(what, name): return not wire.ask(watcher, "/StatusNotifierWatcher", watcher, "Register" + what, ("s", name))[0]
own = f"org.kde.StatusNotifierItem-{os.getpid()}-1"
if take(own): print("name")
if not register("StatusNotifierItem", own): raise SystemExit("refused")
print("registered")
early, asked = wire.heard, None
while asked is None:
    kind, _, fields = header(early.pop(0) if early else wire.receive())
    if kind == CALL and fields[PATH] == "/StatusNotifierItem": asked = fields[MEMBER]
print("asked", asked)
if take("org.kde.StatusNotifierWatcher2") or take("org.kde.Other-2-1"): print("other name")
if register("StatusNotifierHost", "org.kde.StatusNotifierHost-1"): print("host")
"""
LISTEN = """
wire = Wire(os.environ["DBUS_SESSION_BUS_ADDRESS"].split("=", 1)[1])
wire.ask(BUS, "/", BUS, "AddMatch", ("s", "type='signal',interface='org.example.A'"))
heard = []
for member in ("First", "Second"):
    error, text = wire.ask("org.example.A", "/", "org.example.A", member)
    print(member, "refused" if error else text)
    heard += wire.heard
if any(b"org.example.AFirst" in data for data in heard): print("heard")
"""


def python(code: str) -> list[str]:
    return ["/usr/bin/python3", "-I", "-S", "-c", code]


def address(env: dict[str, str]) -> str:
    """The socket of the session bus."""
    return env["DBUS_SESSION_BUS_ADDRESS"].split("=", 1)[1]


def word(name: str) -> tuple[str, str]:
    return ("-s", f"{name}=yes")


class Looks(SystemTest):
    def test_no_font_is_scanned_again(self) -> None:
        checked(self.account, "fc-cache")  # the user's own: a home that is new has none
        outside = checked(self.account, "fc-list")
        self.assertGreater(len(outside.splitlines()), 5)
        valid = re.compile(r"^(/\S+): skipping, existing cache is valid", re.MULTILINE)
        all_of_it = set(valid.findall(checked(self.account, "fc-cache", "-v")))
        self.assertIn("/usr/share/fonts", all_of_it, "the control")
        inside = self.inside("fc-cache -v; fc-list", *word("desktop.fonts"))
        self.assertEqual(set(valid.findall(inside)), all_of_it)
        self.assertNotIn("caching, new cache contents", inside)
        self.assertLessEqual(set(outside.splitlines()), set(inside.splitlines()))
        # Where they are not there or not valid, any program makes new ones.
        made = "fc-list >/dev/null; ls ~/.cache/fontconfig 2>/dev/null | wc -l"
        kept = len(list((self.account.home / ".cache/fontconfig").glob("*")))
        self.assertEqual(int(self.inside(made, *word("desktop.fonts"))), kept)
        self.assertGreater(int(self.inside(made, "-s", "desktop.fonts=no")), 5)

    def test_themes_icons_and_cursors_of_the_user_and_the_system(self) -> None:
        home = self.account.home
        files = {
            "themes": [home / ".themes/Mine/gtk-3.0/gtk.css", home / ".local/share/themes/Mine/x", home / ".config/gtk-3.0/settings.ini"],
            "icons": [home / ".icons/Mine/cursors/left_ptr", home / ".local/share/icons/Mine/index.theme"],
        }
        for path in sum(files.values(), []):
            self.account.file(path, "mine")
            self.addCleanup(shutil.rmtree, home / path.relative_to(home).parts[0], ignore_errors=True)
        script = f"for f in {' '.join(map(str, sum(files.values(), [])))}; do test -r $f && ! test -w $f && echo $f; done; "
        script += "ls /usr/share/icons /usr/share/themes >/dev/null && echo $XCURSOR_THEME $XCURSOR_SIZE $GTK_THEME"
        env = {"XCURSOR_THEME": "Mine", "XCURSOR_SIZE": "32", "GTK_THEME": "Mine"}
        for name, paths in files.items():
            none = [f"-sdesktop.{other}=no" for other in files if other != name]
            out = self.inside(script, *word(f"desktop.{name}"), *none, env=env)
            self.assertEqual(out.split(), [*map(str, paths), "Mine", "32", "Mine"])
        none = [f"-sdesktop.{name}=no" for name in files]
        self.assertEqual(self.inside(script, *none, env=env), "Mine 32 Mine\n")

    def test_the_time_zone_is_the_host_s_or_another(self) -> None:
        script = "date +%Z; cat /etc/timezone; readlink /etc/localtime"
        here = self.account.run(["date", "+%Z"]).out
        self.assertEqual(self.inside(script).splitlines()[0] + "\n", here)
        out = self.inside(script, "-s", "system.time-zone=Asia/Tokyo")
        self.assertEqual(out, "JST\nAsia/Tokyo\n/usr/share/zoneinfo/Asia/Tokyo\n")
        # What the caller has in TZ holds as with any other program.
        self.assertEqual(self.inside("date +%Z", env={"TZ": "Asia/Tokyo"}), "JST\n")


class Agents(SystemTest):
    def test_ssh(self) -> None:
        with ssh_agent(self.account) as env:
            self.assertIn("sbox-key", checked(self.account, "ssh-add", "-l", env=env), "the control")
            inside = self.inside("ssh-add -l; echo $SSH_AUTH_SOCK", *word("desktop.ssh-agent"), env=env)
            self.assertIn("sbox-key", inside)
            self.assertIn(f"/run/user/{self.account.uid}/ssh-agent\n", inside)
            for options in ([], ["-s", "environment.set+=SSH_AUTH_SOCK=" + env["SSH_AUTH_SOCK"]]):
                result = self.sbox(*options, "--", "ssh-add", "-l", env=env)
                self.assertEqual((result.status, result.out), (2, ""), result)

    def test_the_ssh_agent_signs_and_takes_no_orders(self) -> None:
        words = "export SSH_ASKPASS_REQUIRE=force SSH_ASKPASS=/bin/true; ssh-keygen -q -t ed25519 -N '' -f /tmp/other; "
        words += "ssh-add /tmp/other || echo none; ssh-add -s /usr/lib/libcrypto.so || echo none; ssh-add -D || echo none; "
        words += "printf '#!/bin/sh\\necho x' >/tmp/ask; chmod +x /tmp/ask; SSH_ASKPASS=/tmp/ask ssh-add -x || echo none"
        sign = "ssh-add -L >/tmp/key.pub; echo text >/tmp/text; ssh-keygen -Y sign -n file -f /tmp/key.pub /tmp/text; "
        sign += "cat /tmp/text.sig"
        with ssh_agent(self.account) as env:
            keys = checked(self.account, "ssh-add", "-l", env=env)
            signed = self.sbox(*word("desktop.ssh-agent"), "--", "sh", "-c", sign, env=env)
            self.assertIn("BEGIN SSH SIGNATURE", signed.out, signed)
            result = self.sbox(*word("desktop.ssh-agent"), "--", "sh", "-c", words, env=env)
            self.assertEqual((result.status, result.out), (0, "none\n" * 4), result)
            self.assertEqual(checked(self.account, "ssh-add", "-l", env=env), keys)
            outside = self.account.run(["sh", "-c", "ssh-add -D; ssh-add -l"], env)
            self.assertEqual(outside.out, "The agent has no identities.\n", "the control")

    def test_gnupg_signs_and_hands_out_no_key(self) -> None:
        with gpg_agent(self.account):
            sign = "echo text | gpg --quiet --no-permission-warning --batch --sign --armor"
            self.assertIn("BEGIN PGP MESSAGE", checked(self.account, "sh", "-c", sign), "the control")
            export = "gpg --quiet --no-permission-warning --batch --pinentry-mode loopback --passphrase '' --export-secret-keys --armor"
            self.assertIn("PRIVATE KEY", checked(self.account, "sh", "-c", export), "the control")
            given = word("desktop.gpg-agent")
            self.assertIn("BEGIN PGP MESSAGE", self.inside(sign, *given))
            refused = self.sbox(*given, "--", "sh", "-c", export)
            self.assertNotIn("PRIVATE KEY", refused.out)
            self.assertIn("Forbidden", refused.err)
            files = self.inside("ls -A ~/.gnupg; ls ~/.gnupg/private-keys-v1.d 2>/dev/null || true", *given).split()
            self.assertIn("pubring.kbx", files)
            self.assertNotIn("private-keys-v1.d", files)
            without = self.sbox("--", "sh", "-c", sign)
            self.assertNotEqual(without.status, 0, without)
            self.assertNotIn("BEGIN", without.out)

    def test_printing(self) -> None:
        with printer(self.account) as (env, spool):
            work = f"lpstat -p; echo from inside | lp -d {PRINTER} -"
            out = self.inside(work, *word("desktop.printing"), env=env)
            self.assertIn(f"printer {PRINTER} is idle", out)
            self.assertEqual([path.read_text() for path in spool.glob("d*")], ["from inside\n"])
            without = self.sbox("--", "lpstat", "-p", env=env)
            self.assertNotEqual(without.status, 0, without)
            self.assertNotIn(PRINTER, without.out)

    def test_smart_cards(self) -> None:
        self.root_only()
        with card_service():
            self.assertEqual(checked(self.account, *python(CARDS)), SERVED, "the control")
            self.assertEqual(self.python(CARDS, *word("devices.smart-cards")), SERVED)
            self.assertIn(NO_SERVICE, self.python(CARDS))


class SessionBus(SystemTest):
    def call(self, name: str, path: str, method: str, *arguments: str) -> list[str]:
        return ["gdbus", "call", "--session", "-d", name, "-o", path, "-m", method, *arguments]

    def test_input_methods_by_their_portals_alone(self) -> None:
        with session_bus(self.account) as env:
            ibus = ("ibus-daemon", "--panel=disable", "--config=disable", "--emoji-extension=disable")
            fcitx = ("fcitx5", "--disable=all", "--enable=dbus,dbusfrontend,keyboard")
            with (
                named_service(self.account, env, "org.freedesktop.IBus", *ibus),
                named_service(self.account, env, "org.freedesktop.portal.IBus", "/usr/libexec/ibus-portal"),
                named_service(self.account, env, "org.fcitx.Fcitx5", *fcitx),
            ):
                wait_for(lambda: has_owner(self.account, "org.freedesktop.portal.Fcitx", env), what="the portal of Fcitx")
                portals = {
                    "ibus": self.call("org.freedesktop.portal.IBus", "/org/freedesktop/IBus",
                                      "org.freedesktop.IBus.Portal.CreateInputContext", "test"),
                    "fcitx": self.call("org.freedesktop.portal.Fcitx", "/org/freedesktop/portal/inputmethod",
                                       "org.fcitx.Fcitx.InputMethod1.CreateInputContext", "[('program', 'test')]"),
                }  # fmt: skip
                control = self.call("org.fcitx.Fcitx5", "/controller", "org.fcitx.Fcitx.Controller1.AvailableInputMethods")
                for argv in (*portals.values(), control):
                    checked(self.account, *argv, env=env)
                modules = env | {"GTK_IM_MODULE": "ibus", "QT_IM_MODULE": "fcitx", "XMODIFIERS": "@im=fcitx"}
                for name, argv in portals.items():
                    given = self.sbox(*word("desktop.input-method"), "--", *argv, env=modules)
                    self.assertIn("/InputContext_" if name == "ibus" else "/inputcontext/", given.out, given)
                variables = "echo $GTK_IM_MODULE $QT_IM_MODULE $XMODIFIERS $IBUS_USE_PORTAL"
                self.assertEqual(self.inside(variables, *word("desktop.input-method"), env=modules), "ibus fcitx @im=fcitx 1\n")
                for options in (word("desktop.input-method"), word("desktop.notifications")):
                    refused = self.sbox(*options, "--", *control, env=modules)
                    self.assertNotEqual(refused.status, 0, refused)
                for argv in portals.values():
                    refused = self.sbox(*word("desktop.notifications"), "--", *argv, env=modules)
                    self.assertNotEqual(refused.status, 0, refused)
                self.assertEqual(self.inside(variables, env=modules), "\n")


    def test_a_tray_icon_and_nothing_else_of_the_watcher(self) -> None:
        with session_bus(self.account) as bus, wayland(self.account, "bar {\n  position top\n}", bus) as screen:
            wait_for(lambda: has_owner(self.account, WATCHER, bus), what="the tray")
            env = bus | screen
            without = self.sbox(*word("desktop.notifications"), "--", *python(WIRE + TRAY), env=env)
            self.assertNotEqual(without.status, 0, without)
            result = self.sbox(*word("desktop.tray"), "--", *python(WIRE + TRAY), env=env)
            self.assertEqual(result.status, 0, result)
            # It registers, the tray asks it what to show, and it can be nothing but an icon.
            self.assertRegex(result.out, r"\Aname\nregistered\nasked Get(All)?\n\Z", result)
            outside = self.account.run(python(WIRE + TRAY), env)
            self.assertIn("other name\n", outside.out, "the control")
            self.assertIn("host\n", outside.out, "the control")

    def test_single_methods_and_single_signals(self) -> None:
        with session_bus(self.account) as env, answering(self.account, address(env), "org.example.A"):
            filtered = ("-s", "dbus.session=filtered", "-s", "dbus.call=org.example.A=org.example.A.First@/")
            cases = {
                (): "First done\nSecond refused\n",
                ("-s", "dbus.broadcast=org.example.A=org.example.A.Called@/x"): "First done\nSecond refused\nheard\n",
                ("-s", "dbus.broadcast=org.example.A=org.example.A.Other@/x"): "First done\nSecond refused\n",
            }
            self.assertEqual(self.account.run(python(WIRE + LISTEN), env).out, "First done\nSecond done\nheard\n", "the control")
            for more, expected in cases.items():
                with self.subTest(more=more):
                    self.assertEqual(self.python(WIRE + LISTEN, *filtered, *more, env=env), expected)


class OtherBuses(SystemTest):
    def test_a_name_of_the_system_bus_and_no_other(self) -> None:
        self.root_only()
        names = ("org.example.Power", "org.example.Disks")
        with system_bus(self.account) as env, answering(self.account, env["DBUS_SYSTEM_BUS_ADDRESS"].split("=", 1)[1], *names):
            call = "gdbus call --system -o / -m org.example.X.Y -d "
            both = f"{call}{names[0]}; {call}{names[1]} 2>/dev/null"
            self.assertEqual(self.account.run(["sh", "-c", both], env).out, "('done',)\n('done',)\n", "the control")
            given = ("-s", "dbus.system=filtered", "-s", f"dbus.system-talk={names[0]}")
            for prefix in ("", "unset DBUS_SYSTEM_BUS_ADDRESS; "):
                result = self.sbox(*given, "--", "sh", "-c", prefix + both, env=env)
                self.assertEqual(result.out, "('done',)\n", result)
            # Both buses by one process, each with its own rules.
            with session_bus(self.account) as session:
                more = ("-s", "dbus.session=filtered", "-s", "dbus.talk=org.example.Disks")
                result = self.sbox(*given, *more, "--", "sh", "-c", both, env=env | session)
                self.assertEqual(result.out, "('done',)\n", result)
            without = self.sbox("--", "sh", "-c", both, env=env)
            self.assertEqual(without.out, "", without)

    def test_the_accessibility_bus_shows_windows_and_tells_no_keys(self) -> None:
        with session_bus(self.account) as bus, display(self.account) as shown:
            env = shown.env | bus
            with named_service(self.account, env, "org.a11y.Bus", "/usr/libexec/at-spi-bus-launcher", "--launch-immediately"):
                place = wait_for(lambda: list((self.account.runtime / "at-spi").glob("bus*")), what="the accessibility bus")[0]
                registry = ["gdbus", "call", "--address", f"unix:path={place}", "-d", "org.a11y.atspi.Registry"]
                children = [*registry, "-o", "/org/a11y/atspi/accessible/root", "-m", "org.a11y.atspi.Accessible.GetChildren"]
                wait_for(lambda: self.account.run(children).status == 0, what="the registry")
                self.assertNotIn(":1.", checked(self.account, *children), "the control")
                given = ["-p", "mousepad", *word("desktop.accessibility")]
                self.start(*given, "--", "mousepad", "--disable-server", env=env, stdin=-3, stdout=-3, stderr=-3)
                shown.wait_for_window("Mousepad")
                wait_for(lambda: ":1." in self.account.run(children).out, what="its windows on the accessibility bus")
                keys = "-d org.a11y.atspi.Registry -o /org/a11y/atspi/registry/deviceeventcontroller -m "
                keys = f"gdbus call --address $AT_SPI_BUS_ADDRESS {keys} org.a11y.atspi.DeviceEventController."
                listen = keys + "GetKeystrokeListeners; " + keys + "RegisterKeystrokeListener 2>&1; "
                listen += "gdbus call --address $AT_SPI_BUS_ADDRESS -d org.a11y.atspi.Registry -o /org/a11y/atspi/accessible/root "
                listen += "-m org.a11y.atspi.Accessible.GetChildren 2>&1"
                outside = self.account.run(["sh", "-c", listen], env | {"AT_SPI_BUS_ADDRESS": f"unix:path={place}"}).out
                self.assertNotIn("AccessDenied", outside, "the control")
                self.assertIn(":1.", outside, "the control")
                inside = self.sbox(*word("desktop.accessibility"), "--", "sh", "-c", listen, env=env).out
                self.assertEqual([line.count("AccessDenied") > 0 for line in inside.splitlines()], [False, True, True], inside)
                self.assertEqual(self.inside("echo $AT_SPI_BUS_ADDRESS; ls $XDG_RUNTIME_DIR | grep at-spi; true", env=env), "\n")


class Sound(SystemTest):
    def test_who_may_play_is_heard_and_hears_nothing(self) -> None:
        played = array.array("h", [int(16000 * math.sin(step / 10)) for step in range(44100)]).tobytes()
        play, record = ["pacat", "--raw", "--format=s16le"], ["parec", "--raw", "--device=null.monitor", "--latency-msec=50"]
        orders = {
            "modules": ["pactl", "load-module", "module-null-sink"],
            "list": ["pactl", "list", "short", "modules"],
            "others": ["pactl", "list", "clients"],
            "streams": ["pactl", "list", "sink-inputs"],
            "volume": ["pactl", "set-sink-volume", "null", "100%"],
            "default": ["pactl", "set-default-sink", "null"],
            "end": ["pactl", "exit"],
        }
        with sound(self.account) as server:
            env = {"PULSE_SERVER": f"unix:{self.account.runtime}/pulse/native"}
            for argv in list(orders.values())[:-1]:
                checked(self.account, *argv, env=env)  # the control
            self.assertEqual(server.peak(), 0)
            result = self.sbox(*word("audio.playback"), "--", *play, data=played, env=env)
            self.assertEqual((result.status, result.err), (0, ""), result)
            server.wait_for_sound()
            for name, argv in orders.items():
                with self.subTest(name):
                    refused = self.sbox(*word("audio.playback"), "--", *argv, env=env)
                    self.assertEqual(refused.status, 1, refused)
                    self.assertIn("Access denied", refused.err)
            refused = self.sbox(*word("audio.playback"), "--", *record, env=env)
            self.assertEqual((refused.status, refused.raw), (1, b""), refused)
            self.assertIn("Access denied", refused.err)
            heard = self.sbox(*word("audio.record"), "--", "sh", "-c", f"{' '.join(record)} | head -c 1000 | wc -c", env=env)
            self.assertEqual(heard.out, "1000\n", heard)
            # Nothing of the kind was done.
            self.assertEqual(checked(self.account, "pactl", "list", "short", "sinks", env=env).count("\n"), 2)

    def test_properties_that_would_load_a_module_do_not_reach_the_server(self) -> None:
        wait = "(cat; sleep 9) | pacat --raw --format=s16le --property=filter.apply=echo-cancel --property=media.role=music"
        with sound(self.account):
            env = {"PULSE_SERVER": f"unix:{self.account.runtime}/pulse/native"}
            streams = ["pactl", "list", "sink-inputs"]
            for command, seen in (([], True), ([str(SBOX), *word("audio.playback"), "--"], False)):
                child = self.account.start([*command, "sh", "-c", wait], env, stdin=subprocess.PIPE)
                shown = wait_for(lambda: text if "media.role" in (text := checked(self.account, *streams, env=env)) else "")
                self.assertEqual("filter.apply" in shown, seen, shown)
                self.account.end(child)
                wait_for(lambda: "media.role" not in checked(self.account, *streams, env=env), what="the end of the stream")


class Nested(SystemTest):
    BWRAP = ("bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--tmpfs", "/tmp")
    MOUNTS = ("-s", "process.nested-sandbox=mounts")

    def test_bubblewrap_works_where_the_profile_says_so(self) -> None:
        self.assertEqual(self.account.run([*self.BWRAP, "echo", "ok"]).out, "ok\n", "the control")
        result = self.sbox(*self.MOUNTS, "--", *self.BWRAP, "echo", "ok")
        self.assertEqual((result.status, result.out, result.err), (0, "ok\n", ""), result)
        # As image loaders call it.
        loader = ["bwrap", "--unshare-all", "--die-with-parent", "--chdir", "/", "--ro-bind", "/usr", "/usr", "--dev", "/dev",
                  "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--clearenv", "/usr/bin/id", "-u"]  # fmt: skip
        result = self.sbox(*self.MOUNTS, "--", *loader)
        self.assertEqual((result.status, result.out), (0, f"{self.account.uid}\n"), result)

    def test_elsewhere_it_fails_and_says_so(self) -> None:
        for options in ([], ["-s", "process.nested-sandbox=yes"]):
            with self.subTest(options=options):
                result = self.sbox(*options, "--", *self.BWRAP, "echo", "ok")
                self.assertEqual((result.status, result.out), (1, ""), result)
                self.assertRegex(result.err, r"\Abwrap: [^\n]+\n\Z")

    def test_the_inner_sandbox_sees_nothing_that_the_outer_one_does_not(self) -> None:
        hidden = self.file("top/hidden/canary", "secret").parent
        grants = ("-s", f"files.read-only+={hidden.parent}", "-s", f"files.hide+={hidden}", "-s", "home.mode=empty")
        look = f"cat {hidden}/canary; umount {hidden} || umount -l {hidden}; cat {hidden}/canary; mount -t sysfs none /mnt && ls /mnt; "
        look += f"mount -o remount,rw,bind {hidden.parent} && echo x >{hidden.parent}/x; cat /etc/shadow; ls /root; true"
        self.assertEqual(self.account.run(["cat", str(hidden / "canary")]).out, "secret", "the control")
        for inner in (["unshare", "-Urmpf", "sh", "-c", look], [*self.BWRAP, "--cap-add", "ALL", "sh", "-c", look]):
            result = self.sbox(*self.MOUNTS, *grants, "--", *inner)
            self.assertEqual((result.status, result.out), (0, ""), result)
            self.assertFalse((hidden.parent / "x").exists())

    def test_what_is_protected_below_a_writable_directory_refuses_who_may_mount(self) -> None:
        """In a mount namespace without the pins a directory that is held open would lead to it."""
        held = self.file("project/held", "old")
        new_root = "bwrap --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc"
        move = ["sh", "-c", f"exec 9<{held.parent}; {new_root} mv /proc/self/fd/9/held /proc/self/fd/9/gone"]
        writes = (*self.MOUNTS, "-s", f"files.read-write={held.parent}")
        for line in (f"files.read-only+={held}", f"files.hide+={held}"):
            with self.subTest(line=line):
                result = self.sbox(*writes, "-s", line, "--", *move)
                self.assertTrue(held.exists(), result)
                self.assertEqual((result.status, result.out), (125, ""), result)
                self.assertIn("would not be held", result.err)
        result = self.sbox(*writes, "--", *move)
        self.assertEqual((result.status, result.out, result.err), (0, "", ""), "the control")
        self.assertFalse(held.exists())

    def test_who_may_mount_ends_nobody_else_in_the_cgroup(self) -> None:
        self.root_only()
        mounts = [pathlib.Path("/sys/fs/cgroup"), pathlib.Path("/sys/fs/cgroup/unified")]
        roots = [path for path in mounts if (path / "cgroup.controllers").exists()]
        if not roots or not os.access(roots[0] / "cgroup.procs", os.W_OK):
            self.skipTest("no cgroup of version 2 can be made here")
        group = roots[0] / f"sbox-test-{os.getpid()}"
        group.mkdir()
        self.addCleanup(lambda: wait_for(lambda: self.removed(group), what="the end of the cgroup"))
        for path in (group, *group.iterdir()):
            os.chown(path, self.account.uid, self.account.gid)
        end = "mount -t cgroup2 none /tmp && echo 1 >/tmp/cgroup.kill"
        inner = ["unshare", "-UrmC", "sh", "-c", end]
        start = ["sh", "-c", 'read line; "$@"; echo "ended with $?"', "sh"]
        for outer in ([str(SBOX), *self.MOUNTS, "--"], []):
            child = self.account.start([*start, *outer, *inner], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            (group / "cgroup.procs").write_text(str(child.pid))
            out, _ = child.communicate(b"go\n", timeout=20)
            self.assertEqual(out, b"ended with 137\n" if outer else b"", "the control" if not outer else "")
            # What removes the run's own cgroup is in this one, where the control would end it.
            wait_for(lambda: not any(path.is_dir() for path in group.iterdir()), what="the end of the run's own cgroup")
        limited = self.sbox(*self.MOUNTS, "-s", "limits.memory=1G", "--", "true")
        self.assertEqual(limited.status, 125)
        self.assertIn("would not be held", limited.err)

    @staticmethod
    def removed(group: pathlib.Path) -> bool:
        try:
            group.rmdir()
        except OSError:
            return False
        return True

    def test_a_proc_of_the_inner_sandbox_is_of_its_own_processes(self) -> None:
        look = "ls -d /proc/[0-9]* | wc -l; head -c 1 /proc/interrupts | wc -c; for file in sysrq-trigger sys/kernel/core_pattern kcore; do "
        look += "(: >>/proc/$file) 2>/dev/null && echo $file; done; true"
        inner = [*self.BWRAP, "--proc", "/proc", "sh", "-c", look]
        result = self.sbox(*self.MOUNTS, "--", *inner)
        self.assertEqual(result.status, 0, result)
        count, interrupts, *written = result.out.split()
        self.assertLessEqual(int(count), 4)
        self.assertEqual((interrupts, written), ("1", []))
        # To root these covers are more than secrets.
        self.root_only()
        root: dict[str, Any] = {"env": {"HOME": "/root"}, "cwd": "/", "user": 0, "group": 0}
        result = self.sbox(*self.MOUNTS, "--", "head", "-c", "1", "/proc/interrupts", **root)
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn("Permission denied", result.err)
