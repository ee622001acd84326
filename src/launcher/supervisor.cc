#include "launcher/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <optional>

#include "base/give_rights_back.h"
#include "base/handover.h"
#include "base/large_files.h"
#include "base/strings.h"
#include "launcher/cgroup.h"
#include "launcher/helpers.h"
#include "launcher/host_files.h"
#include "launcher/identity.h"
#include "launcher/init.h"
#include "launcher/kernel.h"
#include "launcher/lockdown.h"
#include "launcher/moment.h"
#include "launcher/relay.h"
#include "launcher/terminal.h"
#include "launcher/watch.h"

namespace sbox {
namespace {

constexpr int kFailure = 125;
// A set-up that does not come to an end is ended. It takes some milliseconds.
constexpr int64_t kStartSeconds = 20;
constexpr int64_t kGrace = 5 * kSecond;  // after the time limit, for who reads; sbox-profile(5) says so
int64_t new_deadline() { return now_ns() + kStartSeconds * kSecond; }

constexpr char kNoneLeft[] = "user namespaces come from sbox-userns, which gives programs none (say no)";
constexpr char kStrange[] = "a message that the set-up never sends";
constexpr int kForwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

// There is nobody left to tell when this fails, or when nobody takes it within `patience` (of poll(2)).
void say(const std::string& text, int patience = -1) {
  std::string line = "sbox: " + text + "\n";
  pollfd reader{2, POLLOUT, 0};
  if (poll(&reader, 1, patience) == 0) return;
  (void)!write(2, line.data(), line.size());
}

// Microseconds are kept: "12.345".
std::string milliseconds(int64_t ns) {
  std::string micro = std::to_string(ns / 1000 % 1000);
  std::string whole = std::to_string(ns / kMillisecond);
  whole.insert(0, 4 - std::min<size_t>(whole.size(), 4), ' ');
  return whole + "." + std::string(3 - micro.size(), '0') + micro;
}

// What to do about the refusals that people meet.
std::string hint_for(const std::string& failure) {
  auto is_by = [&](int errnum) { return failure.ends_with(std::string(": ") + reason(errnum)); };
  if (is_by(EMFILE)) return " (let more files be open: `ulimit -n 1024`)";
  if (is_by(EAGAIN)) return std::string(" (") + kTooManyProcesses + ")";
  if (failure.starts_with("namespaces:") || failure.starts_with("ids:")) return " (run `sbox doctor` for the remedy)";
  bool is_of_overlay = failure.find("file system overlay:") != std::string::npos ||
                       failure.find("file system option upperdir:") != std::string::npos;
  if (is_of_overlay) return " (an overlay of this home cannot be made: `sbox doctor` says more)";
  bool is_by_machine = is_by(EPERM) || is_by(ENOSYS) || is_by(ENOSPC);
  if (failure.starts_with("files of the host:") && is_by_machine) return " (run `sbox doctor` for the remedy)";
  // What was found on the host is no more, or it is what executes it that is missing.
  if (failure.starts_with("program:") && is_by(ENOENT)) return " (what its #! line or its loader names is not there)";
  if (failure.starts_with("program:") && is_by(ENOEXEC)) return " (a script begins with a line like #!/bin/sh)";
  return "";
}

// A directory of sbox's own that cannot be made.
std::string hint_for_directory(int errnum) {
  if (errnum == ELOOP || errnum == ENOTDIR) return " (something else has the place of a directory: take it away)";
  if (errnum == EACCES || errnum == EROFS) return " (it is to be made there, and you may not write)";
  return "";
}

// For the user alone, whatever the caller's umask.
bool make_host_directory(const std::string& path) {
  UniqueFd at(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (size_t begin = 1; at && begin < path.size();) {
    size_t end = std::min(path.find('/', begin), path.size());
    std::string name = path.substr(begin, end - begin);
    UniqueFd next = open_at(at.get(), name.c_str(), O_PATH | O_DIRECTORY, kBeneath);
    if (!next && errno == ENOENT && mkdirat(at.get(), name.c_str(), 0700) == 0) {
      next = open_at(at.get(), name.c_str(), O_PATH | O_DIRECTORY, kBeneath);
    }
    at = std::move(next);
    begin = end + 1;
  }
  return at && give_rights_back(at.get());
}

// The clock goes on for a program that stops itself, and this process with it, while others of the sandbox run on.
bool continue_at(int64_t ns) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGCONT;
  itimerspec when{};
  when.it_value = {ns / kSecond, ns % kSecond};
  int timer = -1;
  itimerspec left{};
  // Not by libc, which brings its threads along for the other kinds of timers.
  return syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0 &&
         syscall(SYS_timer_settime, timer, TIMER_ABSTIME, &when, nullptr) == 0 &&
         syscall(SYS_timer_gettime, timer, &left) == 0 && (left.it_value.tv_sec > 0 || left.it_value.tv_nsec > 0);
}

class Supervisor {
 public:
  Supervisor(Plan& plan, Terminal& terminal, UniqueFd errors, UniqueFd log)
      : plan_(plan), terminal_(terminal), errors_(std::move(errors)) {
    watch_.open(std::move(log));
  }
  ~Supervisor() { end_everything(); }
  int run();

