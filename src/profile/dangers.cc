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
    {"/usr", "programs of the host can be changed", false},
    {"/opt", "programs of the host can be changed", false},
    {"/var", "the state of the system can be changed", false},
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
};
// The same, with all that is below: what is written there is run outside by a shell, an editor, a window manager or
// another program that the user starts.
constexpr std::string_view kRunOutside[] = {
    "~/.bash_login",
    "~/.bash_logout",
    "~/.bash_aliases",
    "~/.zshenv",
    "~/.zprofile",
    "~/.zlogin",
    "~/.zlogout",
    "~/.config/fish",
    "~/.pam_environment",
    "~/.xprofile",
    "~/.xsession",
    "~/.xsessionrc",
    "~/.gitconfig",
    "~/.config/git",
    "~/.vimrc",
    "~/.vim",
    "~/.config/nvim",
    "~/.emacs",
    "~/.emacs.d",
    "~/.config/emacs",
    "~/.tmux.conf",
    "~/.config/tmux",
    "~/.config/plasma-workspace",
    "~/.config/sway",
    "~/.config/i3",
    "~/.config/hypr",
    "~/.config/openbox",
    "~/.local/lib",
    "~/.local/share/systemd",
    "~/.local/share/nautilus",
    "~/.mozilla/native-messaging-hosts",
    "~/.cargo",
};
// In any list that shows.
constexpr DangerousPath kDangerousToShow[] = {
    {"/", "everything that the user can read is there", false},
    {"~", "the whole home is there, keys and passwords too", false},
    {"/home", "every home is there", false},
    {"~/.ssh", "private keys are there", true},
    {"~/.gnupg", "private keys are there", true},
    {"~/.password-store", "passwords are there", true},
    {"~/.local/share/keyrings", "passwords are there", true},
    {"~/.aws", "credentials are there", true},
    {"~/.kube", "credentials are there", true},
    {"~/.docker", "credentials are there", true},
    {"~/.netrc", "credentials are there", true},
    {"~/.git-credentials", "credentials are there", true},
    {"/run", "the sockets of the system and the session are there", false},
    {"/var/run", "the sockets of the system are there", false},
    {"/run/user", "the sockets of the session are there", false},
    {"/run/dbus", "the unfiltered system bus is there", true},
    {"${RUNTIME}", "the sockets of the session are there", false},
    {"${RUNTIME}/bus", "the unfiltered session bus is there", true},
    {"${RUNTIME}/systemd", "the service manager starts programs outside", true},
    {"/run/docker.sock", "who can call docker is root on the host", true},
    {"/var/run/docker.sock", "who can call docker is root on the host", true},
    {"${RUNTIME}/podman", "who can call podman runs programs outside", true},
    {"/tmp/.X11-unix", "the unfiltered X11 socket is there", true},
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
    "org.freedesktop.NetworkManager",
};

// On one desktop or another the shell or the window manager has these names, and who may talk to it may use its
// scripts.
constexpr std::string_view kNamesOfShells[] = {
    "org.freedesktop.Notifications",
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.kde.StatusNotifierWatcher",
};

}  // namespace

std::string_view danger_of_path(std::string_view text, bool writable) {
  std::string path = one_spelling(text);
  auto match = [&](const DangerousPath& d) { return d.below ? is_written_below(path, d.path) : path == d.path; };
  auto found = writable ? std::find_if(std::begin(kDangerousToWrite), std::end(kDangerousToWrite), match) : nullptr;
  if (found && found != std::end(kDangerousToWrite)) return found->why;
  auto holds = [&](std::string_view directory) { return is_written_below(path, directory); };
  if (writable && std::any_of(std::begin(kRunOutside), std::end(kRunOutside), holds)) {
    return "what is written there is run outside by what the user starts";
  }
  found = std::find_if(std::begin(kDangerousToShow), std::end(kDangerousToShow), match);
  return found == std::end(kDangerousToShow) ? std::string_view() : found->why;
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

bool is_name_of_shells(std::string_view name) {
  return std::find(std::begin(kNamesOfShells), std::end(kNamesOfShells), name) != std::end(kNamesOfShells);
}

}  // namespace sbox
