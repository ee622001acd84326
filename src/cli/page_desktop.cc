#include "cli/page_sections.h"

#include <algorithm>
#include <iterator>

namespace sbox {
namespace {

constexpr RuleRow kServices[] = {
    {Key::desktop_accessibility,
     "The accessibility bus: screen readers and the like see its windows, and it sees none."},
    {Key::desktop_printing, "The print server."},
    {Key::devices_smart_cards, "Smart cards."},
    {Key::desktop_ssh_agent, "The SSH agent: it signs with your keys."},
    {Key::desktop_gpg_agent,
     "The GnuPG agent: it signs and decrypts with your keys. Your public keys are there to read."},
};

}  // namespace

void explain_display(Page& page, const Profile& profile, const Plan& plan) {
  page.heading("Display and sound");
  bool has_wayland = !variable(plan, "WAYLAND_DISPLAY").empty(), has_x11 = !variable(plan, "DISPLAY").empty();
  bool is_confined = std::any_of(plan.helpers.begin(), plan.helpers.end(),
                                 [](const Helper& helper) { return helper.name == "sbox-wayland"; });
  if (has_wayland) {
    page.say(is_confined ? "Wayland: its own windows; the compositor hides from it what is not for sandboxed clients."
                         : "Wayland: its own windows, and what this compositor offers to every client: with some, "
                           "pictures of the screen, the clipboard and made-up keys. It has no security context.",
             origin(profile, Key::display_wayland));
  }
  bool is_nested = profile.text(Key::display_x11) == "nested";
  if (has_x11) {
    page.say(is_nested ? "X11: a server of its own, in a window; nothing of the session's screen, keys or clipboard."
                       : "X11: the whole screen and keyboard (see below).",
             origin(profile, Key::display_x11));
  }
  bool wants = profile.flag(Key::display_wayland) || profile.text(Key::display_x11) != "no";
  if (wants && !has_wayland && !has_x11) page.say("The profile asks for a display, but there is none here now.");
  if (!wants) page.say("No display.");
  if (profile.flag(Key::audio_record)) {
    page.say("The sound server, where the host has one: it may play and record.", origin(profile, Key::audio_record));
  } else if (profile.flag(Key::audio_playback)) {
    page.say("Sound, where the host has a sound server: it may play, not record.",
             origin(profile, Key::audio_playback));
  } else {
    page.say("No sound.");
  }
}

void explain_services(Page& page, const Profile& profile) {
  page.heading("Services");
  auto is_granted = [&](const RuleRow& row) { return profile.flag(row.key); };
  if (std::none_of(std::begin(kServices), std::end(kServices), is_granted)) page.say("None.");
  for (const RuleRow& row : kServices) say_if(page, profile, row.key, row.sentence);
}

}  // namespace sbox
