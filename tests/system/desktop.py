"""A desktop to test against: display, session bus, sound, web server. Every fixture is a context manager."""

from __future__ import annotations

import array
import contextlib
import http.server
import os
import pathlib
import re
import secrets
import socketserver
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple, Self

from account import Account
from harness import wait_for, wait_for_server

Colour = tuple[int, int, int]


class Picture(NamedTuple):
    """A screenshot: pixels of four bytes, blue first."""

    pixels: bytes

    def count(self, colour: Colour) -> int:
        """Pixels of exactly this colour."""
        red, green, blue = colour
        wanted = int.from_bytes(bytes((blue, green, red, 0)), "little")
        words = array.array("I", self.pixels)
        return sum(1 for word in words if word & 0xFFFFFF == wanted)

    def colours(self) -> int:
        return len({word & 0xFFFFFF for word in array.array("I", self.pixels)})


class Display:
    """An X server of the account, with a cookie and without an abstract socket, and a window manager."""

    def __init__(self, account: Account, number: str, authority: pathlib.Path) -> None:
        self.account, self.number = account, number
        self.env = {"DISPLAY": f":{number}", "XAUTHORITY": str(authority)}

    def tool(self, *argv: str, timeout: float = 20) -> bytes:
        """What one of the X tools says; it must succeed."""
        result = self.account.run(list(argv), self.env, timeout=timeout)
        if result.status != 0:
            raise RuntimeError(f"{argv}: {result}")
        return result.raw

    def windows(self) -> list[tuple[str, str]]:
        """Id and title (with class) of every named window; none when one went away while they were listed."""
        tree = self.account.run(["xwininfo", "-root", "-tree"], self.env)
        return re.findall(r'^\s+(0x[0-9a-f]+) (".*)$', tree.out, re.MULTILINE) if tree.status == 0 else []

    def window(self, pattern: str) -> str:
        """The id of a window on the screen whose title or class matches, or ""."""
        for number, title in self.windows():
            if re.search(pattern, title) and self.viewable(number):
                return number
        return ""

    def viewable(self, number: str) -> bool:
        result = self.account.run(["xwininfo", "-id", number], self.env)
        return "Map State: IsViewable" in result.out

    def wait_for_window(self, pattern: str, timeout: float = 40) -> str:
        try:
            return wait_for(lambda: self.window(pattern), timeout)
        except TimeoutError:
            raise TimeoutError(f"no window {pattern!r} within {timeout} s among {self.windows()}") from None

    def picture(self) -> Picture:
        return Picture(self.tool("import", "-silent", "-window", "root", "-depth", "8", "bgra:-"))

    def wait_for_colour(self, colour: Colour, pixels: int, timeout: float = 40) -> int:
        """Waits until `pixels` of the screen have this colour."""
        return wait_for(lambda: self.enough(colour, pixels), timeout, f"{pixels} pixels of {colour}")

    def enough(self, colour: Colour, pixels: int) -> int:
        found = self.picture().count(colour)
        return found if found >= pixels else 0

    def save(self, path: pathlib.Path) -> None:
        """The screen as a PNG, for people."""
        path.write_bytes(self.tool("import", "-silent", "-window", "root", "png:-"))


@contextlib.contextmanager
def display(account: Account, size: str = "1280x800", manager: bool = True) -> Iterator[Display]:
    cookie, authority = secrets.token_hex(16), account.base / "Xauthority"
    account.file(authority, mode=0o600)
    read_end, write_end = os.pipe()
    # The server takes every cookie of the file, so the entry for its real number can follow.
    add_cookie(account, authority, ":0", cookie)
    argv = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{size}x24", "-auth", str(authority)]
    argv += ["-nolisten", "tcp", "-nolisten", "local", "-noreset"]
    with contextlib.ExitStack() as stack:
        server = account.daemon(argv, pass_fds=(write_end,))
        stack.callback(account.stop, server)
        os.close(write_end)
        with os.fdopen(read_end) as number_pipe:
            number = number_pipe.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start: " + (account.base / "daemons.log").read_text())
        add_cookie(account, authority, f":{number}", cookie)
        made = Display(account, number, authority)
        if manager:
            stack.callback(account.end, account.daemon(["openbox"], made.env))
            wait_for(lambda: b"window id" in made.tool("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"))
        yield made


