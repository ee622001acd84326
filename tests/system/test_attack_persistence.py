"""Attack suite, persistence: what a hostile program can read of the home, and what of it outlives the sandbox."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import stat

from attack import BY_ROOT, DEFAULT, AttackTest, Circumstance

SECRETS = (
    ".ssh/id_ed25519", ".ssh/config", ".ssh/known_hosts", ".gnupg/private-keys-v1.d/key", ".netrc", ".pgpass",
    ".my.cnf", ".git-credentials", ".config/git/credentials", ".aws/credentials", ".aws/config", ".azure/tokens.json",
    ".config/gcloud/credentials.db", ".kube/config", ".docker/config.json", ".config/containers/auth.json",
    ".config/gh/hosts.yml", ".config/hub", ".npmrc", ".pypirc", ".cargo/credentials.toml", ".gem/credentials",
    ".m2/settings.xml", ".config/rclone/rclone.conf", ".local/share/keyrings/login.keyring", ".local/share/kwalletd/k.kwl",
    ".password-store/x.gpg", ".config/keepassxc/keepassxc.ini", ".bash_history", ".zsh_history", ".python_history",
    ".psql_history", ".lesshst", ".viminfo", ".mozilla/firefox/x.default/logins.json", ".thunderbird/x.default/key4.db",
    ".config/chromium/Default/Cookies", ".config/google-chrome/Default/Login Data", ".config/Signal/config.json",
    ".local/share/TelegramDesktop/tdata/key", ".electrum/wallets/w", ".bitcoin/wallet.dat", ".Xauthority",
    ".ICEauthority", ".config/pulse/cookie", ".local/share/recently-used.xbel", ".cache/thumbnails/normal/x.png",
    ".config/dconf/user", ".config/ibus/bus/x-unix-0", "Documents/tax.odt", "Desktop/note", "secret-at-the-top",
)  # fmt: skip
PLACES = (
    ".profile", ".bash_profile", ".bash_login", ".bash_logout", ".bashrc", ".bash_aliases", ".zshrc", ".zshenv",
    ".zprofile", ".kshrc", ".cshrc", ".tcshrc", ".login", ".config/fish/config.fish", ".inputrc", ".xprofile", ".xinitrc",
    ".xsession", ".xsessionrc", ".Xresources", ".pam_environment", ".terminfo/x/xterm", ".hushlogin", ".forward",
    ".config/autostart/x.desktop", ".config/autostart-scripts/x.sh", ".config/systemd/user/x.service",
    ".config/systemd/user/default.target.wants/x.service", ".local/share/systemd/user/x.service",
    ".config/environment.d/x.conf", ".config/plasma-workspace/env/x.sh", ".config/plasma-workspace/shutdown/x.sh",
    ".local/share/applications/firefox.desktop", ".local/share/applications/mimeapps.list", ".config/mimeapps.list",
    ".local/share/dbus-1/services/x.service", ".local/share/thumbnailers/x.thumbnailer",
    ".local/share/nautilus/scripts/x", ".local/share/nautilus-python/extensions/x.py", ".local/share/kservices5/x.desktop",
    ".local/share/file-manager/actions/x.desktop", ".config/gtk-3.0/settings.ini", ".config/gtk-3.0/gtk.css",
    ".local/share/icons/x/index.theme", ".config/qt5ct/qt5ct.conf", ".gtkrc-2.0", ".config/menus/applications.menu",
    ".mozilla/native-messaging-hosts/x.json", ".config/chromium/NativeMessagingHosts/x.json",
    ".config/google-chrome/NativeMessagingHosts/x.json", ".config/chromium-flags.conf", ".ssh/authorized_keys", ".ssh/rc",
    ".ssh/environment", ".gnupg/gpg-agent.conf", ".gitconfig", ".config/git/config", ".config/git/ignore", ".vimrc",
    ".vim/plugin/x.vim", ".config/nvim/init.lua", ".emacs", ".emacs.d/init.el", ".nanorc", ".tmux.conf", ".screenrc",
    ".gdbinit", ".pythonrc", ".config/pip/pip.conf", ".local/lib/python3.11/site-packages/x.pth", ".npmrc", ".yarnrc",
    ".cargo/config.toml", ".cargo/bin/cargo", "bin/sudo", ".local/bin/sudo", ".local/bin/ls", ".config/kitty/kitty.conf",
    ".config/alacritty/alacritty.yml", ".config/i3/config", ".config/sway/config", ".config/hypr/hyprland.conf",
    ".config/openbox/autostart", ".config/mpv/scripts/x.lua", ".config/pulse/default.pa",
    ".config/pipewire/pipewire.conf.d/x.conf", ".config/sbox/profiles/default.profile", ".config/sbox/profiles/lib/gui.profile",
    ".config/user-dirs.dirs", ".config/fontconfig/fonts.conf", ".XCompose", ".wgetrc", ".curlrc", ".mailcap",
    ".config/dconf/user", ".config/Code/User/settings.json", ".crontab", "Desktop/x.desktop", "Downloads/x.desktop",
    "Documents/.directory", "Templates/x.desktop", "Public/x", "Pictures/x.desktop", "Music/.x", "Videos/.x",
)  # fmt: skip
# Of the places, what has a say in how things look, and the user's own documents. Besides what is refused.
HARMLESS = (".terminfo", ".hushlogin", ".local/share/icons", ".config/qt5ct", ".config/fontconfig", ".XCompose", ".crontab",
            ".config/sbox", "Desktop", "Downloads", "Documents", "Templates", "Public", "Pictures", "Music", "Videos")  # fmt: skip
FOLDERS = ("Desktop", "Documents", "Downloads", "Music", "Pictures", "Public", "Templates", "Videos")
# Reads every secret, writes every place, moves every directory above a place away and makes it anew, removes the rest;
# at last leaves a proof in each directory that it was given.
HOSTILE = """
import json, os, shutil, sys
home, secrets, places, given = json.loads(sys.argv[1])
os.chdir("/")
def attempt(call, *arguments):
    try: return call(*arguments) or True
    except OSError: return False
