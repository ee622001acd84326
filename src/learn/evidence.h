// What a program wanted, out of the trace of a run. Pure; takes any trace.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "learn/bus_message.h"
#include "learn/trace.h"

namespace sbox::learn {

// Who did something first, by which call, how often, and how it went.
struct Trail {
  std::string by, call;
  uint64_t count = 0;
  std::string error;  // "" when it succeeded once; else of the first time
};

enum class Use {
  look,    // asked for its status
  read,    // opened for reading
  list,    // read as a directory
  change,  // opened for writing, or changed in another way
  make,    // its name was made, removed or taken by another file
  execute,
};

struct Endpoint {
  bool is_tcp = true;
  std::string address;
  uint16_t port = 0;
  std::string name;  // by which the address was found; "" where none was asked for
  auto operator<=>(const Endpoint&) const = default;
};

struct BusUse {
  enum class Kind { call, own, hear } kind = Kind::call;
  bool is_system = false;
  std::string name, interface, member, path;  // of own: the name alone
  auto operator<=>(const BusUse&) const = default;
};

struct Evidence {
  // By the path inside, without links where the call succeeded.
  std::map<std::string, std::map<Use, Trail>> files;
  std::map<std::string, std::string> renames;  // from where to where
  std::map<std::string, Trail> sockets;        // of the UNIX family, by path; abstract ones begin with @
  std::map<Endpoint, Trail> endpoints;
  std::map<Endpoint, Trail> listens;   // the address is its own
  std::map<std::string, Trail> names;  // that were looked up
  std::map<BusUse, Trail> bus;
  uint64_t dropped = 0;  // things beyond what is kept
};

class Collector {
 public:
  // `directory`: where the program starts.
  explicit Collector(std::string directory) : directory_(std::move(directory)) {}

  void add_line(std::string_view line);
  const Evidence& evidence() const { return evidence_; }

 private:
  struct Socket {
    bool is_tcp = false, is_bus = false, is_system = false;
    std::string address;
    uint16_t port = 0;
    std::set<std::string> owners;  // of a bus: the names whose owners were asked for
  };

  void add(const Call& call);
  void use(const Call& call, const std::string& path, Use use);
  template <class Map, class Key>
  void note(Map& map, const Key& key, const Call& call);

  std::string path_of(const Call& call, const std::string& at, const std::string& path) const;
  // Of the argument `index`; with `at`, below the directory of the argument before it. Nothing where it is no path.
  std::optional<std::string> path_at(const Call& call, size_t index, bool at) const;
  void open(const Call& call, const std::string& path, std::string_view flags);
  bool add_file_call(const Call& call);
  void follow_directory(const Call& call);

  Socket* socket_of(const Call& call);
  void make_socket(const Call& call);
  void connect(const Call& call);
  void bind(const Call& call);
  void send(const Call& call);
  void receive(const Call& call);
  void visit(const Call& call, const Socket& socket);
  void ask(const Call& call, const std::string& message);
  void talk(const Call& call, Socket& socket);
  void say(const Call& call, Socket& socket, const BusMessage& message);

  Evidence evidence_;
  LineReader reader_;
  std::string directory_;
  std::map<uint32_t, std::string> directories_;  // by process
  std::map<std::string, Socket> sockets_;        // as strace names them
  std::set<std::string> queries_;                // that wait for their answers
  std::map<std::string, std::string> found_;     // the name that has led to an address
};

// "tcp example.org:443", as network.connect takes it.
std::string destination_text(const Endpoint& endpoint);

// Absolute, without "." and ".."; "" where it is not absolute.
std::string tidy_path(std::string_view path);

}  // namespace sbox::learn
