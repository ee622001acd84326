"""Real programs by their shipped profiles: each does its work in the sandbox and sees nothing of the real home."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import unittest
import wave
from typing import Any

from account import PATH, SBOX
from desktop import (
    ChatServer, Colour, Display, RemoteScreen, Sound, display, session_bus, sound, wayland, web_server, weston,
)  # fmt: skip
from harness import SystemTest, descendants, namespace, read_process, status_field, wait_for

GREEN: Colour = (18, 171, 52)
PAGE = "<!doctype html><title>sbox {title}</title><body style='margin:0;background:#12ab34'><script>{script}</script>"
MANY = 100_000
MANY_COLOURS = 100


class ProgramTest(SystemTest):
    """One display, bus and sound server for the programs of a class."""

    screen: Display
    speaker: Sound
    programs: tuple[str, ...] = ()

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.screen = cls.enterClassContext(display(cls.account))
        cls.env = {**cls.screen.env, **cls.enterClassContext(session_bus(cls.account))}

    def setUp(self) -> None:
        for name in self.programs:
            if not shutil.which(name, path="/usr/bin"):
                self.skipTest(f"{name} is not installed")
        super().setUp()
        self.canary = self.file("canary", "secret of the home")
        self.child: subprocess.Popen[bytes] | None = None
        self.addCleanup(self.finish)

    def finish(self) -> None:
        """Keeps a picture of the end, then ends the program as a session does."""
        with contextlib.suppress(Exception):
            self.screen.save(self.artefact(f"{self.id().split('.', 1)[1]}.png"))
        if self.child:
            self.child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(2)
            self.account.end(self.child)

    def open(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts a program in its sandbox; what it says goes to build/artefacts."""
        with open(self.artefact(f"{self.id().split('.', 1)[1]}.log"), "wb") as log:
            self.child = self.start(*arguments, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.child

    def batch(self, *arguments: str, timeout: float = 60, **options: Any) -> str:
        result = self.sbox(*arguments, env=self.env, timeout=timeout, **options)
        self.assertEqual(result.status, 0, result)
        return result.out + result.err

    def window(self, pattern: str, timeout: float = 40) -> str:
        """Waits for a window of the program, which must not end meanwhile."""

        def there() -> str:
            if self.child and self.child.poll() is not None:
                log = self.artefact(f"{self.id().split('.', 1)[1]}.log").read_text(errors="replace")
                self.fail(f"the program ended with status {self.child.returncode}: {log[-2000:]}")
            return self.screen.window(pattern)

        return wait_for(there, timeout, f"window {pattern}; there are {self.screen.windows()}")

    def press(self, window: str, *keys: str) -> None:
        self.screen.tool("xdotool", "windowactivate", "--sync", window)
        self.screen.tool("xdotool", "key", "--delay", "50", *keys)

    def type_text(self, window: str, text: str) -> None:
        self.screen.tool("xdotool", "windowactivate", "--sync", window)
        self.screen.tool("xdotool", "type", "--delay", "30", text)

    def tone(self) -> pathlib.Path:
        """Two seconds of a sine as a WAV file."""
        path = self.file("tone.wav")
        samples = (int(12000 * math.sin(2 * math.pi * 440 * i / 44100)) for i in range(2 * 44100))
        with wave.open(str(path), "wb") as output:
            output.setparams((1, 2, 44100, 0, "NONE", ""))
            output.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
        return path

    def private_home(self, profile: str) -> pathlib.Path:
        return self.account.home / ".local/share/sbox/homes" / profile


class BrowserTest(ProgramTest):
    """A browser shows a page, and the sandbox that it builds for its pages is still there."""

    def renders(self, profile: str, pattern: str, *arguments: str) -> None:
        page = PAGE.format(title=profile, script="document.title += ' ' + (6 * 7)")
        with web_server(page) as server:
            self.open(profile, *arguments, server.url)
            self.window(pattern)
            self.screen.wait_for_colour(GREEN, MANY)
            self.assertTrue(server.asked)

    def inner_sandbox(self, main: str, inner: str) -> list[int]:
        """The processes below the child whose command line has `inner`, where they are confined more than that with
        `main`: by filters of their own and (where we may look) in a user namespace of their own.
        """
        assert self.child
        lines = {pid: read_process(pid, "cmdline").replace("\0", " ") for pid in descendants(self.child.pid)}
        outer = [pid for pid, line in lines.items() if main in line and "--type=" not in line and "-contentproc" not in line]
        pages = [pid for pid, line in lines.items() if inner in line]
        self.assertTrue(outer and pages, lines)
        return [page for page in pages if self.is_confined_more(page, outer[-1])]

    @staticmethod
    def is_confined_more(page: int, main: int) -> bool:
        mine, own = namespace(main, "user"), namespace(page, "user")
        filters = [int(status_field(pid, "Seccomp_filters") or 0) for pid in (main, page)]
        return filters[1] > filters[0] and (own != mine or not own)


class Firefox(BrowserTest):
    programs = ("firefox-esr", "xdg-dbus-proxy")

    def test_firefox_renders_a_page_and_its_own_sandbox_is_active(self) -> None:
        self.renders("firefox", "sbox firefox 42")
        wait_for(lambda: self.inner_sandbox("firefox-esr", "-contentproc"), 20, "Firefox's own sandbox")

    def test_firefox_keeps_its_settings_in_its_private_home(self) -> None:
        self.open("firefox", "about:blank")
        self.window("Firefox")
        wait_for(lambda: list(self.private_home("firefox").rglob("*.default*")), 20)

    def test_a_link_opens_in_the_firefox_that_runs(self) -> None:
        with web_server(PAGE.format(title="first", script="")) as one, web_server(PAGE.format(title="second", script="")) as two:
            self.open("firefox", one.url)
            self.window("first")
            self.batch("firefox", two.url)
            self.window("second")
            self.assertEqual(len([row for row in json.loads(self.batch("list", "--json")) if row["profile"] == "firefox"]), 1)


class Chromium(BrowserTest):
    programs = ("chromium",)

    def test_chromium_renders_a_page_and_its_own_sandbox_is_active(self) -> None:
        self.renders("chromium", "sbox chromium 42", "--no-first-run", "--password-store=basic")
        wait_for(lambda: self.inner_sandbox("/chromium", "--type=renderer"), 20, "Chromium's own sandbox")


class WebKit(BrowserTest):
    """The programs that GNOME builds on WebKitGTK: each page is in a bubblewrap of its own."""

    def test_webkit_renders_a_page_and_its_own_sandbox_is_active(self) -> None:
        (browser,) = pathlib.Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser")
        words = ["-s", "display.x11=yes", "-s", "display.wayland=no", "-s", "network.mode=host", "-s", "dbus.session=filtered"]
        words += ["-p", "default", "-s", "process.nested-sandbox=mounts", "--", str(browser), "--enable-sandbox"]
        page = PAGE.format(title="webkit", script="document.title += ' ' + (6 * 7)")
        with web_server(page) as server:
            self.open(*words, server.url)
            self.window("sbox webkit 42")
            self.screen.wait_for_colour(GREEN, MANY)
        wait_for(lambda: self.inner_sandbox("MiniBrowser", "WebKitWebProcess"), 20, "WebKit's own sandbox")


class Thunderbird(ProgramTest):
    programs = ("thunderbird",)

    def test_thunderbird_shows_its_window(self) -> None:
        self.open("thunderbird")
        self.window("Thunderbird")
        wait_for(lambda: self.screen.picture().colours() > MANY_COLOURS, 40, "something in the window")


class Documents(ProgramTest):
    programs = ("evince", "okular", "zathura", "soffice")

    def test_evince_shows_the_document_of_the_command_line(self) -> None:
        self.open("evince", str(self.file("page.pdf", pdf_page(GREEN))))
        self.window("page.pdf")
        self.screen.wait_for_colour(GREEN, MANY)

    def test_okular_shows_the_document_of_the_command_line(self) -> None:
        self.open("okular", str(self.file("page.pdf", pdf_page(GREEN))))
        self.window("page.pdf")
        self.screen.wait_for_colour(GREEN, MANY)

    def test_zathura_shows_the_document_of_the_command_line(self) -> None:
        self.open("zathura", str(self.file("page.pdf", pdf_page(GREEN))))
        self.window("page.pdf")
        self.screen.wait_for_colour(GREEN, MANY)

    def test_libreoffice_converts_the_document_of_the_command_line(self) -> None:
        source, target = self.file("letter.txt", "Dear sandbox\n"), self.directory("out")
        grant = ["-s", f"files.read-write+={target}"]
        self.batch(*grant, "soffice", "--headless", "--convert-to", "pdf", "--outdir", str(target), str(source))
        self.assertTrue((target / "letter.pdf").read_bytes().startswith(b"%PDF-"))

    def test_libreoffice_shows_its_window(self) -> None:
        self.open("localc", "--norestore", str(self.file("table.csv", "a,b\n1,2\n")))
        self.window("table.csv|Text Import")


class Pictures(ProgramTest):
    programs = ("gimp", "inkscape", "eog", "ristretto")

    def test_gimp_exports_a_picture(self) -> None:
        target = self.directory("out")
        script = '(let* ((i (car (gimp-image-new 20 10 RGB))) (l (car (gimp-layer-new i 20 10 RGB-IMAGE "l" 100 0))))'
        script += f' (gimp-image-insert-layer i l 0 0) (file-png-save RUN-NONINTERACTIVE i l "{target}/p.png" "p" 0 9 0 0 0 0 0))'
        grant = ["-s", f"files.read-write+={target}"]
        self.batch(*grant, "gimp", "-i", "-d", "-f", "-b", script, "-b", "(gimp-quit 0)")
        self.assertEqual(png_size((target / "p.png").read_bytes()), (20, 10))

    def test_gimp_shows_the_picture_of_the_command_line(self) -> None:
        picture = self.file("picture.ppm", b"P6 600 400 255\n" + bytes(GREEN) * 600 * 400)
        self.open("gimp", "-s", "-n", str(picture))
        window = self.window(r"\[picture\]")
        self.screen.tool("xdotool", "windowmove", window, "0", "0", "windowsize", window, "1200", "700")
        self.screen.wait_for_colour(GREEN, MANY)

    def test_eog_shows_the_picture_of_the_command_line(self) -> None:
        self.open("eog", str(self.file("picture.ppm", b"P6 600 400 255\n" + bytes(GREEN) * 600 * 400)))
        self.window("picture.ppm")
        self.screen.wait_for_colour(GREEN, MANY)

    def test_ristretto_shows_the_picture_of_the_command_line(self) -> None:
        self.open("ristretto", str(self.file("picture.ppm", b"P6 600 400 255\n" + bytes(GREEN) * 600 * 400)))
        self.window("picture.ppm")
        self.screen.wait_for_colour(GREEN, MANY)

    def test_inkscape_exports_a_picture(self) -> None:
        target = self.directory("out")
        drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10"/></svg>'
        source = self.file("drawing.svg", drawing)
        grant = ["-s", f"files.read-write+={target}"]
        self.batch(*grant, "inkscape", "--export-type=png", f"--export-filename={target}/d.png", str(source))
        self.assertEqual(png_size((target / "d.png").read_bytes()), (20, 10))


class Players(ProgramTest):
    programs = ("mpv", "vlc", "audacious", "pulseaudio", "parec")

    def setUp(self) -> None:
        super().setUp()
        self.speaker = self.enterContext(sound(self.account))

    def test_mpv_plays_the_file_of_the_command_line(self) -> None:
        self.open("mpv", "--force-window=yes", "--keep-open=yes", str(self.tone()))
        self.window("tone.wav")
        self.speaker.wait_for_sound()

    def test_vlc_plays_the_file_of_the_command_line(self) -> None:
        self.open("vlc", "--no-qt-privacy-ask", "--play-and-pause", str(self.tone()))
        self.window("VLC")
        self.speaker.wait_for_sound()


    def test_audacious_plays_the_file_of_the_command_line(self) -> None:
        self.open("audacious", str(self.tone()))
        self.window("tone")
        self.speaker.wait_for_sound()


class Editors(ProgramTest):
    programs = ("mousepad", "geany", "keepassxc", "file-roller", "xdotool")

    def test_mousepad_changes_and_saves_the_file_of_the_command_line(self) -> None:
        self.changes_and_saves("mousepad")

    def test_geany_changes_and_saves_the_file_of_the_command_line(self) -> None:
        self.changes_and_saves("geany")

    def changes_and_saves(self, editor: str) -> None:
        path = self.file("notes.txt", "old\n")
        self.open(editor, str(path))
        window = self.window("notes.txt")
        self.type_text(window, "new ")
        self.press(window, "ctrl+s")
        wait_for(lambda: "new" in path.read_text() and "old" in path.read_text(), 20, f"saved: {path.read_text()!r}")

    def test_keepassxc_opens_the_database_of_the_command_line(self) -> None:
        path = self.work / "secrets.kdbx"
        made = self.account.run(["keepassxc-cli", "db-create", "-p", "-t", "100", str(path)], data=b"secret\nsecret\n")
        self.assertEqual(made.status, 0, made)
        self.open("keepassxc", str(path))
        window = self.window("KeePassXC")
        # The field for the password is ready a moment after the window; typing into nothing is repeated.
        wait_for(lambda: self.unlock(window), 30, "the database to open")

    def test_keepassxc_saves_a_database_in_a_directory_that_is_kept(self) -> None:
        path = self.work / "secrets.kdbx"
        self.account.run(["keepassxc-cli", "db-create", "-p", "-t", "100", str(path)], data=b"secret\nsecret\n")
        made = self.sbox("-s", f"home.keep+={self.work}", "keepassxc-cli", "mkdir", str(path), "group", data=b"secret\n")
        self.assertEqual(made.status, 0, made)
        self.assertIn("group", self.account.run(["keepassxc-cli", "ls", str(path)], data=b"secret\n").out)

    def test_file_roller_unpacks_the_archive_of_the_command_line(self) -> None:
        archive, target = self.work / "some.tar.gz", self.directory("out")
        self.account.run(["tar", "-C", str(self.file("in/letter.txt", "Dear sandbox\n").parent), "-czf", str(archive), "letter.txt"])
        self.open("-s", f"files.read-write+={target}", "file-roller", f"--extract-to={target}", str(archive))
        wait_for((target / "letter.txt").exists, 40, "the file of the archive")
        self.assertEqual((target / "letter.txt").read_text(), "Dear sandbox\n")

    def unlock(self, window: str) -> bool:
        self.press(window, "ctrl+a")
        self.type_text(window, "secret")
        self.press(window, "Return")
        with contextlib.suppress(TimeoutError):
            return bool(self.window(r"secrets\.kdbx - KeePassXC|Passwords - KeePassXC", 3))
        return False


class Transfers(ProgramTest):
    programs = ("transmission-gtk", "qbittorrent")

    def test_transmission_takes_up_the_torrent_of_the_command_line(self) -> None:
        settings = "mkdir -p ~/.config/transmission; cd ~/.config/transmission; "
        settings += 'echo "{ \\"user-has-given-informed-consent\\": true }" >settings.json'
        self.batch("-p", "transmission-gtk", "--", "sh", "-c", settings)
        self.open("transmission-gtk", str(self.file("some.torrent", torrent("some-name"))))
        window = self.window("Torrent Options")
        self.press(window, "Return")
        wait_for(lambda: list(self.private_home("transmission-gtk").glob(".config/transmission/torrents/*")), 20)


    def test_qbittorrent_takes_up_the_torrent_of_the_command_line(self) -> None:
        settings = "mkdir -p ~/.config/qBittorrent; printf '[LegalNotice]\\nAccepted=true\\n[AddNewTorrentDialog]\\nEnabled=false\\n' "
        settings += ">~/.config/qBittorrent/qBittorrent.conf"
        self.batch("-p", "qbittorrent", "--", "sh", "-c", settings)
        self.open("qbittorrent", str(self.file("some.torrent", torrent("some-name"))))
        kept = ".local/share/qBittorrent/BT_backup/*.torrent"
        wait_for(lambda: list(self.private_home("qbittorrent").glob(kept)), 40, "the torrent among those that it keeps")


class Chat(ProgramTest):
    """HexChat and a server on this machine."""

    programs = ("hexchat", "xdotool", "xdg-dbus-proxy")

    def setUp(self) -> None:
        super().setUp()
        settings = "mkdir -p ~/.config/hexchat; printf 'irc_logging = 1\\ngui_slist_skip = 1\\n' >~/.config/hexchat/hexchat.conf"
        self.batch("-p", "hexchat", "--", "sh", "-c", settings)
        self.server = self.enterContext(ChatServer("Dear sandbox"))
        self.open("hexchat", f"irc://127.0.0.1:{self.server.port}/one")
        self.chat = self.window("#one")

    def test_hexchat_receives_a_message_and_sends_one(self) -> None:
        logs = self.private_home("hexchat") / ".config/hexchat/logs"
        wait_for(lambda: any("Dear sandbox" in path.read_text() for path in logs.rglob("#one.log")), 20, "the message")
        self.type_text(self.chat, "Dear friend")
        self.press(self.chat, "Return")
        wait_for(lambda: "PRIVMSG #one :Dear friend" in self.server.heard, 20, f"the answer in {self.server.heard}")

    def test_a_link_opens_in_the_hexchat_that_runs(self) -> None:
        self.batch("hexchat", "--existing", f"irc://127.0.0.1:{self.server.port}/two")
        wait_for(lambda: "JOIN #two" in self.server.heard, 20, f"another channel in {self.server.heard}")
        self.assertEqual(len([line for line in self.server.heard if line.startswith("USER")]), 1)


class RemoteDesktops(ProgramTest):
    programs = ("remmina", "xdotool")

    def test_remmina_shows_the_screen_of_a_server_and_presses_keys_there(self) -> None:
        with RemoteScreen(GREEN) as server:
            self.open("remmina", "-c", f"vnc://127.0.0.1:{server.port}")
            window = self.window("127.0.0.1")
            self.screen.wait_for_colour(GREEN, MANY)
            # It takes keys a moment after it shows the picture.
            wait_for(lambda: self.press(window, "x") or ord("x") in server.keys, 20, "the key")


class Games(ProgramTest):
    CLOSED: Colour = (186, 189, 182)  # the fields of Mines where nobody was yet

    def test_mines_is_played_and_keeps_its_settings(self) -> None:
        if not pathlib.Path("/usr/games/gnome-mines").exists():
            self.skipTest("gnome-mines is not installed")
        self.open("/usr/games/gnome-mines", "--small")
        window = self.window("Mines")
        self.screen.tool("xdotool", "mousemove", "1", "1")
        self.screen.wait_for_colour(self.CLOSED, MANY)
        closed = wait_for(self.settled, 20, "fields at rest")
        self.screen.tool("xdotool", "mousemove", "--window", window, "150", "150", "click", "1", "mousemove", "1", "1")
        wait_for(lambda: self.screen.picture().count(self.CLOSED) < closed, 20, "a field that opens")
        wait_for(lambda: list(self.private_home("gnome-mines").glob(".config/glib-2.0/settings/keyfile")), 20, "its settings")

    def settled(self) -> int:
        first, second = (self.screen.picture().count(self.CLOSED) for _ in range(2))
        return first if first == second else 0


class Terminals(ProgramTest):
    programs = ("xterm",)

    def test_xterm_runs_a_command_that_is_seen_on_the_screen(self) -> None:
        target = self.directory("out")
        script = f"tty >{target}/tty; ls -A ~ >{target}/home; exec sleep 600"
        self.open("-s", f"files.read-write+={target}", "xterm", "-bg", "#12ab34", "-e", "sh", "-c", script)
        self.screen.wait_for_colour(GREEN, MANY)
        wait_for((target / "home").exists)
        self.assertTrue((target / "tty").read_text().startswith("/dev/pts/"))
        self.assertEqual((target / "home").read_text().split(), [self.work.name] if (target / "home").read_text() else [])

    def test_a_program_of_no_profile_shows_its_window_too(self) -> None:
        self.open("xeyes")
        self.window("xeyes")


class Wayland(SystemTest):
    """The same without an X server: only the compositor's socket is in the sandbox."""

    @classmethod
    def setUpClass(cls) -> None:
        for name in ("sway", "foot", "mousepad", "firefox-esr", "chromium", "evince"):
            if not shutil.which(name, path="/usr/bin"):
                raise unittest.SkipTest(f"{name} is not installed")
        super().setUpClass()
        cls.env = cls.enterClassContext(wayland(cls.account))

    def tree(self) -> str:
        return self.account.run(["swaymsg", "-t", "get_tree"], self.env).out

    def shows(self, pattern: str, *arguments: str) -> None:
        with open(self.artefact(f"{self.id().split('.', 1)[1]}.log"), "wb") as log:
            child = self.start(*arguments, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(self.account.end, child)
        wait_for(lambda: child.poll() is not None or re.search(pattern, self.tree()), 40, pattern)
        self.assertIsNone(child.poll(), "the program ended")

    def test_a_terminal_shows_its_window(self) -> None:
        self.shows('"app_id": "foot"', "foot")

    def test_an_editor_shows_the_file_of_the_command_line(self) -> None:
        self.shows("notes.txt", "mousepad", str(self.file("notes.txt", "text\n")))

    def test_firefox_shows_its_window(self) -> None:
        self.shows("Mozilla Firefox", "firefox", "about:blank")

    def test_chromium_shows_its_window(self) -> None:
        self.shows("Chromium", "chromium", "--no-first-run", "--password-store=basic", "about:blank")

    def test_a_viewer_shows_its_window(self) -> None:
        self.shows('"app_id": "evince"', "evince")

    def test_where_wayland_serves_there_is_no_x11(self) -> None:
        with display(self.account, manager=False) as screen:
            env = {**self.env, **screen.env}
            out = self.inside('echo "[$DISPLAY][$XAUTHORITY]"; ls -A /tmp; ls -A "$XDG_RUNTIME_DIR"', env=env)
        self.assertEqual(out.split(), ["[][]", "wayland-0"])


class Weston(SystemTest):
    """Every shipped program that has windows, in a session of Weston with Xwayland beside it."""

    # The program with its arguments, and what Weston knows of its window.
    PROGRAMS = {
        "firefox": (("about:blank",), "Mozilla Firefox"),
        "chromium": (("--no-first-run", "--password-store=basic", "about:blank"), "Chromium"),
        "thunderbird": ((), "Thunderbird"),
        "evince": ((), "of evince"),
        "mpv": (("--force-window", "--idle"), "of mpv"),
        "vlc": (("--no-qt-privacy-ask",), "VLC"),
        "libreoffice": (("--calc",), "LibreOffice Calc"),
        "gimp": ((), "GNU Image Manipulation Program"),
        "inkscape": ((), "nkscape"),
        "mousepad": ((), "of mousepad"),
        "keepassxc": ((), "KeePassXC"),
        "transmission-gtk": ((), "Transmission"),
        "xterm": ((), "xterm"),
        "eog": ((), "of eog"),
        "okular": ((), "kular"),
        "audacious": ((), "udacious"),
        "qbittorrent": ((), "qBittorrent|Legal"),
        "file-roller": ((), "of .*oller"),
        "zathura": ((), "athura"),
        "ristretto": ((), "of ristretto"),
        "geany": ((), "of geany"),
        "hexchat": ((), "HexChat"),
        "remmina": ((), "of org.remmina.Remmina"),
        "gnome-mines": ((), "of gnome-mines"),
    }

    @classmethod
    def setUpClass(cls) -> None:
        for name in ("weston", "Xwayland"):
            if not shutil.which(name, path="/usr/bin"):
                raise unittest.SkipTest(f"{name} is not installed")
        super().setUpClass()
        bus = cls.enterClassContext(session_bus(cls.account))
        cls.env = {**cls.enterClassContext(weston(cls.account)), **bus, "PATH": f"{PATH}:/usr/games"}

    def scene(self) -> str:
        """The windows, by the stream that Weston offers to those who debug it; it goes on until its reader ends."""
        result = self.account.run(["timeout", "--signal=KILL", "0.3", "weston-debug", "scene-graph"], self.env)
        return "\n".join(line for line in result.out.splitlines() if "top-level window" in line)

    def test_a_window_of_each(self) -> None:
        shipped = {path.stem for path in (SBOX.parents[1] / "share/sbox/profiles").glob("*.profile")}
        self.assertEqual(shipped - {"default", "viewer", "agent", "keepassxc-cli"}, set(self.PROGRAMS))
        for name, (arguments, title) in self.PROGRAMS.items():
            with self.subTest(name):
                log = self.artefact(f"weston-{name}.log")
                with open(log, "wb") as output:
                    child = self.start(name, *arguments, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
                try:
                    wait_for(lambda: child.poll() is not None or re.search(title, self.scene()), 40, f"{title} in {self.scene()}")
                    self.assertIsNone(child.poll(), log.read_text(errors="replace")[-2000:])
                    self.picture(name)
                finally:
                    self.account.end(child)

    def picture(self, name: str) -> None:
        shots = self.directory(f"shots-{name}")
        self.assertEqual(self.account.run(["weston-screenshooter"], self.env, cwd=shots).status, 0)
        shutil.copy(next(shots.iterdir()), self.artefact(f"weston-{name}.png"))


class EveryProfile(ProgramTest):
    def test_no_profile_shows_the_home_or_another_user_s(self) -> None:
        secret, project = pathlib.Path("/root/canary"), self.directory("project")
        for path in sorted((SBOX.parents[1] / "share/sbox/profiles").glob("*.profile")):
            with self.subTest(profile=path.stem):
                script = f"cat {self.canary} {secret} /etc/shadow 2>/dev/null; ls -A ~; ls -A /home; echo end"
                out = self.batch("-p", path.stem, "--", "sh", "-c", script, cwd=str(project))
                self.assertNotIn("secret", out)
                if path.stem != "agent":
                    self.assertNotIn(self.work.name, out)
                self.assertTrue(out.endswith("end\n"), out)

    def test_the_filtered_session_bus_answers_and_hides(self) -> None:
        script = "gdbus call -e -d org.freedesktop.DBus -o / -m org.freedesktop.DBus.ListNames"
        out = self.batch("-p", "firefox", "--", "sh", "-c", script)
        self.assertIn("org.freedesktop.DBus", out)
        denied = "gdbus call -e -d org.freedesktop.systemd1 -o / -m org.freedesktop.DBus.Peer.Ping"
        self.assertNotEqual(self.sbox("-p", "firefox", "--", "sh", "-c", denied, env=self.env).status, 0)

    def test_settings_of_a_program_are_kept_in_its_own_home_without_a_bus(self) -> None:
        command = ("-p", "evince", "--", "gsettings")
        self.batch(*command, "set", "org.gnome.desktop.interface", "cursor-size", "57")
        self.assertEqual(self.batch(*command, "get", "org.gnome.desktop.interface", "cursor-size"), "57\n")

    def test_without_x11_in_the_profile_the_display_is_out_of_reach(self) -> None:
        for network in ("none", "host"):
            with self.subTest(network=network):
                options = ["-s", "display.x11=no", "-s", f"network.mode={network}", "--"]
                result = self.sbox(*options, "xwininfo", "-root", "-display", self.env["DISPLAY"], env=self.env)
                self.assertNotEqual(result.status, 0)
        result = self.sbox("--", "xwininfo", "-root", env=self.env)
        self.assertEqual(result.status, 0, result)


def pdf_page(colour: Colour) -> bytes:
    """A PDF of one page that is all one colour."""
    fill = " ".join(f"{part / 255:.6f}" for part in colour) + " rg 0 0 600 800 re f"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>",
        f"<< /Length {len(fill)} >>\nstream\n{fill}\nendstream",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(f"{at:010} 00000 n \n" for at in offsets)
    end = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + (table + end).encode()


def png_size(data: bytes) -> tuple[int, int]:
    assert data.startswith(b"\x89PNG"), data[:20]
    return struct.unpack(">II", data[16:24])


def torrent(name: str) -> bytes:
    """The metainfo of one small file, bencoded."""
    content = b"x" * 1000
    return bencode({"announce": "http://127.0.0.1:9/announce", "info": {
        "length": len(content), "name": name, "piece length": 16384, "pieces": hashlib.sha1(content).digest(),
    }})  # fmt: skip


def bencode(value: object) -> bytes:
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"
    data = value.encode() if isinstance(value, str) else bytes(value)  # type: ignore[arg-type]
    return b"%d:%s" % (len(data), data)