def add_cookie(account: Account, authority: pathlib.Path, name: str, cookie: str) -> None:
    result = account.run(["xauth", "-q", "-f", str(authority), "add", name, ".", cookie])
    if result.status != 0:
        raise RuntimeError(f"xauth: {result}")


@contextlib.contextmanager
def session_bus(account: Account, env: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    """A session bus at its usual place, started with `env`; yields the variables that point to it."""
    socket = account.runtime / "bus"
    argv = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={socket}"]
    daemon = account.daemon(argv, env)
    try:
        wait_for_server(account, daemon, socket)
        yield {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={socket}"}
    finally:
        account.stop(daemon)
        socket.unlink(missing_ok=True)


@contextlib.contextmanager
def monitored(account: Account) -> Iterator[tuple[dict[str, str], pathlib.Path]]:
    """A desktop that shows notifications, and a file that takes what is asked of it over the bus."""
    heard = account.file(account.base / "heard")
    listener = ["dbus-monitor", "--session", "interface='org.freedesktop.Notifications'"]
    with contextlib.ExitStack() as stack, open(heard, "wb") as output:
        screen = stack.enter_context(display(account, manager=False))
        bus = stack.enter_context(session_bus(account))
        stack.callback(account.end, account.daemon(["dunst"], bus | screen.env))
        stack.callback(account.end, account.daemon(listener, bus, stdout=output))
        wait_for(lambda: "NameLost" in heard.read_text(), what="monitor")
        has_owner = ["gdbus", "call", "--session", "-d", "org.freedesktop.DBus", "-o", "/", "-m"]
        has_owner += ["org.freedesktop.DBus.NameHasOwner", "org.freedesktop.Notifications"]
        wait_for(lambda: "true" in account.run(has_owner, bus).out, what="dunst")
        yield bus, heard


SWAY = """output HEADLESS-1 resolution 1024x700
xwayland disable
"""


@contextlib.contextmanager
def wayland(account: Account, more: str = "", session: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    """A Wayland compositor without a screen; yields the variables that point to it. `more` goes into its configuration."""
    control, config = account.runtime / "sway.sock", account.file(account.base / "sway", f"{SWAY}{more}\n")
    env = (session or {}) | {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1", "SWAYSOCK": str(control)}
    compositor = account.daemon(["sway", "-c", str(config)], env)
    try:
        wait_for_server(account, compositor, control)
        socket = wait_for(lambda: [path for path in account.runtime.glob("wayland-*") if path.is_socket()], what="wayland")[0]
        yield {"WAYLAND_DISPLAY": socket.name, "SWAYSOCK": str(control)}
    finally:
        account.stop(compositor)


@contextlib.contextmanager
def weston(account: Account) -> Iterator[dict[str, str]]:
    """Weston without a screen, with Xwayland beside it; yields the variables of its session."""
    socket, log = account.runtime / "wl-weston", account.file(account.base / "weston.log")
    argv = ["weston", "--backend=headless-backend.so", "--use-pixman", "--width=1024", "--height=700", "--no-config", "--debug"]
    argv += ["--idle-time=0", "--xwayland", f"--socket={socket.name}", f"--log={log}"]
    compositor = account.daemon(argv)
    try:
        wait_for_server(account, compositor, socket)
        found = wait_for(lambda: re.search(r"xserver listening on display (:\d+)", log.read_text()), what="Weston")
        yield {"WAYLAND_DISPLAY": socket.name, "DISPLAY": found[1], "XDG_SESSION_TYPE": "wayland"}
    finally:
        account.stop(compositor)


class Sound:
    """A recorder on the only sink of a PulseAudio server."""

    def __init__(self, record: pathlib.Path) -> None:
        self.record = record

    def peak(self) -> int:
        """The loudest sample (of 32767) so far."""
        data = self.record.read_bytes()
        samples = array.array("h", data[: len(data) // 2 * 2])
        return max(map(abs, samples), default=0)

    def wait_for_sound(self, threshold: int = 3000, timeout: float = 30) -> int:
        return wait_for(lambda: self.peak() if self.peak() > threshold else 0, timeout, f"a peak over {threshold}")


@contextlib.contextmanager
def sound(account: Account) -> Iterator[Sound]:
    """A real PulseAudio server at its usual place, with a null sink and a recorder on it."""
    socket = account.directory(account.runtime / "pulse", 0o700) / "native"
    argv = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=1"]
    argv += ["-L", "module-null-sink sink_name=null", "-L", f"module-native-protocol-unix socket={socket}"]
    record = account.file(account.base / "recorded.raw")
    with contextlib.ExitStack() as stack:
        server = account.daemon(argv)
        stack.callback(account.stop, server)
        wait_for_server(account, server, socket)
        env = {"PULSE_SERVER": f"unix:{socket}"}
        recorder = ["parec", "--device=null.monitor", "--raw", "--format=s16le", "--latency-msec=50"]
        with open(record, "wb") as output:
            stack.callback(account.end, account.daemon(recorder, env, stdout=output, stderr=account.log()))
        wait_for(lambda: record.stat().st_size, what="silence recorded")
        yield Sound(record)
        stack.callback(socket.unlink, missing_ok=True)


class Pages(http.server.ThreadingHTTPServer):
    """Serves one page from memory at every path, and remembers what was asked for."""

    def __init__(self, page: str) -> None:
        super().__init__(("127.0.0.1", 0), PageHandler)
        self.page, self.asked = page.encode(), list[str]()
        self.url = f"http://127.0.0.1:{self.server_port}/"


class PageHandler(http.server.BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        self.wfile.write(self.server.page)

    def log_message(self, *_: object) -> None:
        pass


class Server(socketserver.ThreadingTCPServer):
    """Serves on a port of this machine while it is entered."""

    daemon_threads = True

    def __init__(self, handler: type[socketserver.StreamRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.port = self.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class ChatServer(Server):
    """Speaks as much IRC as a client needs, and remembers what clients said. Who joins a channel is greeted there."""

    def __init__(self, greeting: str) -> None:
        super().__init__(ChatHandler)
        self.greeting, self.heard = greeting, list[str]()


class ChatHandler(socketserver.StreamRequestHandler):
    server: ChatServer

    def handle(self) -> None:
        nick = "nobody"
        for line in self.rfile:
            word, _, rest = line.decode(errors="replace").strip().partition(" ")
            self.server.heard.append(f"{word} {rest}")
            if word == "NICK":
                nick = rest
            elif word == "USER":
                self.say(f":here 001 {nick} :Welcome", f":here 376 {nick} :End")
            elif word == "PING":
                self.say(f":here PONG here {rest}")
            elif word == "JOIN":
                self.say(f":{nick}!user@here JOIN {rest}", f":here 366 {nick} {rest} :End")
                self.say(f":friend!user@here PRIVMSG {rest} :{self.server.greeting}")

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())


class RemoteScreen(Server):
    """A screen of one colour that others see by VNC (RFC 6143); remembers the keys that are pressed there."""

    def __init__(self, colour: Colour) -> None:
        super().__init__(RemoteScreenHandler)
        self.colour, self.keys = colour, list[int]()


class RemoteScreenHandler(socketserver.StreamRequestHandler):
    server: RemoteScreen
    SIZE = (400, 300)
    # Red, green and blue with eight bits each, of which red are the highest.
    FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
    # The length of each message after its first byte, where it is always the same.
    LENGTH = {0: 19, 3: 9, 4: 7, 5: 5}

    def handle(self) -> None:
        self.wfile.write(b"RFB 003.008\n")
        self.rfile.read(12)
        self.wfile.write(b"\1\1")  # one way to log in: none
        self.rfile.read(1)
        self.wfile.write(struct.pack(">I", 0))
        self.rfile.read(1)
        self.wfile.write(struct.pack(">HH", *self.SIZE) + self.FORMAT + struct.pack(">I", 4) + b"sbox")
        while word := self.rfile.read(1):
            self.answer(word[0])

    def answer(self, word: int) -> None:
        if word == 2:
            (count,) = struct.unpack(">xH", self.rfile.read(3))
            self.rfile.read(4 * count)
            return
        body = self.rfile.read(self.LENGTH[word])
        if word == 0:
            assert body[3:16] == self.FORMAT[:13], body
        elif word == 3 and body[0] == 0:
            red, green, blue = self.server.colour
            head = struct.pack(">BxHHHHHi", 0, 1, 0, 0, *self.SIZE, 0)
            self.wfile.write(head + bytes((blue, green, red, 0)) * (self.SIZE[0] * self.SIZE[1]))
        elif word == 4:
            self.server.keys.append(struct.unpack(">BxxI", body)[1])


@contextlib.contextmanager
def web_server(page: str) -> Iterator[Pages]:
    server = Pages(page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
