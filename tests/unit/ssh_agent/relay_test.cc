// One client and one agent, of which this test is both.
#include "ssh_agent/relay.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <set>

namespace sbox::ssh_agent {
namespace {

std::string number(size_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}
std::string message(const std::string& content) { return number(content.size()) + content; }
std::string extension(const std::string& name) { return "\x1b" + number(name.size()) + name + "rest"; }

const std::string kKeys = message("\x0b"), kSign = message("\x0d key and data"), kForget = message("\x13"),
                  kAnswer = message("\x0c none"), kRefusal = message("\x05");

class SshAgentRelay : public ::testing::Test {
 protected:
  SshAgentRelay() {
    int client_ends[2], server_ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, client_ends), 0);
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, server_ends), 0);
    client.reset(client_ends[0]);
    server.reset(server_ends[0]);
    relay = std::make_unique<Connection>(UniqueFd(client_ends[1]), UniqueFd(server_ends[1]));
  }
  static void say(const UniqueFd& end, const std::string& text) {
    ASSERT_EQ(send(end.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  static std::string heard(const UniqueFd& end) {
    std::string text(1 << 20, '\0');
    ssize_t size = recv(end.get(), text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
  }
  UniqueFd client, server;
  std::unique_ptr<Connection> relay;
};

TEST_F(SshAgentRelay, OnlyTheKeysAndSignaturesMayBeAskedFor) {
  const std::set<int> allowed = {11, 13};
  for (int type = 0; type < 256; ++type) {
    EXPECT_EQ(may_ask(std::string(1, static_cast<char>(type)) + "rest"), allowed.contains(type)) << type;
  }
  EXPECT_FALSE(may_ask(""));
  EXPECT_TRUE(may_ask(extension("session-bind@openssh.com")));
  EXPECT_FALSE(may_ask(extension("session-bind@openssh.com2")));
  EXPECT_FALSE(may_ask(extension("query")));
  EXPECT_FALSE(may_ask("\x1b" + number(24) + "session-bind"));
}

TEST_F(SshAgentRelay, PassesWhatMayBeAskedAndAnswersTheRestItselfInTheOrderOfTheRequests) {
  say(client, kForget + kKeys + kForget + kSign);
  EXPECT_TRUE(relay->go_on(POLLIN, 0));
  EXPECT_EQ(heard(server), kKeys);
  EXPECT_EQ(heard(client), kRefusal);
  EXPECT_EQ(relay->wait_for_client().events, 0);
  say(server, kAnswer);
  EXPECT_TRUE(relay->go_on(0, POLLIN));
  EXPECT_EQ(heard(client), kAnswer + kRefusal);
  EXPECT_EQ(heard(server), kSign);
}

TEST_F(SshAgentRelay, WaitsForTheRestOfAMessage) {
  for (char c : kSign.substr(0, kSign.size() - 1)) {
    say(client, std::string(1, c));
    EXPECT_TRUE(relay->go_on(POLLIN, 0));
    EXPECT_EQ(heard(server), "");
  }
  say(client, kSign.substr(kSign.size() - 1));
  EXPECT_TRUE(relay->go_on(POLLIN, 0));
  EXPECT_EQ(heard(server), kSign);
  say(server, kAnswer.substr(0, 3));
  EXPECT_TRUE(relay->go_on(0, POLLIN));
  EXPECT_EQ(heard(client), "");
  say(server, kAnswer.substr(3));
  EXPECT_TRUE(relay->go_on(0, POLLIN));
  EXPECT_EQ(heard(client), kAnswer);
}

TEST_F(SshAgentRelay, EndsAtWhatNobodyMaySend) {
  say(client, number(0));
  EXPECT_FALSE(relay->go_on(POLLIN, 0));
}

TEST_F(SshAgentRelay, EndsAtAMessageThatIsTooLong) {
  say(client, number((256 << 10) + 1));
  EXPECT_FALSE(relay->go_on(POLLIN, 0));
}

TEST_F(SshAgentRelay, EndsAtAnAnswerThatNobodyAskedFor) {
  say(server, kAnswer);
  EXPECT_FALSE(relay->go_on(0, POLLIN));
}

TEST_F(SshAgentRelay, EndsWithEitherSide) {
  client.reset();
  EXPECT_FALSE(relay->go_on(POLLHUP | POLLIN, 0));
}

}  // namespace
}  // namespace sbox::ssh_agent
