#include "launcher/host_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/unique_fd.h"

namespace sbox {

bool read_host_file(const std::string& path, std::string& content) {
  constexpr size_t kLargest = 65536;
  UniqueFd file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  content.resize(kLargest);
  ssize_t size = read(file.get(), content.data(), content.size());
  content.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return size >= 0;
}

}  // namespace sbox
