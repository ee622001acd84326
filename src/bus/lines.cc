#include "bus/lines.h"

#include <algorithm>
#include <iterator>
#include <optional>

namespace sbox::bus {
namespace {

constexpr size_t kLongestLine = 4096;
constexpr std::string_view kBus = "org.freedesktop.DBus";

// What the bus is asked of a name, which is the first argument.
struct Request {
  std::string_view member;
  NoteKind kind;
  bool is_marked = true;  // a line says that it was refused; else the argument alone tells
};
constexpr Request kRequests[] = {
    {"RequestName", NoteKind::bus_own},
    {"ReleaseName", NoteKind::bus_own},
    {"ListQueuedOwners", NoteKind::bus_own},
    {"StartServiceByName", NoteKind::bus_start},
    {"NameHasOwner", NoteKind::bus_see, false},
    {"GetNameOwner", NoteKind::bus_see, false},
    {"GetConnectionUnixProcessID", NoteKind::bus_see},
    {"GetConnectionCredentials", NoteKind::bus_see},
    {"GetAdtAuditSessionData", NoteKind::bus_see},
    {"GetConnectionSELinuxSecurityContext", NoteKind::bus_see},
    {"GetConnectionUnixUser", NoteKind::bus_see},
};

const Request* find_request(const Refused& message) {
  if (message.name != kBus || message.interface != kBus) return nullptr;
  auto found = std::find_if(std::begin(kRequests), std::end(kRequests),
                            [&](const Request& request) { return request.member == message.member; });
  return found == std::end(kRequests) ? nullptr : found;
}

std::string_view take_until(std::string_view& text, std::string_view mark) {
  size_t end = std::min(text.find(mark), text.size());
  std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + mark.size(), text.size()));
  return part;
}

// "C12: -> NAME call INTERFACE.MEMBER at PATH", or with "signal".
std::optional<Refused> parse_message(std::string_view line) {
  take_until(line, ": -> ");
  Refused message;
  message.name = take_until(line, " ");
  std::string_view kind = take_until(line, " "), method = take_until(line, " at ");
  if (kind == "call") message.kind = NoteKind::bus_call;
  if (kind == "signal") message.kind = NoteKind::bus_signal;
  size_t dot = method.rfind('.');
  if (message.kind == NoteKind::none || dot == std::string_view::npos) return std::nullopt;
  message.interface = method.substr(0, dot);
  message.member = method.substr(dot + 1);
  message.path = line;
  return message;
}

}  // namespace

void Lines::take(std::string_view bytes, const Handler& handler) {
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    std::string_view part = bytes.substr(0, end);
    line_.append(part.substr(0, kLongestLine - std::min(line_.size(), kLongestLine)));
    if (end == std::string_view::npos) return;
    judge(line_, handler);
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void Lines::judge(std::string_view line, const Handler& handler) {
  constexpr std::string_view kArgument = "Filtering message due to arg0 ", kBehind = ", policy: ";
  if (line.starts_with('C') || line.starts_with('B')) {
    message_ = line.starts_with('C') ? line : std::string_view();
    argument_.clear();
    return;
  }
  bool is_argument = line.starts_with(kArgument),
       is_mark = line.starts_with("*HIDDEN*") || line.starts_with("*DENIED*");
  if (message_.empty() || (!is_argument && !is_mark)) return;
  std::optional<Refused> message = parse_message(message_);
  if (!message) return;
  if (is_argument) argument_ = line.substr(kArgument.size(), line.rfind(kBehind) - kArgument.size());
  const Request* request = find_request(*message);
  if (is_argument && (request == nullptr || request->is_marked)) return;
  if (request != nullptr && !argument_.empty()) {
    message->kind = request->kind;
    message->name = argument_;
  }
  handler(*message);
  message_.clear();
}

}  // namespace sbox::bus
