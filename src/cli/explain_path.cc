#include <optional>
#include <span>

#include "base/strings.h"
#include "cli/explain.h"
#include "cli/explain_thing.h"
#include "plan/devices.h"
#include "plan/paths.h"
#include "plan/places.h"
#include "plan/tree.h"
#include "plan/view.h"
#include "profile/values.h"

namespace sbox {
namespace {

// What was asked for, as the host and as the sandbox name it.
struct Question {
  std::string asked;   // normalised
  std::string host;    // canonical
  std::string inside;  // where the sandbox would have it
  FileKind kind;
  std::string home;
  std::string unnamed;  // says why no line of a profile can name it; "" where one can
};

std::string absolute(const std::string& path, const Host& host) {
  std::string whole = path;
  if (path == "~" || path.starts_with("~/")) {
    whole = host.variable("HOME").value_or(host.home()) + path.substr(1);
  } else if (path.starts_with("${")) {
    return host_path({path, {"", 0}}, find_places(host), host);
  } else if (!path.starts_with("/")) {
    whole = host.directory() + "/" + path;
  }
  std::optional<std::string> normal = normalise(whole);
  if (path.empty()) throw Error("explain", "what is asked for is empty").hint("name a path, or another thing");
  if (!normal) throw Error("path '" + path + "'", "not a path without '..'").hint("name it from the root");
  return *normal;
}

std::string in_profile(const Question& question) {
  if (is_below(question.asked, question.home)) return "~/" + rest_below(question.asked, question.home);
  return question.asked;
}

// As the reader of profiles sees it.
std::string why_unnamed(const Question& question) {
  try {
    check_value(setting(Key::files_read_only), {in_profile(question), {}});
    return "";
  } catch (const Error& error) {
    return "No line of a profile can name it (" + error.why() + "): name the directory that it is in.";
  }
}

Question make_question(const Plan& plan, const std::string& path, const Host& host) {
  Question question;
  question.asked = absolute(path, host);
  Resolved found = host.resolve(question.asked);
  question.host = normalise(join(found.path, found.rest)).value_or(found.path);
  question.kind = found.status.kind;
  question.inside = question.host;
  question.home = host.variable("HOME").value_or(host.home());
  std::string runtime = "/run/user/" + std::to_string(plan.uid);
  std::string host_runtime = host.resolve(host.variable("XDG_RUNTIME_DIR").value_or(runtime)).path;
  if (is_below(question.host, host_runtime)) question.inside = rebase(question.host, host_runtime, runtime);
  question.unnamed = why_unnamed(question);
  return question;
}

// The node with the longest target at or above `path`, or null.
const Node* covering(const Plan& plan, const std::string& path) {
  const Node* best = nullptr;
  for (const Node& node : plan.nodes) {
    if (is_at_or_below(path, node.target) && (!best || node.target.size() >= best->target.size())) best = &node;
  }
  return best;
}

// A place inside where the host's file is seen.
struct Sight {
  const Node* node;
  std::string inside;
};

std::optional<Sight> find_sight(const Plan& plan, const std::string& host_path) {
  std::optional<Sight> best;
  for (const Node& node : plan.nodes) {
    bool shows_host = node.kind == NodeKind::bind || node.kind == NodeKind::overlay;
    if (!shows_host || node.source.empty() || !is_at_or_below(host_path, node.source)) continue;
    std::string inside = rebase(host_path, node.source, node.target);
    if (node_showing(plan, inside) == &node && (!best || node.writable)) best = Sight{&node, inside};
  }
  return best;
}

bool is_policy(const Question& question) {
  for (const std::string& policy :
       {join(question.home, ".config/sbox"), join(question.home, ".local/share/sbox"), std::string("/etc/sbox")}) {
    if (is_at_or_below(question.host, policy) || is_at_or_below(question.asked, policy)) return true;
  }
  return false;
}

std::string line_to_write(const Question& question) {
  if (question.asked == question.home) return line_of(Key::home_mode, "host");
  if (is_below(question.asked, question.home)) return line_of(Key::home_keep, in_profile(question));
  return line_of(Key::files_read_write, in_profile(question));
}

std::optional<std::string> line_for_device(const std::string& path, FileKind kind) {
  bool is_node = kind == FileKind::character_device || kind == FileKind::directory || kind == FileKind::missing;
  if (!is_node || is_never_granted(path) || is_at_or_below(path, "/dev/shm")) return std::nullopt;
  std::optional<Key> word = device_setting(path);
  return word ? line_of(*word, "yes") : line_of(Key::devices_allow, path);
}

// What to write instead where [files] may not name it at all; "" where it may.
std::string instead_of(const Question& question, const Plan& plan) {
  if (question.inside == "/run/user/" + std::to_string(plan.uid))
    return "name the single sockets that the program needs";
  try {
    check_written(Access::read_only, {in_profile(question), {"", 0}});
    return "";
  } catch (const Error& error) {
    return error.hint_text();
  }
}

// The line that would make it readable; nothing where none may.
std::optional<std::string> line_to_read(const Question& question) {
  if (is_policy(question) || question.asked == "/" || is_at_or_below(question.asked, "/proc")) return std::nullopt;
  if (is_below(question.asked, "/dev")) return line_for_device(question.asked, question.kind);
  if (is_below(question.asked, "/etc")) {
    std::string rest = rest_below(question.asked, "/etc");
    std::string name = rest.substr(0, rest.find('/'));
    if (is_value(setting(Key::system_etc), name)) return line_of(Key::system_etc, name);
  }
  if (question.asked == question.home) return line_to_write(question);
  if (is_below(question.asked, question.home)) return line_of(Key::home_keep_read_only, in_profile(question));
  return line_of(Key::files_read_only, in_profile(question));
}

// `overlay`: the directory of that.
void explain_sight(Answer& answer, const Question& question, const Sight& sight, const std::string& overlay) {
  const Node& node = *sight.node;
  bool is_exact = sight.inside == node.target;
  bool is_own_line = node.origin != "sbox" && is_exact;
  answer.verdict = node.writable || node.device ? "yes" : "read-only";
  answer.origin = node.origin;
  if (node.kind == NodeKind::overlay) {
    answer.say("Yes: it may read it, and change it in the overlay " + quote(base_name(overlay)) + ", " +
               by_line(node.origin) + ".");
  } else if (node.device) {
    answer.say("Yes: it may use the device, " + by_line(node.origin) + ".");
  } else {
    answer.say((node.writable ? "Yes: it may read and change it, " : "Yes: it may read it, but not change it, ") +
               by_line(node.origin) + ".");
  }
  if (sight.inside != question.asked) answer.say("Inside it is at " + sight.inside + ".");
  std::string reader = line_of(Key::files_read_only, in_profile(question));
  std::string hider = line_of(Key::files_hide, in_profile(question));
  bool may_offer = question.unnamed.empty();
  if (!may_offer) answer.say(question.unnamed);
  if (may_offer && node.writable && !is_exact) answer.offer("To let it only read:", reader);
  if (may_offer && !node.writable && !node.device) {
    answer.offer(is_own_line ? "To let it change it, in place of that line:" : "To let it change it:",
                 line_to_write(question));
  }
  if (is_own_line && (node.device || question.asked == question.home || !may_offer)) {
    answer.say("To take it away, remove " + node.origin + ".");
  } else if (is_own_line) {
    answer.offer("To take it away, remove " + node.origin + ", or write:", hider);
  } else if (may_offer && !node.device) {
    answer.offer("To take it away:", hider);
  }
}

std::string what_is_there(const Node& node, const std::string& inside) {
  bool is_exact = inside == node.target;
  switch (node.kind) {
    case NodeKind::directory:
      return is_exact ? "a directory of its own is there, which holds only what is granted" : "nothing is there";
    case NodeKind::file:
      return is_exact ? "a file of its own is there, made for each run" : "nothing is there";
    case NodeKind::follow:
      return is_exact ? "a copy of it is there" : "nothing is there";
    case NodeKind::socket:
      return "a socket of its own is there";
    case NodeKind::symlink:
      return "a symlink of its own is there, to " + node.content;
    case NodeKind::hide:
      return "it is hidden, " + by_line(node.origin);
    case NodeKind::tmpfs:
      return node.writable
                 ? "what is there is its own, empty at the start and forgotten at the end, " + by_line(node.origin)
                 : "an empty directory is there, " + by_line(node.origin);
    case NodeKind::proc:
      return "its own /proc is there, of its own processes";
    case NodeKind::devpts:
      return "its own terminals are there";
    case NodeKind::bind:
    case NodeKind::overlay:
    case NodeKind::pin:
      return (node.writable ? "what is there is its own and kept, on the host at "
                            : "what is there is, on the host, at ") +
             rebase(inside, node.target, node.source);
  }
  return "nothing is there";
}

// A path with a macro that has no value here names nothing.
bool covers(const Value& value, const std::string& path, const Places& places, const Host& host) try {
  return is_at_or_below(path, host_path(value, places, host));
} catch (const Error&) {
  return false;
}

constexpr Key kGrants[] = {Key::home_keep, Key::home_keep_read_only, Key::files_read_write, Key::files_read_only};
constexpr Key kHides[] = {Key::files_hide};

// The element of one of these lists that names a path at or above what was asked; nothing where there is none.
std::optional<Value> line_naming(const Profile& profile, std::span<const Key> keys, const Question& question,
                                 const Host& host) {
  Places places = find_places(host);
  for (Key key : keys) {
    for (const Value& value : profile.list(key)) {
      if (covers(value, question.asked, places, host)) return value;
    }
  }
  return std::nullopt;
}

// The element that would grant it, had no line taken it out.
std::optional<Value> line_against(const Profile& profile, const Question& question, const Host& host) {
  Places places = find_places(host);
  for (Key key : kGrants) {
    for (const Value& value : profile.taken_out(key)) {
      if (covers(value, question.asked, places, host)) return value;
    }
  }
  return std::nullopt;
}

// `instead`: as of instead_of.
void explain_absence(Answer& answer, const Inquiry& inquiry, const Question& question, const Node* there,
                     const std::string& instead) {
  answer.say("No: " + (there ? what_is_there(*there, question.inside) : std::string("nothing is there")) + ".");
  if (there) answer.origin = there->origin;
  bool is_hidden = there && there->kind == NodeKind::hide;
  std::optional<std::string> line = line_to_read(question);
  if (std::optional<Value> out = line_against(inquiry.profile, question, inquiry.host); out && !is_hidden) {
    answer.origin = out->origin.text();
    answer.say("What would grant it, " + out->text + ", is taken out by " + answer.origin + ".");
  }
  std::optional<Value> hider = line_naming(inquiry.profile, kHides, question, inquiry.host);
  if (is_hidden && there->origin != "sbox" && hider) {
    offer_removal(answer, inquiry.profile, "To show it", *hider);
  } else if (is_hidden && there->origin != "sbox") {
    answer.say("To show it, remove " + there->origin + ".");
  } else if (is_hidden || !line) {
    answer.say("No line changes that: no sandbox has it.");
  } else if (!question.unnamed.empty()) {
    answer.say(question.unnamed);
  } else if (!instead.empty()) {
    answer.say("No line changes that: " + instead + ".");
  } else {
    std::string wider = line_to_write(question);
    bool has_wider = wider != *line && !is_below(question.asked, "/dev");
    answer.offer("To let it have the host's:", *line);
    if (has_wider) answer.offer("To let it change that as well:", wider);
  }
}

// Hidden where nothing else would be seen either, or in place of what another line of the same path grants.
void explain_hidden(Answer& answer, const Profile& profile, const Question& question, const Value& line,
                    bool is_granted) {
  answer.origin = line.origin.text();
  answer.say("No: it is hidden, by " + answer.origin + ".");
  std::optional<std::string> reader = line_to_read(question);
  if (is_granted || !reader || !question.unnamed.empty()) return offer_removal(answer, profile, "To show it", line);
  answer.offer("To let it have the host's, remove " + answer.origin + ", and write:", *reader);
}

}  // namespace

Answer explain_path(const Inquiry& inquiry, const std::string& path) {
  const auto& [profile, plan, host] = inquiry;
  Question question = make_question(plan, path, host);
  Answer answer;
  answer.kind = "path";
  answer.thing = question.asked;
  if (question.kind == FileKind::missing) answer.say("It does not exist on this host.");
  if (question.kind == FileKind::unreachable) answer.say("You may not look there yourself.");
  if (question.host != question.asked) answer.say("It leads to " + question.host + ".");
  const Node* there = covering(plan, question.inside);
  bool is_hidden = there && there->kind == NodeKind::hide;
  if (std::optional<Sight> sight = find_sight(plan, question.host)) {
    explain_sight(answer, question, *sight, plan.overlay.directory);
  } else if (auto hider = line_naming(profile, kHides, question, host); hider && !is_hidden) {
    explain_hidden(answer, profile, question, *hider, line_naming(profile, kGrants, question, host).has_value());
  } else if (auto line = line_naming(profile, kGrants, question, host);
             line && question.kind == FileKind::missing && !is_hidden) {
    answer.origin = line->origin.text();
    answer.say("No: " + answer.origin + " names it, but what does not exist at the start is left out.");
    answer.say("Make it first.");
  } else {
    bool is_of_files = !is_below(question.asked, "/dev") && !is_below(question.asked, "/etc");
    explain_absence(answer, inquiry, question, there, is_of_files ? instead_of(question, plan) : "");
  }
  return answer;
}

}  // namespace sbox
