#include "log/denial.h"

#include <linux/bpf.h>
#include <linux/btrfs.h>
#include <linux/fscrypt.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>

#include "plan/seccomp_arguments.h"
#include "plan/seccomp_program.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

struct Name {
  uint64_t value;
  const char* text;
};

constexpr Name kFamilies[] = {{AF_UNIX, "AF_UNIX"},     {AF_INET, "AF_INET"},
                              {AF_INET6, "AF_INET6"},   {AF_NETLINK, "AF_NETLINK"},
                              {AF_PACKET, "AF_PACKET"}, {AF_BLUETOOTH, "AF_BLUETOOTH"},
                              {AF_CAN, "AF_CAN"},       {AF_ALG, "AF_ALG"},
                              {AF_VSOCK, "AF_VSOCK"},   {AF_KEY, "AF_KEY"},
                              {AF_XDP, "AF_XDP"},       {AF_AX25, "AF_AX25"},
                              {AF_IPX, "AF_IPX"},       {AF_APPLETALK, "AF_APPLETALK"},
                              {AF_TIPC, "AF_TIPC"},     {AF_RDS, "AF_RDS"},
                              {AF_NFC, "AF_NFC"},       {AF_KCM, "AF_KCM"}};
constexpr Name kTypes[] = {{SOCK_STREAM, "SOCK_STREAM"},
                           {SOCK_DGRAM, "SOCK_DGRAM"},
                           {SOCK_RAW, "SOCK_RAW"},
                           {SOCK_RDM, "SOCK_RDM"},
                           {SOCK_SEQPACKET, "SOCK_SEQPACKET"}};
