#include "cli/audit.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "../plan/planning.h"
#include "cli/edit.h"

namespace sbox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Auditing : public Planning {
 protected:
  unsigned score() { return audit_profile(profile).score; }
};

TEST_F(Auditing, AddsTheReasonsUp) {
  set(Key::network_mode, "host");
  set(Key::home_keep, "~/.ssh");
  Audit audit = audit_profile(profile);
  unsigned sum = 0;
  for (const AuditReason& reason : audit.reasons) sum += reason.points;
  EXPECT_EQ(audit.score, sum);
  EXPECT_EQ(audit.reasons[0].setting, "network.mode = host");
  EXPECT_EQ(audit.reasons[0].origin, "test.profile:1");
  EXPECT_EQ(audit.reasons[1].setting, "home.keep = ~/.ssh");
}

TEST_F(Auditing, IsTightWhereNothingIsGranted) { EXPECT_STREQ(rating_of(score()), "tight"); }

TEST_F(Auditing, CountsDangerousPathsAndNamesForMore) {
  set(Key::home_keep, "~/notes");
  unsigned before = score();
  set(Key::home_keep, "~/.bashrc");
  EXPECT_GT(score(), before + 10);
  set(Key::dbus_session, "filtered");
  set(Key::dbus_talk, "org.example.Harmless");
  before = score();
  set(Key::dbus_talk, "org.freedesktop.systemd1");
  EXPECT_GT(score(), before + 10);
}

TEST_F(Auditing, CountsNoRuleOfABusThatIsNotThere) {
  unsigned before = score();
  set(Key::dbus_talk, "org.freedesktop.systemd1");
  EXPECT_EQ(score(), before);
}

TEST_F(Auditing, CountsThatItMayGoBeforeAllOthers) {
  unsigned before = score();
  set(Key::limits_realtime, "5");
  EXPECT_EQ(score(), before + 4);
}

TEST_F(Auditing, TheWholeHomeIsMoreThanAPartOfIt) {
  set(Key::home_mode, "host");
  unsigned whole = score();
  set(Key::home_keep, "~/notes");
  EXPECT_LT(score(), whole);
}

// For every switch: what no sandbox has by default never makes the score smaller.
TEST_F(Auditing, GrantingMoreNeverMakesItLess) {
  for (const Setting& row : settings()) {
    bool grants_less = row.key == Key::process_write_xor_execute || row.name == "log";
    if (row.type != Type::boolean || grants_less) continue;
    Profile with = profile;
    with.assign(row.key, {"yes", {}});
    EXPECT_GE(audit_profile(with).score, score()) << row.section << "." << row.name;
  }
}

// "NAME SCORE" a line: who changes a profile sees what it costs. SBOX_ACCEPT_GOLDEN=1 writes it anew.
TEST(GoldenAudit, OfTheShippedProfilesIsTheOneThatWasReviewed) {
  std::string source = __FILE__, path = source.substr(0, source.rfind("tests/unit/")) + "tests/golden/audit.txt";
  auto build = std::filesystem::canonical("/proc/self/exe").parent_path().parent_path();
  SearchPath shipped{{build / "share/sbox/profiles"}};
  std::string text;
  for (const std::string& name : list_profiles(shipped)) {
    text += name + " " + std::to_string(audit_profile(read_profile(shipped, name)).score) + "\n";
  }
  if (getenv("SBOX_ACCEPT_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream in(path);
  std::string reviewed{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text, reviewed) << "run again with SBOX_ACCEPT_GOLDEN=1 and look at the change";
}

TEST(EditedText, HoldsTheEffectiveProfileAsCommentsThatAreNotKept) {
  std::string text = text_to_edit("[home]\nkeep = ~/a\n", "[network]\nmode = host\n");
  EXPECT_THAT(text, HasSubstr("# [network]\n# mode = host\n"));
  EXPECT_EQ(edited_drop_in(text), "[home]\nkeep = ~/a\n");
  EXPECT_EQ(edited_drop_in("[home]\nkeep = ~/b\n" + text.substr(text.find("\n# ----"))), "[home]\nkeep = ~/b\n");
  EXPECT_EQ(edited_drop_in("[home]\nkeep =\n"), "[home]\nkeep =\n");
  EXPECT_THAT(edited_drop_in(""), IsEmpty());
}

}  // namespace
}  // namespace sbox::testing
