// become_user UID GID COMMAND...: started by root, executes COMMAND as that user alone.
#define _GNU_SOURCE
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 4) return 99;
  gid_t gid = (gid_t)atoi(argv[2]);
  uid_t uid = (uid_t)atoi(argv[1]);
  if (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0) execv(argv[3], argv + 3);
  perror(argv[3]);
  return 99;
}
