// A search path of three directories that is gone at the end of the test.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "profile/reader.h"

namespace sbox::testing {

class ProfileTree {
 public:
  ProfileTree() {
    char name[] = "/tmp/sbox-profiles-XXXXXX";
    if (!mkdtemp(name)) throw system_error("mkdtemp", errno);
    root_ = name;
    for (const char* part : {"/user", "/etc", "/share"}) make_directory(part + 1);
  }
  ~ProfileTree() { std::filesystem::remove_all(root_); }
  ProfileTree(const ProfileTree&) = delete;
  ProfileTree& operator=(const ProfileTree&) = delete;

  // Absolute; `name` is below the root: "user/a.profile".
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  SearchPath search() const { return {{path("user"), path("etc"), path("share")}}; }

  void make_directory(const std::string& name, mode_t mode = 0755) const {
    std::filesystem::create_directories(path(name));
    chmod(path(name).c_str(), mode);
  }
  // Makes the folders on the way. Returns its path.
  std::string write(const std::string& name, std::string_view content, mode_t mode = 0644) const {
    make_directory(std::filesystem::path(name).parent_path());
    int fd = open(path(name).c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    fchmod(fd, mode);
    close(fd);
    return path(name);
  }

  Profile read(const std::string& name, const std::vector<std::string>& options = {}) const {
    std::vector<Override> overrides;
    for (const std::string& option : options) overrides.push_back(parse_override(option));
    return read_profile(search(), name, overrides);
  }
  // The error of reading it, as its one line without "sbox: " and with ROOT for the root; "" where there is none.
  std::string failure(const std::string& name, const std::vector<std::string>& options = {}) const {
    try {
      read(name, options);
      return "";
    } catch (const Error& error) {
      return without_root(error.line().substr(6));
    }
  }
  std::string without_root(std::string text) const {
    for (size_t at; (at = text.find(root_)) != std::string::npos;) text.replace(at, root_.size(), "ROOT");
    return text;
  }

 private:
  std::string root_;
};

inline std::vector<std::string> texts(const std::vector<Value>& values) {
  std::vector<std::string> texts;
  for (const Value& value : values) texts.push_back(value.text);
  return texts;
}

}  // namespace sbox::testing
