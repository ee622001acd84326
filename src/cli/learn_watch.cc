#include "cli/learn_watch.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>

#include "base/contains.h"
#include "base/strings.h"
#include "cli/run.h"
#include "log/store.h"
#include "overlay/files.h"
#include "overlay/store.h"
#include "plan/paths.h"
#include "plan/places.h"

namespace sbox {
namespace {

// Enough to see who is called and for which names: payloads of questions to name servers and heads of D-Bus messages.
constexpr char kBytes[] = "1500";
constexpr char kCalls[] =
    "trace=%file,fchdir,getdents,getdents64,socket,connect,bind,sendto,sendmsg,sendmmsg,recvfrom,clone,fork,vfork";
constexpr off_t kLargestTrace = 1 << 30;

std::optional<OverlayStore> open_overlay(const Context& context) {
  Places places = find_places(context.host);
  std::vector<std::string> names = OverlayStore::list(data_directory(context.host, places));
  if (!contains(names, kLearningRun)) return std::nullopt;
  return OverlayStore::open(context.host, places, kLearningRun);
}

// What an earlier one left that was killed. An overlay of that name without a trace in it is somebody else's.
void throw_away_leftovers(const Context& context) {
  std::optional<OverlayStore> store = open_overlay(context);
  if (!store) return;
  store->lock("learn");
  std::vector<std::string> names = names_in(open_beneath(store->upper(), ".", O_RDONLY | O_DIRECTORY).get());
  bool is_ours = names.empty() || contains(names, kTraceName);
  if (!is_ours) {
    throw Error("overlay " + quote(kLearningRun), "it holds changes that are not from learning")
        .hint("see `sbox diff sbox-learn`, then `sbox discard sbox-learn`");
  }
  store->discard();
}

// Takes what the run left with it, whatever happens.
class Leftovers {
 public:
  explicit Leftovers(const Context& context) : context_(context) {}
  ~Leftovers() {
    try {
      std::optional<OverlayStore> store = open_overlay(context_);
      if (!store) return;
      store->lock("learn");
      store->discard();
    } catch (const Error& error) {
      fprintf(stderr, "%s\n", error.line().c_str());
    }
  }
  Leftovers(const Leftovers&) = delete;
  Leftovers& operator=(const Leftovers&) = delete;

 private:
  const Context& context_;
};

[[noreturn]] void become_run(const Context& context, const std::vector<std::string>& words, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kExitFailure);
  try {
    run_run(context, words);
  } catch (const Error& error) {
    fprintf(stderr, "%s\n", error.line().c_str());
  }
  _exit(kExitFailure);
}

// Runs `sbox run WORDS...` and waits for it; keys that end the program do not end this one. Its wait status.
int run_and_wait(const Context& context, const std::vector<std::string>& words, bool keeps_output_clean) {
  fflush(nullptr);
  struct sigaction ignore {
  }, interrupt{}, quit{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGINT, &ignore, &interrupt);
  sigaction(SIGQUIT, &ignore, &quit);
  pid_t parent = getpid(), child = fork();
  if (child < 0) throw system_error("learn", errno);
  if (child == 0) {
    sigaction(SIGINT, &interrupt, nullptr);
    sigaction(SIGQUIT, &quit, nullptr);
    if (keeps_output_clean) dup2(2, 1);
    become_run(context, words, parent);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  sigaction(SIGINT, &interrupt, nullptr);
  sigaction(SIGQUIT, &quit, nullptr);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> words_of_run(const std::string& profile, const std::vector<std::string>& settings,
                                      const std::string& home, const std::vector<std::string>& command) {
  std::vector<std::string> words = {"--profile", profile, "--name", kLearningRun};
  for (const std::string& word : settings) words.insert(words.end(), {"-s", word});
  words.insert(words.end(),
               {"--", kTracerPath, "-f", "-qq", "--seccomp-bpf", "-y", "--decode-pids=comm", "-s", kBytes});
  words.insert(words.end(), {"-e", kCalls, "-e", "signal=none", "-o", join(home, kTraceName), "--"});
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

// Lines that are too long are no calls: their middle is not kept.
class Lines {
 public:
  explicit Lines(learn::Collector& collector) : collector_(collector) {}
  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      size_t end = bytes.find('\n');
      if (line_.size() <= learn::kLongestLine) line_ += bytes.substr(0, std::min(end, learn::kLongestLine + 1));
      if (end == std::string_view::npos) return;
      collector_.add_line(line_);
      line_.clear();
      bytes.remove_prefix(end + 1);
    }
  }

 private:
  learn::Collector& collector_;
  std::string line_;
};

// What the sandbox has written. Nothing where there is no trace: then nothing was started.
std::optional<learn::Evidence> read_trace(const Context& context, const std::string& directory) {
  std::optional<OverlayStore> store = open_overlay(context);
  if (!store) return std::nullopt;
  store->lock("learn");
  UniqueFd file = open_regular(store->upper(), kTraceName);
  if (!file) return std::nullopt;
  learn::Collector collector(directory);
  Lines lines(collector);
  std::string buffer(1 << 20, '\0');
  for (off_t done = 0; done < kLargestTrace;) {
    ssize_t size = read(file.get(), buffer.data(), buffer.size());
    if (size < 0) throw system_error("trace", errno);
    if (size == 0) break;
    lines.add(std::string_view(buffer).substr(0, static_cast<size_t>(size)));
    done += size;
    if (done >= kLargestTrace) fputs("sbox: learn: the trace is too long, its end is left out\n", stderr);
  }
  return collector.evidence();
}

std::vector<DeniedCall> read_denied(const std::string& home) {
  std::vector<DeniedCall> denied;
  for (const StoredLog& stored : stored_logs(home)) {
    if (stored.instance != kLearningRun) continue;
    std::optional<Log> log = parse_log(read_log(home, stored));
    if (!log) break;
    for (const LogRecord& record : log->records) {
      Denial denial = describe(record, log->header.policy);
      auto known =
          std::find_if(denied.begin(), denied.end(), [&](const DeniedCall& each) { return each.denial == denial; });
      if (known == denied.end()) {
        denied.push_back({std::move(denial), process_name(record), record.count});
      } else {
        known->count += record.count;
      }
    }
    break;  // the newest is that of this run
  }
  return denied;
}

}  // namespace

Watched watch_program(const Context& context, const WatchedRun& run) {
  throw_away_leftovers(context);
  Leftovers leftovers(context);
  Places places = find_places(context.host);
  Watched watched;
  watched.status = run_and_wait(context, words_of_run(run.profile, run.settings, places.home_canonical, run.command),
                                run.keeps_output_clean);
  std::optional<learn::Evidence> evidence = read_trace(context, run.directory);
  if (!evidence || evidence->files.empty()) throw Error("learn", "the program did not start under strace");
  watched.evidence = std::move(*evidence);
  watched.denied = read_denied(places.home);
  return watched;
}

}  // namespace sbox
