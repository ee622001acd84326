#include "cli/page_sections.h"

namespace sbox {
namespace {

constexpr uint64_t kScopeAbstractSockets = 1;  // LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET

struct Concern {
  bool (*applies)(const Profile&, const Plan&);
  const char* text;
};

constexpr Concern kConcerns[] = {
    {[](const Profile& p, const Plan& plan) {
       return p.text(Key::display_x11) != "nested" && !variable(plan, "DISPLAY").empty();
     },
     "X11 keeps no program apart from another: it can read every key, take pictures of every window, and type into "
     "them "
     "(a terminal's too). Only Wayland prevents that (display.x11 = no)."},
    {[](const Profile& p, const Plan&) { return p.text(Key::network_mode) == "host"; },
     "With the host's network it reaches the services that listen on this machine alone, and the local network."},
    {[](const Profile& p, const Plan& plan) {
       return p.text(Key::network_mode) == "host" && !(plan.landlock.scoped & kScopeAbstractSockets);
     },
     "This kernel cannot keep it from the abstract sockets of the host (Landlock ABI 6 could): X11's and the session's "
     "may be in reach."},
    {[](const Profile& p, const Plan&) { return p.text(Key::dbus_session) == "full"; },
     "The unfiltered session bus starts programs outside on demand: this is as good as no sandbox."},
    {[](const Profile& p, const Plan&) { return p.text(Key::home_mode) == "host" && p.list(Key::home_keep).empty(); },
     "It can change the files of the home directory that run at login or hold keys and passwords."},
    {[](const Profile& p, const Plan&) {
       return p.text(Key::home_mode) == "overlay" && p.list(Key::home_keep).empty();
     },
     "It can read all of the home directory, keys and passwords included. What is taken over from the overlay is what "
     "it wrote: look at it first."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::audio_record); },
     "It can listen through the microphones, and to what others play. PulseAudio also loads modules on request."},
    {[](const Profile&, const Plan& plan) { return !variable(plan, "WAYLAND_DISPLAY").empty(); },
     "A Wayland compositor that offers screen copies, the clipboard or virtual keyboards to every client offers "
     "them to it too."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::devices_input); },
     "Who reads input devices sees every key that is pressed in any program."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::devices_camera); }, "It can watch through the cameras."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::devices_usb); },
     "Raw USB is storage, keyboards and security keys."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::desktop_printing); },
     "Who may administer printers (as a member of the group lpadmin) may do so from inside too. The print server also "
     "connects for it to any address that it makes a printer of, whatever its own network is."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::desktop_portals); },
     "A link or file that it gives to the portals is opened outside, mostly without a question: so it can tell "
     "something to whoever is there."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::desktop_ssh_agent); },
     "While it runs it can log in wherever the keys in the SSH agent open a door, this machine included; `ssh-add -c` "
     "makes the agent ask each time."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::desktop_gpg_agent); },
     "While it runs it can decrypt and sign with every GnuPG key whose passphrase the agent remembers."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::devices_smart_cards); },
     "It can use a smart card that another program has unlocked."},
    {[](const Profile& p, const Plan&) { return p.text(Key::process_nested_sandbox) != "no"; },
     "User namespaces open more of the kernel to it."},
    {[](const Profile& p, const Plan&) { return p.text(Key::process_nested_sandbox) == "mounts"; },
     "So that it may mount, Landlock does not watch its files (the mount view is the only wall around them), and "
     "nothing "
     "covers what /proc tells of the machine."},
    {[](const Profile& p, const Plan&) { return p.text(Key::seccomp_mode) == "none"; },
     "Without a filter all of the kernel is open to it."},
};

}  // namespace

void explain_concerns(Page& page, const Profile& profile, const Plan& plan) {
  page.heading("What to mind");
  bool is_any = false;
  for (const Concern& concern : kConcerns) {
    if (!concern.applies(profile, plan)) continue;
    page.say(std::string("- ") + concern.text);
    is_any = true;
  }
  if (!is_any) page.say("Nothing in particular.");
}

}  // namespace sbox
