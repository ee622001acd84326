// The rights of a directory's owner.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace sbox {

// A program may have taken everybody's rights to its home, and could not start in it again: its owner gets them back.
// `directory`: open, O_PATH will do. Nothing is done to another user's. False with errno set.
inline bool give_rights_back(int directory) {
  struct stat status {};
  if (fstat(directory, &status) != 0) return false;
  bool is_closed = status.st_uid == geteuid() && (status.st_mode & S_IRWXU) != S_IRWXU;
  std::string path = "/proc/self/fd/" + std::to_string(directory);
  return !is_closed || chmod(path.c_str(), (status.st_mode & 07777) | S_IRWXU) == 0;
}

}  // namespace sbox
