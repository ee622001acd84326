#include <algorithm>

#include "base/strings.h"
#include "cli/explain_thing.h"
#include "plan/seccomp.h"
#include "plan/seccomp_arguments.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

// Whether one word of seccomp.allow or seccomp.deny speaks of the call.
bool names(const std::string& word, std::string_view call) {
  const SyscallGroup* group = find_group(word);
  return group ? std::ranges::count(group->calls, call) > 0 : word == call;
}

const Value* line_naming(const Profile& profile, Key key, std::string_view call) {
  for (const Value& word : profile.list(key)) {
    if (names(word.text, call)) return &word;
  }
  return nullptr;
}

// The setting that grants a group that is off by default; nothing where only seccomp.allow does.
std::optional<Key> setting_for(const SyscallGroup& group) {
  if (group.name == "@namespace") return Key::process_nested_sandbox;
  if (group.name == "@debug") return Key::process_debug;
  return std::nullopt;
}

std::string origin_of_grant(const Profile& profile, std::string_view call, const SyscallGroup& group) {
  if (group.by_default) return "sbox";
  if (const Value* word = line_naming(profile, Key::seccomp_allow, call)) return word->origin.text();
  std::optional<Key> key = setting_for(group);
  return key ? profile.scalar(*key).origin.text() : "sbox";
}

void say_rules(Answer& answer, const SeccompPolicy& policy) {
  for (const ArgumentRule& rule : argument_rules(policy, policy.architecture)) {
    if (rule.call != answer.thing) continue;
    answer.verdict = "partly";
    answer.say("But not: " + std::string(rule.what) + ".");
    if (!rule.remedy.empty()) answer.offer("To let it do that as well:", std::string(rule.remedy));
  }
}

// Landlock's rules for files refuse the call whatever the filter says.
bool is_refused_by_landlock(const Inquiry& inquiry, std::string_view call) {
  return changes_mounts(call) && inquiry.plan.landlock.handled != 0;
}

void say_unmountable(Answer& answer, const Profile& profile) {
  answer.origin = profile.scalar(Key::process_nested_sandbox).origin.text();
  answer.say(
      "No: it fails with EPERM, whatever the filter says: Landlock, which watches the files, lets nobody mount.");
  answer.offer("To let it:", line_of(Key::process_nested_sandbox, "mounts"));
}

void say_allowed(Answer& answer, const Profile& profile, const SeccompPolicy& policy, const SyscallGroup& group) {
  answer.verdict = "yes";
  answer.origin = origin_of_grant(profile, answer.thing, group);
  answer.say("Yes: it is in " + std::string(group.name) + ", " + by_line(answer.origin) + ".");
  say_rules(answer, policy);
  bool is_by_a_line = answer.origin != "sbox";
  if (!own_call(answer.thing).empty()) return answer.say("No line takes it away: sbox itself needs it inside.");
  answer.offer("To take it away" + (is_by_a_line ? ", remove " + answer.origin + ", or write:" : ":"),
               line_of(Key::seccomp_deny, answer.thing));
}

void say_how(Answer& answer, const SyscallGroup& group) {
  if (answer.thing == "clone3") {
    return answer.say("No line changes that: its flags are where no filter sees them. Libraries use clone instead.");
  }
  if (std::optional<Key> key = setting_for(group)) {
    std::string value = is_for_mounts(answer.thing) ? "mounts" : "yes";
    answer.offer("To let it, with all of " + std::string(group.name) + ":", line_of(*key, value));
    // The others need a namespace that only the setting gives.
    bool is_use_alone = group.name != "@namespace" || answer.thing == "unshare";
    if (is_use_alone) answer.offer("To let it alone:", line_of(Key::seccomp_allow, answer.thing));
  } else {
    answer.offer("To let it:", line_of(Key::seccomp_allow, answer.thing));
  }
}

