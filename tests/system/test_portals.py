"""Portals: a program picks a file that its sandbox does not hold, through the real dialog of the desktop."""

from __future__ import annotations

import contextlib
import json
import pathlib
import shutil
import subprocess
from collections.abc import Iterator

from desktop import Display, display, session_bus, web_server
from harness import SystemTest, wait_for

LIBEXEC = pathlib.Path("/usr/libexec")
SERVICES = ("xdg-permission-store", "xdg-document-portal", "xdg-desktop-portal-gtk", "xdg-desktop-portal")
NAMES = (
    "org.freedesktop.impl.portal.PermissionStore",
    "org.freedesktop.portal.Documents",
    "org.freedesktop.impl.portal.desktop.gtk",
    "org.freedesktop.portal.Desktop",
)
DARK = 1
PORTAL = ("-d", "org.freedesktop.portal.Desktop", "-o", "/org/freedesktop/portal/desktop", "-m")
# Opens the chooser, adds a line to what was picked and says where it was.
EDITOR = """
import gi, sys
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
chooser = Gtk.FileChooserNative.new("pick one", None, Gtk.FileChooserAction.OPEN, None, None)
if chooser.run() != Gtk.ResponseType.ACCEPT: sys.exit("nothing picked")
path = chooser.get_filename()
text = open(path).read()
open(path, "w").write(text + "edited\\n")
print(path, flush=True)
print(text, end="", flush=True)
"""


