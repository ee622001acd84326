// sbox-network READY PASTA [ARGUMENT...]: the way of one sandbox to the network. Runs in the sandbox's user namespace,
// with capabilities over its network namespace, which is descriptor 3. Loads the rules of /rules into that, passes
// questions for names on, starts pasta, which carries the rest, and holds all of it to the limits of bandwidth. READY
// is the number of a descriptor that is written to when all of this serves, and whose other end closes when the sandbox
// is over. Nothing here is ever started anew: when any part ends, all of it ends, and the network with it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "launcher/step.h"
#include "network/bandwidth.h"
#include "network/denials.h"
#include "network/resolver.h"

namespace {

using namespace sbox;
using namespace sbox::network;

constexpr int kNetwork = 3;

std::string read_all(const Step& step, const char* path) {
  UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  step.require(file.ok(), path);
  std::string text;
  char part[4096];
  for (ssize_t size = 0; (size = read(file.get(), part, sizeof part)) != 0;) {
    step.require(size > 0, path);
    text.append(part, static_cast<size_t>(size));
  }
  return text;
}

// The sockets that belong to the sandbox's network namespace.
struct InnerSockets {
  Limits limits;  // what has to be prepared for them
  UniqueFd firewall, denials, datagrams, listener, links, changes;
  int error = 0;
  Fault fault;  // of the limits
};

bool raise_loopback() {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return fd && ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

UniqueFd resolver_socket(int kind) {
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(53);
  inet_pton(AF_INET, kResolverAddress, &place.sin_addr);
  UniqueFd fd(socket(AF_INET, kind | SOCK_CLOEXEC, 0));
  constexpr int kBacklog = 32;
  bool is_there = fd && bind(fd.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) == 0 &&
                  (kind == SOCK_DGRAM || listen(fd.get(), kBacklog) == 0);
  if (!is_there) fd.reset();
  return fd;
}

// Of the network namespace that the process is in. What this kernel has not (IPv6) needs no setting.
bool set_sysctl(const std::string& path, const std::string& value) {
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno == ENOENT;
  return write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

// No address comes by itself, neither that of the link nor one that some router announces. An echo may be asked for.
bool set_up_protocols() {
  std::string group = std::to_string(getegid());
  return set_sysctl("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1") &&
         set_sysctl("/proc/sys/net/ipv6/conf/default/accept_ra", "0") &&
         set_sysctl("/proc/sys/net/ipv4/ping_group_range", group + " " + group);
}

// Programs have no use for the device: no address of IPv6 comes to it, nor a route.
Fault prepare_queue(const InnerSockets& sockets) {
  if (Fault fault = make_queue_device(sockets.links.get())) return fault;
  std::string most = std::to_string(share_of_connection(sockets.limits));
  bool is_set = set_sysctl("/proc/sys/net/ipv6/conf/" + std::string(kQueueDevice) + "/disable_ipv6", "1") &&
                set_sysctl("/proc/sys/net/ipv4/tcp_rmem", "4096 " + most + " " + most);
  return is_set ? Fault() : Fault{"what may wait", errno};
}

void prepare_limits(InnerSockets& sockets) {
  sockets.links = open_netlink(NETLINK_ROUTE);
  sockets.changes = open_netlink(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_TC);
  if (!sockets.links || !sockets.changes) {
    sockets.fault = {"sockets", errno};
  } else if (sockets.limits.down != 0) {
    sockets.fault = prepare_queue(sockets);
  }
}

int make_inner_sockets(void* argument) {
  InnerSockets& sockets = *static_cast<InnerSockets*>(argument);
  if (setns(kNetwork, CLONE_NEWNET) == 0 && raise_loopback() && set_up_protocols()) {
    sockets.firewall = open_netlink(NETLINK_NETFILTER);
    sockets.denials = open_netlink(NETLINK_NETFILTER);
    sockets.datagrams = resolver_socket(SOCK_DGRAM);
    sockets.listener = resolver_socket(SOCK_STREAM);
    sockets.error = errno;
    if (sockets.limits.any()) prepare_limits(sockets);
  } else {
    sockets.error = errno;
  }
  return 0;
}

[[noreturn]] void refuse_limits(Step step, const Fault& fault) {
  step.begin("bandwidth");
  if (!fault.is_lack()) step.fail(fault.what, fault.error);
  step.fail("this kernel has no " + std::string(fault.what) + " (" + kBandwidthRemedy +
                ", or take network.bandwidth out of the profile)",
            0);
}

// There is no way back from the sandbox's network namespace, so a process that shares memory and descriptors goes
// there.
InnerSockets open_inner_sockets(const Step& step, const Limits& limits) {
  InnerSockets sockets;
  sockets.limits = limits;
  alignas(16) char stack[65536];
  pid_t inner =
      clone(make_inner_sockets, stack + sizeof stack, CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD, &sockets);
  step.require(inner > 0 && waitpid(inner, nullptr, 0) == inner, "enter");
  if (!sockets.firewall || !sockets.datagrams || !sockets.listener) step.fail("sockets", sockets.error);
  if (sockets.fault) refuse_limits(step, sockets.fault);
  return sockets;
}

// Addresses of the host in the messages of rtnetlink(7): its own, and those by which all of a network is meant.
class HostAddresses {
 public:
  HostAddresses(const Step& step, Firewall& firewall) : step_(step), firewall_(firewall) {
    news_ = open_netlink(NETLINK_ROUTE, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
    UniqueFd list = open_netlink(NETLINK_ROUTE);
    step.require(news_ && list, "addresses of the host");
    // Told of changes first, so that none falls between; a list that was disturbed is asked for again.
    Messages request;
    request.begin(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
    int error = 0;
    do error = dump(list.get(), request, [&](uint16_t type, std::string_view payload) { take(type, payload); });
    while (error == EINTR);
    if (error != 0) step.fail("addresses of the host", error);
    close_to_them();
  }

  int descriptor() const { return news_.get(); }
  void update() {
    receive(news_.get(), [&](uint16_t type, std::string_view payload) { take(type, payload); });
    close_to_them();
  }

 private:
  void take(uint16_t type, std::string_view payload) {
    if (type != RTM_NEWADDR || payload.size() < sizeof(ifaddrmsg)) return;
    ifaddrmsg header;
    memcpy(&header, payload.data(), sizeof header);
    std::string_view row = payload.substr(std::min(NLMSG_ALIGN(sizeof header), payload.size()));
    for (uint16_t kind : {IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST}) {
      std::string_view bytes = attribute(row, kind);
      Address address;
      address.is_six = header.ifa_family == AF_INET6;
      if (bytes.size() != address.size()) continue;
      memcpy(address.bytes.data(), bytes.data(), bytes.size());
      found_.push_back(address);
    }
  }
  void close_to_them() {
    if (int error = firewall_.close_to(found_)) step_.fail("addresses of the host", error);
    found_.clear();
  }

  const Step& step_;
  Firewall& firewall_;
  UniqueFd news_;
  std::vector<Address> found_;
};

std::string inner_path(int fd) { return "/proc/1/fd/" + std::to_string(fd); }

// pasta, and the two pipes by which it says that it serves and what went wrong.
class Pasta {
 public:
  Pasta(const Step& step, char** arguments) {
    int serves[2], errors[2];
    step.require(pipe2(serves, O_CLOEXEC) == 0 && pipe2(errors, O_CLOEXEC | O_NONBLOCK) == 0, "pipe");
    serves_.reset(serves[0]);
    errors_.reset(errors[0]);
    UniqueFd serves_end(serves[1]), errors_end(errors[1]);
    pid_ = fork();
    step.require(pid_ >= 0, "fork");
    if (pid_ == 0) run(arguments, serves_end.get(), errors_end.get());
    process_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    step.require(process_.ok(), "pidfd");
    wait(step);
  }

  int descriptor() const { return process_.get(); }
  int errors() const { return errors_.get(); }
  // What it says while it runs is of no interest, but must not fill the pipe.
  void drop_errors() {
    char part[4096];
    while (read(errors_.get(), part, sizeof part) > 0) continue;
  }

 private:
  // By number below the first process, which is there for as long as this runs: some versions close what they inherit.
  [[noreturn]] static void run(char** arguments, int serves, int errors) {
    std::string network = inner_path(kNetwork), written = inner_path(serves);
    std::vector<char*> all;
    for (; *arguments; ++arguments) all.push_back(*arguments);
    std::string netns = "--netns", pid = "--pid";
    for (std::string* text : {&netns, &network, &pid, &written}) all.push_back(text->data());
    all.push_back(nullptr);
    if (dup2(errors, 2) == 2) execv(all[0], all.data());
    _exit(1);
  }

  // It writes its number when it serves.
  void wait(const Step& step) {
    pollfd polled[] = {{serves_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}};
    while (poll(polled, 2, -1) < 0) step.require(errno == EINTR, "poll");
    if (polled[0].revents == 0) step.fail(last_words(), 0);
  }

  std::string last_words() const {
    std::string text(4096, '\0');
    ssize_t size = read(errors_.get(), text.data(), text.size());
    text.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    text.erase(0, text.rfind('\n') + 1);
    size_t time = text.find(": ");
    if (time != std::string::npos && text.find_first_not_of("0123456789.") == time) text.erase(0, time + 2);
    if (text.empty()) return "it ended before it served";
    bool is_taken = text.find("Failed to bind") != std::string::npos;
    return is_taken ? text + " (another program has that port of this machine, or only root may: forward another one)"
                    : text;
  }

  pid_t pid_ = -1;
  UniqueFd process_, serves_, errors_;
};

// From here on only the sets of the table are changed.
void keep_only_network_admin(const Step& step) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct kept[2] = {{1U << CAP_NET_ADMIN, 1U << CAP_NET_ADMIN, 0}, {0, 0, 0}};
  bool dropped =
      prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 && syscall(SYS_capset, &header, kept) == 0;
  step.require(dropped, "capabilities");
}

// Until the sandbox is over, or pasta.
void serve(int ready, HostAddresses& host, Pasta& pasta, Bandwidth& bandwidth, Resolver& resolver, Denials& denials) {
  std::vector<pollfd> polled;
  for (;;) {
    polled.assign({{ready, POLLIN, 0}, {pasta.descriptor(), POLLIN, 0}});
    polled.push_back({pasta.errors(), POLLIN, 0});
    polled.push_back({host.descriptor(), POLLIN, 0});
    polled.push_back({denials.descriptor(), POLLIN, 0});
    polled.push_back({bandwidth.descriptor(), POLLIN, 0});
    resolver.prepare(polled);
    // As unsigned numbers, that of for ever is the largest.
    auto patience = std::min(static_cast<unsigned>(resolver.patience()), static_cast<unsigned>(denials.patience()));
    if (poll(polled.data(), polled.size(), static_cast<int>(patience)) < 0) continue;
    if (polled[0].revents != 0 || polled[1].revents != 0) return;
    if (polled[2].revents != 0) pasta.drop_errors();
    if (polled[3].revents != 0) host.update();
    if (polled[4].revents != 0) denials.update();
    if (polled[5].revents != 0 && !bandwidth.still_holds()) return;
    resolver.work(polled);
  }
}

int run(int ready, char** pasta_arguments) {
  Step step(ready, false);
  step.begin("network");
  // pasta shall neither write there nor keep it open.
  step.require(fcntl(ready, F_SETFD, FD_CLOEXEC) == 0, "descriptors");
  Rules rules;
  if (!parse_rules(read_all(step, "/rules"), rules)) step.fail("/rules", EINVAL);
  InnerSockets sockets = open_inner_sockets(step, rules.limits);
  Firewall firewall(std::move(sockets.firewall));
  if (int error = firewall.load(rules)) step.fail("nftables", error);
  HostAddresses host(step, firewall);
  step.begin("pasta");
  Pasta pasta(step, pasta_arguments);
  keep_only_network_admin(step);
  // pasta has made the interface, and no program has begun.
  Bandwidth bandwidth(std::move(sockets.links), std::move(sockets.changes), rules.limits);
  if (Fault fault = bandwidth.hold()) refuse_limits(step, fault);
  NoteBook notes(rules.log ? ready : -1);
  Resolver resolver(rules, firewall, notes, std::move(sockets.datagrams), std::move(sockets.listener));
  Denials denials(rules.log ? std::move(sockets.denials) : UniqueFd(), resolver, notes);
  if (write(ready, "x", 1) == 1) serve(ready, host, pasta, bandwidth, resolver, denials);
  denials.update();
  notes.close();
  return 1;
}

}  // namespace

int main(int count, char** arguments) { return count < 3 ? 2 : run(atoi(arguments[1]), arguments + 2); }
