#include "log/bus_denial.h"

#include "log/words.h"
#include "profile/dangers.h"

namespace sbox {
namespace {

constexpr std::string_view kBus = "org.freedesktop.DBus";

// As the profile names them.
struct Keys {
  Key mode, talk, own, see, call;
};
constexpr Keys kSession{Key::dbus_session, Key::dbus_talk, Key::dbus_own, Key::dbus_see, Key::dbus_call};
constexpr Keys kSystem{Key::dbus_system, Key::dbus_system_talk, Key::dbus_system_own, Key::dbus_system_see,
                       Key::dbus_system_call};

const char* word_for(NoteKind kind) {
  switch (kind) {
    case NoteKind::bus_signal:
      return "signal";
    case NoteKind::bus_own:
      return "own";
    case NoteKind::bus_see:
      return "see";
    case NoteKind::bus_start:
      return "start";
    default:
      return "call";
  }
}

const char* word_for_bus(uint16_t where) {
  switch (static_cast<BusNumber>(where)) {
    case BusNumber::system:
      return "system";
    case BusNumber::accessibility:
      return "accessibility";
    default:
      return "session";
  }
}

// Why no line can allow it; "" where one can.
std::string lasting_reason(const BusDenial& denial) {
  if (denial.bus == "accessibility") return "programs tell this bus of their windows, and nothing else";
  if (denial.name == kBus) return "what would steer or overhear the bus is kept from every program";
  if (denial.name.starts_with(':')) return "lines name services, and this is the number of a connection";
  if (denial.name.starts_with("org.freedesktop.impl.")) return "it is the inner side of the portals";
  return "";
}

void find_lines(BusDenial& denial, const Keys& keys) {
  if (denial.kind == "own") {
    denial.remedy = line_with(keys.own, denial.name);
  } else if (denial.kind == "see") {
    denial.remedy = line_with(keys.see, denial.name);
  } else if (denial.kind == "start") {
    denial.remedy = line_with(keys.talk, denial.name);
  } else {
    denial.remedy =
        line_with(keys.call, denial.name + "=" + denial.interface + "." + denial.member + "@" + denial.path);
    denial.wider = line_with(keys.talk, denial.name);
    if (denial.remedy.empty()) denial.remedy = denial.wider;
  }
}

}  // namespace

bool is_of_bus(const Note& note) { return note.kind >= NoteKind::bus_call && note.kind <= NoteKind::bus_start; }

BusDenial describe_bus(const Note& note, const LogHeader& header) {
  auto [name, interface, member, path] = words_of(note);
  BusDenial denial{word_for_bus(note.where), word_for(note.kind), name, interface, member, path, "", "", "", ""};
  denial.why = lasting_reason(denial);
  if (!denial.why.empty()) return denial;
  bool is_system = denial.bus == "system";
  find_lines(denial, is_system ? kSystem : kSession);
  if (!denial.remedy.empty() && !is_system && !header.session_filtered) {
    denial.with = line_with(Key::dbus_session, "filtered");
  }
  if (is_dangerous_bus_name(denial.name)) denial.why = "it gives more than a sandbox should have";
  return denial;
}

std::string sentence_of(const BusDenial& denial) {
  std::string text = denial.bus + " bus: ", by = denial.name + " (" + denial.member + ")";
  if (denial.kind == "own") return text + "to be " + by;
  if (denial.kind == "see") return text + "to see " + by;
  if (denial.kind == "start") return text + "to start " + denial.name;
  std::string method = denial.interface + "." + denial.member + " at " + denial.path;
  return text + denial.kind + (denial.kind == "call" ? " of " : " to ") + denial.name + ": " + method;
}

}  // namespace sbox
