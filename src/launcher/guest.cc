#include "launcher/guest.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "launcher/kernel.h"
#include "plan/decode.h"

namespace sbox {
namespace {

constexpr char kDoor[] = ".sbox-door";
constexpr int kWaiting = 8;
constexpr size_t kLargestRequest = 4 << 20;  // more than execve(2) takes
constexpr std::string_view kTerminal = "TERM=", kShell = "SHELL=";

std::string read_all(const Step& step, int fd) {
  std::string bytes;
  char part[4096];
  for (;;) {
    ssize_t size = pread(fd, part, sizeof part, static_cast<off_t>(bytes.size()));
    step.require(size >= 0, "read the request");
    if (size == 0) return bytes;
    bytes.append(part, static_cast<size_t>(size));
    if (bytes.size() > kLargestRequest) step.fail("the request", E2BIG);
  }
}

bool is_known(StreamKind kind) {
  return kind == StreamKind::null || kind == StreamKind::pipe || kind == StreamKind::terminal;
}

// The layout with the pipes that came before it. False when they do not fit together.
bool arrange(const StreamLayout& layout, Stdio& stdio) {
  for (size_t i = 0; i < stdio.streams.size(); ++i) {
    Stream& stream = stdio.streams[i];
    stream.kind = layout.kinds[i];
    stream.shares = layout.shares[i];
    bool shares = i == 2 && stream.shares == 1 && layout.kinds[1] == StreamKind::pipe;
    if (!is_known(stream.kind) || (stream.shares != -1 && !shares)) return false;
    bool needs_pipe = stream.kind == StreamKind::pipe && !shares;
    if (needs_pipe != stream.inside.ok()) return false;
  }
  stdio.has_terminal = stdio.terminal_stream() >= 0;
  stdio.modes = layout.modes;
  stdio.size = layout.size;
  return true;
}

JoinRequest receive_request(const Step& step, Stdio& stdio) {
  JoinRequest request;
  for (;;) {
    Message message;
    // The client is gone: nobody waits for an answer.
    if (!receive_message(step.socket(), message)) _exit(0);
    auto index = static_cast<size_t>(message.value);
    if (message.is(GuestMessage::stream) && index < stdio.streams.size()) {
      stdio.streams[index].inside = std::move(message.fd);
      continue;
    }
    StreamLayout layout{};
    bool sound = message.is(GuestMessage::request) && message.fd && message.text.size() == sizeof layout;
    if (sound) memcpy(&layout, message.text.data(), sizeof layout);
    sound = sound && arrange(layout, stdio) && decode_request(read_all(step, message.fd.get()), request);
    if (!sound) step.fail("the request is not one of this version", 0);
    return request;
  }
}

bool is_here(const SameFile& file) {
  struct stat status {};
  return stat(file.path.c_str(), &status) == 0 && status.st_dev == file.device && status.st_ino == file.inode;
}

std::string value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& assignment : environment) {
    if (assignment.starts_with(name)) return assignment.substr(name.size());
  }
  return "";
}

}  // namespace

UniqueFd open_door(const Step& step, const Root& root) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, kDoor, sizeof kDoor);  // below the current directory, which is the root
  UniqueFd door(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  bool listens = door && bind(door.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                 listen(door.get(), kWaiting) == 0;
  step.require(listens, "door");
  UniqueFd place = open_at(root.fd.get(), kDoor, O_PATH, kInRoot);
  step.require(place.ok() && unlinkat(root.fd.get(), kDoor, 0) == 0, "door");
  if (open_at(root.fd.get(), kDoor, O_PATH, kInRoot)) step.fail("the door is still there", EBUSY);
  step.require(send_message(step.socket(), MessageKind::door, 0, {}, place.get()), "door");
  return door;
}

Plan keep_for_guests(Plan& plan) {
  Plan kept;
  kept.uid = plan.uid;
  kept.gid = plan.gid;
  kept.own_network = plan.own_network;
  kept.nested_sandbox = plan.nested_sandbox;
  kept.log = plan.log;
  kept.hostname = std::move(plan.hostname);
  kept.directory = std::move(plan.directory);
  kept.environment = std::move(plan.environment);
  kept.filters.resize(plan.filters.size());  // their number
  return kept;
}

UniqueFd answer_door(UniqueFd& door, uint32_t uid) {
  UniqueFd guest(accept4(door.get(), nullptr, nullptr, SOCK_CLOEXEC));
  bool is_temporary = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
  if (!guest && !is_temporary) door.reset();
  ucred peer{};
  socklen_t size = sizeof peer;
  // A process that this pid namespace does not know has no number in it.
  bool may = guest && getsockopt(guest.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer &&
             peer.pid == 0 && peer.uid == uid;
  return may ? std::move(guest) : UniqueFd();
}

Guest receive_guest(const Step& step, Plan& plan) {
  Guest guest;
  JoinRequest request = receive_request(step, guest.stdio);
  for (const SameFile& file : request.files) {
    if (!is_here(file)) step.fail("'" + file.path + "': not the same in the running sandbox, or not there", 0);
  }
  step.require(setsid() > 0, "session");
  guest.slave = open_terminal(step, guest.stdio);
  if (!request.directory.empty() && is_here(request.directory[0])) plan.directory = request.directory[0].path;
  if (chdir(plan.directory.c_str()) != 0) plan.directory.assign(1, '/');
  step.require(chdir(plan.directory.c_str()) == 0, "directory");
  if (!request.terminal.empty()) {
    std::erase_if(plan.environment, [](const std::string& text) { return text.starts_with(kTerminal); });
    plan.environment.push_back(std::string(kTerminal) + request.terminal);
  }
  guest.environment = plan.environment;
  guest.argv = request.argv;
  if (guest.argv.empty()) guest.argv = {value_of(guest.environment, kShell)};
  return guest;
}

}  // namespace sbox
