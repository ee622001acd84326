#include "log/connection_denial.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "log/words.h"
#include "plan/network.h"
#include "profile/network_syntax.h"

namespace sbox {
namespace {

// As a profile names it.
std::string host_of(const ConnectionDenial& denial) {
  if (!denial.name.empty()) return denial.name;
  return denial.address.find(':') == std::string::npos ? denial.address : "[" + denial.address + "]";
}

// Networks that no private one leads to, whatever a profile says.
bool is_never_reached(const ConnectionDenial& denial) {
  std::string why;
  std::optional<Destination> asked = parse_destination(denial.address, why);
  return asked && sbox::is_never_reached(*asked);
}

std::string reason(const ConnectionDenial& denial, Wall wall, const LogHeader& header) {
  if (is_never_reached(denial)) return "no private network leads to this machine, its link, or to many at once";
  if (wall == Wall::host) return "it is an address of this machine";
  if (wall == Wall::deny) return "a line of [network] deny covers it";
  if (header.has_proxy) return "everything goes through the proxy";
  bool is_known = denial.protocol.empty() || denial.protocol == "tcp" || denial.protocol == "udp";
  return is_known ? "" : "lines of [network] connect with ports speak of TCP and UDP";
}

}  // namespace

bool is_of_network(const Note& note) { return note.kind == NoteKind::connection || note.kind == NoteKind::host_name; }

ConnectionDenial describe_connection(const Note& note, const LogHeader& header) {
  auto words = words_of(note);
  ConnectionDenial denial;
  if (note.kind == NoteKind::host_name) {
    denial.name = words[0];
  } else {
    denial.address = words[0];
    denial.port = static_cast<unsigned>(parse_number(words[1]).value_or(0));
    denial.protocol = words[2];
    denial.name = words[3];
  }
  denial.why = reason(denial, static_cast<Wall>(note.where), header);
  if (!denial.why.empty()) return denial;
  bool has_port = note.kind == NoteKind::connection;
  std::string before = has_port ? denial.protocol + " " : "";
  denial.remedy =
      line_with(Key::network_connect, before + host_of(denial) + (has_port ? ":" + std::to_string(denial.port) : ""));
  return denial;
}

std::string sentence_of(const ConnectionDenial& denial) {
  if (denial.protocol.empty()) return "the name " + denial.name + ", not looked up";
  std::string text = denial.protocol + " to " + denial.address;
  if (denial.port != 0) text += " port " + std::to_string(denial.port);
  return denial.name.empty() ? text : text + " (" + denial.name + ")";
}

}  // namespace sbox
