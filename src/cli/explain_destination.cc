#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "cli/explain_thing.h"
#include "plan/network.h"
#include "plan/paths.h"
#include "profile/network_syntax.h"

namespace sbox {
namespace {

using Kind = Destination::Kind;

// The line of a list that decides about `asked`: one that means all of it, else one that means a part.
struct Decision {
  const Value* whole = nullptr;
  const Value* part = nullptr;
};

Decision decide(const Profile& profile, Key key, const Destination& asked) {
  Decision decision;
  for (const Value& value : profile.list(key)) {
    std::string why;
    Destination rule = *parse_destination(value.text, why);
    if (!decision.whole && covers(rule, asked)) decision.whole = &value;
    if (!decision.part && touches(rule, asked)) decision.part = &value;
  }
  return decision;
}

void set(Answer& answer, const char* verdict, const Value& value, const std::string& sentence) {
  answer.verdict = verdict;
  answer.origin = value.origin.text();
  answer.say(sentence + ", " + by_line(answer.origin) + ".");
}

void offer_to_allow(Answer& answer, const Profile& profile) {
  bool has_list = !profile.list(Key::network_connect).empty();
  answer.offer(has_list ? "To let it:" : "To let it, and nothing else:", line_of(Key::network_connect, answer.thing));
}

// In parts only, or not at all.
void explain_unlisted(Answer& answer, const Profile& profile, const Destination& asked, const Decision& allowed) {
  if (allowed.part) {
    set(answer, "partly", *allowed.part, "Only where connect = " + allowed.part->text + " holds");
  } else {
    const Value& first = profile.list(Key::network_connect).front();
    set(answer, "no", first, "No: nothing in the list of connect means it, which begins");
    if (asked.kind == Kind::name) answer.say("The name is not even looked up, unless a line is for all hosts.");
  }
  offer_to_allow(answer, profile);
}

void explain_listed(Answer& answer, const Profile& profile, const Destination& asked) {
  Decision denied = decide(profile, Key::network_deny, asked), allowed = decide(profile, Key::network_connect, asked);
  if (denied.whole) {
    set(answer, "no", *denied.whole, "No: deny = " + denied.whole->text + " beats connect");
    return offer_removal(answer, profile, "To let it", *denied.whole);
  }
  bool is_open = profile.list(Key::network_connect).empty() && asked.kind != Kind::localhost;
  if (!is_open && !allowed.whole) {
    if (profile.list(Key::network_connect).empty()) {
      answer.say("No: a private network does not lead to this machine.");
      return offer_to_allow(answer, profile);
    }
    return explain_unlisted(answer, profile, asked, allowed);
  }
  const Value& mode = profile.scalar(Key::network_mode);
  if (allowed.whole) {
    set(answer, "yes", *allowed.whole, "Yes: connect = " + allowed.whole->text);
  } else {
    set(answer, "yes", mode, "Yes: a private network leads everywhere but to this machine");
    answer.offer("To take it away:", line_of(Key::network_deny, answer.thing));
  }
  if (denied.part) set(answer, "partly", *denied.part, "But not where deny = " + denied.part->text + " holds");
  if (asked.kind == Kind::name && !profile.list(Key::network_deny).empty()) {
    answer.say("What is denied stays so, wherever the name leads.");
  }
}

void explain_private(Answer& answer, const Inquiry& inquiry, const Destination& asked) {
  const Profile& profile = inquiry.profile;
  if (std::optional<Proxy> proxy = proxy_of(profile)) {
    const Value& value = profile.scalar(Key::network_proxy);
    if (covers(proxy->destination, asked)) return set(answer, "yes", value, "Yes: it is the proxy");
    return set(answer, "partly", value, "Only through the proxy " + value.text + ", as far as that leads there");
  }
  if (asked.kind == Kind::net && is_never_reached(asked)) {
    answer.say("No: no private network leads to addresses of this machine, of its link, or of many at once.");
    bool is_loopback = asked.host.starts_with("127.") || asked.host == "::1";
    if (is_loopback) answer.say("This machine's loopback is named localhost, as in localhost:5432.");
    return;
  }
  explain_listed(answer, profile, asked);
  if (answer.verdict == "yes" && asked.kind == Kind::net) {
    answer.say("An address of this machine itself is never reached.");
  }
}

void explain_host(Answer& answer, const Profile& profile, const Destination& asked) {
  const Value& mode = profile.scalar(Key::network_mode);
  if (profile.list(Key::network_connect).empty()) {
    set(answer, "yes", mode, "Yes: it has the host's network");
  } else {
    Destination port = asked;
    port.kind = Kind::any;
    Decision allowed = decide(profile, Key::network_connect, port);
    if (!allowed.whole) return explain_unlisted(answer, profile, port, allowed);
    set(answer, "yes", *allowed.whole, "Yes: connect = " + allowed.whole->text);
  }
  answer.offer("To let it go to what is named alone:", line_of(Key::network_mode, "private"));
}

}  // namespace

bool is_network(const Inquiry&, const std::string& word) {
  std::string why;
  std::optional<Destination> found = parse_destination(word, why);
  return found && found->kind == Kind::net;
}

bool is_destination(const Inquiry& inquiry, const std::string& word) {
  std::string why;
  std::optional<Destination> found = parse_destination(word, why);
  if (!found || word.empty()) return false;
  bool has_ports = !found->ports.is_all(), has_protocol = found->protocol != Protocol::any;
  if (has_ports || has_protocol) return true;
  constexpr std::string_view kUsual[] = {".org", ".com", ".net", ".io", ".de", ".fr", ".uk", ".dev"};
  bool is_likely = std::any_of(std::begin(kUsual), std::end(kUsual), [&](auto end) { return word.ends_with(end); });
  std::optional<std::string> path = normalise(inquiry.host.directory() + "/" + word);
  return is_likely && path && inquiry.host.status(*path).kind == FileKind::missing;
}

Answer explain_destination(const Inquiry& inquiry, const std::string& word) {
  std::string why;
  std::optional<Destination> asked = parse_destination(word, why);
  if (!asked) throw Error(quote(word), why).hint("write it like example.org:443");
  Answer answer;
  answer.kind = "host";
  answer.thing = word;
  const Value& mode = inquiry.profile.scalar(Key::network_mode);
  if (mode.text == "none") {
    set(answer, "no", mode, "No: it has no network");
    answer.offer("To let it, it first needs a network:", line_of(Key::network_mode, "private"));
    offer_to_allow(answer, inquiry.profile);
  } else if (mode.text == "private") {
    explain_private(answer, inquiry, *asked);
  } else {
    explain_host(answer, inquiry.profile, *asked);
  }
  return answer;
}

}  // namespace sbox
