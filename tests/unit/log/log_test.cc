#include "log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <linux/audit.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "cli/log.h"

namespace sbox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LogHeader header() {
  LogHeader header{"mine", "/usr/bin/firefox", "firefox", "/etc/sbox/profiles/firefox.profile", 1'000'000'000, {}};
  header.policy.architecture = "x86_64";
  return header;
}

LogRecord record(int number, std::array<uint64_t, 6> arguments = {}, int error = EPERM) {
  LogRecord record;
  record.count = 3;
  record.architecture = AUDIT_ARCH_X86_64;
  record.number = number;
  record.arguments = arguments;
  record.error = error;
  return record;
}

std::string bytes_of(const std::vector<LogRecord>& records) {
  std::string bytes = header_line(header());
  for (const LogRecord& each : records) bytes.append(reinterpret_cast<const char*>(&each), sizeof each);
  return bytes;
}

Run run_of(const std::vector<LogRecord>& records) {
  Run run{{header(), records, 0}, false, {}};
  for (const LogRecord& each : records) run.denials.push_back(describe(each, header().policy));
  return run;
}

constexpr int kSocket = 41, kClone = 56, kPtrace = 101, kMount = 165, kKeyctl = 250, kMmap = 9, kIoctl = 16,
              kUnshare = 272, kSetns = 308;

TEST(LogFile, IsReadAsItWasWritten) {
  LogRecord others, one = record(kMount);
  others.count = 7;
  std::optional<Log> log = parse_log(bytes_of({others, one}));
  ASSERT_TRUE(log);
  EXPECT_EQ(log->header, header());
  EXPECT_EQ(log->others, 7U);
  ASSERT_EQ(log->records.size(), 1U);
  EXPECT_EQ(memcmp(&log->records[0], &one, sizeof one), 0);
}

TEST(LogFile, MayEndAnywhere) {
  std::string whole = bytes_of({LogRecord{}, record(kMount), record(kKeyctl)});
  size_t line = header_line(header()).size();
  for (size_t size = 0; size <= whole.size(); ++size) {
    std::optional<Log> log = parse_log(std::string_view(whole).substr(0, size));
    EXPECT_EQ(log.has_value(), size >= line) << size;
    if (!log) continue;
    EXPECT_EQ(log->records.size(), std::max<size_t>((size - line) / sizeof(LogRecord), 1) - 1) << size;
  }
}

TEST(LogFile, HoldsNoMoreRecordsThanItMay) {
  std::vector<LogRecord> many(kMostRecords + 10, record(kMount));
  EXPECT_EQ(parse_log(bytes_of(many))->records.size(), kMostRecords - 1);
}

TEST(LogFile, IsRefusedWhereItsFirstLineIsSomethingElse) {
  for (const char* line : {"", "\n", "{}\n", "[]\n", "x\n",
                           R"({"instance": 1})"
                           "\n"}) {
    EXPECT_FALSE(parse_log(line)) << line;
  }
}

TEST(Denials, NameTheCallAndTheLineThatAllowsIt) {
  EXPECT_EQ(describe(record(kPtrace, {PTRACE_ATTACH}), header().policy).call, "ptrace");
  EXPECT_EQ(describe(record(kPtrace, {PTRACE_ATTACH}), header().policy).arguments, "PTRACE_ATTACH");
  EXPECT_EQ(describe(record(kPtrace), header().policy).remedy, "[process] debug = yes");
  EXPECT_EQ(describe(record(kMount), header().policy).remedy, "[process] nested-sandbox = mounts");
  EXPECT_EQ(describe(record(kSetns), header().policy).remedy, "[process] nested-sandbox = yes");
  EXPECT_EQ(describe(record(kUnshare, {CLONE_NEWUSER}), header().policy).remedy, "[process] nested-sandbox = yes");
  EXPECT_EQ(describe(record(kUnshare, {CLONE_FILES}), header().policy).remedy, "[seccomp] allow = unshare");
  EXPECT_EQ(describe(record(kKeyctl), header().policy).remedy, "[seccomp] allow = keyctl");
  EXPECT_EQ(describe(record(9999), header().policy).call, "system call 9999");
  EXPECT_EQ(describe(record(9999), header().policy).remedy, "");
}

TEST(Denials, TellWhichArgumentsWereKeptAway) {
  Denial socket = describe(record(kSocket, {AF_PACKET, SOCK_RAW | SOCK_CLOEXEC}, EAFNOSUPPORT), header().policy);
  EXPECT_EQ(socket.arguments, "AF_PACKET, SOCK_RAW, 0");
  EXPECT_THAT(socket.why, HasSubstr("sockets other than"));
  EXPECT_EQ(socket.remedy, "");
  Denial clone = describe(record(kClone, {CLONE_NEWUSER | CLONE_NEWNS}), header().policy);
  EXPECT_EQ(clone.arguments, "CLONE_NEWNS|CLONE_NEWUSER");
  EXPECT_EQ(clone.remedy, "[process] nested-sandbox = mounts");
  EXPECT_EQ(describe(record(kClone, {CLONE_NEWUSER}), header().policy).remedy, "[process] nested-sandbox = yes");
  EXPECT_EQ(describe(record(kIoctl, {0, 0x5412}), header().policy).arguments, "TIOCSTI");
  LogHeader exclusive = header();
  exclusive.policy.write_xor_execute = true;
  Denial mmap = describe(record(kMmap, {0, 4096, PROT_WRITE | PROT_EXEC}), exclusive.policy);
  EXPECT_EQ(mmap.arguments, "PROT_WRITE|PROT_EXEC");
  EXPECT_EQ(mmap.remedy, "[process] write-xor-execute = no");
}

TEST(Denials, OfAnotherArchitectureSayWhich) {
  LogRecord compat = record(26);  // ptrace of i386
  compat.architecture = AUDIT_ARCH_I386;
  EXPECT_EQ(describe(compat, header().policy).call, "ptrace (i386)");
  compat.architecture = 12345;
  EXPECT_EQ(describe(compat, header().policy).call, "system call 26");
}

TEST(Denials, HaveNoRemedyInAnAllowLineForWhatALineTookAway) {
  constexpr int kSysinfo = 99;
  EXPECT_EQ(describe(record(kSysinfo), header().policy).remedy, "");
  EXPECT_EQ(describe(record(kSysinfo), header().policy).why, "taken away by [seccomp] deny");
  LogHeader nested = header();
  nested.policy.nested_sandbox = true;
  EXPECT_EQ(describe(record(kMount), nested.policy).why, "taken away by [seccomp] deny");
}

TEST(LogText, EscapesWhatAProcessCallsItself) {
  LogRecord hostile = record(kMount);
  memcpy(hostile.name.data(), "\x1b[2J\nx\xff", 8);
  std::string text = runs_text({run_of({hostile})}), json = runs_json({run_of({hostile})});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("\\x1b[2J\\x0ax\\xff"));
  EXPECT_THAT(json, Not(HasSubstr("\x1b")));
}

TEST(LogText, ANameNeedNotEnd) {
  LogRecord long_name = record(kMount);
  long_name.name.fill('a');
  EXPECT_EQ(process_name(long_name), std::string(16, 'a'));
}

TEST(LogText, SaysWhenNothingWasDenied) { EXPECT_THAT(runs_text({run_of({})}), HasSubstr("Nothing was denied.")); }

}  // namespace
}  // namespace sbox::testing
