// confinement: prints as one JSON object what this process can tell of its confinement; with an argument it writes the
// same into that file too; with an address and a port it tells whether somebody answers there, and what its network
// is held to.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { DEPTH = 5, MOST_LAYERS = 16 };

static char text[4 << 20];
static FILE *out;

static void string(const char *value, size_t size) {
  fputc('"', out);
  for (size_t i = 0; i < size; ++i) {
    unsigned char c = (unsigned char)value[i];
    if (c < ' ' || c > '~' || c == '"' || c == '\\')
      fprintf(out, "\\u%04x", c);
    else
      fputc(c, out);
  }
  fputc('"', out);
}

static void file(const char *name, const char *path) {
  static char content[1 << 20];
  size_t size = 0;
  ssize_t more;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  while (fd >= 0 && (more = read(fd, content + size, sizeof content - size)) > 0) size += (size_t)more;
  if (fd >= 0) close(fd);
  fprintf(out, "\"%s\": ", name);
  string(content, size);
  fprintf(out, ",\n");
}

static void number(const char *name, long value) { fprintf(out, "\"%s\": %ld,\n", name, value); }

static void links(const char *name, const char *folder) {
  DIR *listing = opendir(folder);
  const char *comma = "";
  fprintf(out, "\"%s\": {", name);
  for (struct dirent *entry; listing && (entry = readdir(listing));) {
    char target[4096];
    ssize_t size = readlinkat(dirfd(listing), entry->d_name, target, sizeof target);
    int is_own = strcmp(name, "descriptors") == 0 && atoi(entry->d_name) == dirfd(listing);
    if (size < 0 || is_own) continue;
    fprintf(out, "%s\"%s\": ", comma, entry->d_name);
    string(target, (size_t)size);
    comma = ", ";
  }
  if (listing) closedir(listing);
  fprintf(out, "},\n");
}

// Each path with its type and mode, and what may be done with it.
static const char *comma_of_tree = "";
static void tree(const char *path, int depth) {
  static const char *const kSkipped[] = {"/proc", "/usr", "/sys"};
  struct stat status;
  char line[8192];
  if (lstat(path, &status) != 0) return;
  int rights = (access(path, R_OK) == 0) * 4 + (access(path, W_OK) == 0) * 2 + (access(path, X_OK) == 0);
  int size = snprintf(line, sizeof line, "%o %d %s", status.st_mode, rights, path);
  fputs(comma_of_tree, out);
  string(line, (size_t)size);
  comma_of_tree = ",\n";
  for (size_t i = 0; i < sizeof kSkipped / sizeof *kSkipped; ++i) {
    if (strcmp(path, kSkipped[i]) == 0) return;
  }
  if (!S_ISDIR(status.st_mode) || depth == 0) return;
  struct dirent **entries;
  int count = scandir(path, &entries, NULL, alphasort);
  for (int i = 0; i < count; ++i) {
    const char *name = entries[i]->d_name;
    char child[4096];
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (snprintf(child, sizeof child, "%s/%s", strcmp(path, "/") == 0 ? "" : path, name) < (int)sizeof child) {
      tree(child, depth - 1);
    }
  }
}

static void interfaces(void) {
  struct if_nameindex *list = if_nameindex();
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const char *comma = "";
  fprintf(out, "\"interfaces\": {");
  for (struct if_nameindex *i = list; i && i->if_index; ++i) {
    struct ifreq request = {0};
    strncpy(request.ifr_name, i->if_name, sizeof request.ifr_name - 1);
    int is_up = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
    fprintf(out, "%s\"%s\": %d", comma, i->if_name, is_up);
    comma = ", ";
  }
  close(fd);
  fprintf(out, "},\n");
}

// Whether somebody answers at a port of an IPv4 address.
static int reaches(const char *address, const char *port) {
  struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  struct timeval longest = {2, 0};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int is_reached = inet_pton(AF_INET, address, &target.sin_addr) == 1 &&
                   setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest) == 0 &&
                   connect(fd, (struct sockaddr *)&target, sizeof target) == 0;
  close(fd);
  return is_reached;
}

