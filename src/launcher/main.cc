// sbox-launch: reads the plan from descriptor 3 and carries it out. Started by
// sbox, never by people.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/handover.h"
#include "base/unique_fd.h"
#include "launcher/supervisor.h"
#include "plan/decode.h"

namespace sbox {
namespace {

constexpr int kFailure = 125;
constexpr off_t kLargestPlan = 64 << 20;

int refuse(const std::string& why) {
  std::string line = "sbox: sbox-launch: " + why + "\n";
  (void)!write(2, line.data(), line.size());
  return kFailure;
}

// Nothing when there is one, else why not.
const char* read_plan(Plan& plan) {
  constexpr const char* kNone = "no plan (start programs by `sbox`)";
  UniqueFd file(kPlanDescriptor);
  struct stat status {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return kNone;
  if (status.st_size <= 0 || status.st_size > kLargestPlan) return kNone;
  // Only a sealed file stays what it is between the checks and the use.
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
  int seals = fcntl(file.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) return kNone;
  auto size = static_cast<size_t>(status.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (bytes == MAP_FAILED) return "the plan cannot be read";
  bool decoded = decode_plan({static_cast<const char*>(bytes), size}, plan);
  munmap(bytes, size);
  return decoded ? nullptr : "the plan is not one of this version (install sbox again: its programs belong together)";
}

// The descriptor, where one of that type is there; it is kept from the program.
UniqueFd take_over(int fd, mode_t type) {
  struct stat status {};
  bool is_there = fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
  if (!is_there) close(fd);
  return UniqueFd(is_there ? fd : -1);
}

int run() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) return refuse("standard descriptors are closed (start programs by `sbox`)");
  }
  if (getauxval(AT_SECURE) != 0 || geteuid() != getuid() || getegid() != getgid())
    return refuse("it must not be set-id");
  UniqueFd errors = take_over(kErrorsDescriptor, S_IFSOCK), log = take_over(kLogDescriptor, S_IFREG),
           lock = take_over(kLockDescriptor, S_IFREG);
  // Stays open for as long as this process lives, and is of no other use here.
  UniqueFd claim = take_over(kClaimDescriptor, S_IFREG);
  if (close_range(kLastDescriptor + 1, ~0U, 0) != 0) return refuse("cannot close descriptors");
  Terminal terminal;
  if (!terminal.start_guard()) return refuse("cannot watch over the terminal");
  Plan plan;
  if (const char* why = read_plan(plan)) return refuse(why);
  if (plan.overlay.lower.empty()) lock.reset();
  if (!plan.overlay.lower.empty() && !lock) return refuse("the overlay is not locked");
  if (plan.uid != getuid() || plan.gid != getgid()) return refuse("the plan is another user's");
  if (keeps_log(plan) != log.ok()) return refuse("the log is not as planned (start programs by `sbox`)");
  if (plan.listed != claim.ok()) return refuse("the claim of its name is not as planned (start programs by `sbox`)");
  // The kernel takes the memory back faster than we could.
  _exit(supervise(plan, terminal, std::move(errors), std::move(log)));
}

}  // namespace
}  // namespace sbox

int main() { return sbox::run(); }