 private:
  bool block_signals();
  bool start_init();
  int loop();
  bool is_starting() const;
  int patience() const;
  void settle();
  void look_at_host();
  void end_the_time();
  void handle_message();
  void handle(Message message);
  void start_helper(const Helper& helper, int served);
  void hear_helpers(const std::vector<pollfd>& polled);
  void handle_signals();
  void forward(const signalfd_siginfo& info);
  void stop_with_program(int signal_number);
  pid_t leave_a_guard();
  void end_everything();
  int complain(const std::string& what) const;
  int complain_errno(const std::string& what) const { return complain(what + ": " + reason(errno)); }
  void fail(const std::string& text, int status = kFailure);
  void fail_in_silence(int status);
  bool command(CommandKind kind, int value) { return send_message(socket_.get(), static_cast<uint8_t>(kind), value); }

  Plan& plan_;
  Stdio stdio_;
  sigset_t caller_mask_{};
  bool caller_ignores_pipe_ = false;
  UniqueFd signals_, socket_, init_;
  UniqueFd door_;  // only held: those who join find it among our descriptors
  std::optional<Relay> relay_;
  Terminal& terminal_;
  UniqueFd errors_;
  Watch watch_;
  HostFiles host_files_;
  Helpers helpers_;
  // By sbox-userns: then the capabilities in the user namespace are this process's own, until the program starts.
  const bool is_granted_ = is_granted(Step(-1, false), plan_.uid);
  bool is_started_ = false, is_init_gone_ = false;
  bool gives_up_ = false;  // on output that nobody takes
  std::optional<int> status_;
  int64_t deadline_ = new_deadline();
  std::optional<int64_t> settled_;  // when the program will have run long enough for what a short one is spared
  std::optional<int64_t> end_;      // of the time that the sandbox may run
  std::optional<int64_t> grace_;    // after that: when nobody is waited for any more
  Cgroup cgroup_;
};

bool Supervisor::block_signals() {
  caller_ignores_pipe_ = signal(SIGPIPE, SIG_IGN) == SIG_IGN;
  signal(SIGCHLD, SIG_DFL);
  survive_large_files();  // the program's output may go to a file
  sigset_t blocked;
  sigemptyset(&blocked);
  for (int number : kForwarded) sigaddset(&blocked, number);
  for (int number : {SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGWINCH}) sigaddset(&blocked, number);
  sigset_t now;
  sigemptyset(&now);
  bool is_blocked = sigprocmask(SIG_SETMASK, &blocked, &caller_mask_) == 0 &&
                    sigprocmask(SIG_BLOCK, nullptr, &now) == 0 && sigismember(&now, SIGCHLD) == 1;
  if (!is_blocked) return false;
  signals_.reset(signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK));
  // Of all descriptors these alone have no room for nothing, so the number is not that of another one.
  return read(signals_.get(), nullptr, 0) < 0 && errno == EINVAL;
}

bool Supervisor::start_init() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return false;
  socket_.reset(ends[0]);
  UniqueFd inside(ends[1]);
  Namespaces here = current_namespaces(Step(-1, false));
  unsigned long flags =
      (is_granted_ ? 0 : CLONE_NEWUSER) | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  if (plan_.own_network) flags |= CLONE_NEWNET;
  int pidfd = -1;
  long pid = syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, nullptr);
  if (pid < 0 || (pid > 0 && pidfd < 0)) return false;
  if (pid == 0) {
    socket_.reset();
    errors_.reset();
    run_init({plan_, stdio_, here, is_granted_, caller_mask_, caller_ignores_pipe_}, inside.get());
  }
  init_.reset(pidfd);
  return true;
}

