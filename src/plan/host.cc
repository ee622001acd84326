#include "plan/host.h"

#include <sys/stat.h>

namespace sbox {

FileKind kind_of(uint32_t mode) {
  switch (mode & S_IFMT) {
    case 0:
      return FileKind::missing;
    case S_IFDIR:
      return FileKind::directory;
    case S_IFREG:
      return FileKind::file;
    case S_IFLNK:
      return FileKind::symlink;
    case S_IFSOCK:
      return FileKind::socket;
    case S_IFCHR:
      return FileKind::character_device;
    case S_IFBLK:
      return FileKind::block_device;
    default:
      return FileKind::fifo;
  }
}

}  // namespace sbox