// The rate in one answer of the kernel about a queue; 0 where it has none.
static long rate_of(struct nlmsghdr *message) {
  struct rtattr *row = TCA_RTA(NLMSG_DATA(message)), *option;
  int left = (int)TCA_PAYLOAD(message), inner;
  for (; RTA_OK(row, left); row = RTA_NEXT(row, left)) {
    if (row->rta_type != TCA_OPTIONS) continue;
    for (option = RTA_DATA(row), inner = (int)RTA_PAYLOAD(row); RTA_OK(option, inner); option = RTA_NEXT(option, inner)) {
      if (option->rta_type == TCA_TBF_PARMS) return ((struct tc_tbf_qopt *)RTA_DATA(option))->rate.rate;
    }
  }
  return 0;
}

// Bytes in a second that the queues let through, by interface. Nothing when the kernel does not tell.
static void held_rates(void) {
  static char answer[1 << 16];
  char name[IF_NAMESIZE];
  struct {
    struct nlmsghdr header;
    struct tcmsg body;
  } request = {{sizeof request, RTM_GETQDISC, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {0}};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), is_over = 0;
  const char *comma = "";
  ssize_t size = send(fd, &request, sizeof request, 0);
  fprintf(out, "\"held\": {");
  while (!is_over && size > 0 && (size = recv(fd, answer, sizeof answer, 0)) > 0) {
    unsigned left = (unsigned)size;
    for (struct nlmsghdr *each = (struct nlmsghdr *)answer; !is_over && NLMSG_OK(each, left); each = NLMSG_NEXT(each, left)) {
      is_over = each->nlmsg_type == NLMSG_DONE || each->nlmsg_type == NLMSG_ERROR;
      long rate = is_over ? 0 : rate_of(each);
      if (rate == 0 || !if_indextoname((unsigned)((struct tcmsg *)NLMSG_DATA(each))->tcm_ifindex, name)) continue;
      fprintf(out, "%s\"%s\": %ld", comma, name, rate);
      comma = ", ";
    }
  }
  close(fd);
  fprintf(out, "},\n");
}

// Only Landlock denies this: 13 with it, 0 without.
static int truncate_denied(void) {
  int fd = open("/proc/self/comm", O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

// How many more layers the kernel lets us add: it shows how many there are. Last, because it changes us.
static int layers_left(void) {
  struct landlock_ruleset_attr attributes = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK};
  int fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  int added = 0;
  if (fd < 0) return -errno;
  while (added <= MOST_LAYERS && syscall(SYS_landlock_restrict_self, fd, 0) == 0) ++added;
  return added;
}

int main(int argc, char **argv) {
  extern char **environ;
  char folder[4096];
  out = fmemopen(text, sizeof text, "w");
  fprintf(out, "{");
  links("descriptors", "/proc/self/fd");
  links("namespaces", "/proc/self/ns");
  file("status", "/proc/self/status");
  file("mounts", "/proc/self/mountinfo");
  file("limits", "/proc/self/limits");
  file("uid_map", "/proc/self/uid_map");
  file("gid_map", "/proc/self/gid_map");
  file("setgroups", "/proc/self/setgroups");
  file("hostname", "/proc/sys/kernel/hostname");
  file("user_namespaces", "/proc/sys/user/max_user_namespaces");
  number("securebits", prctl(PR_GET_SECUREBITS));
  number("session", getsid(0));
  number("truncate", truncate_denied());
  if (argc > 3) number("reached", reaches(argv[2], argv[3]));
  if (argc > 3) held_rates();
  fprintf(out, "\"directory\": \"%s\",\n", getcwd(folder, sizeof folder) ? folder : "");
  interfaces();
  fprintf(out, "\"environment\": [");
  for (char **variable = environ; *variable; ++variable) {
    if (variable != environ) fputc(',', out);
    string(*variable, strlen(*variable));
  }
  fprintf(out, "],\n\"tree\": [");
  tree("/", DEPTH);
  fprintf(out, "],\n");
  fprintf(out, "\"layers\": %d}\n", layers_left());
  fflush(out);
  // The program ran: whatever becomes of the streams, the file tells.
  if (argc > 1) {
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) return 3;
    close(fd);
  }
  return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? 4 : 0;
}
