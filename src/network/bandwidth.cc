#include "network/bandwidth.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <vector>

namespace sbox::network {
namespace {

constexpr char kOtherInterfaces[] = "the interfaces are not as planned";
constexpr char kNotInForce[] = "what the kernel holds is not what was asked for";
constexpr uint32_t kIngressHandle = TC_H_MAKE(TC_H_INGRESS, 0U);
constexpr uint16_t kEverything = ETH_P_ALL;

// Two of the largest packets: pasta's have 64 KB, and one that is larger than the burst would never pass.
constexpr uint64_t kLeastBurst = 144 << 10;
constexpr uint64_t kBurstsInASecond = 100;
// What goes out waits for an eighth of a second: the sandbox's own kernel sees what is lost, and its answers to what
// comes in wait there too.
constexpr uint64_t kLeastOut = 192 << 10, kMostOut = 4 << 20, kOutsInASecond = 8;
// What comes in waits for a second.
constexpr uint64_t kLeastIn = 512 << 10, kMostIn = 16 << 20;
constexpr uint64_t kLeastShare = 128 << 10;

uint32_t burst_of(uint64_t rate) { return static_cast<uint32_t>(std::max(kLeastBurst, rate / kBurstsInASecond)); }
uint64_t out_queue_of(const Limits& limits) { return std::clamp(limits.up / kOutsInASecond, kLeastOut, kMostOut); }
uint64_t in_queue_of(const Limits& limits) {
  return std::clamp(std::max(limits.down, share_of_connection(limits)), kLeastIn, kMostIn);
}
uint32_t in_32_bits(uint64_t number) { return static_cast<uint32_t>(std::min<uint64_t>(number, ~0U)); }

template <typename Record>
std::optional<Record> record_in(std::string_view bytes) {
  Record record{};
  if (bytes.size() < sizeof record) return std::nullopt;
  memcpy(&record, bytes.data(), sizeof record);
  return record;
}

std::string_view behind(std::string_view payload, size_t header) {
  return payload.substr(std::min<size_t>(NLMSG_ALIGN(header), payload.size()));
}

// "tbf" of "tbf" and its NUL.
bool is_text(std::string_view attribute, std::string_view text) {
  return attribute.starts_with(text) && attribute.size() == text.size() + 1;
}

struct Link {
  uint32_t index = 0, flags = 0;
  bool is_queue = false;
};

int list_links(int socket, std::vector<Link>& links) {
  Messages request;
  request.begin(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{});
  return dump(socket, request, [&](uint16_t type, std::string_view payload) {
    auto header = record_in<ifinfomsg>(payload);
    if (type != RTM_NEWLINK || !header) return;
    std::string_view row = behind(payload, sizeof *header);
    links.push_back({static_cast<uint32_t>(header->ifi_index), header->ifi_flags,
                     is_text(attribute(row, IFLA_IFNAME), kQueueDevice)});
  });
}

uint32_t queue_device(int socket) {
  std::vector<Link> links;
  if (list_links(socket, links) != 0) return 0;
  auto found = std::find_if(links.begin(), links.end(), [](const Link& link) { return link.is_queue; });
  return found == links.end() ? 0 : found->index;
}

// The one by which the sandbox is connected; 0 where that cannot be told.
uint32_t outward_interface(int socket) {
  std::vector<Link> links;
  if (list_links(socket, links) != 0) return 0;
  std::erase_if(links, [](const Link& link) {
    return link.is_queue || (link.flags & IFF_LOOPBACK) != 0 || (link.flags & IFF_UP) == 0;
  });
  return links.size() == 1 ? links.front().index : 0;
}

tcmsg at(uint32_t interface, uint32_t parent, uint32_t handle = 0, uint32_t info = 0) {
  tcmsg header{};
  header.tcm_ifindex = static_cast<int>(interface);
  header.tcm_parent = parent;
  header.tcm_handle = handle;
  header.tcm_info = info;
  return header;
}

constexpr uint16_t kMakeNew = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;

int raise(int socket, uint32_t interface) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(interface);
  header.ifi_flags = header.ifi_change = IFF_UP;
  Messages request;
  request.begin(RTM_NEWLINK, NLM_F_ACK, header);
  return transact(socket, request);
}

// Everything that leaves by the interface, at that rate. `waiting`: bytes, at most.
int add_queue(int socket, uint32_t interface, uint64_t rate, uint64_t waiting) {
  tc_tbf_qopt options{};
  options.rate.rate = in_32_bits(rate);
  options.rate.linklayer = TC_LINKLAYER_ETHERNET;  // as it is, nothing is added
  options.limit = in_32_bits(waiting);
  Messages request;
  request.begin(RTM_NEWQDISC, kMakeNew, at(interface, TC_H_ROOT, TC_H_MAKE(1U << 16, 0U)));
  request.put_text(TCA_KIND, "tbf");
  {
    Messages::Nest nest(request, TCA_OPTIONS);
    request.put(TCA_TBF_PARMS, bytes_of(options));
    request.put(TCA_TBF_BURST, bytes_of(burst_of(rate)));
    request.put(TCA_TBF_RATE64, bytes_of(rate));
  }
  return transact(socket, request);
}

int add_ingress(int socket, uint32_t interface) {
  Messages request;
  request.begin(RTM_NEWQDISC, kMakeNew, at(interface, TC_H_INGRESS, kIngressHandle));
  request.put_text(TCA_KIND, "ingress");
  return transact(socket, request);
}

// All that comes in goes to the device, whatever it is.
int add_redirection(int socket, uint32_t interface, uint32_t device) {
  std::string all(sizeof(tc_u32_sel), '\0');  // no key that has to match
  all[offsetof(tc_u32_sel, flags)] = TC_U32_TERMINAL;
  tc_mirred redirection{};
  redirection.action = TC_ACT_STOLEN;
  redirection.eaction = TCA_EGRESS_REDIR;
  redirection.ifindex = device;
  Messages request;
  request.begin(RTM_NEWTFILTER, kMakeNew,
                at(interface, kIngressHandle, 0, TC_H_MAKE(1U << 16, static_cast<uint32_t>(htons(kEverything)))));
  request.put_text(TCA_KIND, "u32");
  {
    Messages::Nest options(request, TCA_OPTIONS);
    request.put(TCA_U32_SEL, all);
    Messages::Nest actions(request, TCA_U32_ACT), first(request, 1);
    request.put_text(TCA_ACT_KIND, "mirred");
    Messages::Nest action(request, TCA_ACT_OPTIONS);
    request.put(TCA_MIRRED_PARMS, bytes_of(redirection));
  }
  return transact(socket, request);
}

// --- what the kernel says is in force

struct Queues {
  bool ingress = false;
  uint64_t device_rate = 0, interface_rate = 0;
};

// 0 for what is no tbf.
uint64_t rate_in(std::string_view row) {
  if (!is_text(attribute(row, TCA_KIND), "tbf")) return 0;
  std::string_view options = attribute(row, TCA_OPTIONS);
  auto large = record_in<uint64_t>(attribute(options, TCA_TBF_RATE64));  // there when it needs more than 32 bits
  auto plain = record_in<tc_tbf_qopt>(attribute(options, TCA_TBF_PARMS));
  return large ? *large : plain ? plain->rate.rate : 0;
}

int list_queues(int socket, uint32_t interface, uint32_t device, Queues& queues) {
  Messages request;
  request.begin(RTM_GETQDISC, NLM_F_DUMP, tcmsg{});
  return dump(socket, request, [&](uint16_t type, std::string_view payload) {
    auto header = record_in<tcmsg>(payload);
    if (type != RTM_NEWQDISC || !header) return;
    std::string_view row = behind(payload, sizeof *header);
    auto index = static_cast<uint32_t>(header->tcm_ifindex);
    bool is_root = header->tcm_parent == TC_H_ROOT;
    if (index == interface && is_root) queues.interface_rate = rate_in(row);
    if (index == device && is_root) queues.device_rate = rate_in(row);
    if (index == interface && header->tcm_parent == TC_H_INGRESS) {
      queues.ingress = is_text(attribute(row, TCA_KIND), "ingress");
    }
  });
}

// Whether a filter takes all and its first action leads to the device.
bool redirects_all(const tcmsg& header, std::string_view row, uint32_t device) {
  std::string_view options = attribute(row, TCA_OPTIONS);
  std::string_view test = attribute(options, TCA_U32_SEL);
  if (test.size() < sizeof(tc_u32_sel)) return false;
  bool takes_all = test[offsetof(tc_u32_sel, flags)] == TC_U32_TERMINAL && test[offsetof(tc_u32_sel, nkeys)] == 0;
  std::string_view action = attribute(attribute(options, TCA_U32_ACT), 1);
  auto redirection = record_in<tc_mirred>(attribute(attribute(action, TCA_ACT_OPTIONS), TCA_MIRRED_PARMS));
  return is_text(attribute(row, TCA_KIND), "u32") && TC_H_MIN(header.tcm_info) == htons(kEverything) && takes_all &&
         is_text(attribute(action, TCA_ACT_KIND), "mirred") && redirection &&
         redirection->eaction == TCA_EGRESS_REDIR && redirection->ifindex == device;
}

int find_redirection(int socket, uint32_t interface, uint32_t device, bool& found) {
  Messages request;
  request.begin(RTM_GETTFILTER, NLM_F_DUMP, at(interface, kIngressHandle));
  return dump(socket, request, [&](uint16_t type, std::string_view payload) {
    auto header = record_in<tcmsg>(payload);
    if (type != RTM_NEWTFILTER || !header) return;
    found = found || redirects_all(*header, behind(payload, sizeof *header), device);
  });
}

bool is_up(int socket, uint32_t interface) {
  std::vector<Link> links;
  if (list_links(socket, links) != 0) return false;
  return std::any_of(links.begin(), links.end(),
                     [&](const Link& link) { return link.index == interface && (link.flags & IFF_UP) != 0; });
}

}  // namespace

