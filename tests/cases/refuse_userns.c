// refuse_userns UID GID COMMAND...: started by root, runs COMMAND as that user where user namespaces are refused, as
// kernel.unprivileged_userns_clone = 0 does: by a system call filter, which lets one call through by which nothing but
// sbox-userns makes its namespace.
#define _GNU_SOURCE
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

int main(int argc, char **argv) {
  if (argc < 4) return 99;
  struct sock_filter code[] = {
      LOAD(nr),
      IS(SYS_unshare, 1, 0),
      IS(SYS_clone, 0, 4),
      LOAD(args[0]),
      IS(CLONE_NEWUSER | CLONE_FS, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  uid_t uid = (uid_t)atoi(argv[1]);
  gid_t gid = (gid_t)atoi(argv[2]);
  // No no_new_privs: root needs none, and set-user-ID programs would not work under it.
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0 || setgroups(0, NULL) != 0 ||
      setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
    perror("refuse_userns");
    return 99;
  }
  execvp(argv[3], argv + 3);
  perror(argv[3]);
  return 99;
}