constexpr Name kNamespaces[] = {{CLONE_NEWNS, "CLONE_NEWNS"},     {CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
                                {CLONE_NEWUTS, "CLONE_NEWUTS"},   {CLONE_NEWIPC, "CLONE_NEWIPC"},
                                {CLONE_NEWUSER, "CLONE_NEWUSER"}, {CLONE_NEWPID, "CLONE_NEWPID"},
                                {CLONE_NEWNET, "CLONE_NEWNET"}};
constexpr Name kProtections[] = {{PROT_READ, "PROT_READ"}, {PROT_WRITE, "PROT_WRITE"}, {PROT_EXEC, "PROT_EXEC"}};
constexpr Name kPtraceRequests[] = {{PTRACE_TRACEME, "PTRACE_TRACEME"},   {PTRACE_PEEKTEXT, "PTRACE_PEEKTEXT"},
                                    {PTRACE_PEEKDATA, "PTRACE_PEEKDATA"}, {PTRACE_POKETEXT, "PTRACE_POKETEXT"},
                                    {PTRACE_POKEDATA, "PTRACE_POKEDATA"}, {PTRACE_ATTACH, "PTRACE_ATTACH"},
                                    {PTRACE_SEIZE, "PTRACE_SEIZE"},       {PTRACE_SETOPTIONS, "PTRACE_SETOPTIONS"}};
constexpr Name kKeyOperations[] = {{KEYCTL_GET_KEYRING_ID, "KEYCTL_GET_KEYRING_ID"},
                                   {KEYCTL_JOIN_SESSION_KEYRING, "KEYCTL_JOIN_SESSION_KEYRING"},
                                   {KEYCTL_DESCRIBE, "KEYCTL_DESCRIBE"},
                                   {KEYCTL_LINK, "KEYCTL_LINK"},
                                   {KEYCTL_SEARCH, "KEYCTL_SEARCH"},
                                   {KEYCTL_READ, "KEYCTL_READ"},
                                   {KEYCTL_CAPABILITIES, "KEYCTL_CAPABILITIES"}};
constexpr Name kBpfCommands[] = {{BPF_MAP_CREATE, "BPF_MAP_CREATE"},
                                 {BPF_PROG_LOAD, "BPF_PROG_LOAD"},
                                 {BPF_OBJ_GET, "BPF_OBJ_GET"},
                                 {BPF_PROG_ATTACH, "BPF_PROG_ATTACH"},
                                 {BPF_BTF_LOAD, "BPF_BTF_LOAD"}};
constexpr Name kRequests[] = {{0x5412, "TIOCSTI"},
                              {0x541c, "TIOCLINUX"},
                              {0x541d, "TIOCCONS"},
                              {0x5423, "TIOCSETD"},
                              {BTRFS_IOC_SNAP_CREATE, "BTRFS_IOC_SNAP_CREATE"},
                              {BTRFS_IOC_SNAP_CREATE_V2, "BTRFS_IOC_SNAP_CREATE_V2"},
                              {BTRFS_IOC_SUBVOL_CREATE, "BTRFS_IOC_SUBVOL_CREATE"},
                              {BTRFS_IOC_SUBVOL_CREATE_V2, "BTRFS_IOC_SUBVOL_CREATE_V2"},
                              {FS_IOC_ADD_ENCRYPTION_KEY, "FS_IOC_ADD_ENCRYPTION_KEY"},
                              {FS_IOC_REMOVE_ENCRYPTION_KEY, "FS_IOC_REMOVE_ENCRYPTION_KEY"}};
constexpr Name kFileCommands[] = {{1024, "F_SETLEASE"}, {1040, "F_SETDELEG"}};

constexpr uint64_t kAllNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr const char* kMountsLine = "[process] nested-sandbox = mounts";

enum class Form { hexadecimal, octal, decimal, one, flags };

// An argument that says what the call was for: no pointer, and no descriptor.
struct Shown {
  std::string_view call;
  unsigned argument;
  Form form;
  std::span<const Name> names = {};
  uint64_t mask = 0xffffffff;
};
const Shown kShown[] = {
    {"socket", 0, Form::one, kFamilies},
    {"socket", 1, Form::one, kTypes, 0xf},
    {"socket", 2, Form::decimal},
    {"socketpair", 0, Form::one, kFamilies},
    {"clone", 0, Form::flags, kNamespaces},
    {"unshare", 0, Form::flags, kNamespaces},
    {"setns", 1, Form::flags, kNamespaces},
    {"mount", 3, Form::hexadecimal},
    {"umount2", 1, Form::hexadecimal},
    {"ptrace", 0, Form::one, kPtraceRequests},
    {"keyctl", 0, Form::one, kKeyOperations},
    {"bpf", 0, Form::one, kBpfCommands},
    {"ioctl", 1, Form::one, kRequests},
    {"fcntl", 1, Form::one, kFileCommands},
    {"fcntl64", 1, Form::one, kFileCommands},
    {"personality", 0, Form::hexadecimal},
    {"mmap", 2, Form::flags, kProtections},
    {"mmap2", 2, Form::flags, kProtections},
    {"mprotect", 2, Form::flags, kProtections},
    {"pkey_mprotect", 2, Form::flags, kProtections},
    {"shmat", 2, Form::hexadecimal},
    {"chmod", 1, Form::octal},
    {"fchmod", 1, Form::octal},
    {"fchmodat", 2, Form::octal},
    {"creat", 1, Form::octal},
    {"mkdir", 1, Form::octal},
    {"mkdirat", 2, Form::octal},
    {"mknod", 1, Form::octal},
    {"mknodat", 2, Form::octal},
    {"open", 2, Form::octal},
    {"openat", 3, Form::octal},
    {"io_uring_setup", 0, Form::decimal},
    {"reboot", 2, Form::hexadecimal},
    {"quotactl", 0, Form::hexadecimal},
    {"syslog", 0, Form::decimal},
};

std::string number(const char* prefix, uint64_t value, int base) {
  std::array<char, 24> digits{};
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  return prefix + std::string(digits.data(), end);
}

std::string hexadecimal(uint64_t value) { return number("0x", value, 16); }

std::string one_of(std::span<const Name> names, uint64_t value) {
  auto found = std::find_if(names.begin(), names.end(), [&](const Name& name) { return name.value == value; });
  return found == names.end() ? hexadecimal(value) : found->text;
}

std::string flags_in(std::span<const Name> names, uint64_t value) {
  std::string text;
  for (const Name& name : names) {
    if ((value & name.value) == 0) continue;
    text += (text.empty() ? "" : "|") + std::string(name.text);
    value &= ~name.value;
  }
  if (value != 0 || text.empty()) text += (text.empty() ? "" : "|") + hexadecimal(value);
  return text;
}

std::string shown_argument(const Shown& row, uint64_t argument) {
  uint64_t value = argument & row.mask;
  switch (row.form) {
    case Form::hexadecimal:
      return hexadecimal(value);
    case Form::octal:
      return number("0", value, 8);
    case Form::decimal:
      return number("", value, 10);
    case Form::one:
      return one_of(row.names, value);
    case Form::flags:
      return flags_in(row.names, value);
  }
  return "";
}

std::string shown_arguments(std::string_view call, const LogRecord& record) {
  std::string text;
  for (const Shown& row : kShown) {
    if (row.call != call) continue;
    text += (text.empty() ? "" : ", ") + shown_argument(row, record.arguments[row.argument]);
  }
  return text;
}

std::string architecture_name(uint32_t token) {
  for (const char* name : {"x86_64", "i386", "aarch64"}) {
    if (architecture_token(name) == token) return name;
  }
  return "";
}

// The rule that keeps these arguments away, or null.
const ArgumentRule* broken(const std::vector<ArgumentRule>& rules, std::string_view call, const LogRecord& record) {
  auto found = std::find_if(rules.begin(), rules.end(), [&](const ArgumentRule& rule) {
    return rule.call == call && rule.error == record.error && applies(rule, record.arguments);
  });
  return found == rules.end() ? nullptr : &*found;
}

// A mount namespace is no use to whoever may not mount in it.
bool wants_mounts(std::string_view call, const LogRecord& record) {
  return (call == "clone" || call == "unshare") && (record.arguments[0] & CLONE_NEWNS) != 0;
}

// The line that allows a call of the table that is denied by default; "" where none does.
std::string line_allowing(std::string_view call, const LogRecord& record) {
  const SyscallGroup* group = group_of(call);
  if (call == "clone3" || group == nullptr) return "";
  if (call == "unshare" && (record.arguments[0] & kAllNamespaces) == 0) return "[seccomp] allow = unshare";
  if (is_for_mounts(call) || wants_mounts(call, record)) return kMountsLine;
  if (group->name == "@namespace") return "[process] nested-sandbox = yes";
  if (group->name == "@debug") return "[process] debug = yes";
  return "[seccomp] allow = " + std::string(call);
}

std::string taken_away_by(std::string_view call) {
  std::string by = "taken away by [seccomp] deny";
  return call == "ioprio_set" ? by + ", or by [limits] io-priority" : by;
}

}  // namespace