bool Fault::is_lack() const { return is_part && (error == EOPNOTSUPP || error == ENOENT); }

Fault make_queue_device(int socket) {
  Messages request;
  request.begin(RTM_NEWLINK, kMakeNew, ifinfomsg{});
  request.put_text(IFLA_IFNAME, kQueueDevice);
  {
    Messages::Nest nest(request, IFLA_LINKINFO);
    request.put_text(IFLA_INFO_KIND, "ifb");
  }
  int error = transact(socket, request);
  return error != 0 ? Fault{"ifb", error, true} : Fault();
}

// As much as comes while an answer waits in the queue outward, twice, since the kernel counts what packets take in
// memory.
uint64_t share_of_connection(const Limits& limits) {
  uint64_t while_waiting = limits.up != 0 ? limits.down * out_queue_of(limits) / limits.up : 0;
  return std::clamp(2 * while_waiting, kLeastShare, kMostIn);
}

Fault Bandwidth::hold() {
  if (!limits_.any()) return {};
  uint32_t interface = outward_interface(socket_.get());
  return interface == 0 ? Fault{kOtherInterfaces} : hold(interface);
}

Fault Bandwidth::hold(uint32_t interface) {
  interface_ = interface;
  int socket = socket_.get();
  if (limits_.up != 0) {
    if (int error = add_queue(socket, interface, limits_.up, out_queue_of(limits_))) return {"tbf", error, true};
  }
  if (limits_.down != 0) {
    uint32_t device = queue_device(socket);
    if (device == 0) return {kOtherInterfaces};
    if (int error = add_queue(socket, device, limits_.down, in_queue_of(limits_))) return {"tbf", error, true};
    if (int error = raise(socket, device)) return {"ifb", error, true};
    if (int error = add_ingress(socket, interface)) return {"ingress", error, true};
    if (int error = add_redirection(socket, interface, device)) return {"u32 and mirred", error, true};
  }
  if (changes_) forget_changes();  // those were our own and pasta's; check() sees what others did
  return check();
}

// Reads back, whatever the calls before have returned.
Fault Bandwidth::check() const {
  int socket = socket_.get();
  uint32_t device = limits_.down != 0 ? queue_device(socket) : 0;
  Queues queues;
  bool is_led = false;
  if (int error = list_queues(socket, interface_, device, queues)) return {"queues", error};
  if (queues.interface_rate != limits_.up) return {kNotInForce};
  if (limits_.down == 0) return {};
  if (int error = find_redirection(socket, interface_, device, is_led)) return {"redirection", error};
  bool holds = device != 0 && is_up(socket, device) && queues.device_rate == limits_.down && queues.ingress && is_led;
  return holds ? Fault() : Fault{kNotInForce};
}

void Bandwidth::forget_changes() {
  receive(changes_.get(), [](uint16_t, std::string_view) {});
}

bool Bandwidth::still_holds() {
  forget_changes();
  return outward_interface(socket_.get()) == interface_ && !check();
}

}  // namespace sbox::network
