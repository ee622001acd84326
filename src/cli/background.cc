#include "cli/background.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sbox {

UniqueFd open_pidfd(pid_t process) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, process, 0))); }

bool has_ended(const UniqueFd& process, int milliseconds) {
  pollfd ended{process.get(), POLLIN, 0};
  return !process || poll(&ended, 1, milliseconds) == 1;
}

void go_into_background() {
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  (void)!chdir("/");
  setsid();
}

}  // namespace sbox
