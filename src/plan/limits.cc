#include <sys/resource.h>

#include <algorithm>

#include "plan/draft.h"
#include "plan/paths.h"
#include "profile/values.h"

namespace sbox {
namespace {

constexpr uint64_t kMostNice = 19, kMostRealtime = 99, kMostWeight = 10'000;

[[noreturn]] void refuse(const Profile& profile, Key key, const std::string& why, const std::string& hint) {
  const Value& value = profile.scalar(key);
  throw Error(key_name(setting(key)) + " = " + value.text, why).at(value.origin).hint(hint);
}

void require_most(const Profile& profile, Key key, uint64_t most) {
  if (profile.number(key) > most) refuse(profile, key, "is more than " + std::to_string(most), "ask for less");
}

void limit(const Inputs& in, Plan& plan, Key key, const char* name, uint32_t resource) {
  uint64_t wanted = in.profile.number(key);
  if (wanted == 0) return;
  uint64_t most = in.host.hard_limit(static_cast<int>(resource));
  if (wanted > most) refuse(in.profile, key, "the limit of this session is " + std::to_string(most), "ask for less");
  plan.limits.push_back({name, resource, wanted, wanted});
}

// Of what sbox itself needs to bring the program up.
void require_least(const Profile& profile, Key key, uint64_t least, const char* hint) {
  uint64_t wanted = profile.number(key);
  if (wanted > 0 && wanted < least) refuse(profile, key, "no sandbox starts with so little", hint);
}

void limit_core(const Inputs& in, Plan& plan) {
  if (in.profile.number(Key::limits_core) > 0) return limit(in, plan, Key::limits_core, "RLIMIT_CORE", RLIMIT_CORE);
  // Not 0: a core_pattern that is a pipe takes no notice of 0, but of 1. Where the caller is held to 0 there is no 1.
  uint64_t core = std::min<uint64_t>(1, in.host.hard_limit(RLIMIT_CORE));
  plan.limits.push_back({"RLIMIT_CORE", RLIMIT_CORE, core, core});
}

// What the session may have been given: a program that goes first at the processor can keep all others from it, and one
// that gave way could take that back.
void limit_priority(const Inputs& in, Plan& plan) {
  plan.limits.push_back({"RLIMIT_NICE", RLIMIT_NICE, 0, 0});
  if (in.profile.number(Key::limits_realtime) > 0) {
    return limit(in, plan, Key::limits_realtime, "RLIMIT_RTPRIO", RLIMIT_RTPRIO);
  }
  plan.limits.push_back({"RLIMIT_RTPRIO", RLIMIT_RTPRIO, 0, 0});
}

std::string meaning(const Inputs& in, Key key) {
  const Value& value = in.profile.scalar(key);
  return value.origin.text() + ": the limit " + key_name(setting(key)) + " = " + value.text;
}

// What the kernel keeps and prints: whole pages, of whatever size.
std::string whole_pages(uint64_t bytes) {
  constexpr uint64_t kLargestPage = 64 << 10;
  return std::to_string(bytes / kLargestPage * kLargestPage);
}

void limit_memory(const Inputs& in, Plan& plan) {
  uint64_t memory = in.profile.number(Key::limits_memory);
  if (memory == 0) return;
  std::string most = whole_pages(memory), swap = whole_pages(in.profile.number(Key::limits_swap));
  plan.cgroup.push_back({"memory.max", most, {"MemoryMax", "t", most}, meaning(in, Key::limits_memory)});
  plan.cgroup.push_back({"memory.swap.max", swap, {"MemorySwapMax", "t", swap}, meaning(in, Key::limits_swap)});
}

void limit_processor(const Inputs& in, Plan& plan) {
  constexpr uint64_t kPeriod = 100'000, kMicroseconds = 1'000'000, kPerCents = 100;
  if (uint64_t share = in.profile.number(Key::limits_cpu); share > 0) {
    std::string line = std::to_string(share * kPeriod / kPerCents) + " " + std::to_string(kPeriod);
    std::string quota = std::to_string(share * kMicroseconds / kPerCents);
    plan.cgroup.push_back({"cpu.max", line, {"CPUQuotaPerSecUSec", "t", quota}, meaning(in, Key::limits_cpu)});
  }
  if (uint64_t weight = in.profile.number(Key::limits_cpu_weight); weight > 0) {
    std::string text = std::to_string(weight);
    plan.cgroup.push_back({"cpu.weight", text, {"CPUWeight", "t", text}, meaning(in, Key::limits_cpu_weight)});
  }
}

struct IoRow {
  Key key;
  const char *word, *property;  // in io.max; of systemd
};
constexpr IoRow kIoRows[] = {
    {Key::limits_io_read, "rbps", "IOReadBandwidthMax"},
    {Key::limits_io_write, "wbps", "IOWriteBandwidthMax"},
    {Key::limits_io_read_operations, "riops", "IOReadIOPSMax"},
    {Key::limits_io_write_operations, "wiops", "IOWriteIOPSMax"},
};

// Of each disk, because what is written to a file system may go to any.
void limit_disks(const Inputs& in, Plan& plan) {
  auto is_set = [&](const IoRow& row) { return in.profile.number(row.key) > 0; };
  auto first = std::find_if(std::begin(kIoRows), std::end(kIoRows), is_set);
  if (first == std::end(kIoRows)) return;
  bool found = false;
  for (const std::string& name : in.host.list("/sys/block")) {
    bool is_disk = !name.starts_with("loop") && !name.starts_with("ram") && !name.starts_with("zram");
    std::string number = in.host.read("/sys/block/" + name + "/dev").value_or("");
    number.resize(std::min(number.find('\n'), number.size()));
    if (!is_disk || number.empty()) continue;
    found = true;
    CgroupLimit limit{"io.max", number, {}, meaning(in, first->key)};
    for (const IoRow& row : kIoRows) {
      std::string value = is_set(row) ? std::to_string(in.profile.number(row.key)) : "max";
      limit.line += std::string(" ") + row.word + "=" + value;
      if (is_set(row)) limit.property.insert(limit.property.end(), {row.property, "a(st)", "1", "/dev/" + name, value});
    }
    plan.cgroup.push_back(std::move(limit));
  }
  if (!found) refuse(in.profile, first->key, "no disk is to be seen in /sys/block", "leave it out");
}

}  // namespace

void check_limits(const Profile& profile) {
  constexpr uint64_t kLeastFiles = 16, kLeastAddresses = 16 << 20, kLeastMemory = 16 << 20, kLeastTasks = 2;
  require_least(profile, Key::limits_open_files, kLeastFiles, "ask for 16 at least");
  require_least(profile, Key::limits_address_space, kLeastAddresses, "ask for 16M at least");
  require_least(profile, Key::limits_memory, kLeastMemory, "ask for 16M at least");
  require_least(profile, Key::limits_tasks, kLeastTasks, "ask for 2 at least: process 1 is one of them");
  require_most(profile, Key::limits_cpu_weight, kMostWeight);
  require_most(profile, Key::limits_nice, kMostNice);
  require_most(profile, Key::limits_realtime, kMostRealtime);
  if (profile.number(Key::limits_memory) == 0 && profile.number(Key::limits_swap) > 0) {
    refuse(profile, Key::limits_swap, "there is no limit of memory", "set limits.memory too");
  }
  if (profile.text(Key::limits_io_priority) != "host" && profile.text(Key::seccomp_mode) == "none") {
    refuse(profile, Key::limits_io_priority, "without a filter of system calls a program sets its own",
           "leave one of both out");
  }
}

void plan_limits(const Inputs& in, Draft& draft) {
  Plan& plan = draft.plan;
  check_limits(in.profile);
  limit_core(in, plan);
  limit_priority(in, plan);
  limit(in, plan, Key::limits_open_files, "RLIMIT_NOFILE", RLIMIT_NOFILE);
  limit(in, plan, Key::limits_file_size, "RLIMIT_FSIZE", RLIMIT_FSIZE);
  limit(in, plan, Key::limits_address_space, "RLIMIT_AS", RLIMIT_AS);
  // The kernel counts a user's processes by user namespace (Linux 5.14): in the sandbox's own there are no others.
  limit(in, plan, Key::limits_tasks, "RLIMIT_NPROC", RLIMIT_NPROC);
  limit_memory(in, plan);
  limit_processor(in, plan);
  limit_disks(in, plan);
  plan.seconds = in.profile.number(Key::limits_time);
  plan.nice = static_cast<uint32_t>(in.profile.number(Key::limits_nice));
  // Class and level of ioprio_set(2): idle, or the last of best effort.
  constexpr uint32_t kIdle = 3 << 13, kLastOfBestEffort = (2 << 13) | 7;
  const std::string& io = in.profile.text(Key::limits_io_priority);
  plan.io_priority = io == "idle" ? kIdle : io == "low" ? kLastOfBestEffort : 0;
}

}  // namespace sbox