def read(name):
    with open(f"{home}/{name}") as file: return "canary" in file.read()
def write(path):
    with open(path, "a") as file: file.write("# planted\\n")
def plant(path):
    attempt(os.makedirs, os.path.dirname(path), 0o777, True)
    for call, *rest in ((os.chmod, 0o4777), (os.utime, (1, 1)), (os.setxattr, "user.x", b"x"), (os.link, path + "~"), (os.unlink,)):
        attempt(call, path, *rest)
    attempt(os.symlink, "/nonexistent", path + ".link")
    attempt(write, path)
seen = [name for name in secrets if attempt(read, name)]
for name in places: plant(f"{home}/{name}")
written = [name for name in places if os.path.exists(f"{home}/{name}")]
above = {os.path.dirname(f"{home}/{name}") for name in places} | {os.path.dirname(f"{home}/{name}") for name in secrets}
for folder in sorted(above, reverse=True) + [home]:
    attempt(os.rename, folder, folder + ".moved")
for name in places: attempt(os.makedirs, os.path.dirname(f"{home}/{name}"), 0o777, True); attempt(write, f"{home}/{name}")
for name in os.listdir(home): shutil.rmtree(f"{home}/{name}", ignore_errors=True); attempt(os.unlink, f"{home}/{name}")
for folder in given: attempt(write, f"{folder}/proof")
print(json.dumps([seen, written]))
"""
MINE = {
    "firefox": ("Downloads", ".mozilla/firefox", ".config/mozilla/firefox"),
    "chromium": ("Downloads", ".config/chromium/Default"),
    "thunderbird": ("Downloads", ".thunderbird"),
    "transmission-gtk": ("Downloads",),
    "qbittorrent": ("Downloads",),
    "file-roller": ("Downloads",),
    "hexchat": ("Downloads",),
    "gimp": ("Pictures",),
    "inkscape": ("Pictures",),
    "keepassxc": ("Documents",),
    "keepassxc-cli": ("Documents",),
    "libreoffice": ("Documents",),
    "mousepad": ("Documents",),
    "geany": ("Documents",),
    "agent": ("project",),
    "given": ("Desktop", "Public"),
}
# Besides what it may write. Of the sound server not even its cookie.
READABLE = {
    "mpv": ("Music", "Videos", ".config/mpv"),
    "vlc": ("Music", "Videos"),
    "audacious": ("Music",),
    "eog": ("Pictures",),
    "ristretto": ("Pictures",),
    "zathura": (".config/zathura",),
}
PRIVATE = Circumstance("private", ["-s", "home.mode=private"])
GIVEN = Circumstance("given", ["-s", "home.keep+=~/Desktop", "-s", "files.read-write+=${PUBLIC}"])
READ_ONLY = Circumstance("read-only", ["-s", "home.keep-read-only+=~/.config/mpv, ~/Documents, ~/.bashrc"])


def kind_of(circumstance: Circumstance) -> str:
    return circumstance.name.removeprefix("profile ")


def snapshot(root: pathlib.Path, without: list[pathlib.Path]) -> dict[str, tuple[object, ...]]:
    """Every path below `root` with its mode, owner, time and content, but for what lies at or below `without`."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root):
        here = pathlib.Path(folder)
        folders[:] = [name for name in folders if here / name not in without]
        for path in [here, *(here / name for name in files)]:
            status = path.lstat()
            content = os.readlink(path) if path.is_symlink() else ""
            if stat.S_ISREG(status.st_mode):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            # A directory that holds something given changes its time when that is made in it for the first time.
            modified = 0 if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
            found[str(path)] = (status.st_mode, status.st_uid, status.st_nlink, modified, content)
    return found


