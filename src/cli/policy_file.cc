#include "cli/policy_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "base/write_all.h"

namespace sbox {

void make_policy_directories(const std::string& directory) {
  for (size_t end = 0; end != std::string::npos;) {
    end = directory.find('/', end + 1);
    std::string part = directory.substr(0, end);
    if (mkdir(part.c_str(), 0755) == 0 && chmod(part.c_str(), 0755) != 0) throw system_error(quote(part), errno);
    if (access(part.c_str(), F_OK) != 0) throw system_error(quote(part), errno);
  }
}

void write_policy_file(const std::string& path, const std::string& text) {
  unlink(path.c_str());
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  // What others could write would be no profile.
  if (!file || fchmod(file.get(), 0644) != 0) throw system_error(quote(path), errno);
  if (!write_all(file.get(), text) || fsync(file.get()) != 0) throw system_error(quote(path), errno);
}

}  // namespace sbox
