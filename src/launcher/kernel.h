// Thin names for system calls that libc 2.36 has no wrapper for, and constants newer than its headers. No policy.
#pragma once

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/open_at.h"
#include "base/umask.h"
#include "base/unique_fd.h"

namespace sbox {

// For execve(2), as long as `texts` lives.
inline std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

inline int pivot_root(const char* new_root, const char* put_old) {
  return static_cast<int>(syscall(SYS_pivot_root, new_root, put_old));
}

// The permitted, effective, inheritable and ambient sets, which needs no capability. False with errno set on failure.
inline bool clear_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  return syscall(SYS_capset, &header, none) == 0;
}

// linux/landlock.h as of ABI 6; the ABI of the kernel decides how much of it is used.
struct LandlockRulesetAttributes {
  uint64_t handled_access_fs = 0;
  uint64_t handled_access_net = 0;
  uint64_t scoped = 0;
};
struct LandlockNetPortAttributes {
  uint64_t allowed_access = 0;
  uint64_t port = 0;
};
inline constexpr int kLandlockRuleNetPort = 2;
inline constexpr uint64_t kLandlockBindTcp = 1 << 0, kLandlockConnectTcp = 1 << 1;

}  // namespace sbox
