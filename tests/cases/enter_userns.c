// enter_userns PID: whether a process of this user gets into the user namespace of PID: "entered", or the errno; then
// who the namespace belongs to, "-" when that cannot be asked.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 2) return 99;
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/user", argv[1]);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return printf("%s -\n", strerrorname_np(errno)) < 0;
  uid_t owner = (uid_t)-1;
  ioctl(fd, NS_GET_OWNER_UID, &owner);
  printf("%s %u\n", setns(fd, CLONE_NEWUSER) == 0 ? "entered" : strerrorname_np(errno), owner);
  return 0;
}
