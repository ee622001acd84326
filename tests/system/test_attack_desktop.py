"""Attack suite, the desktop: the screen, its keys and its clipboard, devices, sound, and what listens in a session."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import secrets
import socket
import stat
from collections.abc import Iterator

from account import SBOX, Account
from attack import BY_ROOT, DEFAULT, SHARED_NETWORK, AttackTest, Circumstance
from attack_stage import staged, unix_listener
from desktop import add_cookie, display, sound
from harness import probe
from test_attack_network import CLIENTS

# Speaks the X protocol itself: what a program can do at each of the addresses, with the cookie in its hand.
SPY = """
import json, socket, struct, sys
number, cookie = sys.argv[1], bytes.fromhex(sys.argv[2])
def connect(where):
    family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    server = socket.socket(family)
    server.settimeout(5)
    server.connect(where)
    name = b"MIT-MAGIC-COOKIE-1"
    server.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie)) + name + b"\\0\\0" + cookie)
    head = server.recv(8, socket.MSG_WAITALL)
    if head[0] != 1: raise OSError("refused")
    rest = server.recv(struct.unpack_from("<H", head, 6)[0] * 4, socket.MSG_WAITALL)
    vendor = struct.unpack_from("<H", rest, 16)[0]
    root = struct.unpack_from("<I", rest, 32 + vendor + -vendor % 4 + rest[21] * 8)[0]
    return server, root
def answers(server, request):
    server.sendall(request)
    return server.recv(32, socket.MSG_WAITALL)[:1] == b"\\1"
found = []
path, port = "/tmp/.X11-unix/X" + number, 6000 + int(number)
for where in [path, "\\0" + path, ("127.0.0.1", port), ("::1", port)]:
    try:
        server, root = connect(where)
        found.append(["connect", str(where)])
        requests = {
            "keys": struct.pack("<BxH", 44, 1),
            "selection": struct.pack("<BxHI", 23, 2, 1),
            "property": struct.pack("<BxHIIIII", 20, 6, root, 23, 0, 0, 100),
            "windows": struct.pack("<BxHI", 15, 2, root),
            "inject": struct.pack("<BxHHxx", 98, 4, 5) + b"XTEST\\0\\0\\0",
        }
        for word in requests:
            server.close()
            server, root = connect(where)
            if answers(server, requests[word]): found.append([word, str(where)])
        server.close()
        server, root = connect(where)
        if answers(server, struct.pack("<BBHIhhHHI", 73, 2, 5, root, 0, 0, 1, 1, 0xffffffff)): found.append(["screen", str(where)])
    except OSError: pass