void say_denied(Answer& answer, const Profile& profile, const SeccompPolicy& policy, const SyscallGroup& group,
                bool as_missing) {
  std::string effect = as_missing    ? "it fails with ENOSYS, as if the kernel did not have it"
                       : policy.kill ? "it ends the program"
                                     : "it fails with EPERM";
  const Value* word = line_naming(profile, Key::seccomp_deny, answer.thing);
  if (word) {
    answer.origin = word->origin.text();
    answer.say("No: " + effect + ", by " + answer.origin + ".");
    return offer_removal(answer, profile, "To let it", *word);
  }
  bool by_memory = policy.write_xor_execute && group.name == "@memory";
  answer.origin = by_memory ? profile.scalar(Key::process_write_xor_execute).origin.text() : "sbox";
  if (by_memory) {
    answer.say("No: " + effect + ", by " + answer.origin + ".");
    return answer.offer("To let it:", line_of(Key::process_write_xor_execute, "no"));
  }
  if (answer.thing == "ioprio_set" && profile.text(Key::limits_io_priority) != "host") {
    answer.origin = profile.scalar(Key::limits_io_priority).origin.text();
    answer.say("No: " + effect + ", by " + answer.origin + ".");
    return answer.offer("To let it:", line_of(Key::limits_io_priority, "host"));
  }
  answer.say("No: " + effect + ". It is in " + std::string(group.name) +
             (group.by_default ? "." : ", which no sandbox has by default."));
  answer.say(std::string(group.meaning));
  say_how(answer, group);
}

void explain_group(Answer& answer, const SyscallGroup& group, const std::set<std::string_view>& allowed) {
  answer.kind = "group of system calls";
  std::string yes, no;
  for (std::string_view call : group.calls) (allowed.contains(call) ? yes : no) += " " + std::string(call);
  answer.verdict = no.empty() ? "yes" : yes.empty() ? "no" : "partly";
  answer.say(std::string(group.meaning));
  if (!yes.empty()) answer.say((no.empty() ? "Yes, all:" : "Yes:") + yes + ".");
  if (!no.empty()) answer.say((yes.empty() ? "No, none:" : "No:") + no + ".");
  if (!no.empty()) {
    bool is_namespace = group.name == "@namespace";
    answer.offer("To let it all:", is_namespace ? line_of(Key::process_nested_sandbox, "mounts")
                                                : line_of(Key::seccomp_allow, answer.thing));
  }
  if (!no.empty()) return;
  std::string own(own_call(answer.thing));
  if (!own.empty())
    return answer.say("No line takes all away: sbox itself needs " + own + " inside. Single calls can be denied.");
  answer.offer("To take all away:", line_of(Key::seccomp_deny, answer.thing));
}

}  // namespace

bool is_call_or_group(std::string_view word) { return find_group(word) != nullptr || group_of(word) != nullptr; }

Answer explain_call(const Inquiry& inquiry, const std::string& word) {
  const Profile& profile = inquiry.profile;
  Answer answer{.kind = "system call", .thing = word, .verdict = "no", .origin = "", .parts = {}};
  if (!is_call_or_group(word)) {
    throw Error("system call " + quote(word), "unknown").hint("see sbox-profile(5) for the groups");
  }
  bool is_unfiltered = profile.text(Key::seccomp_mode) == "none";
  if (is_unfiltered && is_refused_by_landlock(inquiry, word)) {
    say_unmountable(answer, profile);
    return answer;
  }
  if (is_unfiltered) {
    answer.verdict = "yes";
    answer.origin = profile.scalar(Key::seccomp_mode).origin.text();
    answer.say("Yes: system calls are not filtered, " + by_line(answer.origin) + ".");
    answer.say("To filter them, remove " + answer.origin + ".");
    return answer;
  }
  SeccompPolicy policy = seccomp_policy(profile);
  policy.architecture = inquiry.host.architecture();
  std::set<std::string_view> allowed = allowed_calls(policy);
  if (const SyscallGroup* group = find_group(word)) {
    std::erase_if(allowed, [&](std::string_view call) { return is_refused_by_landlock(inquiry, call); });
    explain_group(answer, *group, allowed);
    return answer;
  }
  const SyscallGroup& group = *group_of(word);
  CallAnswer given = answer_to(word, allowed, policy);
  if (given == CallAnswer::allowed && is_refused_by_landlock(inquiry, word)) {
    say_unmountable(answer, profile);
  } else if (given == CallAnswer::allowed) {
    say_allowed(answer, profile, policy, group);
  } else {
    say_denied(answer, profile, policy, group, given == CallAnswer::missing);
  }
  return answer;
}

}  // namespace sbox
