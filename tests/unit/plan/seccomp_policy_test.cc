// From a profile to a policy.
#include <gtest/gtest.h>

#include "base/error.h"
#include "plan/seccomp.h"

namespace sbox::test {
namespace {

Value written(std::string text, int line = 7) { return {std::move(text), {"a.profile", line}}; }

TEST(SeccompPolicyOfAProfile, AnEmptyProfileHasNothingBeyondTheDefault) {
  SeccompPolicy policy = seccomp_policy(Profile());
  SeccompPolicy expected;
  expected.architecture = policy.architecture;
  EXPECT_FALSE(policy.architecture.empty());
  EXPECT_EQ(policy, expected);
}

TEST(SeccompPolicyOfAProfile, EverySettingIsTakenOver) {
  Profile profile;
  profile.assign(Key::seccomp_action, written("kill"));
  profile.assign(Key::process_nested_sandbox, written("yes"));
  profile.assign(Key::process_debug, written("yes"));
  profile.assign(Key::process_write_xor_execute, written("yes"));
  profile.assign(Key::seccomp_allow, written("syslog"));
  profile.assign(Key::seccomp_allow, written("@io-uring"));
  profile.assign(Key::seccomp_allow, written("syslog"));
  profile.assign(Key::seccomp_deny, written("statmount"));
  SeccompPolicy policy = seccomp_policy(profile);
  EXPECT_TRUE(policy.kill && policy.nested_sandbox && policy.debug && policy.write_xor_execute);
  EXPECT_EQ(policy.allow, (std::vector<std::string>{"@io-uring", "syslog"}));
  EXPECT_EQ(policy.deny, (std::vector<std::string>{"statmount"}));
}

void expect_refused(const Profile& profile, const std::string& hint) {
  try {
    seccomp_policy(profile);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), (Origin{"a.profile", 7}));
    EXPECT_NE(error.hint_text().find(hint), std::string::npos) << error.hint_text();
  }
}

TEST(SeccompPolicyOfAProfile, AnUnknownCallOrGroupIsRefusedWithTheNearestName) {
  for (Key key : {Key::seccomp_allow, Key::seccomp_deny}) {
    Profile profile;
    profile.assign(key, written("keyctrl"));
    expect_refused(profile, "keyctl");
    Profile group;
    group.assign(key, written("@iouring"));
    expect_refused(group, "@io-uring");
  }
}

TEST(SeccompPolicyOfAProfile, WhatSboxItselfNeedsInsideCannotBeDenied) {
  for (const char* word : {"sendmsg", "brk", "waitid"}) {
    Profile profile;
    profile.assign(Key::seccomp_deny, written(word));
    expect_refused(profile, "remove it");
  }
  for (const char* word : {"@network", "@memory", "@file", "@process"}) {
    Profile profile;
    profile.assign(Key::seccomp_deny, written(word));
    expect_refused(profile, "name single calls of the group");
  }
  Profile profile;
  for (const char* word : {"socket", "@information", "madvise"}) profile.assign(Key::seccomp_deny, written(word));
  EXPECT_EQ(seccomp_policy(profile).deny.size(), 3);
}

TEST(SeccompPolicyOfAProfile, WherePortsAreLimitedNoFlagsOfSendingAreHidden) {
  Profile profile;
  profile.assign(Key::network_mode, written("host"));
  EXPECT_FALSE(seccomp_policy(profile).tcp_by_port);
  profile.assign(Key::seccomp_allow, written("@io-uring"));
  EXPECT_NO_THROW(seccomp_policy(profile));
  profile.assign(Key::network_connect, written("tcp :443"));
  expect_refused(profile, "mode = private");
  profile.assign(Key::seccomp_allow, written(""));
  EXPECT_TRUE(seccomp_policy(profile).tcp_by_port);
  profile.assign(Key::network_connect, written(""));
  profile.assign(Key::network_listen, written("7102"));
  EXPECT_TRUE(seccomp_policy(profile).tcp_by_port);
  profile.assign(Key::seccomp_allow, written("@io-uring"));
  expect_refused(profile, "mode = private");
}

TEST(SeccompPolicyOfAProfile, Clone3CannotBeAllowed) {
  Profile profile;
  profile.assign(Key::seccomp_allow, written("clone3"));
  expect_refused(profile, "");
}

}  // namespace
}  // namespace sbox::test
