#include "profile/dangers.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "profile/path_syntax.h"

namespace sbox {
namespace {

struct DangerousPath {
  std::string_view path, why;
  bool below;  // paths below it too
};
// In a list that is written.
constexpr DangerousPath kDangerousToWrite[] = {
    {"/", "everything of the user can be changed", false},
    {"~", "the whole home can be changed, also what is run at the next login", false},
    {"/home", "every home can be changed", false},
    {"/root", "root's home can be changed", false},
    {"/etc", "the configuration of the system can be changed", true},
    {"/usr", "programs of the host can be changed", true},
    {"/bin", "programs of the host can be changed", true},
    {"/sbin", "programs of the host can be changed", true},
    {"/lib", "programs of the host can be changed", true},
    {"/nix", "programs of the host can be changed", true},
    {"/opt", "programs of the host can be changed", false},
    {"/var", "the state of the system can be changed", false},
    {"/var/spool/cron", "what is written there is run outside", true},
    {"/boot", "what the host boots can be changed", true},
    {"/proc", "the kernel can be reconfigured", true},
    {"/sys", "the kernel can be reconfigured", true},
    {"/dev", "every device is there", false},
    {"/tmp", "other programs leave files and sockets there", false},
    {"~/.config", "what is run at the next login can be changed", false},
    {"~/.local", "what is run at the next login can be changed", false},
    {"~/.local/share", "what the desktop starts can be changed", false},
    {"~/.config/autostart", "what is written there is run outside at the next login", true},
    {"~/.config/systemd", "what is written there is run outside", true},
    {"~/.config/environment.d", "what is written there reaches every program of the session", true},
    {"~/.local/share/applications", "what is written there is run outside when the user starts it", true},
    {"~/.local/share/dbus-1", "what is written there is run outside by the session bus", true},
    {"~/.local/bin", "what is written there is run outside", true},
    {"~/bin", "what is written there is run outside", true},
    {"~/.bashrc", "what is written there is run outside by the next shell", true},
    {"~/.bash_profile", "what is written there is run outside by the next shell", true},
    {"~/.profile", "what is written there is run outside at the next login", true},
    {"~/.zshrc", "what is written there is run outside by the next shell", true},
    {"~/.xinitrc", "what is written there is run outside at the next login", true},
    {"~/.config/user-dirs.dirs", "what is written there decides what ${DOWNLOADS} and the like are in every profile",
     true},
    {"~/.mozilla", "what a browser outside starts is named there", false},
    {"~/.config/chromium", "what a browser outside starts is named there", false},
    {"~/.config/google-chrome", "what a browser outside starts is named there", false},
};
// The same, with all that is below: what is written there is run outside by a shell, an editor, a window manager or
// another program that the user starts.
constexpr std::string_view kRunOutside[] = {
    // Shells and terminals.
    "~/.bash_login",
    "~/.bash_logout",
    "~/.bash_aliases",
    "~/.bash_completion",
    "~/.local/share/bash-completion",
    "~/.zshenv",
    "~/.zprofile",
    "~/.zlogin",
    "~/.zlogout",
    "~/.zsh",
    "~/.config/zsh",
    "~/.oh-my-zsh",
    "~/.cshrc",
    "~/.tcshrc",
    "~/.login",
    "~/.kshrc",
    "~/.mkshrc",
    "~/.config/fish",
    "~/.local/share/fish",
    "~/.config/nushell",
    "~/.config/elvish",
    "~/.config/powershell",
    "~/.inputrc",
    "~/.config/direnv",
    "~/.local/share/direnv",
    "~/.config/starship.toml",
    "~/.config/kitty",
    "~/.config/alacritty",
    "~/.config/foot",
    "~/.config/wezterm",
    "~/.wezterm.lua",
    "~/.config/ghostty",
    "~/.config/terminator",
    "~/.local/share/konsole",
    "~/.screenrc",
    "~/.tmux.conf",
    "~/.tmux",
    "~/.config/tmux",
    "~/.config/zellij",
    // Sessions, window managers and desktops.
    "~/.pam_environment",
    "~/.xprofile",
    "~/.xsession",
    "~/.xsessionrc",
    "~/.Xresources",
    "~/.Xdefaults",
    "~/.config/autostart-scripts",
    "~/.config/plasma-workspace",
    "~/.config/sway",
    "~/.config/i3",
    "~/.config/hypr",
    "~/.config/niri",
    "~/.config/river",
    "~/.config/labwc",
    "~/.config/wayfire.ini",
    "~/.config/openbox",
    "~/.config/awesome",
    "~/.config/bspwm",
    "~/.config/sxhkd",
    "~/.config/herbstluftwm",
    "~/.config/qtile",
    "~/.xmonad",
    "~/.config/xmonad",
    "~/.fluxbox",
    "~/.icewm",
    "~/.config/xfce4",
    "~/.config/lxsession",
    "~/.config/lxqt",
    "~/.config/waybar",
    "~/.config/polybar",
    "~/.config/rofi",
    "~/.config/wofi",
    "~/.config/dunst",
    "~/.config/mako",
    "~/.config/swaync",
    "~/.config/swayidle",
    "~/.config/conky",
    "~/.conkyrc",
    "~/.config/espanso",
    "~/.config/kglobalshortcutsrc",
    "~/.config/khotkeysrc",
    "~/.config/kwinrc",
    "~/.config/dconf",
    "~/.config/menus",
    "~/.config/mimeapps.list",
    "~/.gtkrc-2.0",
    "~/.config/gtk-2.0",
    "~/.config/gtk-3.0",
    "~/.local/share/mime",
    "~/.local/share/plasma",
    "~/.local/share/kwin",
    "~/.local/share/kio",
    "~/.local/share/kservices5",
    "~/.local/share/gnome-shell",
    "~/.local/share/cinnamon",
    "~/.local/share/nautilus",
    "~/.local/share/nautilus-python",
    "~/.local/share/nemo",
    "~/.local/share/file-manager",
    "~/.local/share/thumbnailers",
    "~/.config/Thunar",
    "~/.config/ranger",
    "~/.config/vifm",
    "~/.config/lf",
    "~/.config/nnn",
    "~/.config/yazi",
    "~/.config/mc",
    "~/.local/share/systemd",
    "~/.local/share/flatpak",
    "~/.config/pipewire",
    "~/.config/wireplumber",
    "~/.local/share/wireplumber",
    "~/.config/pulse",
    "~/.mozilla/native-messaging-hosts",
    "~/.config/chromium/NativeMessagingHosts",
    "~/.config/google-chrome/NativeMessagingHosts",
    "~/.config/chromium-flags.conf",
    // Editors.
    "~/.exrc",
    "~/.vimrc",
    "~/.gvimrc",
    "~/.vim",
    "~/.config/vim",
    "~/.config/nvim",
    "~/.local/share/nvim",
    "~/.emacs",
    "~/.emacs.d",
    "~/.config/emacs",
    "~/.spacemacs",
    "~/.doom.d",
    "~/.config/doom",
    "~/.config/helix",
    "~/.config/kak",
    "~/.config/micro",
    "~/.nanorc",
    "~/.config/nano",
    "~/.config/Code",
    "~/.config/VSCodium",
    "~/.vscode",
    "~/.vscode-oss",
    "~/.config/Cursor",
    "~/.cursor",
    "~/.config/zed",
    "~/.config/sublime-text",
    "~/.config/JetBrains",
    "~/.local/share/JetBrains",
    // Tools of developers.
    "~/.gitconfig",
    "~/.config/git",
    "~/.hgrc",
    "~/.config/hg",
    "~/.config/jj",
    "~/.subversion",
    "~/.gdbinit",
    "~/.gdbearlyinit",
    "~/.config/gdb",
    "~/.lldbinit",
    "~/.pdbrc",
    "~/.pythonrc",
    "~/.local/lib",
    "~/.config/pip",
    "~/.pip",
    "~/.pyenv",
    "~/.local/share/uv",
    "~/.local/share/pipx",
    "~/.ipython",
    "~/.jupyter",
    "~/.npmrc",
    "~/.yarnrc",
    "~/.yarnrc.yml",
    "~/.nvm",
    "~/.volta",
    "~/.bun",
    "~/.bunfig.toml",
    "~/.deno",
    "~/.local/share/pnpm",
    "~/.cargo",
    "~/.rustup",
    "~/go",
    "~/.gradle",
    "~/.m2",
    "~/.sbt",
    "~/.sdkman",
    "~/.bazelrc",
    "~/.gem",
    "~/.bundle",
    "~/.rbenv",
    "~/.irbrc",
    "~/.Rprofile",
    "~/.Renviron",
    "~/.julia",
    "~/.octaverc",
    "~/.ghcup",
    "~/.cabal",
    "~/.stack",
    "~/.opam",
    "~/.dotnet",
    "~/.composer",
    "~/.config/composer",
    "~/perl5",
    "~/.luarocks",
    "~/.asdf",
    "~/.config/mise",
    "~/.local/share/mise",
    "~/.config/nix",
    "~/.config/nixpkgs",
    "~/.config/home-manager",
    "~/.nix-profile",
    "~/.local/state/nix",
    "~/.config/guix",
    "~/.guix-profile",
    "~/.linuxbrew",
    "~/.latexmkrc",
    "~/.psqlrc",
    "~/.sqliterc",
    "~/.my.cnf",
    "~/.ansible",
    "~/.ansible.cfg",
    "~/.terraformrc",
    "~/.terraform.d",
    "~/.config/containers",
    "~/.local/share/containers",
    "~/.config/gh",
    "~/.claude",
    "~/.claude.json",
    "~/.codex",
    "~/.gemini",
    // What is called in passing.
    "~/.lessfilter",
    "~/.lesskey",
    "~/.config/lesskey",
    "~/.mailcap",
    "~/.wgetrc",
    "~/.curlrc",
    "~/.config/mpv",
    "~/.config/yt-dlp",
    "~/.config/aria2",
    "~/.muttrc",
    "~/.mutt",
    "~/.config/mutt",
    "~/.config/neomutt",
    "~/.procmailrc",
    "~/.forward",
    "~/.mbsyncrc",
    "~/.msmtprc",
};
constexpr char kRunsOutside[] = "who can call it runs programs outside";
constexpr char kLooksUp[] = "names are looked up there, whatever the network is";
// In any list that shows.
constexpr DangerousPath kDangerousToShow[] = {
    {"/", "everything that the user can read is there", false},
    {"~", "the whole home is there, keys and passwords too", false},
    {"/home", "every home is there", false},
    {"~/.ssh", "private keys are there", true},
    {"~/.gnupg", "private keys are there", true},
    {"~/.password-store", "passwords are there", true},
    {"~/.local/share/keyrings", "passwords are there", true},
    {"~/.local/share/kwalletd", "passwords are there", true},
    {"~/.aws", "credentials are there", true},
    {"~/.kube", "credentials are there", true},
    {"~/.docker", "credentials are there", true},
    {"~/.netrc", "credentials are there", true},
    {"~/.git-credentials", "credentials are there", true},
    {"~/.azure", "credentials are there", true},
    {"~/.config/gcloud", "credentials are there", true},
    {"~/.config/gh", "credentials are there", true},
    {"~/.config/rclone", "credentials are there", true},
    {"~/.config/hub", "credentials are there", true},
    {"~/.config/sops", "credentials are there", true},
    {"~/.vault-token", "credentials are there", true},
    {"~/.pypirc", "credentials are there", true},
    {"~/.pgpass", "credentials are there", true},
    {"~/.my.cnf", "credentials are there", true},
    {"~/.authinfo", "credentials are there", true},
    {"~/.config/git/credentials", "credentials are there", true},
    {"~/.cargo/credentials.toml", "credentials are there", true},
    {"~/.gem/credentials", "credentials are there", true},
    {"~/.m2/settings.xml", "credentials are there", true},
    {"~/.config/containers/auth.json", "credentials are there", true},
    {"~/.terraform.d/credentials.tfrc.json", "credentials are there", true},
    {"~/.s3cfg", "credentials are there", true},
    {"~/.boto", "credentials are there", true},
    {"~/.oci", "credentials are there", true},
    {"~/.smbcredentials", "credentials are there", true},
    {"~/.Xauthority", "the key to the display is there", true},
    {"/root", "root's files are there", true},
    {"/run", "the sockets of the system and the session are there", false},
    {"/run/user", "the sockets of the session are there", false},
    {"/run/dbus", "the unfiltered system bus is there", true},
    {"/run/docker.sock", "who can call docker is root on the host", true},
    {"/run/containerd", kRunsOutside, true},
    {"/run/crio", kRunsOutside, true},
    {"/run/incus", kRunsOutside, true},
    {"/run/libvirt", kRunsOutside, true},
    {"/run/podman", kRunsOutside, true},
    {"/run/screen", kRunsOutside, true},
    {"/run/snapd.socket", kRunsOutside, true},
    {"/run/systemd", kRunsOutside, false},
    {"/run/systemd/private", kRunsOutside, true},
    {"/run/tmux", kRunsOutside, true},
    {"/var/lib/incus", kRunsOutside, true},
    {"/var/lib/lxd", kRunsOutside, true},
    {"/var/snap/lxd", kRunsOutside, true},
    {"/run/avahi-daemon", kLooksUp, true},
    {"/run/nscd", kLooksUp, true},
    {"/run/systemd/resolve/io.systemd.Resolve", kLooksUp, true},
    {"/run/cups", "who may print reaches every host that the print server reaches", true},
    {"/run/pcscd", "smart cards are there", true},
    {"/tmp/.X11-unix", "the unfiltered X11 socket is there", true},
    {"/tmp/.ICE-unix", "the session manager is there", true},
    {"${RUNTIME}", "the sockets of the session are there", false},
    {"${RUNTIME}/bus", "the unfiltered session bus is there", true},
    {"${RUNTIME}/systemd", "the service manager starts programs outside", true},
    {"${RUNTIME}/podman", "who can call podman runs programs outside", true},
    {"${RUNTIME}", "what listens there serves the whole session, without a filter", true},
};

// All that begins so.
struct DangerousBeginning {
  std::string_view path, why;
};
constexpr DangerousBeginning kDangerousBeginnings[] = {
    {"/tmp/ssh-", "the SSH agent is there, without a filter"},
    {"/tmp/tmux-", kRunsOutside},
};

// The same, of devices.
constexpr DangerousBeginning kDangerousDevices[] = {
    {"/dev/uinput", "keys and clicks of the user are made with it"},
    {"/dev/uhid", "keys and clicks of the user are made with it"},
    {"/dev/hidraw", "keyboards are among them (write devices.security-keys = yes)"},
    {"/dev/vcs", "what is on a console is read there"},
    {"/dev/fb", "what is on the screen is read there"},
    {"/dev/dri/card", "it is the screen itself (write devices.gpu = yes)"},
    {"/dev/snd", "the microphone is there (write audio.playback = yes)"},
    {"/dev/sg", "whole disks are there"},
    {"/dev/tpm", "keys of the machine are there"},
    {"/dev/vhost-", "more of the kernel is open to attack"},
};

constexpr std::string_view kDangerousNames[] = {
    "org.freedesktop.systemd1",
    "org.freedesktop.Flatpak",
    "org.gnome.Shell",
    "org.freedesktop.secrets",
    "org.kde.KWin",
    "org.kde.plasmashell",
    "ca.desrt.dconf",
    "org.gnome.SessionManager",
    "org.freedesktop.DBus",
    "org.gtk.vfs.Daemon",
    "org.kde.kwalletd5",
    "org.kde.kwalletd6",
    "org.a11y.atspi.Registry",
    "org.freedesktop.IBus",
    "org.fcitx.Fcitx5",
    "org.freedesktop.PolicyKit1",
    "org.freedesktop.PackageKit",
    "org.freedesktop.login1",
    "org.freedesktop.machine1",
    "org.freedesktop.UDisks2",
    "org.freedesktop.Accounts",
    // Terminals, file managers, key bindings and settings of desktops, what is on the screen.
    "org.freedesktop.portal.Flatpak",
    "org.gnome.Terminal",
    "org.gnome.Nautilus",
    "org.gnome.Mutter.RemoteDesktop",
    "org.gnome.Mutter.ScreenCast",
    "org.gnome.Mutter.InputCapture",
    "org.gnome.Mutter.DisplayConfig",
    "org.gnome.Shell.Screenshot",
    "org.gnome.Shell.Screencast",
    "org.gnome.Shell.Extensions",
    "org.gnome.Shell.Introspect",
    "org.gnome.SettingsDaemon.MediaKeys",
    "org.gnome.keyring",
    "org.gnome.OnlineAccounts",
    "org.freedesktop.Tracker3.Miner.Files",
    "org.freedesktop.LocalSearch3",
    "org.Cinnamon",
    "org.mate.SessionManager",
    "org.xfce.Xfconf",
    "org.xfce.SessionManager",
    "org.xfce.FileManager",
    "org.xfce.Thunar",
    "org.lxqt.session",
    "org.lxqt.global_key_shortcuts",
    "org.kde.kded5",
    "org.kde.kded6",
    "org.kde.krunner",
    "org.kde.klauncher",
    "org.kde.klauncher5",
    "org.kde.kglobalaccel",
    "org.kde.ksmserver",
    "org.kde.konsole",
    "org.kde.yakuake",
    "org.kde.dolphin",
    "org.kde.kdeconnect",
    "org.guake3.RemoteControl",
    "org.pulseaudio.Server",
    "org.fcitx.Fcitx",
    "org.bluez.obex",
    // Of the system: its settings, its networks, where it is.
    "org.freedesktop.NetworkManager",
    "org.freedesktop.portable1",
    "org.freedesktop.import1",
    "org.freedesktop.home1",
    "org.freedesktop.hostname1",
    "org.freedesktop.timedate1",
    "org.freedesktop.locale1",
    "org.freedesktop.resolve1",
    "org.freedesktop.network1",
    "org.freedesktop.Avahi",
    "org.freedesktop.ModemManager1",
    "org.freedesktop.GeoClue2",
    "org.freedesktop.realmd",
    "org.freedesktop.fwupd",
    "org.freedesktop.bolt",
    "org.freedesktop.Flatpak.SystemHelper",
    "org.fedoraproject.FirewallD1",
    "org.bluez",
    "org.libvirt",
    "fi.w1.wpa_supplicant1",
    "net.connman",
    "net.connman.iwd",
};

// Of those that have such a name: to keep the machine awake, and to look.
constexpr std::string_view kHarmlessMethods[] = {
    "org.freedesktop.login1.Manager.Inhibit",
    "org.gnome.SessionManager.Inhibit",
    "org.gnome.SessionManager.Uninhibit",
    "org.gnome.SessionManager.IsInhibited",
    "org.freedesktop.DBus.Properties.Get",
    "org.freedesktop.DBus.Properties.GetAll",
    "org.freedesktop.DBus.Introspectable.Introspect",
    "org.freedesktop.DBus.Peer.Ping",
};

// On one desktop or another the shell or the window manager has these names, and who may talk to it may use its
// scripts.
constexpr std::string_view kNamesOfShells[] = {
    "org.freedesktop.Notifications",
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.kde.StatusNotifierWatcher",
};

// "/run" for /var/run, "${RUNTIME}" for the directory of any user.
std::string one_place(std::string_view text) {
  constexpr std::string_view kState = "/var", kUsers = "/run/user/";
  std::string path = one_spelling(text);
  if (is_written_below(path, "/var/run")) path.erase(0, kState.size());
  if (!path.starts_with(kUsers)) return path;
  size_t end = path.find('/', kUsers.size());
  return "${RUNTIME}" + (end == std::string::npos ? "" : path.substr(end));
}

template <typename Rows>
std::string_view danger_by_beginning(const Rows& rows, std::string_view path) {
  auto found = std::ranges::find_if(rows, [&](const DangerousBeginning& row) { return path.starts_with(row.path); });
  return found == std::end(rows) ? std::string_view() : found->why;
}

}  // namespace

std::string_view danger_of_path(std::string_view text, bool writable) {
  std::string path = one_place(text);
  auto match = [&](const DangerousPath& d) { return d.below ? is_written_below(path, d.path) : path == d.path; };
  auto found = writable ? std::find_if(std::begin(kDangerousToWrite), std::end(kDangerousToWrite), match) : nullptr;
  if (found && found != std::end(kDangerousToWrite)) return found->why;
  auto holds = [&](std::string_view directory) { return is_written_below(path, directory); };
  if (writable && std::any_of(std::begin(kRunOutside), std::end(kRunOutside), holds)) {
    return "what is written there is run outside by what the user starts";
  }
  found = std::find_if(std::begin(kDangerousToShow), std::end(kDangerousToShow), match);
  return found == std::end(kDangerousToShow) ? danger_by_beginning(kDangerousBeginnings, path) : found->why;
}

std::string_view danger_of_device(std::string_view path) {
  constexpr std::string_view kConsoles = "/dev/tty";
  std::string_view number = path.starts_with(kConsoles) ? path.substr(kConsoles.size()) : std::string_view();
  if (!number.empty() && number[0] >= '0' && number[0] <= '9') return "what is typed at a console is read there";
  return danger_by_beginning(kDangerousDevices, path);
}

std::vector<std::string_view> dangerous_to_show() {
  std::vector<std::string_view> paths;
  for (const DangerousPath& row : kDangerousToShow) paths.push_back(row.path);
  return paths;
}

std::string_view dangerous_bus_name(std::string_view name) {
  bool many = name.ends_with(".*");
  if (many) name.remove_suffix(2);
  auto matches = [&](std::string_view other) {
    return other == name || (many && other.starts_with(name) && other[name.size()] == '.');
  };
  auto found = std::find_if(std::begin(kDangerousNames), std::end(kDangerousNames), matches);
  return found == std::end(kDangerousNames) ? std::string_view() : *found;
}

std::string_view dangerous_call(std::string_view rule) {
  std::string_view name = rule.substr(0, rule.find('=')), method = rule.substr(std::min(name.size() + 1, rule.size()));
  method = method.substr(0, method.find('@'));
  bool is_single = !method.ends_with('*');
  if (is_single && std::ranges::count(kHarmlessMethods, method) > 0) return {};
  if (!is_single && is_name_of_shells(name)) return name;
  return dangerous_bus_name(name);
}

bool is_name_of_shells(std::string_view name) {
  return std::find(std::begin(kNamesOfShells), std::end(kNamesOfShells), name) != std::end(kNamesOfShells);
}

}  // namespace sbox
