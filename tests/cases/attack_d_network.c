// attack_d_network families: every socket and pair of sockets that can be made, one a line.
// attack_d_network own-network: the same in a user and network namespace of its own, and the options of sockets by which
//   who has privileges there reaches further parts of the kernel, as "option LEVEL NUMBER".
// attack_d_network connect TARGET...: the targets that answer. A target is tcp:ADDRESS:PORT, udp:ADDRESS:PORT,
//   unix:PATH or abstract:NAME. To udp a datagram is sent; only its receiver can tell whether it came.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define FAMILIES 48
#define HIGH_BITS (1UL << 32)

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_RDM, SOCK_DCCP, SOCK_PACKET};
// 0 to 22 are the protocols of netlink too; DCCP, L2TP, SCTP, UDPLITE, RAW, MPTCP.
static const int protocols[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,  12,  13,  14,  15,
                                16, 17, 18, 19, 20, 21, 22, 33, 58, 89, 115, 132, 136, 255, 262};

static void report(const char *what, int family, int type, int protocol, long fd) {
  if (fd < 0) return;
  printf("%s %d %d %d\n", what, family, type, protocol);
}

static void try_families(void) {
  for (int family = 0; family < FAMILIES; ++family) {
    for (size_t t = 0; t < sizeof types / sizeof *types; ++t) {
      for (size_t p = 0; p < sizeof protocols / sizeof *protocols; ++p) {
        long fd = syscall(SYS_socket, (long)family, (long)types[t], (long)protocols[p]);
        report("socket", family, types[t], protocols[p], fd);
        if (fd >= 0) close((int)fd);
        // The kernel looks at 32 bits of each argument.
        fd = syscall(SYS_socket, family | HIGH_BITS, types[t] | HIGH_BITS, protocols[p] | HIGH_BITS);
        report("socket", family, types[t], protocols[p], fd);
        if (fd >= 0) close((int)fd);
      }
      int pair[2];
      long made = syscall(SYS_socketpair, (long)family, (long)types[t], 0L, pair);
      report("pair", family, types[t], 0, made);
      if (made == 0) {
        close(pair[0]);
        close(pair[1]);
      }
    }
  }
}

// Tables of packet filters (iptables, arptables, ebtables, IPVS), policies of IPsec, multicast routes.
static void try_options(void) {
  static const int four[] = {16, 17, 64, 65, 66, 67, 96, 97, 128, 129, 1152, 200}, six[] = {34, 35, 64, 65, 128, 200};
  for (int level = IPPROTO_IP; level <= IPPROTO_IPV6; level += IPPROTO_IPV6) {
    const int *options = level == IPPROTO_IP ? four : six;
    size_t count = level == IPPROTO_IP ? sizeof four / sizeof *four : sizeof six / sizeof *six;
    int fd = socket(level == IPPROTO_IP ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
    for (size_t i = 0; i < count; ++i) {
      char value[256] = {0};
      socklen_t size = sizeof value;
      long set = syscall(SYS_setsockopt, fd, level, options[i], value, (long)size);
      int is_there = set == 0 || errno != ENOPROTOOPT;
      set = syscall(SYS_setsockopt, fd, level | HIGH_BITS, options[i] | HIGH_BITS, value, (long)size);
      is_there |= set == 0 || errno != ENOPROTOOPT;
      long get = syscall(SYS_getsockopt, fd, level, options[i], value, &size);
      is_there |= get == 0 || errno != ENOPROTOOPT;
      if (is_there) printf("option %d %d\n", level, options[i]);
    }
    close(fd);
  }
}

static socklen_t unix_address(struct sockaddr_un *address, const char *name, int is_abstract) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  strncpy(address->sun_path + is_abstract, name, sizeof address->sun_path - 1 - (size_t)is_abstract);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (is_abstract ? 1 : 0));
}

// Length of the address, 0 for what is none.
static socklen_t internet_address(struct sockaddr_storage *address, char *text) {
  char *colon = strrchr(text, ':');
  if (!colon) return 0;
  *colon = 0;
  in_port_t port = htons((in_port_t)atoi(colon + 1));
  struct sockaddr_in *four = (struct sockaddr_in *)address;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
  memset(address, 0, sizeof *address);
  if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = port;
    return sizeof *four;
  }
  if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1) return 0;
  six->sin6_family = AF_INET6;
  six->sin6_port = port;
  return sizeof *six;
}

static int answers(const char *target) {
  char text[512];
  snprintf(text, sizeof text, "%s", target);
  char *rest = strchr(text, ':');
  if (!rest) return 0;
  *rest++ = 0;
  struct sockaddr_storage address;
  int is_abstract = strcmp(text, "abstract") == 0, is_unix = is_abstract || strcmp(text, "unix") == 0;
  socklen_t size = is_unix ? unix_address((struct sockaddr_un *)&address, rest, is_abstract) : internet_address(&address, rest);
  int fd = socket(is_unix ? AF_UNIX : address.ss_family, strcmp(text, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, 0);
  if (fd < 0 || size == 0) return 0;
  struct timeval second = {.tv_sec = 1};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  int done = connect(fd, (struct sockaddr *)&address, size) == 0 && send(fd, "x", 1, MSG_NOSIGNAL) == 1;
  close(fd);
  return done;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "own-network") == 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return 1;
    puts("unshared");
    try_options();
    try_families();
  } else if (strcmp(what, "families") == 0) {
    try_families();
  } else if (strcmp(what, "connect") == 0) {
    for (int i = 2; i < argc; ++i) {
      if (answers(argv[i])) puts(argv[i]);
    }
  } else {
    return 2;
  }
  return 0;
}
