#include "plan/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <map>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "plan/seccomp_arguments.h"
#include "plan/seccomp_program.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

using Place = SeccompProgram::Place;

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

uint32_t action_for(CallAnswer answer, const SeccompPolicy& policy) {
  if (answer == CallAnswer::allowed) return SCMP_ACT_ALLOW;
  return answer == CallAnswer::denied ? denial(policy, EPERM) : SCMP_ACT_ERRNO(ENOSYS);
}

using Places = std::map<uint32_t, Place>;

Places decide_calls(SeccompProgram& program, const SeccompPolicy& policy, std::string_view architecture) {
  std::set<std::string_view> allowed = allowed_calls(policy);
  Place missing = program.answer(SCMP_ACT_ERRNO(ENOSYS));
  Places places{{0, missing}};
  for (const auto& [number, call] : calls_by_number(architecture)) {
    places[number] = program.answer(action_for(answer_to(call, allowed, policy), policy));
    places[number + 1] = missing;
  }
  return places;
}

Place write_test(SeccompProgram& program, const ArgumentTest& test, Place holds, Place fails) {
  Place listed = test.one_of ? holds : fails;
  Place next = test.one_of ? fails : holds;
  for (uint32_t value : test.values) next = program.if_equal(value, listed, next);
  if (~test.mask != 0) next = program.keep(test.mask, next);
  constexpr size_t kLowHalf = std::endian::native == std::endian::little ? 0 : sizeof(uint32_t);
  return program.load(offsetof(seccomp_data, args) + test.argument * sizeof(uint64_t) + kLowHalf, next);
}

Place write_rule(SeccompProgram& program, const ArgumentRule& rule, Place holds, Place fails) {
  Place place = holds;
  for (auto test = rule.tests.rbegin(); test != rule.tests.rend(); ++test) {
    place = write_test(program, *test, place, fails);
  }
  return place;
}

// By argument. The calls without a rule here and allowed above always come through, whatever their arguments: so the
// kernel remembers that, and runs neither program for them.
Places decide_arguments(SeccompProgram& program, const SeccompPolicy& policy, std::string_view architecture) {
  std::vector<ArgumentRule> rules = argument_rules(policy, architecture);
  for (const ArgumentRule& rule : rules) program.answer(denial(policy, rule.error));
  Place allow = program.answer(SCMP_ACT_ALLOW);
  Places places{{0, allow}};
  for (const auto& [number, call] : calls_by_number(architecture)) {
    Place next = allow;
    // The first rule that holds is the last word, and programs are written backwards.
    for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
      if (rule->call == call) next = write_rule(program, *rule, program.answer(denial(policy, rule->error)), next);
    }
    places[number] = next;
    places[number + 1] = allow;
  }
  return places;
}

// Programs of x32 have the architecture of x86_64 and a bit in the number; -1 is what a tracer skips a call with.
void kill_x32(SeccompProgram& program, Places& places) {
  constexpr uint32_t kX32 = 0x40000000, kSkipped = 0xffffffff;
  Place otherwise = places.rbegin()->second;
  places[kX32] = program.answer(SCMP_ACT_KILL_PROCESS);
  places[kSkipped] = otherwise;
}