Denial describe(const LogRecord& record, const SeccompPolicy& policy) {
  std::string architecture = architecture_name(record.architecture);
  std::map<uint32_t, std::string> calls;
  if (!architecture.empty()) calls = calls_by_number(architecture);
  auto known = calls.find(static_cast<uint32_t>(record.number));
  if (known == calls.end()) return {"system call " + std::to_string(record.number), "", "", ""};
  const std::string& call = known->second;
  Denial denial{call, shown_arguments(call, record), "", ""};
  std::vector<ArgumentRule> rules = argument_rules(policy, architecture);
  if (const ArgumentRule* rule = broken(rules, call, record)) {
    denial.why = rule->what;
    denial.remedy = !rule->remedy.empty() && wants_mounts(call, record) ? kMountsLine : rule->remedy;
  } else if (const SyscallGroup* group = group_of(call)) {
    bool is_taken = allowed_calls(policy).contains(call);  // the policy of a log has no lists
    denial.why = is_taken ? taken_away_by(call) : group->meaning;
    if (!is_taken && !group->by_default) denial.remedy = line_allowing(call, record);
  }
  if (architecture != policy.architecture) denial.call += " (" + architecture + ")";
  return denial;
}

std::string error_name(int error) {
  const char* name = strerrorname_np(error);
  return name == nullptr ? "error " + std::to_string(error) : name;
}

std::string process_name(const LogRecord& record) {
  std::string name(record.name.data(), strnlen(record.name.data(), record.name.size()));
  if (name.ends_with('\n')) name.pop_back();  // as /proc gives it
  return name;
}

}  // namespace sbox
