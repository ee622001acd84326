#include "cli/page_sections.h"

#include "profile/values.h"

namespace sbox {

void explain_environment(Page& page, const Profile& profile) {
  page.heading("Environment");
  page.say("Of the caller's variables it has language, terminal, theme and the like.");
  list_rules(page, profile, Key::environment_keep, "Besides these:");
  list_rules(page, profile, Key::environment_set, "Set for it:");
  if (profile.text(Key::system_machine_id) == "host")
    page.say("It knows this machine by its machine-id.", origin(profile, Key::system_machine_id));
  if (profile.text(Key::system_hostname) == "host")
    page.say("It knows the name of this machine.", origin(profile, Key::system_hostname));
  const std::string& zone = profile.text(Key::system_time_zone);
  if (zone != "host") page.say("Its time zone is " + zone + ".", origin(profile, Key::system_time_zone));
}

void explain_process(Page& page, const Profile& profile) {
  page.heading("Processes");
  if (profile.text(Key::profile_instance) == "single") {
    page.say(
        "There is one of it: a second start reaches the one that runs, with the settings that this was started with.");
  }
  page.say("It sees no process but its own, gains no rights by set-user-ID programs, and all of it ends together.");
  bool is_filtered = profile.text(Key::seccomp_mode) != "none";
  page.say(is_filtered ? "System calls are filtered by an allow-list." : "System calls are not filtered.",
           origin(profile, Key::seccomp_mode));
  if (is_filtered) {
    if (profile.text(Key::seccomp_action) == "kill")
      page.say("One that is denied ends the program.", origin(profile, Key::seccomp_action));
    list_rules(page, profile, Key::seccomp_allow, "Further system calls:");
    list_rules(page, profile, Key::seccomp_deny, "System calls taken away:");
    say_if(page, profile, Key::seccomp_log, "Those that are denied are written down, for `sbox log`.");
  }
  if (profile.text(Key::process_nested_sandbox) != "no") {
    page.say("It may make user namespaces, for a sandbox of its own.", origin(profile, Key::process_nested_sandbox));
  }
  say_if(page, profile, Key::process_debug, "Its processes may trace each other.");
  say_if(page, profile, Key::process_write_xor_execute, "No memory is writable and executable.");
  say_if(page, profile, Key::seccomp_32_bit, "32-bit programs run.");
}

void explain_limits(Page& page, const Profile& profile) {
  page.heading("Limits");
  bool is_any = false;
  for (const Setting& row : settings()) {
    bool is_own = row.section == "limits", is_limit = is_own || row.type == Type::size;
    if (!is_limit || profile.text(row.key) == row.fallback) continue;
    page.say((is_own ? std::string(row.name) : key_name(row)) + " = " + profile.text(row.key),
             origin(profile, row.key));
    is_any = true;
  }
  if (!is_any)
    page.say("None but the session's own; it leaves no core dumps, and takes no priority over other programs.");
}

}  // namespace sbox
