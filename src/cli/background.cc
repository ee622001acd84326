#include "cli/background.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/handover.h"
#include "base/umask.h"

namespace sbox {

UniqueFd open_pidfd(pid_t process) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, process, 0))); }

bool has_ended(const UniqueFd& process, int milliseconds) {
  pollfd ended{process.get(), POLLIN, 0};
  return !process || poll(&ended, 1, milliseconds) == 1;
}

Error fork_error(int errnum) {
  Error error = system_error("fork", errnum);
  return errnum == EAGAIN ? std::move(error).hint(kTooManyProcesses) : error;
}

pid_t new_process() {
  pid_t parent = getpid(), child = fork();
  if (child < 0 || (child == 0 && getpid() == parent)) throw fork_error(errno);
  return child;
}

void go_into_background() {
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  (void)!chdir("/");
  setsid();
}

void run_in_background(const std::function<void()>& work) {
  pid_t child = new_process();
  if (child == 0) {
    try {
      go_into_background();  // before the caller goes on, and may end with all of its session
      if (new_process() > 0) _exit(0);
      work();
    } catch (const Error&) {
      _exit(kExitFailure);
    }
    _exit(0);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw system_error("background process", errno);
  if (status != 0) throw Error("background process", "it cannot be started");
}

mode_t change_umask(mode_t mask) {
  mode_t before = 0;
  if (!set_umask(mask, before)) throw Error("sbox", "the umask cannot be set");
  return before;
}

}  // namespace sbox