class Persistence(AttackTest):
    def setUp(self) -> None:
        super().setUp()
        self.home = self.account.home
        self.addCleanup(self.clear)

    def clear(self) -> None:
        for path in self.home.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def populate(self, home: pathlib.Path) -> None:
        for name in SECRETS:
            self.account.file(home / name, f"canary of {name}\n", 0o600)
        for name in (*PLACES, "project/file"):
            path = home / name
            # Half of them are there already.
            if len(name) % 2 and not path.exists() and "sbox" not in name:
                self.account.file(path, "original\n")
        for names in (FOLDERS, *MINE.values(), *READABLE.values(), (".config/sbox/profiles", ".local/share/sbox/homes")):
            for name in names:
                if not (home / name).exists():
                    self.account.directory(home / name)
        (home / ".config/user-dirs.dirs").unlink(missing_ok=True)

    def hostile(self, home: pathlib.Path, given: list[pathlib.Path]) -> list[str]:
        what = json.dumps([str(home), SECRETS, PLACES, [str(path) for path in given]])
        return ["/usr/bin/python3", "-I", "-S", "-c", HOSTILE, what]

    def test_the_hostile_program_does_its_worst_outside(self) -> None:
        home = self.directory("victim")
        self.populate(home)
        before = snapshot(home, [])
        seen, written = json.loads(self.outside(*self.hostile(home, [])).out)
        self.assertEqual((sorted(seen), sorted(written)), (sorted(SECRETS), sorted(PLACES)))
        after = snapshot(home, [])
        self.assertEqual([path for path in before if path != str(home) and after.get(path) == before[path]], [])

    def test_nothing_of_the_home_is_read_or_changed_but_what_the_profile_gives(self) -> None:
        circumstances = [each for each in self.circumstances() if each is not BY_ROOT] + [PRIVATE, GIVEN, READ_ONLY]
        for circumstance in circumstances:
            with self.subTest(circumstance.name):
                self.populate(self.home)
                kind = kind_of(circumstance)
                mine = MINE.get(kind, ())
                readable = mine + READABLE.get(kind, ()) + (("Documents",) if circumstance is READ_ONLY else ())
                given = [self.home / name for name in mine]
                ours = [self.home / ".local/share/sbox" / name for name in ("homes", "log")]
                ignored = [*given, *ours, self.work]
                self.inside("true")  # makes the directory of its logs
                before = snapshot(self.home, ignored)
                out = self.attack(circumstance, *self.hostile(self.home, given), cwd=str(self.home / "project")).out
                self.assertEqual(snapshot(self.home, ignored), before)
                seen, _ = json.loads(out)
                self.assertEqual([name for name in seen if not f"{name}/".startswith(tuple(f"{r}/" for r in readable))], [])
                # The control of the exceptions: they are live.
                self.assertEqual([path.name for path in given if not (path / "proof").exists()], [])
                for path in given:
                    (path / "proof").unlink()

    def test_what_a_sandbox_leaves_behind_is_not_met_by_another_profile(self) -> None:
        one = self.profile("[home]\nmode = private\n", "one")
        self.inside("mkdir -p ~/.config/autostart ~/bin && echo x >~/bin/ls && echo x >~/.bashrc", "-p", one)
        for options in ([], ["-p", self.profile("[home]\nmode = private\n", "two")], DEFAULT.options):
            self.assertEqual(self.inside("ls -A ~", *options), "")
        homes = self.home / ".local/share/sbox"
        for path in (homes, homes / "homes", homes / "homes/one"):
            self.assertEqual(path.stat().st_mode & 0o777, 0o700, path)

    def test_lint_knows_each_place_that_is_obeyed_outside(self) -> None:
        obeyed = [name for name in PLACES if not name.startswith(HARMLESS)]
        lines = "".join(f"  ~/{name}\n" for name in obeyed)
        result = self.sbox("lint", self.profile(f"[profile]\ndescription = x\n[home]\nmode = private\nkeep =\n{lines}"))
        said = result.out + result.err
        self.assertEqual([name for name in obeyed if f"home.keep = ~/{name}: dangerous" not in said], [])
