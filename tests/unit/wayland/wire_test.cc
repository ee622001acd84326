// The client against a compositor of a few bytes: what it asks for, and what it makes of answers, good and bad.
#include "wayland/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

namespace sbox {
namespace {

using ::testing::HasSubstr;

std::string word(uint32_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

std::string event(uint32_t object, uint32_t opcode, const std::string& arguments) {
  return word(object) + word(static_cast<uint32_t>((8 + arguments.size()) << 16) | opcode) + arguments;
}

std::string global(uint32_t name, std::string interface, uint32_t version) {
  std::string length = word(static_cast<uint32_t>(interface.size() + 1));
  interface.resize((interface.size() + 4) & ~size_t{3});
  return event(2, 0, word(name) + length + interface + word(version));
}

// Listens, takes one client, says `answer` at once and keeps what was asked until the client goes.
class Compositor {
 public:
  explicit Compositor(const std::string& answer) {
    char name[] = "/tmp/sbox-wire-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/socket";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    listener_.reset(socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    thread_ = std::thread([this, answer] {
      UniqueFd client(accept(listener_.get(), nullptr, nullptr));
      EXPECT_EQ(write(client.get(), answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
      shutdown(client.get(), SHUT_WR);
      char bytes[4096];
      for (ssize_t size; (size = read(client.get(), bytes, sizeof bytes)) > 0;)
        asked_.append(bytes, static_cast<size_t>(size));
    });
  }
  ~Compositor() {
    if (thread_.joinable()) thread_.join();
    std::filesystem::remove_all(directory_);
  }
  const std::string& path() const { return path_; }
  // After the client is gone.
  const std::string& asked() {
    thread_.join();
    return asked_;
  }

 private:
  std::string directory_, path_, asked_;
  UniqueFd listener_;
  std::thread thread_;
};

std::optional<std::vector<WaylandGlobal>> globals_of(const std::string& answer) {
  Compositor compositor(answer);
  auto client = WaylandClient::connect(compositor.path());
  EXPECT_TRUE(client);
  return client ? client->globals() : std::nullopt;
}

TEST(WaylandClient, LearnsWhatIsOffered) {
  auto globals = globals_of(global(7, "wl_shm", 2) + global(9, kSecurityContextManager, 1) + event(3, 0, word(1)));
  ASSERT_TRUE(globals);
  ASSERT_EQ(globals->size(), 2u);
  EXPECT_EQ((*globals)[0].name, 7u);
  EXPECT_EQ((*globals)[0].interface, "wl_shm");
  EXPECT_EQ((*globals)[0].version, 2u);
  EXPECT_EQ((*globals)[1].interface, kSecurityContextManager);
}

TEST(WaylandClient, TakesNoAnswerForNone) {
  const std::string done = event(3, 0, word(1));
  EXPECT_TRUE(globals_of(done));
  EXPECT_FALSE(globals_of(""));
  EXPECT_FALSE(globals_of(global(1, "wl_shm", 1)));                              // no end
  EXPECT_FALSE(globals_of(event(1, 0, word(1) + word(0) + word(0)) + done));     // an error
  EXPECT_FALSE(globals_of(event(2, 0, word(1) + word(4000) + word(1)) + done));  // a name longer than its message
  EXPECT_FALSE(globals_of(event(2, 0, word(1) + word(0xfffffffd)) + done));      // one that wraps around
  EXPECT_FALSE(globals_of(word(2) + word(4 << 16) + done));                      // shorter than its header
  EXPECT_FALSE(WaylandClient::connect("/nonexistent"));
}

TEST(WaylandClient, AsksForAContextWithItsNames) {
  Compositor compositor(global(9, kSecurityContextManager, 1) + event(3, 0, word(1)) + event(6, 0, word(1)));
  {
    auto client = WaylandClient::connect(compositor.path());
    ASSERT_TRUE(client);
    auto globals = client->globals();
    ASSERT_TRUE(globals);
    EXPECT_TRUE(client->make_security_context((*globals)[0], 0, 1, "org.example.App", "one"));
  }
  const std::string& asked = compositor.asked();
  for (const char* text : {kSecurityContextManager, "org.sbox", "org.example.App", "one"})
    EXPECT_THAT(asked, HasSubstr(text));
  EXPECT_THAT(asked, HasSubstr(event(5, 4, "")));  // commit
}

}  // namespace
}  // namespace sbox
