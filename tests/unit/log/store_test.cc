#include "log/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"

namespace sbox {
namespace {

class LogStore : public ::testing::Test {
 protected:
  LogStore() {
    std::string pattern = std::filesystem::temp_directory_path() / "sbox-logs-XXXXXX";
    home = mkdtemp(pattern.data());
  }
  ~LogStore() override { std::filesystem::remove_all(home); }

  UniqueFd begin(const std::string& instance) const {
    LogHeader header;
    header.instance = instance;
    return new_log(home, header);
  }
  size_t files() const {
    std::filesystem::directory_iterator begin(home + "/.local/share/sbox/log");
    return static_cast<size_t>(std::distance(begin, {}));
  }

  std::string home;
};

TEST_F(LogStore, SaysWhatHasThePlaceOfADirectory) {
  std::ofstream(home + "/.local") << "a file\n";
  try {
    begin("one");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint_text(), "a file or a symbolic link has the place of a directory: take it away");
  }
}

TEST_F(LogStore, TellsOfTheLastRunsOfEachInstanceAndOfThoseThatGoOn) {
  UniqueFd goes_on = begin("one");
  for (int i = 0; i < 20; ++i) {
    begin("one");
    begin("two");
  }
  UniqueFd last = begin("two");
  std::vector<StoredLog> logs = stored_logs(home);
  auto count = [&](const char* name) { return std::ranges::count(logs, name, &StoredLog::instance); };
  EXPECT_EQ(count("one"), 9);
  EXPECT_EQ(count("two"), 8);
  EXPECT_EQ(std::ranges::count(logs, true, &StoredLog::is_running), 2);
  EXPECT_TRUE(logs.front().is_running);
  EXPECT_TRUE(logs.back().is_running) << "the newest come first";
}

TEST_F(LogStore, TellsOfSoManyInAllAndNoMore) {
  for (int i = 0; i < 300; ++i) begin("run-" + std::to_string(i));
  EXPECT_EQ(stored_logs(home).size(), 256U);
}

// One start in sixteen removes them: that none of four hundred does will not be seen.
TEST_F(LogStore, KeepsNoMoreFilesHoweverManyRunsThereWere) {
  std::vector<UniqueFd> go_on;
  for (int i = 0; i < 20; ++i) go_on.push_back(begin("one"));
  for (int i = 0; i < 1600; ++i) begin("one");
  EXPECT_LT(files(), 20U + 8 + 400);
  std::vector<StoredLog> logs = stored_logs(home);
  EXPECT_EQ(std::ranges::count(logs, true, &StoredLog::is_running), 20) << "never of a run that goes on";
}

}  // namespace
}  // namespace sbox