print(json.dumps(found))
"""
FIND_BYTES = """
import os, sys
wanted = bytes.fromhex(sys.argv[1])
paths = ["/proc/self/environ"]
for top in ("/run", "/tmp", "/etc", "/dev/shm", os.environ["HOME"]):
    paths += [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
for path in paths:
    try:
        with open(path, "rb") as file:
            if wanted in file.read(100_000): print(path)
    except OSError: pass
"""
ABILITIES = ("connect", "keys", "selection", "property", "windows", "inject", "screen")
NO_DISPLAY = ("-s", "display.x11=no", "-s", "display.wayland=no")
# What a machine may have, as harmless nodes.
DEVICES = (
    "snd/pcmC0D0p", "snd/pcmC0D0c", "snd/controlC0", "snd/seq", "dsp", "mixer", "input/event0", "input/mice", "uinput",
    "hidraw0", "video0", "media0", "usb/hiddev0", "bus/usb/001/001", "dri/card0", "dri/renderD128", "nvidia0", "nvidiactl",
    "kvm", "vhost-net", "vsock", "tpm0", "mem", "port", "kmsg", "sda", "nvme0", "loop-control", "fuse", "net/tun", "ttyS0",
    "ttyUSB0", "rtc0", "watchdog", "userfaultfd", "mapper/control", "dma_heap/system", "udmabuf", "fb0", "vga_arbiter",
)  # fmt: skip
GRAPHICS = {"dri/renderD128", "nvidia0", "nvidiactl"}
WITH_GPU = {"chromium", "firefox", "thunderbird", "mpv", "vlc"}
WITH_SOUND = WITH_GPU | {"audacious"}
RUNTIME_SOCKETS = (
    "pipewire-0", "pipewire-0-manager", "pulse/native", "wayland-0", "wayland-1", "dconf/user", "gnupg/S.gpg-agent",
    "gnupg/S.gpg-agent.ssh", "keyring/control", "keyring/ssh", "ssh-agent.socket", "gcr/ssh", "p11-kit/pkcs11",
    "at-spi/bus", "gvfsd/socket-x", "doc/x", "systemd/private", "systemd/notify", "bus", "kdeinit5__0", "ibus/bus",
    "speech-dispatcher/speechd.sock", "snapd-session-agent.socket", "podman/podman.sock", "docker.sock", "sway-ipc.sock",
    "app/mpv.sock",
)  # fmt: skip
REMOTE_CONTROLS = (".X11-unix/X{n}", "mpvsocket-{n}", "OSL_PIPE_{n}", "tmux-{n}", "adb.{n}", "emacs{n}", ".ICE-unix/{n}")


def name_of(circumstance: Circumstance) -> str:
    return circumstance.name.removeprefix("profile ")


@contextlib.contextmanager
def open_display(account: Account) -> Iterator[tuple[str, str, pathlib.Path]]:
    """An X server that listens wherever it can: its number, its cookie, the file of that."""
    cookie, authority = secrets.token_hex(16), account.base / "open-authority"
    account.file(authority, mode=0o600)
    add_cookie(account, authority, ":0", cookie)
    read_end, write_end = os.pipe()
    argv = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "320x200x24", "-auth", str(authority), "-noreset"]
    server = account.daemon([*argv, "-listen", "tcp", "-listen", "local"], pass_fds=(write_end,))
    os.close(write_end)
    try:
        with os.fdopen(read_end) as pipe:
            number = pipe.readline().strip()
        add_cookie(account, authority, f":{number}", cookie)
        yield number, cookie, authority
    finally:
        account.stop(server)


class Screen(AttackTest):
    def spy(self, number: str, cookie: str) -> list[str]:
        return ["/usr/bin/python3", "-I", "-S", "-c", SPY, number, cookie]

    def test_without_a_display_in_the_profile_no_screen_key_or_clipboard_is_in_reach(self) -> None:
        with open_display(self.account) as (number, cookie, authority):
            found = json.loads(self.outside(*self.spy(number, cookie)).out)
            places = {where for word, where in found}
            self.assertGreaterEqual(len(places), 3, "the control")
            for where in places:
                self.assertEqual([word for word, place in found if place == where], list(ABILITIES), "the control")
            env = {"DISPLAY": f":{number}", "XAUTHORITY": str(authority)}
            for circumstance in self.circumstances():
                with self.subTest(circumstance.name):
                    both = circumstance.settings.get("env", {}) | env
                    # The program even knows the cookie.
                    out = self.attack(circumstance, *self.spy(number, cookie), options=NO_DISPLAY, env=both).out
                    local = [entry for entry in json.loads(out) if not entry[1].startswith("(")]
                    self.assertEqual(local, [])
                    has_network = circumstance is SHARED_NETWORK or name_of(circumstance) in CLIENTS
                    self.assertEqual(bool(json.loads(out)), has_network)

    def test_the_cookie_of_the_host_is_nowhere_but_in_the_sandbox_s_own_file(self) -> None:
        with open_display(self.account) as (number, cookie, authority):
            env = {"DISPLAY": f":{number}", "XAUTHORITY": str(authority)}
            pattern = bytes.fromhex(cookie)
            self.assertIn(pattern, authority.read_bytes(), "the control")
            command = ["/usr/bin/python3", "-I", "-S", "-c", FIND_BYTES, cookie]
            for options, expected in ((NO_DISPLAY, ""), (("-s", "display.x11=yes"), f"/run/user/{self.account.uid}/Xauthority\n")):
                with self.subTest(options=options):
                    self.assertEqual(self.attack(DEFAULT, *command, options=options, env=env).out, expected)

    def test_a_connection_of_the_caller_to_its_compositor_is_not_inherited(self) -> None:
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        number = theirs.fileno()
        code = f"import os\nprint(os.environ.get('WAYLAND_SOCKET'))\ntry: os.write({number}, b'x'); print('written')\n"
        code += "except OSError as error: print(error.errno)\n"
        settings = {"env": {"WAYLAND_SOCKET": str(number)}, "pass_fds": (number,)}
        argv = ["/usr/bin/python3", "-I", "-S", "-c", code]
        self.assertEqual(self.outside(*argv, **settings).out, f"{number}\nwritten\n", "the control")
        for options in ((), ("-s", "display.wayland=yes"), ("-s", "environment.keep+=WAYLAND_*")):
            with self.subTest(options=options):
                self.assertEqual(self.attack(DEFAULT, *argv, options=options, **settings).out, "None\n9\n")


class Hardware(AttackTest):
    def test_no_device_of_the_machine_is_there_but_what_the_profile_names(self) -> None:
        self.root_only()
        machine = self.account.base / "dev"
        for name, minor in [*((name, 5) for name in DEVICES), ("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)]:
            (machine / name).parent.mkdir(parents=True, exist_ok=True)
            os.mknod(machine / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
            (machine / name).chmod(0o666)
        os.mknod(machine / "tty", stat.S_IFCHR | 0o666, os.makedev(5, 0))
        (machine / "ptmx").symlink_to("pts/ptmx")
        setup = f"mount --rbind {machine} /dev; mkdir -p /dev/pts /dev/shm; "
        setup += "mount -t devpts -o newinstance,ptmxmode=666 none /dev/pts; mount -t tmpfs -o mode=1777 none /dev/shm"
        names = " ".join(DEVICES)
        script = f"for d in {names}; do head -c 1 /dev/$d >/dev/null 2>&1 && echo $d; done; true"
        opened = staged(self.account, setup, "/bin/sh", "-c", script)
        self.assertEqual(sorted(opened.out.split()), sorted(DEVICES), f"the control: {opened}")
        for circumstance in self.circumstances():
            if circumstance is BY_ROOT or circumstance.name == "tight limits":
                continue  # staged runs are the user's
            with self.subTest(circumstance.name):
                command = [str(SBOX), *circumstance.options, "--", "/bin/sh", "-c", script]
                result = staged(self.account, setup, *command, **({"cwd": str(self.work)} | circumstance.settings))
                self.assertEqual(result.status, 0, result)
                expected = GRAPHICS if name_of(circumstance) in WITH_GPU else set()
                self.assertEqual(set(result.out.split()), expected)


class Session(AttackTest):
    def test_of_what_listens_in_the_session_only_the_granted_is_there(self) -> None:
        client, number = probe("attack_d_network"), os.getpid()
        listeners = {}
        for name in RUNTIME_SOCKETS:
            path = self.account.runtime / name
            if not path.parent.exists():
                self.account.directory(path.parent, 0o700)
            listeners[str(path)] = unix_listener(self.account, path)
            self.addCleanup(path.unlink)
        for name in REMOTE_CONTROLS:
            path = pathlib.Path("/tmp") / name.format(n=number)
            path.parent.mkdir(mode=0o1777, exist_ok=True)
            listeners[str(path)] = unix_listener(self.account, path)
            self.addCleanup(path.unlink)
        for listener in listeners.values():
            self.addCleanup(listener.server.close)
        inside = [f"/run/user/{self.account.uid}/{name}" for name in RUNTIME_SOCKETS]
        targets = [f"unix:{path}" for path in [*listeners, *inside]]
        self.outside(client, "connect", *targets)
        self.assertEqual([path for path, each in listeners.items() if not each.visitors()], [], "the control")
        off = (*NO_DISPLAY, "-s", "dbus.session=no", "-s", "desktop.notifications=no")
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                self.attack(circumstance, client, "connect", *targets, options=off)
                visited = {path for path, each in listeners.items() if each.visitors()}
                # The relay of sound asks the server when it comes to it, which may be after the end (test_words hears it).
                relayed = {str(self.account.runtime / "pulse/native")} if name_of(circumstance) in WITH_SOUND else set()
                self.assertEqual(visited - relayed, set())

    def test_the_sound_server_takes_no_orders_from_who_was_not_given_sound(self) -> None:
        module = ["pactl", "load-module", "module-null-sink", "sink_name=sbox_attack"]
        with sound(self.account):
            server = {"PULSE_SERVER": f"unix:{self.account.runtime}/pulse/native"}
            control = self.outside(*module, env=server)
            self.assertEqual(control.status, 0, control)
            before = self.outside("pactl", "list", "short", "sinks", env=server).out
            given = ["-s", "audio.playback=yes"]
            for setting in ([], given, ["-s", f"environment.set+=PULSE_SERVER={server['PULSE_SERVER']}"]):
                result = self.sbox(*setting, "--", *module, env=server)
                self.assertNotIn(result.status, (0, 125), result)
            self.assertEqual(self.outside("pactl", "list", "short", "sinks", env=server).out, before)
            outside = self.outside("pactl", "info", env=server).out
            inside = self.sbox(*given, "--", "pactl", "info", env=server).out
            names = re.compile(r"^(User|Host) Name: *(.*)$", re.M)
            self.assertEqual(names.findall(outside), [("User", self.account.name), ("Host", socket.gethostname())])
            self.assertEqual(names.findall(inside), [("User", ""), ("Host", "")], "what it runs on is not told")
            self.assertEqual(inside.split()[-1:], outside.split()[-1:], "and all else is")
            recording = self.sbox("-s", "audio.record=yes", "--", *module, env=server)
            self.assertEqual(recording.status, 0, recording)  # then all of the server is there, as explain says
        self.assertIn("not record", self.sbox("explain", "mpv").out)

    def test_the_settings_of_the_desktop_are_not_the_program_s(self) -> None:
        host = self.account.file(self.account.home / ".config/dconf/user", "the host's")
        self.account.file(self.account.runtime / "dconf/user", "the host's")
        script = 'cat ~/.config/dconf/user "$XDG_RUNTIME_DIR/dconf/user"; mkdir -p ~/.config/dconf && echo x >~/.config/dconf/user'
        for circumstance in [each for each in self.circumstances() if each is not BY_ROOT]:
            with self.subTest(circumstance.name):
                out = self.attack(circumstance, "/bin/sh", "-c", f"({script}) 2>/dev/null; true").out
                self.assertEqual((out, host.read_text()), ("", "the host's"))
