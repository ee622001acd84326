// Filters that were compiled at build time. A file of the store is: the policy in text form (what it is for), then for
// each program the number of its instructions and the instructions, in the host's byte order.
#include <fcntl.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/unique_fd.h"
#include "base/write_all.h"
#include "plan/filter_digest.h"
#include "plan/seccomp.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

// Changes whenever the rules in the code do; the table of calls and the releases speak for themselves.
constexpr int kRules = 5;
constexpr auto kNames = std::to_array<const char*>({"calls", "arguments"});
constexpr size_t kMostInstructions = 4096;  // BPF_MAXINSNS
constexpr size_t kMostBytes = kNames.size() * (sizeof(uint32_t) + kMostInstructions * sizeof(FilterInstruction));

std::string hexadecimal(uint64_t number) {
  std::array<char, 17> text{};
  snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return text.data();
}

// All that the filters depend on: two policies with the same text have the same filters.
std::string text_form(const SeccompPolicy& policy) {
  const scmp_version* library = seccomp_version();
  std::string text = "sbox filters " SBOX_VERSION "\nrules " + std::to_string(kRules) + "\ntable " +
                     hexadecimal(syscall_table_digest()) + "\nlibseccomp " + std::to_string(library->major) + "." +
                     std::to_string(library->minor) + "." + std::to_string(library->micro) + "\narchitecture " +
                     policy.architecture + "\n";
  auto flag = [&](const char* name, bool value) { text += std::string(name) + (value ? " yes\n" : " no\n"); };
  flag("32-bit", policy.compat_32_bit);
  flag("kill", policy.kill);
  flag("nested-sandbox", policy.nested_sandbox);
  flag("debug", policy.debug);
  flag("netfilter", policy.netfilter);
  flag("write-xor-execute", policy.write_xor_execute);
  flag("tcp-by-port", policy.tcp_by_port);
  for (const std::string& word : policy.allow) text += "allow " + word + "\n";
  for (const std::string& word : policy.deny) text += "deny " + word + "\n";
  return text + "end\n";
}

std::string file_name(const std::string& text) { return hexadecimal(digest_add(kDigestStart, text)); }

// Nobody else could have written it.
bool trusted(const struct stat& status) {
  return S_ISREG(status.st_mode) && (status.st_uid == 0 || status.st_uid == getuid()) && (status.st_mode & 022) == 0;
}

std::optional<std::string> read_trusted(const std::string& path, size_t limit) {
  UniqueFd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || fstat(file.get(), &status) < 0 || !trusted(status)) return std::nullopt;
  auto size = static_cast<size_t>(status.st_size);
  if (size > limit) return std::nullopt;
  std::string bytes(size, '\0');
  if (read(file.get(), bytes.data(), size) != status.st_size) return std::nullopt;
  return bytes;
}

// Takes one program off the front of `bytes`.
std::optional<Filter> take_filter(std::string_view& bytes, const char* name) {
  uint32_t count = 0;
  if (bytes.size() < sizeof count) return std::nullopt;
  memcpy(&count, bytes.data(), sizeof count);
  bytes.remove_prefix(sizeof count);
  size_t size = count * sizeof(FilterInstruction);
  if (count == 0 || count > kMostInstructions || bytes.size() < size) return std::nullopt;
  Filter filter{name, std::vector<FilterInstruction>(count)};
  memcpy(filter.code.data(), bytes.data(), size);
  bytes.remove_prefix(size);
  return filter;
}

std::optional<std::vector<Filter>> decode(std::string_view bytes, const std::string& text) {
  if (!bytes.starts_with(text)) return std::nullopt;
  bytes.remove_prefix(text.size());
  std::vector<Filter> filters;
  for (const char* name : kNames) {
    std::optional<Filter> filter = take_filter(bytes, name);
    if (!filter) return std::nullopt;
    filters.push_back(std::move(*filter));
  }
  if (!bytes.empty()) return std::nullopt;
  return filters;
}

std::string encode(const std::vector<Filter>& filters, const std::string& text) {
  std::string bytes = text;
  auto append = [&](const void* data, size_t size) { bytes.append(static_cast<const char*>(data), size); };
  for (const Filter& filter : filters) {
    auto count = static_cast<uint32_t>(filter.code.size());
    append(&count, sizeof count);
    append(filter.code.data(), count * sizeof(FilterInstruction));
  }
  return bytes;
}

}  // namespace

std::vector<Filter> load_filters(const SeccompPolicy& policy, const std::string& directory) {
  std::string text = text_form(policy);
  std::optional<std::string> bytes = read_trusted(directory + "/" + file_name(text), text.size() + kMostBytes);
  if (bytes) {
    if (std::optional<std::vector<Filter>> filters = decode(*bytes, text)) return std::move(*filters);
  }
  return compile_filters(policy);
}

void write_filters(const SeccompPolicy& policy, const std::string& directory) {
  std::string text = text_form(policy);
  std::string bytes = encode(compile_filters(policy), text);
  std::string path = directory + "/" + file_name(text);
  // Renamed into place whole, for whoever reads at the same time.
  std::string temporary = path + ".new";
  UniqueFd file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file || !write_all(file.get(), bytes)) throw system_error(temporary, errno);
  if (fchmod(file.get(), 0644) < 0 || rename(temporary.c_str(), path.c_str()) < 0) throw system_error(path, errno);
}

}  // namespace sbox