int Supervisor::run() {
  std::string why;
  if (!cgroup_.holds(plan_.cgroup, why)) return complain(why);
  if (plan_.seconds > 0) end_ = now_ns() + static_cast<int64_t>(plan_.seconds) * kSecond;
  if (end_ && !continue_at(*end_)) return complain_errno("time limit");
  if (is_granted_ && plan_.nested_sandbox) return complain("process.nested-sandbox: " + std::string(kNoneLeft));
  if (!block_signals()) return complain_errno("signals");
  mode_t callers_umask = 0, own = 0;
  if (!set_umask(077, callers_umask)) return complain("the umask cannot be set");
  for (const std::string& directory : plan_.make_directories) {
    if (make_host_directory(directory)) continue;
    int errnum = errno;
    return complain(directory + ": " + reason(errnum) + hint_for_directory(errnum));
  }
  if (!set_umask(callers_umask, own)) return complain("the umask cannot be set");
  if (!prepare_stdio(stdio_)) return complain_errno("standard streams");
  terminal_.attach(stdio_);
  if (!start_init()) {
    std::string failure = std::string("namespaces: ") + reason(errno);
    return complain(failure + hint_for(failure));
  }
  for (Stream& stream : stdio_.streams) stream.inside.reset();
  relay_.emplace(stdio_);
  return loop();
}

int Supervisor::loop() {
  std::vector<pollfd> polled;
  while (!(is_init_gone_ && (relay_->is_drained() || gives_up_))) {
    if (has_come(settled_)) settle();
    if (has_come(host_files_.next_look())) look_at_host();
    if (has_come(end_)) end_the_time();
    polled.clear();
    polled.push_back({signals_.get(), POLLIN, 0});
    if (!is_init_gone_) polled.push_back({init_.get(), POLLIN, 0});
    polled.push_back({socket_.get(), POLLIN, 0});
    polled.push_back({host_files_.descriptor(), POLLIN, 0});
    polled.push_back({watch_.descriptor(), POLLIN, 0});
    helpers_.prepare(polled);
    relay_->prepare(polled, !is_init_gone_ && terminal_.may_read());
    int happenings = poll(polled.data(), polled.size(), patience());
    if (happenings < 0 && errno != EINTR) return complain_errno("poll");
    if (has_come(grace_)) gives_up_ = true;
    if (happenings == 0 && is_starting()) fail("the start took longer than " + std::to_string(kStartSeconds) + " s");
    auto happened = [&](int fd) {
      return fd >= 0 &&
             std::any_of(polled.begin(), polled.end(), [&](const pollfd& p) { return p.fd == fd && p.revents != 0; });
    };
    if (happened(socket_.get())) handle_message();
    if (happened(host_files_.descriptor())) look_at_host();
    watch_.work(polled);
    hear_helpers(polled);
    if (happened(signals_.get())) handle_signals();
    if (!is_init_gone_ && happened(init_.get())) {
      while (socket_) handle_message();  // what it said last
      is_init_gone_ = true;
    }
    relay_->work(polled, is_init_gone_);
  }
  if (std::string said = cgroup_.exhausted(); !said.empty()) complain(said);
  if (!status_)
    fail(is_started_ ? "the sandbox was killed" : "the sandbox was killed before the program started",
         is_started_ ? 128 + SIGKILL : kFailure);
  std::string lost;
  if (int why = relay_->lost_output(); why != 0) lost = reason(why);
  if (has_come(grace_) && relay_->has_pending()) lost = "its reader was not ready when the time was over";
  if (!lost.empty()) {
    complain("output of the program: " + lost + " (not all of it was written)");
    if (*status_ == 0) status_ = kFailure;
  }
  return *status_;
}

