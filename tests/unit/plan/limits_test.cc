// [limits]: what each process may use, and what all of them together.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include "planning.h"

namespace sbox::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Limits : public Planning {
 protected:
  static const CgroupLimit* limit(const Plan& plan, const std::string& file) {
    for (const CgroupLimit& each : plan.cgroup) {
      if (each.file == file) return &each;
    }
    return nullptr;
  }
};

TEST_F(Limits, NoneAskForNoCgroup) {
  Plan p = plan();
  EXPECT_TRUE(p.cgroup.empty());
  EXPECT_EQ(p.seconds, 0u);
  EXPECT_EQ(p.nice, 0u);
  EXPECT_EQ(p.io_priority, 0u);
}

TEST_F(Limits, MemoryIsWholePagesAndWithoutSwap) {
  set(Key::limits_memory, "100000K");
  Plan p = plan();
  ASSERT_NE(limit(p, "memory.max"), nullptr);
  EXPECT_EQ(limit(p, "memory.max")->line, "102367232");
  EXPECT_THAT(limit(p, "memory.max")->property, ElementsAre("MemoryMax", "t", "102367232"));
  EXPECT_EQ(limit(p, "memory.swap.max")->line, "0");
}

TEST_F(Limits, SwapIsBesideMemory) {
  set(Key::limits_swap, "1G");
  EXPECT_THAT(fault(), AllOf(HasSubstr("limits.swap = 1G"), HasSubstr("no limit of memory")));
  set(Key::limits_memory, "1G");
  EXPECT_EQ(limit(plan(), "memory.swap.max")->line, "1073741824");
}

TEST_F(Limits, TooLittleMemoryIsRefused) {
  set(Key::limits_memory, "15M");
  EXPECT_THAT(fault(), HasSubstr("so little"));
}

TEST_F(Limits, InWhichNoProgramStartsAreRefused) {
  set(Key::limits_tasks, "1");
  EXPECT_THAT(fault(), AllOf(HasSubstr("limits.tasks = 1"), HasSubstr("so little")));
  set(Key::limits_tasks, "2");
  EXPECT_EQ(fault(), "");
  set(Key::limits_open_files, "15");
  EXPECT_THAT(fault(), HasSubstr("limits.open-files = 15"));
  set(Key::limits_open_files, "16");
  set(Key::limits_address_space, "15M");
  EXPECT_THAT(fault(), HasSubstr("limits.address-space = 15M"));
}

TEST_F(Limits, ProcessorByShareAndWeight) {
  set(Key::limits_cpu, "1.5");
  set(Key::limits_cpu_weight, "7");
  Plan p = plan();
  EXPECT_EQ(limit(p, "cpu.max")->line, "150000 100000");
  EXPECT_THAT(limit(p, "cpu.max")->property, ElementsAre("CPUQuotaPerSecUSec", "t", "1500000"));
  EXPECT_EQ(limit(p, "cpu.weight")->line, "7");
  set(Key::limits_cpu_weight, "10001");
  EXPECT_THAT(fault(), HasSubstr("more than 10000"));
}

TEST_F(Limits, DisksEachAndNoMadeUpOnes) {
  for (const char* name : {"loop0", "zram0", "sda", "sdb"}) host.directory(std::string("/sys/block/") + name);
  host.file("/sys/block/sda/dev", "8:0\n");
  host.file("/sys/block/sdb/dev", "8:16\n");
  host.file("/sys/block/loop0/dev", "7:0\n");
  set(Key::limits_io_read, "1M");
  set(Key::limits_io_write_operations, "10");
  Plan p = plan();
  ASSERT_EQ(p.cgroup.size(), 2u);
  EXPECT_EQ(p.cgroup[0].line, "8:0 rbps=1048576 wbps=max riops=max wiops=10");
  EXPECT_EQ(p.cgroup[1].line, "8:16 rbps=1048576 wbps=max riops=max wiops=10");
  EXPECT_THAT(p.cgroup[0].property, ElementsAre("IOReadBandwidthMax", "a(st)", "1", "/dev/sda", "1048576",
                                                "IOWriteIOPSMax", "a(st)", "1", "/dev/sda", "10"));
}

TEST_F(Limits, DisksThatCannotBeSeenRefuse) {
  set(Key::limits_io_write, "1M");
  EXPECT_THAT(fault(), HasSubstr("no disk"));
}

TEST_F(Limits, TimeAndPriorities) {
  set(Key::limits_time, "2h");
  set(Key::limits_nice, "19");
  set(Key::limits_io_priority, "idle");
  set(Key::limits_tasks, "50");
  Plan p = plan();
  EXPECT_EQ(p.seconds, 7200u);
  EXPECT_EQ(p.nice, 19u);
  EXPECT_EQ(p.io_priority, 3u << 13);
  EXPECT_EQ(p.limits.back().resource, static_cast<uint32_t>(RLIMIT_NPROC));
  EXPECT_EQ(p.limits.back().hard, 50u);
  set(Key::limits_nice, "20");
  EXPECT_THAT(fault(), HasSubstr("more than 19"));
}

TEST_F(Limits, WithoutAFilterThereIsNoPriorityOfDisks) {
  set(Key::seccomp_mode, "none");
  plan();
  set(Key::limits_io_priority, "low");
  EXPECT_THAT(fault(), HasSubstr("sets its own"));
}

}  // namespace
}  // namespace sbox::testing
