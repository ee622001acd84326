// The floor of the benchmark: the same namespaces and the same mounts as the sandbox under test, and nothing else. No
// filter, no Landlock, no supervisor, no checks that a real sandbox needs: what is left is what the kernel charges.
//
//   floor LIST own-net|host-net PROGRAM [ARG...]
//
// LIST is a text file, one entry a line, separated by tabs: KIND SOURCE TARGET FLAGS. FLAGS are joined by commas, "-"
// is none: ro, noexec, dev (device nodes work), file (the target is not a directory). Parents come before children.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kMaxEntries = 8192 };

struct Entry {
  char *kind, *source, *target, *flags;
  int mount;  // a detached mount, or -1
};

static void die(const char* what, const char* which) {
  fprintf(stderr, "floor: %s %s: %s\n", what, which, strerror(errno));
  _exit(125);
}

static char* slurp(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) die("read", path);
  size_t size = (size_t)status.st_size;
  char* text = malloc(size + 1);
  if (text == NULL || read(fd, text, size) != (ssize_t)size) die("read", path);
  text[size] = '\0';
  close(fd);
  return text;
}

static int parse(char* text, struct Entry* entries) {
  int count = 0;
  for (char* line = strsep(&text, "\n"); line != NULL; line = strsep(&text, "\n")) {
    if (*line == '\0') continue;
    if (count == kMaxEntries) die("too many entries", "");
    struct Entry* entry = &entries[count++];
    entry->kind = strsep(&line, "\t");
    entry->source = strsep(&line, "\t");
    entry->target = strsep(&line, "\t");
    entry->flags = line;
    entry->mount = -1;
    if (entry->flags == NULL) die("malformed entry", entry->kind);
  }
  return count;
}

static int is(const struct Entry* entry, const char* kind) { return strcmp(entry->kind, kind) == 0; }
static int has(const struct Entry* entry, const char* flag) { return strstr(entry->flags, flag) != NULL; }

static int make_filesystem(const char* type) {
  int context = fsopen(type, FSOPEN_CLOEXEC);
  if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) die("fsopen", type);
  int mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  if (mount < 0) die("fsmount", type);
  close(context);
  return mount;
}

static void set_attributes(int mount, const struct Entry* entry) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID};
  if (has(entry, "ro")) attributes.attr_set |= MOUNT_ATTR_RDONLY;
  if (has(entry, "noexec")) attributes.attr_set |= MOUNT_ATTR_NOEXEC;
  if (!has(entry, "dev")) attributes.attr_set |= MOUNT_ATTR_NODEV;
  if (mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0)
    die("mount_setattr", entry->target);
}

static int clone_tree(const char* path, const struct Entry* entry) {
  int mount = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (mount < 0) die("open_tree", path);
  set_attributes(mount, entry);
  return mount;
}

static void make_parents(const char* target) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s", target);
  for (char* slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(path, 0755) != 0 && errno != EEXIST) die("mkdir", path);
    *slash = '/';
  }
}

static void make_target(const struct Entry* entry, int is_file) {
  for (int attempt = 0;; ++attempt) {
    int result = is_file ? mknod(entry->target, S_IFREG | 0644, 0) : mkdir(entry->target, 0755);
    if (result == 0 || errno == EEXIST) return;
    if (errno != ENOENT || attempt > 0) die("make", entry->target);
    make_parents(entry->target);
  }
}

static void make_link(const struct Entry* entry) {
  if (symlink(entry->source, entry->target) == 0) return;
  if (errno != ENOENT) die("symlink", entry->target);
  make_parents(entry->target);
  if (symlink(entry->source, entry->target) != 0) die("symlink", entry->target);
}

// What can be made while the host's tree is still there: the kernel gives a new proc only to who already sees one.
static void prepare(struct Entry* entry) {
  if (is(entry, "bind")) entry->mount = clone_tree(entry->source, entry);
  if (is(entry, "tmpfs") || is(entry, "proc") || is(entry, "devpts")) {
    entry->mount = make_filesystem(entry->kind);
    if (has(entry, "ro") || has(entry, "noexec")) set_attributes(entry->mount, entry);
  }
}

static void attach(int mount, const char* target) {
  if (move_mount(mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) != 0) die("move_mount", target);
  close(mount);
}

static void make(struct Entry* entry) {
  if (is(entry, "symlink")) return make_link(entry);
  make_target(entry, has(entry, "file"));
  if (is(entry, "pin")) entry->mount = clone_tree(entry->target, entry);
  if (is(entry, "hide")) entry->mount = clone_tree(has(entry, "file") ? "/.hidden-file" : "/.hidden", entry);
  if (entry->mount >= 0) attach(entry->mount, entry->target);
}

static void enter_new_root(void) {
  int root = make_filesystem("tmpfs");
  if (move_mount(root, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) != 0) die("move_mount", "/tmp");
  if (fchdir(root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0) die("pivot_root", "/tmp");
  if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) die("umount2", "old root");
  close(root);
  mkdir("/.hidden", 0);
  mknod("/.hidden-file", S_IFREG, 0);
}

static void put(const char* path, const char* text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) die("write", path);
  close(fd);
}

static void map_ids(uid_t uid, gid_t gid) {
  char line[64];
  put("/proc/self/setgroups", "deny");
  snprintf(line, sizeof line, "%u %u 1", gid, gid);
  put("/proc/self/gid_map", line);
  snprintf(line, sizeof line, "%u %u 1", uid, uid);
  put("/proc/self/uid_map", line);
}

int main(int argc, char** argv) {
  if (argc < 4) return fprintf(stderr, "usage: floor LIST own-net|host-net PROGRAM [ARG...]\n"), 2;
  static struct Entry entries[kMaxEntries];
  int count = parse(slurp(argv[1]), entries);
  unsigned long flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  if (strcmp(argv[2], "own-net") == 0) flags |= CLONE_NEWNET;
  uid_t uid = getuid();
  gid_t gid = getgid();

  long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (child < 0) die("clone", "");
  if (child > 0) {
    int status;
    if (waitpid((pid_t)child, &status, 0) < 0) die("waitpid", "");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  umask(0);
  map_ids(uid, gid);
  for (int i = 0; i < count; ++i) prepare(&entries[i]);
  enter_new_root();
  for (int i = 0; i < count; ++i) make(&entries[i]);
  execv(argv[3], argv + 3);
  die("exec", argv[3]);
}