class Portals(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        if not all((LIBEXEC / name).exists() for name in SERVICES):
            self.skipTest("the portals are not installed")

    @contextlib.contextmanager
    def desktop(self) -> Iterator[Display]:
        """A display and a session bus with the real portals."""
        with display(self.account) as shown, session_bus(self.account) as bus, contextlib.ExitStack() as stack:
            self.env = shown.env | bus | {"XDG_CURRENT_DESKTOP": "GNOME", "GSETTINGS_BACKEND": "keyfile"}
            stack.callback(self.end_documents)
            for service, name in zip(SERVICES, NAMES):
                daemon = self.account.daemon([str(LIBEXEC / service)], self.env)
                stack.callback(self.account.stop, daemon)
                wait_for(lambda: self.has_owner(name), what=name)
            # Root may not look into a mount of this kind.
            mounted = ["test", "-d", str(self.account.runtime / "doc/by-app")]
            wait_for(lambda: self.account.run(mounted).status == 0, what="document portal")
            yield shown

    def end_documents(self) -> None:
        self.account.run(["fusermount3", "-uz", str(self.account.runtime / "doc")])

    def has_owner(self, name: str) -> bool:
        result = self.call("org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", name)
        return "true" in result

    def call(self, name: str, path: str, method: str, *arguments: str) -> str:
        argv = ["gdbus", "call", "--session", "-d", name, "-o", path, "-m", method, *arguments]
        return self.account.run(argv, self.env).out

    def pick(self, shown: Display, window: str, path: pathlib.Path) -> None:
        """Types the path into the dialog: again where the first keys came before it had the keyboard."""

        def typed() -> bool:
            shown.tool("xdotool", "windowactivate", "--sync", window)
            shown.tool("xdotool", "key", "ctrl+l", "ctrl+a")
            shown.tool("xdotool", "type", "--delay", "20", str(path))
            shown.save(self.artefact("portal-file-chooser.png"))
            shown.tool("xdotool", "key", "Return")
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: not shown.window("pick one"), 4)
            return not shown.window("pick one")

        wait_for(typed, 40, "the dialog is answered")

    def inside_call(self, *arguments: str, options: tuple[str, ...] = ("-s", "desktop.portals=yes")) -> str:
        result = self.sbox(*options, "--", "gdbus", "call", "--session", *arguments, env=self.env)
        return result.out + result.err

    def test_a_picked_file_can_be_edited_and_no_other(self) -> None:
        picked = self.account.file(self.account.home / "letters/picked.txt", "dear reader\n")
        other = self.account.file(self.account.home / "letters/other.txt", "not for you\n")
        with self.desktop() as shown:
            script = f"{EDITOR}\nimport os\nprint(os.path.exists({str(other)!r}), os.path.exists({str(picked)!r}))"
            settings = ["-s", "desktop.portals=yes", "-s", "display.x11=yes"]
            child = self.start(*settings, "--", "python3", "-c", script, env=self.env, stdout=subprocess.PIPE)
            self.pick(shown, shown.wait_for_window("pick one"), picked)
            out, _ = child.communicate(timeout=30)
            lines = out.decode().splitlines()
            self.assertEqual(lines[1:], ["dear reader", "False False"], lines)
            self.assertRegex(lines[0], rf"\A{self.account.runtime}/doc/[0-9a-f]+/picked\.txt\Z")
            self.assertEqual(picked.read_text(), "dear reader\nedited\n")
            # It stays granted to this application, and no other has it.
            again = self.sbox(*settings, "--", "cat", lines[0], env=self.env)
            self.assertEqual(again.out, picked.read_text(), again)
            for options in (["-s", "desktop.app-id=org.example.Other"], ["-s", "desktop.portals=no"]):
                denied = self.sbox(*settings, *options, "--", "cat", lines[0], env=self.env)
                self.assertNotEqual(denied.status, 0, denied)
        self.assertEqual(other.read_text(), "not for you\n")

    def test_the_portals_take_it_for_a_sandboxed_application(self) -> None:
        with self.desktop():
            # What an application was given is for the host to ask, not for the application.
            lookup = ["-d", "org.freedesktop.portal.Documents", "-o", "/org/freedesktop/portal/documents", "-m"]
            listing = [*lookup, "org.freedesktop.portal.Documents.List", "local.sbox.default"]
            outside = self.call(*[lookup[1], lookup[3]], "org.freedesktop.portal.Documents.List", "local.sbox.default")
            self.assertIn("{", outside)
            self.assertIn("NotAllowed", self.inside_call(*listing))

    def test_only_who_is_on_the_host_s_network_is_told_of_it(self) -> None:
        """Names are looked up for who asks, so to ask is to tell, past every rule of a network of its own."""
        code = "from gi.repository import Gio; print(Gio.NetworkMonitor.get_default().get_network_available(), " \
               "Gio.ProxyResolver.get_default().lookup('http://example.org/'))"  # fmt: skip
        questions = [("NetworkMonitor.CanReach", "localhost", "22"), ("NetworkMonitor.GetStatus",),
                     ("ProxyResolver.Lookup", "http://example.org/")]  # fmt: skip
        with self.desktop():
            for mode in ("host", "private", "none"):
                options = ("-s", "desktop.portals=yes", "-s", f"network.mode={mode}")
                for method, *arguments in questions:
                    with self.subTest(mode=mode, method=method):
                        told = self.inside_call(*PORTAL, f"org.freedesktop.portal.{method}", *arguments, options=options)
                        self.assertEqual("NotAllowed" in told, mode != "host", told)
                        self.assertEqual("Error" in told, mode != "host", told)
                if mode == "host":
                    continue
                with self.subTest(mode=mode):  # libraries ask nobody then
                    said = self.sbox(*options, "--", "/usr/bin/python3", "-I", "-c", code, env=self.env)
                    self.assertEqual(said.out, f"{mode == 'private'} ['direct://']\n", said)

    def test_a_link_is_opened_outside_by_the_program_of_the_user(self) -> None:
        opened = self.work / "opened"
        self.account.file(self.account.home / "bin/reader", f'#!/bin/sh\necho "$@" >{opened}\n', 0o755)
        entry = f"[Desktop Entry]\nType=Application\nName=Reader\nExec={self.account.home}/bin/reader %u\n"
        entry += "MimeType=x-scheme-handler/https;\n"
        self.account.file(self.account.home / ".local/share/applications/reader.desktop", entry)
        default = "[Default Applications]\nx-scheme-handler/https=reader.desktop\n"
        self.account.file(self.account.home / ".config/mimeapps.list", default)
        with self.desktop():
            call = [*PORTAL, "org.freedesktop.portal.OpenURI.OpenURI", "", "https://example.org/", "{}"]
            self.assertIn("/request/", self.inside_call(*call))
            wait_for(opened.exists, what="the link")
            wait_for(lambda: opened.read_text() == "https://example.org/\n", what="the address")

    def test_a_link_opens_in_the_browser_s_own_sandbox(self) -> None:
        if not pathlib.Path("/usr/bin/firefox-esr").exists():
            self.skipTest("firefox-esr is not installed")
        default = "[Default Applications]\nx-scheme-handler/http=firefox-esr.desktop\n"
        self.account.file(self.account.home / ".config/mimeapps.list", default)
        self.assertEqual(self.sbox("enable", "firefox-esr").status, 0)
        self.addCleanup(self.sbox, "disable", "firefox-esr")
        with self.desktop() as shown, web_server("<title>by a link</title>") as server:
            self.addCleanup(self.sbox, "stop", "firefox")
            opened = self.inside_call(*PORTAL, "org.freedesktop.portal.OpenURI.OpenURI", "", server.url, "{}")
            self.assertIn("/request/", opened)
            shown.wait_for_window("by a link")
            listed = json.loads(self.sbox("list", "--json").out)
            self.assertEqual([row["program"] for row in listed if row["name"] == "firefox"], ["/usr/lib/firefox-esr/firefox-esr"])

    def test_what_the_user_forbids_an_application_is_not_shown(self) -> None:
        add = [*PORTAL, "org.freedesktop.portal.Notification.AddNotification", "one"]
        with self.desktop(), contextlib.ExitStack() as stack:
            heard = self.account.file(self.work / "heard")
            listener = ["dbus-monitor", "--session", "interface='org.freedesktop.impl.portal.Notification'"]
            with open(heard, "wb") as output:
                stack.callback(self.account.stop, self.account.daemon(listener, self.env, stdout=output))
            wait_for(lambda: "NameLost" in heard.read_text(), what="monitor")
            store = ["org.freedesktop.impl.portal.PermissionStore", "/org/freedesktop/impl/portal/PermissionStore",
                     "org.freedesktop.impl.portal.PermissionStore.SetPermission", "notifications", "true", "notification"]
            for answer in ("no", "yes"):
                self.call(*store, "local.sbox.default", f"['{answer}']")
                self.inside_call(*add, f"{{'title': <'{answer}, thanks'>}}")
            wait_for(lambda: "yes, thanks" in heard.read_text(), what="the notification")
            self.assertNotIn("no, thanks", heard.read_text())
            self.assertIn('string "local.sbox.default"', heard.read_text())

    def test_the_document_portal_is_started_where_it_does_not_run(self) -> None:
        mounted = ["test", "-d", str(self.account.runtime / "doc/by-app")]
        with session_bus(self.account) as bus:
            self.env = bus
            self.addCleanup(self.end_documents)
            self.assertEqual(self.sbox("--", "true", env=bus).status, 0)
            self.assertNotEqual(self.account.run(mounted).status, 0)
            here = f"ls -d {self.account.runtime}/doc"
            self.assertEqual(self.sbox("-s", "desktop.portals=yes", "--", "sh", "-c", here, env=bus).status, 0)
            self.assertEqual(self.account.run(mounted).status, 0)

    def test_settings_tell_of_dark_mode(self) -> None:
        with self.desktop():
            read = [*PORTAL, "org.freedesktop.portal.Settings.Read", "org.freedesktop.appearance", "color-scheme"]
            self.assertIn("uint32 0", self.inside_call(*read))
            scheme = ["gsettings", "set", "org.gnome.desktop.interface", "color-scheme", "prefer-dark"]
            self.assertEqual(self.account.run(scheme, self.env).status, 0)
            wait_for(lambda: f"uint32 {DARK}" in self.inside_call(*read), what="dark mode")

    def test_without_the_word_no_portal_is_in_reach(self) -> None:
        with self.desktop():
            read = [*PORTAL, "org.freedesktop.portal.Settings.Read", "org.freedesktop.appearance", "color-scheme"]
            denied = self.inside_call(*read, options=("-s", "dbus.session=filtered"))
            self.assertRegex(denied, "ServiceUnknown|AccessDenied")
            self.assertFalse(json.loads(self.sbox("--dry-run", "true", env=self.env).out)["helpers"])