bool Supervisor::is_starting() const { return !is_started_ && !is_init_gone_ && !status_; }

// How long poll(2) may wait, in milliseconds.
int Supervisor::patience() const {
  if (is_starting()) return milliseconds_until(deadline_);
  int left = end_ ? milliseconds_until(*end_) : INT_MAX;
  if (settled_) left = std::min(left, milliseconds_until(*settled_));
  if (auto look = host_files_.next_look()) left = std::min(left, milliseconds_until(*look));
  if (grace_ && !gives_up_) left = std::min(left, milliseconds_until(*grace_));
  return left == INT_MAX ? -1 : left;
}

void Supervisor::settle() {
  settled_.reset();
  look_at_host();
  forget_code();
}

void Supervisor::look_at_host() {
  if (is_init_gone_ || status_) {
    host_files_ = {};  // nobody sees them any more
    return;
  }
  std::string why = host_files_.look();
  if (!why.empty()) fail(why, 128 + SIGKILL);
}

void Supervisor::end_the_time() {
  end_.reset();
  grace_ = now_ns() + kGrace;
  fail("the time limit was reached", 128 + SIGKILL);
}

void Supervisor::handle_message() {
  Message message;
  if (receive_message(socket_.get(), message, MSG_DONTWAIT)) return handle(std::move(message));
  socket_.reset();
}

void Supervisor::handle(Message message) {
  auto index = static_cast<size_t>(message.value);
  switch (static_cast<MessageKind>(message.kind)) {
    case MessageKind::failed:
      return fail(message.text + hint_for(message.text), static_cast<int>(message.value));
    case MessageKind::helper:
      if (index >= plan_.helpers.size() || !message.fd) return fail(kStrange);
      return start_helper(plan_.helpers[index], message.fd.get());
    case MessageKind::terminal:
      relay_->add_terminal(stdio_, std::move(message.fd));
      return terminal_.connect(relay_->terminal_master());
    case MessageKind::door:
      door_ = std::move(message.fd);
      return;
    case MessageKind::listener:
      if (!plan_.log || !message.fd) return fail(kStrange);
      return watch_.begin(std::move(message.fd), std::move(plan_.filters));
    case MessageKind::follow:
      if (index >= plan_.nodes.size() || !message.fd) return fail(kStrange);
      return host_files_.follow(plan_.nodes[index].source, std::move(message.fd));
    case MessageKind::tree:
      if (!message.fd) return fail(kStrange);
      // sbox-userns has made the namespaces as root; a nested sandbox may have copies of the tree.
      return host_files_.guard(plan_, std::move(message.fd), !is_granted_ && !plan_.nested_sandbox);
    case MessageKind::mounts:
      if (!message.fd) return fail(kStrange);
      return host_files_.guard_by(std::move(message.fd));
    case MessageKind::started:
      if (has_guarded_nodes(plan_) && !host_files_.can_guard()) return fail("what is covered cannot be guarded");
      is_started_ = true;
      settled_ = now_ns() + kSettledAfterMs * kMillisecond;
      if (is_granted_) drop_capabilities(Step(-1, false));
      return forget(plan_);
    case MessageKind::stopped:
      return stop_with_program(static_cast<int>(message.value));
    case MessageKind::ended:
      if (!status_) status_ = static_cast<int>(message.value);
      return helpers_.finish();
    case MessageKind::timing: {
      say(milliseconds(message.value) + " ms  " + message.text);
      return;
    }
  }
  fail(kStrange);
}

void Supervisor::start_helper(const Helper& helper, int served) {
  std::string why = helpers_.start(helper, {plan_.uid, plan_.gid, is_granted_}, served);
  if (!why.empty()) fail(why);
}

void Supervisor::hear_helpers(const std::vector<pollfd>& polled) {
  size_t before = helpers_.serving();
  std::string why = helpers_.work(polled, watch_);
  if (!why.empty()) return fail(why);
  bool is_complete = helpers_.serving() > before && helpers_.serving() == plan_.helpers.size();
  if (is_complete && !command(CommandKind::go, 0)) fail(std::string("helpers: ") + reason(errno));
}

