#include "cli/page_sections.h"

namespace sbox {
namespace {

void explain_private_network(Page& page, const Profile& profile, const std::string& from) {
  page.say("A network of its own, from which it connects outward, but not to this machine.", from);
  list_places(page, profile, Key::network_connect, "It may connect to these places alone:");
  list_places(page, profile, Key::network_deny, "It may not connect to:");
  list_places(page, profile, Key::network_listen, "It may be reached at these ports, from this machine:");
  list_places(page, profile, Key::network_forward, "These ports of this machine lead to it:");
  list_places(page, profile, Key::network_dns, "It asks these name servers:");
  say_if(page, profile, Key::network_log, "What is refused is written down, for `sbox log`.");
  const Value& bandwidth = profile.scalar(Key::network_bandwidth);
  if (!bandwidth.text.empty()) {
    page.say("Most bytes in a second: " + bandwidth.text + ".", bandwidth.origin.text());
  }
  const Value& proxy = profile.scalar(Key::network_proxy);
  if (!proxy.text.empty()) page.say("Everything goes through the proxy " + proxy.text + ".", proxy.origin.text());
}

void explain_host_network(Page& page, const Profile& profile, const std::string& from) {
  if (profile.list(Key::network_connect).empty()) {
    page.say("The host's: every address that this machine reaches, itself included.", from);
  } else {
    page.say("The host's, this machine's own services included.", from);
  }
  list_places(page, profile, Key::network_connect, "It may connect to these ports alone:");
  list_places(page, profile, Key::network_listen, "It may listen at these ports of TCP alone:");
}

}  // namespace

void explain_network(Page& page, const Profile& profile) {
  page.heading("Network");
  std::string from = origin(profile, Key::network_mode);
  const std::string& mode = profile.text(Key::network_mode);
  if (mode == "none") page.say("None: only a loopback of its own.", from);
  if (mode == "private") explain_private_network(page, profile, from);
  if (mode == "host") explain_host_network(page, profile, from);
}

}  // namespace sbox
