#include "plan/real_host.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/unique_fd.h"

namespace sbox {
namespace {

using ::testing::ElementsAre;

class OnDisk : public ::testing::Test {
 protected:
  OnDisk() {
    std::string pattern = std::filesystem::temp_directory_path() / "sbox-host-XXXXXX";
    root = std::filesystem::canonical(mkdtemp(pattern.data()));
  }
  ~OnDisk() override { std::filesystem::remove_all(root); }

  void write(const std::string& name, const std::string& text) { std::ofstream(root + "/" + name) << text; }

  std::string root;
  const char* environment[4] = {"A=1", "=odd", "B=x=y", nullptr};
  RealHost host{environment};
};

UniqueFd bound_socket(int type, const std::string& path) {
  UniqueFd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

TEST_F(OnDisk, SocketsThatTakeConnectionsOrDatagramsAreFoundByTheirNames) {
  const std::string stream = root + "/two\nlines", datagram = root + "/datagram", idle = root + "/idle";
  UniqueFd listener = bound_socket(SOCK_SEQPACKET, stream), receiver = bound_socket(SOCK_DGRAM, datagram);
  UniqueFd not_yet = bound_socket(SOCK_STREAM, idle), client(socket(AF_UNIX, SOCK_SEQPACKET, 0));
  sockaddr_un address{};
  socklen_t size = sizeof address;
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  UniqueFd accepted(accept(listener.get(), nullptr, nullptr));
  ASSERT_TRUE(accepted.ok());
  std::optional<std::vector<std::string>> names = host.bound_sockets();
  ASSERT_TRUE(names);
  for (const std::string& name : {stream, datagram, idle}) EXPECT_EQ(std::ranges::count(*names, name), 1) << name;
  listener.reset();
  EXPECT_EQ(std::ranges::count(host.bound_sockets().value(), stream), 0) << "what it has accepted is no way in";
}

TEST_F(OnDisk, PathsAreResolvedThroughLinks) {
  std::filesystem::create_directories(root + "/a/b");
  write("a/b/f", "text");
  std::filesystem::create_symlink("a", root + "/link");
  Resolved found = host.resolve(root + "/link/b/f");
  EXPECT_EQ(found.path, root + "/a/b/f");
  EXPECT_EQ(found.status.kind, FileKind::file);
  EXPECT_EQ(found.status.uid, getuid());
  ASSERT_EQ(found.links.size(), 1u);
  EXPECT_EQ(found.links[0].path, root + "/link");
  EXPECT_EQ(found.links[0].target, "a");
  EXPECT_EQ(host.resolve(root + "/link/none/x").rest, "none/x");
  EXPECT_EQ(host.resolve(root + "/a/b/f/x").status.kind, FileKind::missing);
}

TEST_F(OnDisk, LinksThatTheKernelMakesUpAreNotFollowed) {
  for (const char* path : {"/proc/self/root", "/proc/self/cwd", "/proc/self/exe", "/proc/self/fd/0", "/dev/fd/0"}) {
    EXPECT_EQ(host.resolve(path).status.kind, FileKind::unreachable) << path;
  }
  EXPECT_EQ(host.resolve("/proc/self/status").status.kind, FileKind::file);
}

TEST_F(OnDisk, OnlyRegularFilesUpToTheLimitAreRead) {
  write("f", "0123456789");
  ASSERT_EQ(mkfifo((root + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(host.read(root + "/f", 10), "0123456789");
  EXPECT_EQ(host.read(root + "/f", 9), std::nullopt);
  EXPECT_EQ(host.read(root + "/fifo", 100), std::nullopt);
  EXPECT_EQ(host.read(root, 100), std::nullopt);
  EXPECT_EQ(host.read("/dev/zero", 100), std::nullopt);
  EXPECT_EQ(host.read(root + "/none", 100), std::nullopt);
}

TEST_F(OnDisk, DirectoriesAreListedInOrder) {
  for (const char* name : {"b", ".a", "c", ".ab"}) write(name, "");
  EXPECT_THAT(host.list(root, ""), ElementsAre(".a", ".ab", "b", "c"));
  EXPECT_THAT(host.list(root, ".a"), ElementsAre(".a", ".ab"));
  EXPECT_THAT(host.list(root, "."), ElementsAre(".a", ".ab"));
  EXPECT_TRUE(host.list(root + "/none", "").empty());
}

TEST_F(OnDisk, TheEnvironmentIsTheOneThatWasGiven) {
  EXPECT_EQ(host.variable("A"), "1");
  EXPECT_EQ(host.variable("B"), "x=y");
  EXPECT_EQ(host.variable("PATH"), std::nullopt);
  EXPECT_THAT(host.variable_names(), ElementsAre("A", "B"));
}

TEST_F(OnDisk, ADirectoryThatIsGoneIsNone) {
  std::string before = std::filesystem::current_path();
  std::filesystem::create_directory(root + "/gone");
  ASSERT_EQ(chdir((root + "/gone").c_str()), 0);
  EXPECT_EQ(host.directory(), root + "/gone");
  std::filesystem::remove(root + "/gone");
  EXPECT_EQ(host.directory(), "");
  ASSERT_EQ(chdir(before.c_str()), 0);
}

TEST_F(OnDisk, TheUserIsTheOneOfTheDatabase) {
  EXPECT_FALSE(host.user().empty());
  EXPECT_EQ(host.home()[0], '/');
  EXPECT_EQ(host.uid(), getuid());
}

TEST_F(OnDisk, RandomDigitsAreNewForEachCall) {
  std::string one = host.random_hex(32);
  EXPECT_EQ(one.size(), 32u);
  EXPECT_EQ(one.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(one, host.random_hex(32));
}

}  // namespace
}  // namespace sbox
