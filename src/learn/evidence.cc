#include "learn/evidence.h"

#include <arpa/inet.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/strings.h"
#include "network/dns.h"
#include "plan/paths.h"

namespace sbox::learn {
namespace {

constexpr size_t kMostOfAKind = 20000, kMostSockets = 20000, kMostQueries = 1000, kMostOwners = 1000;
constexpr uint16_t kDomain = 53;
constexpr std::string_view kSystemBus = "/run/dbus/system_bus_socket";

// A call about files: which argument is the path, whether a directory descriptor stands before it, and what for.
struct FileCall {
  std::string_view name;
  size_t path;
  bool at;
  Use use;
};
constexpr FileCall kFileCalls[] = {
    {"stat", 0, false, Use::look},       {"lstat", 0, false, Use::look},       {"newfstatat", 1, true, Use::look},
    {"statx", 1, true, Use::look},       {"access", 0, false, Use::look},      {"faccessat", 1, true, Use::look},
    {"faccessat2", 1, true, Use::look},  {"readlink", 0, false, Use::look},    {"readlinkat", 1, true, Use::look},
    {"execve", 0, false, Use::execute},  {"execveat", 1, true, Use::execute},  {"truncate", 0, false, Use::change},
    {"chmod", 0, false, Use::change},    {"fchmodat", 1, true, Use::change},   {"utime", 0, false, Use::change},
    {"utimes", 0, false, Use::change},   {"utimensat", 1, true, Use::change},  {"futimesat", 1, true, Use::change},
    {"setxattr", 0, false, Use::change}, {"lsetxattr", 0, false, Use::change}, {"mkdir", 0, false, Use::make},
    {"mkdirat", 1, true, Use::make},     {"mknod", 0, false, Use::make},       {"mknodat", 1, true, Use::make},
    {"rmdir", 0, false, Use::make},      {"unlink", 0, false, Use::make},      {"unlinkat", 1, true, Use::make},
    {"symlink", 1, false, Use::make},    {"symlinkat", 2, true, Use::make},    {"link", 0, false, Use::read},
    {"link", 1, false, Use::make},       {"linkat", 1, true, Use::read},       {"linkat", 3, true, Use::make},
    {"rename", 0, false, Use::make},     {"rename", 1, false, Use::make},      {"renameat", 1, true, Use::make},
    {"renameat", 3, true, Use::make},    {"renameat2", 1, true, Use::make},    {"renameat2", 3, true, Use::make},
};

struct OpenCall {
  std::string_view name;
  size_t path;
  bool at;
};
constexpr OpenCall kOpenCalls[] = {{"open", 0, false}, {"openat", 1, true}, {"openat2", 1, true}, {"creat", 0, false}};

bool has_flag(std::string_view flags, std::string_view flag) {
  for (const std::string& one : split(flags, '|')) {
    if (one == flag || one.ends_with("=" + std::string(flag))) return true;
  }
  return false;
}

uint16_t port_in(const std::string& argument) {
  return static_cast<uint16_t>(std::min(parse_number(inner_of(argument, "htons")).value_or(0), 65535ULL));
}

// sin_addr=inet_addr("1.2.3.4"), or inet_pton(AF_INET6, "::1", &sin6_addr)
std::string address_in(const std::string& argument) {
  std::string four = inner_of(argument, "inet_addr"), six = inner_of(argument, "inet_pton");
  if (six.starts_with("AF_INET6, \"")) {
    six = string_of(std::string_view(six).substr(six.find('"'))).value_or("");
    constexpr std::string_view kMapped = "::ffff:";
    if (six.starts_with(kMapped) && six.find('.') != std::string::npos) return six.substr(kMapped.size());
    return six;
  }
  return four;
}

std::string text_of(const network::Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.is_six ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

bool is_address(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

// All the bytes of a message, of each of its parts.
std::string bytes_in(const std::string& argument) {
  std::string bytes;
  for (const std::string& part : fields_of(argument, "iov_base")) bytes += part;
  return bytes;
}

// NAME='VALUE' of a rule for signals; "" where it is not there.
std::string match_word(std::string_view rule, std::string_view name) {
  for (const std::string& part : split(rule, ',')) {
    std::string_view word = trim(part);
    std::string sign = std::string(name) + "='";
    if (word.starts_with(sign) && word.ends_with('\''))
      return std::string(word.substr(sign.size(), word.size() - sign.size() - 1));
  }
  return "";
}

// Who is called by the name of his connection: the one of those asked for that the interface is named after, or the
// only one. The answers, which would tell, are not traced.
std::string name_behind(const std::set<std::string>& owners, const std::string& interface) {
  if (owners.size() == 1) return *owners.begin();
  std::string nearest;
  for (const std::string& name : owners) {
    bool fits = interface == name || interface.starts_with(name + ".");
    if (fits && name.size() > nearest.size()) nearest = name;
  }
  return nearest;
}

}  // namespace

std::string tidy_path(std::string_view path) {
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) return "";
  std::string tidy;
  for (std::string_view part; !(part = take_component(path)).empty();) {
    if (part == "..") {
      tidy.resize(std::min(tidy.rfind('/'), tidy.size()));
    } else {
      tidy.append("/").append(part);
    }
  }
  return tidy.empty() ? "/" : tidy;
}

std::string destination_text(const Endpoint& endpoint) {
  std::string host = endpoint.name.empty() ? endpoint.address : endpoint.name;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return (endpoint.is_tcp ? "tcp " : "udp ") + host + ":" + std::to_string(endpoint.port);
}

void Collector::add_line(std::string_view line) {
  if (std::optional<Call> call = reader_.read(line)) add(*call);
}

template <class Map, class Key>
void Collector::note(Map& map, const Key& key, const Call& call) {
  auto found = map.find(key);
  if (found == map.end() && map.size() >= kMostOfAKind) {
    ++evidence_.dropped;
    return;
  }
  Trail& trail = found == map.end() ? map[key] : found->second;
  if (trail.count++ == 0) {
    trail.by = call.by;
    trail.call = call.name;
    trail.error = call.error;
  } else if (call.error.empty()) {
    trail.error.clear();
  }
}

void Collector::use(const Call& call, const std::string& path, Use use) {
  auto found = evidence_.files.find(path);
  if (found == evidence_.files.end() && evidence_.files.size() >= kMostOfAKind) {
    ++evidence_.dropped;
    return;
  }
  note(evidence_.files[path], use, call);
}

std::string Collector::path_of(const Call& call, const std::string& at, const std::string& path) const {
  if (path.starts_with('/')) return tidy_path(path);
  auto known = directories_.find(call.process);
  std::string directory = !at.empty() ? at : known != directories_.end() ? known->second : directory_;
  return path.empty() ? tidy_path(directory) : tidy_path(directory + "/" + path);
}

std::optional<std::string> Collector::path_at(const Call& call, size_t index, bool at) const {
  if (call.arguments.size() <= index) return std::nullopt;
  std::optional<std::string> path = string_of(call.arguments[index]);
  if (!path) return std::nullopt;
  std::string whole = path_of(call, at ? annotation_of(call.arguments[index - 1]) : "", *path);
  if (whole.empty()) return std::nullopt;
  return whole;
}

void Collector::open(const Call& call, const std::string& path, std::string_view flags) {
  bool makes = has_flag(flags, "O_CREAT") || call.name == "creat" || flags.find("O_TMPFILE") != flags.npos;
  bool writes = has_flag(flags, "O_WRONLY") || has_flag(flags, "O_RDWR") || has_flag(flags, "O_TRUNC");
  std::string real = call.error.empty() ? tidy_path(annotation_of(call.result)) : "";
  if (real.empty()) real = path;
  if (has_flag(flags, "O_PATH")) return use(call, real, Use::look);
  use(call, real, makes ? Use::make : writes ? Use::change : Use::read);
}

bool Collector::add_file_call(const Call& call) {
  for (const OpenCall& row : kOpenCalls) {
    if (row.name != call.name) continue;
    std::optional<std::string> path = path_at(call, row.path, row.at);
    size_t flags = row.path + 1;
    if (path && call.arguments.size() > flags) open(call, *path, call.arguments[flags]);
    return true;
  }
  std::vector<std::string> paths;
  bool is_known = false;
  for (const FileCall& row : kFileCalls) {
    if (row.name != call.name) continue;
    is_known = true;
    std::optional<std::string> path = path_at(call, row.path, row.at);
    if (!path) continue;
    use(call, *path, row.use);
    paths.push_back(*path);
  }
  bool is_rename = call.name.starts_with("rename") && call.error.empty() && paths.size() == 2;
  if (is_rename && evidence_.renames.size() < kMostOfAKind) evidence_.renames[paths[0]] = paths[1];
  return is_known;
}

// Calls without a directory descriptor are meant from where the process is, which other calls and chdir say.
void Collector::follow_directory(const Call& call) {
  if (directories_.size() >= kMostOfAKind) return;
  for (const std::string& argument : call.arguments) {
    if (argument.starts_with("AT_FDCWD<")) directories_[call.process] = annotation_of(argument);
  }
  if (!call.error.empty()) return;
  if (call.name == "chdir") {
    if (std::optional<std::string> path = path_at(call, 0, false)) directories_[call.process] = *path;
  } else if (call.name == "fchdir" && !call.arguments.empty()) {
    directories_[call.process] = annotation_of(call.arguments[0]);
  } else if (call.name == "fork" || call.name == "vfork" || call.name.starts_with("clone")) {
    auto child = parse_number(std::string_view(call.result).substr(0, call.result.find('<')));
    auto known = directories_.find(call.process);
    if (child && known != directories_.end()) {
      directories_.try_emplace(static_cast<uint32_t>(*child), known->second);
    }
  }
}

Collector::Socket* Collector::socket_of(const Call& call) {
  if (call.arguments.empty()) return nullptr;
  std::string name = annotation_of(call.arguments[0]);
  if (!name.starts_with("socket:")) return nullptr;
  if (!sockets_.contains(name) && sockets_.size() >= kMostSockets) return nullptr;
  return &sockets_[name];
}

void Collector::make_socket(const Call& call) {
  std::string name = annotation_of(call.result);
  if (!call.error.empty() || call.arguments.size() < 2 || sockets_.size() >= kMostSockets) return;
  sockets_[name] = {};
  sockets_[name].is_tcp = has_flag(call.arguments[1], "SOCK_STREAM");
}

void Collector::connect(const Call& call) {
  Socket* socket = socket_of(call);
  if (!socket || call.arguments.size() < 2) return;
  const std::string& address = call.arguments[1];
  if (address.find("AF_UNIX") != std::string::npos) {
    std::vector<std::string> paths = fields_of(address, "sun_path");
    if (paths.empty() || paths[0].empty()) return;
    std::string path = paths[0][0] == '@' ? paths[0] : path_of(call, "", paths[0]);
    if (path.empty()) return;
    socket->is_system = path.ends_with(kSystemBus);
    socket->is_bus = socket->is_system || path.ends_with("/bus");
    note(evidence_.sockets, path, call);
    return;
  }
  socket->address = address_in(address);
  socket->port = port_in(address);
  if (socket->is_tcp) visit(call, *socket);
}

void Collector::visit(const Call& call, const Socket& socket) {
  if (!is_address(socket.address) || socket.port == 0) return;
  auto known = found_.find(socket.address);
  Endpoint endpoint{socket.is_tcp, socket.address, socket.port, known == found_.end() ? "" : known->second};
  if (!endpoint.name.empty()) endpoint.address.clear();
  note(evidence_.endpoints, endpoint, call);
}

void Collector::bind(const Call& call) {
  Socket* socket = socket_of(call);
  if (!socket || call.arguments.size() < 2 || call.arguments[1].find("AF_INET") == std::string::npos) return;
  uint16_t port = port_in(call.arguments[1]);
  if (port != 0) note(evidence_.listens, Endpoint{socket->is_tcp, "", port, ""}, call);
}

void Collector::send(const Call& call) {
  Socket* socket = socket_of(call);
  if (!socket || call.arguments.size() < 2) return;
  if (socket->is_bus) return talk(call, *socket);
  // The address may be that of this message alone.
  Socket to = *socket;
  bool has_address = false;
  for (size_t i = 1; i < call.arguments.size(); ++i) {
    if (call.arguments[i].find("AF_INET") == std::string::npos) continue;
    to.address = address_in(call.arguments[i]);
    to.port = port_in(call.arguments[i]);
    has_address = true;
    break;
  }
  if (to.port == kDomain) {
    if (std::optional<std::string> bytes = string_of(call.arguments[1])) return ask(call, *bytes);
    for (const std::string& message : fields_of(call.arguments[1], "iov_base")) ask(call, message);
    return;
  }
  if (!to.is_tcp && (has_address || !to.address.empty())) visit(call, to);
}

void Collector::ask(const Call& call, const std::string& message) {
  std::optional<network::Question> question = network::parse_query(message);
  bool is_name = question && !question->name.empty() && question->name.find('\\') == std::string::npos;
  if (!is_name) return;
  note(evidence_.names, question->name, call);
  if (queries_.size() < kMostQueries) queries_.insert(message);
}

void Collector::receive(const Call& call) {
  Socket* socket = socket_of(call);
  if (!socket || !call.error.empty() || call.arguments.size() < 2 || queries_.empty()) return;
  std::optional<std::string> reply = string_of(call.arguments[1]);
  if (!reply) return;
  for (auto query = queries_.begin(); query != queries_.end(); ++query) {
    auto answers = network::parse_reply(*reply, *query);
    if (!answers) continue;
    std::string name = network::parse_query(*query)->name;
    for (const network::Answer& answer : *answers) {
      if (found_.size() < kMostOfAKind) found_[text_of(answer.address)] = name;
    }
    queries_.erase(query);
    return;
  }
}

void Collector::say(const Call& call, Socket& socket, const BusMessage& message) {
  constexpr std::string_view kDaemon = "org.freedesktop.DBus";
  BusUse use{BusUse::Kind::call, socket.is_system, message.destination,
             message.interface,  message.member,   message.path};
  if (message.destination.starts_with(':')) use.name = name_behind(socket.owners, message.interface);
  if (message.destination == kDaemon) {
    bool asks_for_owner = message.member == "GetNameOwner" || message.member == "StartServiceByName";
    if (asks_for_owner && socket.owners.size() < kMostOwners) socket.owners.insert(message.first);
    if (message.member == "RequestName") {
      use = {BusUse::Kind::own, socket.is_system, message.first, "", "", ""};
    } else if (message.member == "AddMatch") {
      auto word = [&](const char* name) { return match_word(message.first, name); };
      use = {BusUse::Kind::hear, socket.is_system, word("sender"), word("interface"), word("member"), word("path")};
    } else {
      return;
    }
  }
  if (!use.name.empty() && use.name != kDaemon && use.name[0] != ':') note(evidence_.bus, use, call);
}

void Collector::talk(const Call& call, Socket& socket) {
  std::string bytes = call.name == "sendto" ? string_of(call.arguments[1]).value_or("") : bytes_in(call.arguments[1]);
  for (const BusMessage& message : parse_bus_messages(bytes)) {
    if (message.is_call) say(call, socket, message);
  }
}

void Collector::add(const Call& call) {
  follow_directory(call);
  if (add_file_call(call)) return;
  if (call.name.starts_with("getdents") && !call.arguments.empty()) {
    std::string path = tidy_path(annotation_of(call.arguments[0]));
    if (!path.empty()) use(call, path, Use::list);
  } else if (call.name == "socket") {
    make_socket(call);
  } else if (call.name == "connect") {
    connect(call);
  } else if (call.name == "bind") {
    bind(call);
  } else if (call.name == "sendto" || call.name == "sendmsg" || call.name == "sendmmsg") {
    send(call);
  } else if (call.name == "recvfrom") {
    receive(call);
  }
}

}  // namespace sbox::learn
