#include "instance/session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/strings.h"
#include "base/write_all.h"
#include "launcher/guest.h"
#include "launcher/moment.h"
#include "launcher/relay.h"
#include "launcher/terminal.h"
#include "plan/encode.h"

namespace sbox {
namespace {

constexpr int64_t kAnswerNs = 10'000'000'000;
constexpr int kForwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

UniqueFd memory_file(const std::string& bytes) {
  UniqueFd file(memfd_create("sbox-join", MFD_CLOEXEC));
  if (!file || !write_all(file.get(), bytes)) throw system_error("memory file for the request", errno);
  return file;
}

// "STEP: WHAT: WHY" of the process inside.
Error refusal(const std::string& text) {
  constexpr std::string_view kColon = ": ";
  size_t first = text.find(kColon), last = text.rfind(kColon);
  if (first == last) return Error("the sandbox", text);
  size_t begin = first + kColon.size();
  return Error(text.substr(begin, last - begin), text.substr(last + kColon.size()));
}

class Session {
 public:
  explicit Session(Door door) : door_(std::move(door)) {}
  int run(const JoinRequest& request);

 private:
  void block_signals();
  void ask(const JoinRequest& request);
  void tell(GuestMessage kind, int64_t value, std::string_view text, int fd);
  int loop();
  int patience() const;
  void handle_message();
  void handle(Message message);
  void handle_signals();
  void forward(const signalfd_siginfo& info);
  void stop_with_program(int signal_number);
  void command(CommandKind kind, int value) { send_message(door_.connection.get(), kind, value); }

  Door door_;
  UniqueFd signals_;
  Stdio stdio_;
  Terminal terminal_;
  std::optional<Relay> relay_;
  bool is_started_ = false, is_over_ = false;
  bool gives_up_ = false;  // on output that nobody takes
  std::optional<int> status_;
  std::optional<Error> refusal_;
  int64_t deadline_ = 0;
};

int Session::run(const JoinRequest& request) {
  if (!terminal_.start_guard()) throw system_error("terminal", errno);
  block_signals();
  if (!prepare_stdio(stdio_)) throw system_error("standard streams", errno);
  terminal_.attach(stdio_);
  ask(request);
  for (Stream& stream : stdio_.streams) stream.inside.reset();
  relay_.emplace(stdio_);
  deadline_ = now_ns() + kAnswerNs;
  int status = loop();
  terminal_.end();
  if (refusal_) throw *refusal_;
  if (int why = relay_->lost_output(); why != 0) {
    throw system_error("output of the program", why)
        .hint("not all of it was written")
        .status(status == 0 ? kExitFailure : status);
  }
  return status;
}

void Session::block_signals() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  sigset_t blocked;
  sigemptyset(&blocked);
  for (int number : kForwarded) sigaddset(&blocked, number);
  for (int number : {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGWINCH}) sigaddset(&blocked, number);
  bool is_blocked = sigprocmask(SIG_SETMASK, &blocked, nullptr) == 0;
  signals_.reset(signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!is_blocked || !signals_) throw system_error("signals", errno);
}

void Session::tell(GuestMessage kind, int64_t value, std::string_view text, int fd) {
  if (!send_message(door_.connection.get(), kind, value, text, fd)) {
    throw system_error("the sandbox", errno);
  }
}

void Session::ask(const JoinRequest& request) {
  StreamLayout layout{};
  for (size_t i = 0; i < stdio_.streams.size(); ++i) {
    const Stream& stream = stdio_.streams[i];
    layout.kinds[i] = stream.kind;
    layout.shares[i] = stream.shares;
    if (stream.inside) tell(GuestMessage::stream, static_cast<int64_t>(i), {}, stream.inside.get());
  }
  layout.modes = stdio_.modes;
  layout.size = stdio_.size;
  UniqueFd file = memory_file(encode_request(request));
  tell(GuestMessage::request, 0, {reinterpret_cast<const char*>(&layout), sizeof layout}, file.get());
}

int Session::loop() {
  std::vector<pollfd> polled;
  while (!is_over_ || !(relay_->is_drained() || gives_up_)) {
    polled.clear();
    for (int fd : {door_.connection.get(), signals_.get()}) polled.push_back({fd, POLLIN, 0});
    relay_->prepare(polled, terminal_.may_read());
    int ready = poll(polled.data(), polled.size(), patience());
    if (ready < 0 && errno != EINTR) throw system_error("poll", errno);
    if (ready == 0 && !is_over_) {
      refusal_.emplace("the sandbox", "it does not answer");
      return kExitFailure;
    }
    if (polled[0].revents != 0) handle_message();
    if (polled[1].revents != 0) handle_signals();
    relay_->work(polled, is_over_);
  }
  // Without a word from its keeper, the program was killed with the sandbox.
  if (!status_ && !is_started_ && !refusal_) refusal_.emplace("the sandbox", "it ended, or has no room for more");
  return status_.value_or(is_started_ ? 128 + SIGKILL : kExitFailure);
}

// What others inside have not written by the end is not waited for, but who reads what was written is.
int Session::patience() const {
  if (is_over_) return relay_->has_pending() ? -1 : 0;
  if (is_started_) return -1;
  return milliseconds_until(deadline_);
}

void Session::handle_message() {
  Message message;
  if (receive_message(door_.connection.get(), message, MSG_DONTWAIT)) return handle(std::move(message));
  if (errno == EAGAIN) return;
  door_.connection.reset();
  is_over_ = true;
}

void Session::handle(Message message) {
  switch (static_cast<MessageKind>(message.kind)) {
    case MessageKind::failed:
      terminal_.leave();
      refusal_.emplace(refusal(message.text).status(static_cast<int>(message.value)));
      return;
    case MessageKind::terminal:
      if (!message.fd || relay_->terminal_master() >= 0 || !stdio_.has_terminal) return;
      relay_->add_terminal(stdio_, std::move(message.fd));
      return terminal_.connect(relay_->terminal_master());
    case MessageKind::started:
      is_started_ = true;
      return;
    case MessageKind::stopped:
      return stop_with_program(static_cast<int>(message.value));
    case MessageKind::ended:
      status_ = static_cast<int>(message.value);
      is_over_ = true;
      return;
    default:
      return;
  }
}

void Session::handle_signals() {
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) forward(info);
}

void Session::forward(const signalfd_siginfo& info) {
  int number = static_cast<int>(info.ssi_signo);
  switch (number) {
    case SIGWINCH:
      return terminal_.copy_size();
    case SIGTTIN:
    case SIGTTOU:
      return;
    case SIGCONT:
      terminal_.enter();
      return command(CommandKind::signal_group, SIGCONT);
    case SIGTSTP:
      return command(CommandKind::signal_group, SIGTSTP);
    case SIGUSR1:
    case SIGUSR2:
      return command(CommandKind::signal, number);
    default:
      if (is_over_) {
        gives_up_ = true;
        status_ = 128 + number;
        return;
      }
      return command(info.ssi_code == SI_KERNEL ? CommandKind::signal_group : CommandKind::signal, number);
  }
}

// The caller's whole job stops with the program, until it is continued.
void Session::stop_with_program(int signal_number) {
  terminal_.leave();
  if (signal_number != SIGSTOP && terminal_.is_connected()) kill(0, SIGTSTP);
  raise(SIGSTOP);
}

}  // namespace

int run_in_session(Door door, const JoinRequest& request) { return Session(std::move(door)).run(request); }

}  // namespace sbox
