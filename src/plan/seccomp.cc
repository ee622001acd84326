#include "plan/seccomp.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/strings.h"
#include "plan/seccomp_arguments.h"
#include "plan/seccomp_context.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

#if defined(__x86_64__)
constexpr std::string_view kHostArchitecture = "x86_64";
#elif defined(__aarch64__)
constexpr std::string_view kHostArchitecture = "aarch64";
#else
#error "no table of system calls for this architecture"
#endif

uint32_t denial(const SeccompPolicy& policy, int error) {
  if (policy.kill && error == EPERM) return SCMP_ACT_KILL_PROCESS;
  return SCMP_ACT_ERRNO(static_cast<uint32_t>(error));
}

// Libraries fall back to another call on ENOSYS, but take EPERM for the answer.
bool answers_as_missing(std::string_view call, const SeccompPolicy& policy) {
  if (policy.write_xor_execute && (call == "memfd_create" || call == "memfd_secret")) return true;
  return std::ranges::count(find_group("@opaque")->calls, call) > 0;
}

// By call alone. What has no rule fails with ENOSYS: also what is newer than the table, or a gap in it.
SeccompContext call_context(const SeccompPolicy& policy, std::string_view architecture) {
  SeccompContext context(architecture, SCMP_ACT_ERRNO(ENOSYS));
  std::set<std::string_view> allowed = allowed_calls(policy);
  auto decide = [&](std::string_view call) {
    if (!context.has(call)) return;
    if (allowed.contains(call)) {
      context.add(SCMP_ACT_ALLOW, call);
    } else if (!answers_as_missing(call, policy)) {
      context.add(denial(policy, EPERM), call);
    }
  };
  // First, because the library adds rules for them along with those for their parts, and the first rule is the last
  // word.
  for (const Multiplexer& each : multiplexers()) decide(each.name);
  for (const SyscallGroup& group : syscall_groups()) std::ranges::for_each(group.calls, decide);
  context.bisect();
  return context;
}

// By argument. The calls without a rule here and allowed above always come through, whatever their arguments: so the
// kernel remembers that, and runs neither program for them.
SeccompContext argument_context(const SeccompPolicy& policy, std::string_view architecture) {
  SeccompContext context(architecture, SCMP_ACT_ALLOW);
  for (const ArgumentRule& rule : argument_rules(policy, architecture)) {
    if (context.has(rule.call)) context.add(denial(policy, rule.error), rule.call, rule.tests);
  }
  // The one hot call among them.
  context.test_first("openat");
  return context;
}

Filter compile(const SeccompPolicy& policy, std::string name,
               SeccompContext (*context)(const SeccompPolicy&, std::string_view)) {
  SeccompContext whole = context(policy, policy.architecture);
  if (policy.compat_32_bit) whole.merge(context(policy, "i386"));
  Filter filter = whole.export_as(std::move(name));
  constexpr size_t kMost = 4096;  // BPF_MAXINSNS
  if (filter.code.size() > kMost) throw Error("seccomp filter", "longer than the kernel takes");
  return filter;
}

std::vector<std::string> known_words() {
  std::vector<std::string> words;
  for (const SyscallGroup& group : syscall_groups()) {
    words.emplace_back(group.name);
    words.insert(words.end(), group.calls.begin(), group.calls.end());
  }
  return words;
}

void check_word(const Value& word, const std::vector<std::string>& known) {
  if (std::ranges::count(known, word.text) > 0) return;
  Error error("seccomp", "unknown system call or group " + quote(word.text));
  std::optional<std::string> near = nearest(word.text, known);
  throw std::move(error)
      .at(word.origin)
      .hint(near ? "did you mean " + *near + "?" : "see sbox-profile(5) for the groups");
}

std::vector<std::string> checked_words(const Profile& profile, Key key) {
  static const std::vector<std::string> known = known_words();
  std::vector<std::string> words;
  for (const Value& word : profile.list(key)) {
    check_word(word, known);
    words.push_back(word.text);
  }
  std::ranges::sort(words);
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

}  // namespace

SeccompPolicy seccomp_policy(const Profile& profile) {
  SeccompPolicy policy{
      .architecture = std::string(kHostArchitecture),
      .compat_32_bit = profile.flag(Key::seccomp_32_bit),
      .kill = profile.text(Key::seccomp_action) == "kill",
      .nested_sandbox = profile.flag(Key::process_nested_sandbox),
      .debug = profile.flag(Key::process_debug),
      .write_xor_execute = profile.flag(Key::process_write_xor_execute),
      .allow = checked_words(profile, Key::seccomp_allow),
      .deny = checked_words(profile, Key::seccomp_deny),
  };
  for (const Value& word : profile.list(Key::seccomp_allow)) {
    if (word.text != "clone3") continue;
    throw Error("seccomp", "clone3 cannot be allowed: its flags are where no filter sees them")
        .at(word.origin)
        .hint("remove it: libraries use clone instead");
  }
  if (policy.compat_32_bit && kHostArchitecture != "x86_64") {
    throw Error("32-bit", "only x86_64 runs 32-bit programs").at(profile.scalar(Key::seccomp_32_bit).origin);
  }
  return policy;
}

std::vector<Filter> compile_filters(const SeccompPolicy& policy) {
  if (policy.compat_32_bit && policy.architecture != "x86_64") {
    throw Error("seccomp filter", "only x86_64 runs 32-bit programs");
  }
  return {compile(policy, "calls", call_context), compile(policy, "arguments", argument_context)};
}

}  // namespace sbox
