#include "launcher/cgroup.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "launcher/host_file.h"

namespace sbox {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

bool Cgroup::find() {
  constexpr char kMark[] = "\n0::";
  std::string list;
  if (!read_host_file("/proc/self/cgroup", list)) return false;
  list.insert(0, 1, '\n');
  size_t begin = list.find(kMark), end = list.find('\n', begin + 1);
  if (begin == std::string::npos || end == std::string::npos) return false;
  begin += sizeof kMark - 1;
  for (const char* root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    struct statfs status {};
    if (statfs(root, &status) != 0 || status.f_type != CGROUP2_SUPER_MAGIC) continue;
    path_ = root + list.substr(begin, end - begin);
    return true;
  }
  return false;
}

bool Cgroup::holds(const std::vector<CgroupLimit>& limits, std::string& why) {
  if (limits.empty()) return true;
  why = "this process is in no cgroup of version 2";
  if (!find()) return false;
  for (const CgroupLimit& limit : limits) {
    std::string content;
    why = limit.meaning + " is not in force here (run `sbox doctor` for the remedy)";
    if (!read_host_file(path_ + "/" + limit.file, content) || !has_line(content, limit.line)) return false;
    if (limit.file == "memory.max") memory_ = limit.meaning;
  }
  return true;
}

std::string Cgroup::exhausted() const {
  std::string events;
  if (memory_.empty() || !read_host_file(path_ + "/memory.events", events)) return "";
  bool none = has_line(events, "oom_kill 0");
  return none ? "" : memory_ + " was reached: the kernel has killed what used the most";
}

}  // namespace sbox
