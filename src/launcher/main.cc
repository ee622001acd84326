// sbox-launch: reads the plan from descriptor 3 and carries it out. Started by sbox, never by people.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/unique_fd.h"
#include "launcher/supervisor.h"
#include "plan/decode.h"

namespace sbox {
namespace {

constexpr int kFailure = 125;
constexpr int kPlan = 3;
constexpr off_t kLargestPlan = 64 << 20;

int refuse(const char* why) {
  fprintf(stderr, "sbox: sbox-launch: %s\n", why);
  return kFailure;
}

bool read_plan(Plan& plan) {
  UniqueFd file(kPlan);
  struct stat status {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > kLargestPlan) return false;
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  for (size_t done = 0; done < bytes.size();) {
    ssize_t size = pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (size <= 0) return false;
    done += static_cast<size_t>(size);
  }
  return decode_plan(bytes, plan);
}

int run() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) return refuse("standard descriptors are closed (start programs by `sbox`)");
  }
  if (getauxval(AT_SECURE) != 0 || geteuid() != getuid() || getegid() != getgid()) return refuse("it must not be set-id");
  Plan plan;
  if (!read_plan(plan)) return refuse("no plan (start programs by `sbox`)");
  if (plan.uid != getuid() || plan.gid != getgid()) return refuse("the plan is another user's");
  if (close_range(kPlan, ~0U, 0) != 0) return refuse("cannot close descriptors");
  return supervise(plan);
}

}  // namespace
}  // namespace sbox

int main() { return sbox::run(); }
