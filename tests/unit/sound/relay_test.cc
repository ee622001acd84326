// One client and one server, of which this test is both.
#include "sound/relay.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <memory>

namespace sbox::sound {
namespace {

std::string number(uint32_t value) {
  std::string text = "L";
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}
// A packet of sound on the stream 0.
std::string sound(const std::string& samples, char flags = 0) {
  std::string text = packet(samples);
  text.replace(4, 4, 4, '\0');
  text[kHeaderSize - 4] = flags;
  return text;
}

constexpr uint32_t kStat = 13, kLoadModule = 51;

class Relay : public ::testing::Test {
 protected:
  Relay() {
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

TEST_F(Relay, PassesWhatPlaysAndAnswersTheRestItself) {
  std::string stat = packet(number(kStat) + number(1)), load = packet(number(kLoadModule) + number(2));
  say(client, stat + load + sound("samples"));
  EXPECT_TRUE(relay->go_on(POLLIN, 0));
  EXPECT_EQ(heard(server), stat + sound("samples"));
  EXPECT_EQ(heard(client), packet(number(0) + number(2) + number(1)));
}

TEST_F(Relay, SaysWhoItIsToAServerThatAsksLater) {
  std::string stat = packet(number(kStat) + number(1));
  say(client, stat);
  EXPECT_TRUE(relay->go_on(POLLIN, 0));
  int on = 1;
  ASSERT_EQ(setsockopt(server.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
  char content[1024];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  iovec part{content, sizeof content};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ASSERT_EQ(recvmsg(server.get(), &message, 0), static_cast<ssize_t>(stat.size()));
  ASSERT_NE(CMSG_FIRSTHDR(&message), nullptr);
  ucred sender{};
  memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof sender);
  EXPECT_EQ(sender.pid, getpid());
  EXPECT_EQ(sender.uid, getuid());
}

TEST_F(Relay, WaitsForTheRestOfAPacket) {
  std::string stat = packet(number(kStat) + number(1));
  for (size_t i = 0; i < stat.size(); ++i) {
    EXPECT_EQ(heard(server), "");
    say(client, stat.substr(i, 1));
    EXPECT_TRUE(relay->go_on(POLLIN, 0));
  }
  EXPECT_EQ(heard(server), stat);
}

TEST_F(Relay, NoSoundComesBack) {
  std::string answer = packet(number(2) + number(1));
  say(server, sound("recorded") + answer + sound("more"));
  EXPECT_TRUE(relay->go_on(0, POLLIN));
  EXPECT_EQ(heard(client), answer);
}

TEST_F(Relay, EndsWithEitherSideAndAtWhatIsNoPacket) {
  say(client, sound("x", '\x80'));  // shared memory
  EXPECT_FALSE(relay->go_on(POLLIN, 0));
  client.reset();
  EXPECT_FALSE(relay->go_on(POLLIN | POLLHUP, 0));
  server.reset();
  EXPECT_FALSE(relay->go_on(0, POLLIN | POLLHUP));
}

TEST_F(Relay, ADescriptorThatComesAlongGoesNowhere) {
  std::string text = packet(number(kStat) + number(1));
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(head)) = client.get();
  ASSERT_EQ(sendmsg(client.get(), &message, 0), static_cast<ssize_t>(text.size()));
  EXPECT_TRUE(relay->go_on(POLLIN, 0));
  msghdr got{};
  std::string buffer(1024, '\0');
  iovec into{buffer.data(), buffer.size()};
  char room[256];
  got.msg_iov = &into;
  got.msg_iovlen = 1;
  got.msg_control = room;
  got.msg_controllen = sizeof room;
  EXPECT_EQ(recvmsg(server.get(), &got, 0), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(got.msg_controllen, 0u);
}

TEST_F(Relay, WhoDoesNotListenIsNotListenedTo) {
  std::string load = packet(number(kLoadModule) + number(2)), many;
  while (many.size() < 60'000) many += load;
  size_t said = 0;
  while (relay->wait_for_client().events & POLLIN) {
    say(client, many);
    ASSERT_TRUE(relay->go_on(POLLIN, 0));
    ASSERT_LT(said += many.size(), 16u << 20);
  }
  while (!(relay->wait_for_client().events & POLLIN)) {
    ASSERT_NE(heard(client), "");
    ASSERT_TRUE(relay->go_on(0, 0));
  }
}

}  // namespace
}  // namespace sbox::sound
