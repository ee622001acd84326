#include "learn/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sbox::learn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class Watching : public ::testing::Test {
 protected:
  void see(const std::string& line) { collector.add_line("7<prog> " + line); }
  std::vector<std::string> destinations() const {
    std::vector<std::string> texts;
    for (const auto& [endpoint, trail] : collector.evidence().endpoints) texts.push_back(destination_text(endpoint));
    return texts;
  }
  const std::map<Use, Trail>& uses(const std::string& path) const { return collector.evidence().files.at(path); }

  Collector collector{"/home/ann"};
};

TEST_F(Watching, TellsReadingFromChangingFromMaking) {
  see(R"(openat(AT_FDCWD</home/ann>, "r", O_RDONLY) = 3</home/ann/r>)");
  see(R"(openat(AT_FDCWD</home/ann>, "w", O_RDWR|O_CLOEXEC) = 3</home/ann/w>)");
  see(R"(openat(AT_FDCWD</home/ann>, "m", O_WRONLY|O_CREAT|O_EXCL, 0600) = 3</home/ann/m>)");
  see(R"(openat(AT_FDCWD</home/ann>, "p", O_RDONLY|O_PATH) = 3</home/ann/p>)");
  see(R"(getdents64(3</home/ann/d>, 0x1 /* 4 entries */, 32768) = 104)");
  see(R"(execve("/usr/bin/x", ["x"], 0x1 /* 9 vars */) = 0)");
  EXPECT_TRUE(uses("/home/ann/r").contains(Use::read));
  EXPECT_TRUE(uses("/home/ann/w").contains(Use::change));
  EXPECT_TRUE(uses("/home/ann/m").contains(Use::make));
  EXPECT_TRUE(uses("/home/ann/p").contains(Use::look));
  EXPECT_TRUE(uses("/home/ann/d").contains(Use::list));
  EXPECT_TRUE(uses("/usr/bin/x").contains(Use::execute));
  EXPECT_EQ(uses("/home/ann/r").size(), 1u);
}

TEST_F(Watching, CountsAndKeepsWhoWasFirstAndWhetherItEverWorked) {
  see(R"(openat(AT_FDCWD</>, "/x", O_RDONLY) = -1 EACCES (Permission denied))");
  EXPECT_EQ(uses("/x").at(Use::read).error, "EACCES");
  collector.add_line(R"(8<other> openat(AT_FDCWD</>, "/x", O_RDONLY) = 3</x>)");
  const Trail& trail = uses("/x").at(Use::read);
  EXPECT_EQ(trail.by, "prog");
  EXPECT_EQ(trail.call, "openat");
  EXPECT_EQ(trail.count, 2u);
  EXPECT_EQ(trail.error, "");
}

TEST_F(Watching, KnowsTheDirectoryOfEachProcess) {
  see(R"(mkdir("a", 0777) = 0)");
  see(R"(chdir("/srv") = 0)");
  see(R"(vfork() = 8<prog>)");
  see(R"(mkdir("b", 0777) = 0)");
  collector.add_line(R"(8<prog> mkdir("../c", 0777) = 0)");
  see(R"(mkdirat(5</opt/x>, "d", 0777) = 0)");
  for (const char* path : {"/home/ann/a", "/srv/b", "/c", "/opt/x/d"}) {
    EXPECT_TRUE(collector.evidence().files.contains(path)) << path;
  }
}

TEST_F(Watching, RemembersWhatWasRenamedToWhat) {
  see(R"(renameat2(AT_FDCWD</d>, "a", AT_FDCWD</d>, "b", RENAME_NOREPLACE) = 0)");
  see(R"(rename("/d/c", "/d/e") = -1 EACCES (Permission denied))");
  EXPECT_THAT(collector.evidence().renames, ElementsAre(Pair("/d/a", "/d/b")));
}

TEST_F(Watching, NamesWhereItConnectsByWhatItHadLookedUp) {
  see("socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 3<socket:[1]>");
  see(R"(connect(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0)");
  see(R"(sendto(3<socket:[1]>, "\22\64\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1", 29, 0, NULL, 0) = 29)");
  see(R"(recvfrom(3<socket:[1]>, "\22\64\201\200\0\1\0\1\0\0\0\0\7example\3org\0\0\1\0\1\300\f\0\1\0\1\0\0\0<\0\4\306\63d\7", 2048, 0, NULL, NULL) = 45)");
  see("socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 4<socket:[2]>");
  see(R"(connect(4<socket:[2]>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("198.51.100.7")}, 16) = -1 EINPROGRESS (x))");
  see("socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) = 5<socket:[3]>");
  see(R"(connect(5<socket:[3]>, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = 0)");
  EXPECT_THAT(destinations(), ElementsAre("tcp example.org:443", "tcp [2001:db8::1]:80"));
  EXPECT_TRUE(collector.evidence().names.contains("example.org"));
}