void Supervisor::handle_signals() {
  // What was said before counts first: that the program has started, above all.
  for (pollfd said{socket_.get(), POLLIN, 0}; socket_ && poll(&said, 1, 0) > 0; said.fd = socket_.get()) {
    handle_message();
  }
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) forward(info);
}

void Supervisor::forward(const signalfd_siginfo& info) {
  int number = static_cast<int>(info.ssi_signo);
  switch (number) {
    case SIGCHLD:
      return helpers_.reap();
    case SIGWINCH:
      return terminal_.copy_size();
    case SIGTTIN:
    case SIGTTOU:
      return;
    case SIGCONT:
      deadline_ = new_deadline();  // the time in which it was stopped does not count
      terminal_.enter();
      command(CommandKind::signal_group, SIGCONT);
      return;
    case SIGTSTP:
      if (!is_started_) return stop_with_program(SIGTSTP);
      command(CommandKind::signal_group, SIGTSTP);
      return;
    default:
      break;
  }
  if (is_init_gone_ && number != SIGUSR1 && number != SIGUSR2) {
    gives_up_ = true;
    status_ = 128 + number;
    return;
  }
  if (!is_started_) {
    // Nothing of the program exists: ending the set-up is all that the signal can mean.
    status_ = 128 + number;
    syscall(SYS_pidfd_send_signal, init_.get(), SIGKILL, nullptr, 0);
    return;
  }
  bool from_terminal = info.ssi_code == SI_KERNEL;
  command(from_terminal ? CommandKind::signal_group : CommandKind::signal, number);
}

// The program has stopped: so does the caller's whole job, until it is continued.
void Supervisor::stop_with_program(int signal_number) {
  if (status_ || has_come(end_)) return;
  terminal_.leave();
  pid_t guard = leave_a_guard();
  if (guard < 0) return fail(std::string("guard the covers: ") + reason(errno));
  if (signal_number != SIGSTOP && terminal_.is_connected()) kill(0, SIGTSTP);
  raise(SIGSTOP);
  if (guard == 0) return;
  kill(guard, SIGKILL);
  int how = 0;
  bool has_failed = waitpid(guard, &how, __WALL) == guard && WIFEXITED(how);
  if (has_failed) return fail_in_silence(128 + SIGKILL);
  look_at_host();
}

// Other processes of the sandbox may run while this one is stopped. A guard that has to end them says why and exits,
// and that continues this one. 0: there is nothing to guard.
pid_t Supervisor::leave_a_guard() {
  if (!host_files_.are_guarded()) return 0;
  pid_t supervisor = getpid();
  auto pid = static_cast<pid_t>(syscall(SYS_clone, SIGCONT, nullptr, nullptr, nullptr, nullptr));
  if (pid != 0) return pid;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != supervisor) _exit(kFailure);
  std::string why = host_files_.guard_to_the_end();
  syscall(SYS_pidfd_send_signal, init_.get(), SIGKILL, nullptr, 0);
  complain(why);
  _exit(kFailure);
}

// Names of files are in it, which a program may have chosen.
int Supervisor::complain(const std::string& what) const {
  std::string text = escape_control(what);
  say(text, grace_ ? milliseconds_until(*grace_) : -1);
  watch_.say(text);
  if (errors_) say_and_wait(errors_.get(), "sbox: " + text);
  return kFailure;
}

void Supervisor::fail(const std::string& text, int status) {
  if (status_) return;
  fail_in_silence(status);
  complain(text);
}

void Supervisor::fail_in_silence(int status) {
  terminal_.leave();
  status_ = status;
  syscall(SYS_pidfd_send_signal, init_.get(), SIGKILL, nullptr, 0);
}

void Supervisor::end_everything() {
  terminal_.end();
  if (init_) {
    syscall(SYS_pidfd_send_signal, init_.get(), SIGKILL, nullptr, 0);
    siginfo_t info{};
    waitid(P_PIDFD, static_cast<id_t>(init_.get()), &info, WEXITED);
  }
  helpers_.end(watch_);
}

}  // namespace

int supervise(Plan& plan, Terminal& terminal, UniqueFd errors, UniqueFd log) {
  return Supervisor(plan, terminal, std::move(errors), std::move(log)).run();
}

}  // namespace sbox