Filter compile(const SeccompPolicy& policy, std::string name,
               Places (*decide)(SeccompProgram&, const SeccompPolicy&, std::string_view)) {
  SeccompProgram program;
  Place start = program.answer(SCMP_ACT_KILL_PROCESS);
  std::vector<std::string> architectures{policy.architecture};
  if (policy.compat_32_bit) architectures.insert(architectures.begin(), "i386");
  for (const std::string& architecture : architectures) {
    Places places = decide(program, policy, architecture);
    if (architecture == "x86_64") kill_x32(program, places);
    Place own = program.load(offsetof(seccomp_data, nr), program.search(places));
    start = program.if_equal(architecture_token(architecture), own, start);
  }
  program.load(offsetof(seccomp_data, arch), start);
  Filter filter{std::move(name), std::move(program).take()};
  if (filter.code.size() > BPF_MAXINSNS) throw Error("seccomp filter", "longer than the kernel takes");
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

void check_word(const Value& word) {
  static const std::vector<std::string> known = known_words();
  if (std::ranges::count(known, word.text) > 0) return;
  Error error("seccomp", "unknown system call or group " + quote(word.text));
  std::optional<std::string> near = nearest(word.text, known);
  throw std::move(error)
      .at(word.origin)
      .hint(near ? "did you mean " + *near + "?" : "see sbox-profile(5) for the groups");
}

std::vector<std::string> checked_words(const Profile& profile, Key key) {
  std::vector<std::string> words;
  for (const Value& word : profile.list(key)) {
    check_word(word);
    words.push_back(word.text);
  }
  std::ranges::sort(words);
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

void refuse_to_deny_own_calls(const Value& word) {
  std::string call(own_call(word.text));
  if (call.empty()) return;
  bool is_group = call != word.text;
  throw Error("seccomp deny = " + word.text,
              is_group ? "sbox itself needs " + call + " inside" : "sbox itself needs it inside")
      .at(word.origin)
      .hint(is_group ? "name single calls of the group" : "remove it");
}

// What limits ports of TCP on the host's network; null where nothing does.
const Value* limit_of_ports(const Profile& profile) {
  if (profile.text(Key::network_mode) != "host") return nullptr;
  for (Key key : {Key::network_connect, Key::network_listen}) {
    if (!profile.list(key).empty()) return &profile.list(key).front();
  }
  return nullptr;
}

// Calls whose arguments no filter sees could ask for TCP Fast Open and for SMC.
void refuse_ways_around_ports(const Value& limit, const SeccompPolicy& policy) {
  std::set<std::string_view> allowed = allowed_calls(policy);
  for (const char* call : {"io_uring_setup", "socketcall"}) {
    if (!allowed.contains(call)) continue;
    throw Error("seccomp", std::string(call) + " cannot be allowed where [network] limits ports")
        .at(limit.origin)
        .hint("allow less, or set [network] mode = private");
  }
}

}  // namespace

SeccompPolicy seccomp_policy(const Profile& profile) {
  const Value* limit = limit_of_ports(profile);
  SeccompPolicy policy{
      .architecture = std::string(kHostArchitecture),
      .compat_32_bit = profile.flag(Key::seccomp_32_bit),
      .kill = profile.text(Key::seccomp_action) == "kill",
      .nested_sandbox = profile.text(Key::process_nested_sandbox) != "no",
      .debug = profile.flag(Key::process_debug),
      .write_xor_execute = profile.flag(Key::process_write_xor_execute),
      .tcp_by_port = limit != nullptr,
      .allow = checked_words(profile, Key::seccomp_allow),
      .deny = checked_words(profile, Key::seccomp_deny),
  };
  // Anyone may take a priority at the disk back that was given up, unlike the one for the processor.
  if (profile.text(Key::limits_io_priority) != "host") policy.deny.push_back("ioprio_set");
  for (const Value& word : profile.list(Key::seccomp_allow)) {
    if (word.text != "clone3") continue;
    throw Error("seccomp", "clone3 cannot be allowed: its flags are where no filter sees them")
        .at(word.origin)
        .hint("remove it: libraries use clone instead");
  }
  for (const Value& word : profile.list(Key::seccomp_deny)) refuse_to_deny_own_calls(word);
  if (limit) refuse_ways_around_ports(*limit, policy);
  if (policy.compat_32_bit && kHostArchitecture != "x86_64") {
    throw Error("32-bit", "only x86_64 runs 32-bit programs").at(profile.scalar(Key::seccomp_32_bit).origin);
  }
  return policy;
}

void check_filter(const Profile& profile) {
  if (profile.text(Key::seccomp_mode) != "none" || !profile.flag(Key::process_write_xor_execute)) return;
  throw Error("process write-xor-execute = yes", "without a filter of system calls nothing holds a program to it")
      .at(profile.scalar(Key::process_write_xor_execute).origin)
      .hint("leave one of both out");
}

SeccompPolicy network_helper_policy() {
  SeccompPolicy policy;
  policy.architecture = kHostArchitecture;
  policy.nested_sandbox = true;  // pasta goes from one namespace to another, and makes a root of its own
  policy.netfilter = true;
  return policy;
}

std::vector<Filter> compile_filters(const SeccompPolicy& policy) {
  if (policy.compat_32_bit && policy.architecture != "x86_64") {
    throw Error("seccomp filter", "only x86_64 runs 32-bit programs");
  }
  return {compile(policy, "calls", decide_calls), compile(policy, "arguments", decide_arguments)};
}

}  // namespace sbox