TEST_F(Watching, AnAnswerToAnotherQuestionNamesNothing) {
  see("socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3<socket:[1]>");
  see(R"(connect(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0)");
  see(R"(sendto(3<socket:[1]>, "\22\64\1\0\0\1\0\0\0\0\0\0\7exbmple\3org\0\0\1\0\1", 29, 0, NULL, 0) = 29)");
  see(R"(recvfrom(3<socket:[1]>, "\22\64\201\200\0\1\0\1\0\0\0\0\7example\3org\0\0\1\0\1\300\f\0\1\0\1\0\0\0<\0\4\306\63d\7", 2048, 0, NULL, NULL) = 45)");
  see("socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 4<socket:[2]>");
  see(R"(connect(4<socket:[2]>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("198.51.100.7")}, 16) = 0)");
  EXPECT_THAT(destinations(), ElementsAre("tcp 198.51.100.7:443"));
}

// getaddrinfo(3) connects sockets of UDP to find out which address is best, and sends nothing.
TEST_F(Watching, UdpCountsWhenSomethingIsSent) {
  see("socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3<socket:[1]>");
  see(R"(connect(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(123), sin_addr=inet_addr("192.0.2.1")}, 16) = 0)");
  EXPECT_THAT(destinations(), IsEmpty());
  see(R"(sendto(3<socket:[1]>, "x", 1, 0, NULL, 0) = 1)");
  EXPECT_THAT(destinations(), ElementsAre("udp 192.0.2.1:123"));
}

TEST_F(Watching, KnowsWhoIsCalledOnTheBusByTheNameThatWasAskedFor) {
  const std::string head = R"(sendmsg(5<socket:[9]>, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=")";
  const std::string tail = R"(", iov_len=1}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, MSG_NOSIGNAL) = 178)";
  see(R"(connect(5<socket:[9]>, {sa_family=AF_UNIX, sun_path="/run/user/1000/bus"}, 110) = 0)");
  see(head +
      R"(l\1\0\1\"\0\0\0\3\0\0\0}\0\0\0\1\1o\0\25\0\0\0/org/freedesktop/DBus\0\0\0\2\1s\0\24\0\0\0org.freedesktop.DBus\0\0\0\0\6\1s\0\24\0\0\0org.freedesktop.DBus\0\0\0\0\10\1g\0\1s\0\0\3\1s\0\f\0\0\0GetNameOwner\0\0\0\0\35\0\0\0org.freedesktop.Notifications\0)" +
      tail);
  see(head +
      R"(l\1\0\1\0\0\0\0\7\0\0\0\205\0\0\0\1\1o\0\36\0\0\0/org/freedesktop/Notifications\0\0\2\1s\0\35\0\0\0org.freedesktop.Notifications\0\0\0\6\1s\0\4\0\0\0:1.0\0\0\0\0\10\1g\0\0\0\0\0\3\1s\0\24\0\0\0GetServerInformation\0\0\0\0)" +
      tail);
  ASSERT_EQ(collector.evidence().bus.size(), 1u);
  const BusUse& use = collector.evidence().bus.begin()->first;
  EXPECT_EQ(use.name, "org.freedesktop.Notifications");
  EXPECT_EQ(use.member, "GetServerInformation");
  EXPECT_FALSE(use.is_system);
}

TEST_F(Watching, KeepsNoMoreThanItsLimit) {
  for (int i = 0; i < 20500; ++i) see("unlink(\"/x" + std::to_string(i) + "\") = 0");
  EXPECT_EQ(collector.evidence().files.size(), 20000u);
  EXPECT_EQ(collector.evidence().dropped, 500u);
}

TEST(TidyPath, HasNoDots) {
  EXPECT_EQ(tidy_path("/a/./b/../c//"), "/a/c");
  EXPECT_EQ(tidy_path("/../.."), "/");
  EXPECT_EQ(tidy_path("a"), "");
  EXPECT_EQ(tidy_path(std::string("/a\0b", 4)), "");
}

}  // namespace
}  // namespace sbox::learn
