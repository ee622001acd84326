#include "network/firewall.h"

#include <arpa/inet.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

#include "log/note.h"

namespace sbox::network {
namespace {

constexpr char kTable[] = "sbox", kOutput[] = "output", kInput[] = "input", kUntracked[] = "untracked";
constexpr uint32_t kLoopback = 1;  // the first interface of every network namespace
constexpr size_t kBaseChains = 3;

std::string port_bytes(uint16_t port) { return bytes_of(htons(port)); }

std::string set_name(const std::string& base, bool is_six) { return base + (is_six ? "_6" : "_4"); }
std::string set_of_names(unsigned number, bool is_six) { return set_name("names" + std::to_string(number), is_six); }

void begin(Messages& batch, uint16_t message, uint16_t flags) {
  batch.begin(static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message), flags,
              nfgenmsg{NFPROTO_INET, NFNETLINK_V0, 0});
}

// Either all of what is between the two is done, or nothing.
void begin_batch(Messages& batch) {
  batch.begin(NFNL_MSG_BATCH_BEGIN, 0, nfgenmsg{AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)});
}
void end_batch(Messages& batch) {
  batch.begin(NFNL_MSG_BATCH_END, 0, nfgenmsg{AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)});
}

// One rule: tests that must all hold, then a verdict.
class RuleWriter {
 public:
  RuleWriter(Messages& batch, const char* chain, bool log = false) : batch_(batch), log_(log) {
    begin(batch_, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    batch_.put_text(NFTA_RULE_TABLE, kTable);
    batch_.put_text(NFTA_RULE_CHAIN, chain);
    expressions_.emplace(batch_, NFTA_RULE_EXPRESSIONS);
  }

  void meta(uint32_t key, const std::string& value) {
    expression("meta", [&] {
      batch_.put_number(NFTA_META_DREG, NFT_REG_1);
      batch_.put_number(NFTA_META_KEY, key);
    });
    compare(NFT_CMP_EQ, value);
  }
  void family(bool is_six) { meta(NFT_META_NFPROTO, {static_cast<char>(is_six ? NFPROTO_IPV6 : NFPROTO_IPV4)}); }
  void protocol(uint8_t number) { meta(NFT_META_L4PROTO, {static_cast<char>(number)}); }
  void interface(bool is_output) { meta(is_output ? NFT_META_OIF : NFT_META_IIF, bytes_of(kLoopback)); }

  void known_connection() {
    expression("ct", [&] {
      batch_.put_number(NFTA_CT_DREG, NFT_REG_1);
      batch_.put_number(NFTA_CT_KEY, NFT_CT_STATE);
    });
    uint32_t states = NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED);
    mask(bytes_of(states));
    compare(NFT_CMP_NEQ, bytes_of(uint32_t{0}));
  }

  void destination(const Address& net, unsigned length) {
    family(net.is_six);
    load_destination(net.is_six);
    std::string bits(net.size(), '\0'), wanted(net.view());
    for (unsigned bit = 0; bit < length; ++bit) bits[bit / 8] = static_cast<char>(bits[bit / 8] | 0x80 >> bit % 8);
    for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = static_cast<char>(wanted[i] & bits[i]);
    if (length < net.size() * 8) mask(bits);
    compare(NFT_CMP_EQ, wanted);
  }

  void destination_in(const std::string& set, bool is_six) {
    family(is_six);
    load_destination(is_six);
    expression("lookup", [&] {
      batch_.put_text(NFTA_LOOKUP_SET, set);
      batch_.put_number(NFTA_LOOKUP_SREG, NFT_REG_1);
    });
  }

  void ports(uint16_t first, uint16_t last) {
    constexpr uint32_t kOffset = 2;  // the destination's, of TCP and UDP alike
    load(NFT_PAYLOAD_TRANSPORT_HEADER, kOffset, sizeof(uint16_t));
    if (first == last) return compare(NFT_CMP_EQ, port_bytes(first));
    compare(NFT_CMP_GTE, port_bytes(first));
    compare(NFT_CMP_LTE, port_bytes(last));
  }

  // Without them no address of IPv6 has a neighbour.
  void neighbour_discovery() {
    protocol(IPPROTO_ICMPV6);
    constexpr uint8_t kFirst = 133, kLast = 136;  // router solicitation to neighbour advertisement
    load(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
    compare(NFT_CMP_GTE, {static_cast<char>(kFirst)});
    compare(NFT_CMP_LTE, {static_cast<char>(kLast)});
  }

  void accept() {
    expression("immediate", [&] {
      batch_.put_number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
      Messages::Nest data(batch_, NFTA_IMMEDIATE_DATA), verdict(batch_, NFTA_DATA_VERDICT);
      batch_.put_number(NFTA_VERDICT_CODE, NF_ACCEPT);
    });
  }

  void source_other_than(const std::vector<Address>& own, bool is_six) {
    family(is_six);
    load_source(is_six);
    for (const Address& address : own) {
      if (address.is_six == is_six) compare(NFT_CMP_NEQ, std::string(address.view()));
    }
  }

  void forget_connection() {
    expression("notrack", [] {});
  }

  // Programs are told at once, by an ICMP error, instead of waiting for an answer that never comes.
  void reject(Wall wall) {
    if (log_) tell(wall);
    expression("counter", [] {});
    expression("reject", [&] {
      batch_.put_number(NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
      uint8_t code = NFT_REJECT_ICMPX_ADMIN_PROHIBITED;
      batch_.put(NFTA_REJECT_ICMP_CODE, bytes_of(code));
    });
  }

 private:
  void tell(Wall wall) {
    expression("log", [&] {
      batch_.put(NFTA_LOG_GROUP, bytes_of(htons(kLogGroup)));
      batch_.put_text(NFTA_LOG_PREFIX, std::string(1, static_cast<char>(kFirstWall + static_cast<int>(wall))));
      batch_.put_number(NFTA_LOG_SNAPLEN, kLoggedBytes);
      batch_.put(NFTA_LOG_QTHRESHOLD, bytes_of(htons(1)));
    });
  }
  template <typename Body>
  void expression(const char* name, Body body) {
    Messages::Nest element(batch_, NFTA_LIST_ELEM);
    batch_.put_text(NFTA_EXPR_NAME, name);
    Messages::Nest data(batch_, NFTA_EXPR_DATA);
    body();
  }
  void put_value(uint16_t attribute, const std::string& bytes) {
    Messages::Nest nest(batch_, attribute);
    batch_.put(NFTA_DATA_VALUE, bytes);
  }
  void compare(uint32_t operation, const std::string& value) {
    expression("cmp", [&] {
      batch_.put_number(NFTA_CMP_SREG, NFT_REG_1);
      batch_.put_number(NFTA_CMP_OP, operation);
      put_value(NFTA_CMP_DATA, value);
    });
  }
  void mask(const std::string& bits) {
    expression("bitwise", [&] {
      batch_.put_number(NFTA_BITWISE_SREG, NFT_REG_1);
      batch_.put_number(NFTA_BITWISE_DREG, NFT_REG_1);
      batch_.put_number(NFTA_BITWISE_LEN, static_cast<uint32_t>(bits.size()));
      put_value(NFTA_BITWISE_MASK, bits);
      put_value(NFTA_BITWISE_XOR, std::string(bits.size(), '\0'));
    });
  }
  void load(uint32_t base, uint32_t offset, uint32_t length) {
    expression("payload", [&] {
      batch_.put_number(NFTA_PAYLOAD_DREG, NFT_REG_1);
      batch_.put_number(NFTA_PAYLOAD_BASE, base);
      batch_.put_number(NFTA_PAYLOAD_OFFSET, offset);
      batch_.put_number(NFTA_PAYLOAD_LEN, length);
    });
  }
  void load_source(bool is_six) {
    constexpr uint32_t kOffset4 = 12, kOffset6 = 8;
    load(NFT_PAYLOAD_NETWORK_HEADER, is_six ? kOffset6 : kOffset4, is_six ? 16 : 4);
  }
  void load_destination(bool is_six) {
    constexpr uint32_t kOffset4 = 16, kOffset6 = 24;
    load(NFT_PAYLOAD_NETWORK_HEADER, is_six ? kOffset6 : kOffset4, is_six ? 16 : 4);
  }

  Messages& batch_;
  bool log_;
  std::optional<Messages::Nest> expressions_;
};

void add_table(Messages& batch) {
  begin(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
  batch.put_text(NFTA_TABLE_NAME, kTable);
}

// `verdict`: on what no rule takes.
void add_chain(Messages& batch, const char* name, uint32_t hook, int32_t priority, uint32_t verdict) {
  begin(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL);
  batch.put_text(NFTA_CHAIN_TABLE, kTable);
  batch.put_text(NFTA_CHAIN_NAME, name);
  {
    Messages::Nest nest(batch, NFTA_CHAIN_HOOK);
    batch.put_number(NFTA_HOOK_HOOKNUM, hook);
    batch.put_number(NFTA_HOOK_PRIORITY, static_cast<uint32_t>(priority));
  }
  batch.put_number(NFTA_CHAIN_POLICY, verdict);
  batch.put_text(NFTA_CHAIN_TYPE, "filter");
}

void add_set(Messages& batch, const std::string& name, bool is_six, bool forgets) {
  constexpr uint32_t kAddress4 = 7, kAddress6 = 8;  // by which nft(8) shows them as addresses
  begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
  batch.put_text(NFTA_SET_TABLE, kTable);
  batch.put_text(NFTA_SET_NAME, name);
  batch.put_number(NFTA_SET_FLAGS, forgets ? NFT_SET_TIMEOUT : 0);
  batch.put_number(NFTA_SET_KEY_TYPE, is_six ? kAddress6 : kAddress4);
  batch.put_number(NFTA_SET_KEY_LEN, is_six ? 16 : 4);
  batch.put_number(NFTA_SET_ID, batch.count());
}

struct Element {
  Address address;
  uint64_t milliseconds = 0;  // 0: for good
};

void change_elements(Messages& batch, uint16_t message, uint16_t flags, const std::string& set,
                     std::span<const Element> elements) {
  begin(batch, message, flags);
  batch.put_text(NFTA_SET_ELEM_LIST_TABLE, kTable);
  batch.put_text(NFTA_SET_ELEM_LIST_SET, set);
  Messages::Nest list(batch, NFTA_SET_ELEM_LIST_ELEMENTS);
  for (const Element& element : elements) {
    Messages::Nest nest(batch, NFTA_LIST_ELEM);
    {
      Messages::Nest key(batch, NFTA_SET_ELEM_KEY);
      batch.put(NFTA_DATA_VALUE, element.address.view());
    }
    if (element.milliseconds != 0) batch.put_number64(NFTA_SET_ELEM_TIMEOUT, element.milliseconds);
  }
}

void test_service(RuleWriter& writer, const Rule& rule) {
  if (rule.protocol != 0) writer.protocol(rule.protocol);
  if (rule.has_ports()) writer.ports(rule.first, rule.last);
}

void decide(RuleWriter& writer, const Rule& rule) {
  test_service(writer, rule);
  rule.allow ? writer.accept() : writer.reject(Wall::deny);
}

// What holds for every sandbox, before anything that a profile says.
size_t add_frame(Messages& batch, const char* chain, bool is_output) {
  {
    RuleWriter writer(batch, chain);
    writer.interface(is_output);
    writer.accept();
  }
  {
    RuleWriter writer(batch, chain);
    writer.known_connection();
    writer.accept();
  }
  RuleWriter writer(batch, chain);
  writer.neighbour_discovery();
  writer.accept();
  return 3;
}

// A program may take any address of IPv6 for its own (IPV6_FREEBIND). What it sends in the name of another, to itself
// or to where it may, would make a connection of that one, and the way there an answer: of such connections none is
// known.
size_t add_untracked(Messages& batch, const Rules& rules) {
  {
    RuleWriter writer(batch, kUntracked);
    writer.interface(true);
    writer.forget_connection();
  }
  for (bool is_six : {false, true}) {
    RuleWriter writer(batch, kUntracked);
    writer.source_other_than(rules.own, is_six);
    writer.forget_connection();
  }
  return 3;
}

size_t add_outward(Messages& batch, const Rules& rules, bool log) {
  size_t count = add_frame(batch, kOutput, true);
  for (bool is_six : {false, true}) {
    RuleWriter writer(batch, kOutput, log);
    writer.destination_in(set_name("host", is_six), is_six);
    writer.reject(Wall::host);
    ++count;
  }
  for (const Rule& rule : rules.outward) {
    for (bool is_six : {false, true}) {
      if (rule.where != Rule::Where::names && is_six) continue;
      RuleWriter writer(batch, kOutput, log);
      if (rule.where == Rule::Where::net) writer.destination(rule.net, rule.length);
      if (rule.where == Rule::Where::names) writer.destination_in(set_of_names(rule.set, is_six), is_six);
      decide(writer, rule);
      ++count;
    }
  }
  RuleWriter(batch, kOutput, log).reject(Wall::end);
  return count + 1;
}

size_t add_inward(Messages& batch, const Rules& rules) {
  size_t count = add_frame(batch, kInput, false);
  for (const Rule& rule : rules.inward) {
    RuleWriter writer(batch, kInput);
    decide(writer, rule);
    ++count;
  }
  return count;
}

// The word of the kernel is asked of what stands before the end of the batch.
int commit(int socket, Messages& batch) {
  begin(batch, NFT_MSG_NEWTABLE, NLM_F_ACK);
  batch.put_text(NFTA_TABLE_NAME, kTable);
  end_batch(batch);
  return transact(socket, batch);
}

// Many go one portion after the other, for a message, and the length of a list in it, has an end.
// `change`: void(Messages& batch, std::span<const Element> portion).
template <typename Change>
int commit_in_portions(int socket, std::span<const Element> elements, Change change) {
  constexpr size_t kPortion = 500;
  while (!elements.empty()) {
    size_t size = std::min(elements.size(), kPortion);
    Messages batch;
    begin_batch(batch);
    change(batch, elements.first(size));
    if (int error = commit(socket, batch)) return error;
    elements = elements.subspan(size);
  }
  return 0;
}

uint32_t number_in(std::string_view bytes) {
  uint32_t number = 0;
  if (bytes.size() != sizeof number) return ~0U;
  memcpy(&number, bytes.data(), sizeof number);
  return ntohl(number);
}

void begin_log(Messages& messages, uint16_t flags) {
  constexpr auto kType = static_cast<uint16_t>(NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG);
  messages.begin(kType, flags, nfgenmsg{AF_UNSPEC, NFNETLINK_V0, htons(kLogGroup)});
}

}  // namespace

bool hear_refusals(int socket) {
  nfulnl_msg_config_cmd bind_group{NFULNL_CFG_CMD_BIND};
  nfulnl_msg_config_mode mode{htonl(kLoggedBytes), NFULNL_COPY_PACKET, 0};
  Messages messages;
  begin_log(messages, 0);
  messages.put(NFULA_CFG_CMD, bytes_of(bind_group));
  begin_log(messages, NLM_F_ACK);
  messages.put(NFULA_CFG_MODE, bytes_of(mode));
  return transact(socket, messages) == 0;
}

int Firewall::load(const Rules& rules) {
  tells_ = rules.log && load(rules, true) == 0;
  return tells_ ? 0 : load(rules, false);
}

int Firewall::load(const Rules& rules, bool log) {
  Messages batch;
  begin_batch(batch);
  add_table(batch);
  for (bool is_six : {false, true}) add_set(batch, set_name("host", is_six), is_six, false);
  for (unsigned set = 0; set < rules.sets(); ++set) {
    for (bool is_six : {false, true}) add_set(batch, set_of_names(set, is_six), is_six, true);
  }
  add_chain(batch, kUntracked, NF_INET_LOCAL_OUT, NF_IP_PRI_RAW, NF_ACCEPT);
  add_chain(batch, kOutput, NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER, NF_DROP);
  add_chain(batch, kInput, NF_INET_LOCAL_IN, NF_IP_PRI_FILTER, NF_DROP);
  add_chain(batch, "forward", NF_INET_FORWARD, NF_IP_PRI_FILTER, NF_DROP);
  size_t count = add_untracked(batch, rules);
  count += add_outward(batch, rules, log);
  count += add_inward(batch, rules);
  if (int error = commit(socket_.get(), batch)) return error;
  return check(count);
}

// Reads back: so many rules, and chains that drop what no rule takes.
int Firewall::check(size_t rules) const {
  size_t found = 0, chains = 0;
  auto ask = [&](uint16_t message, const Handler& handler) {
    Messages request;
    begin(request, message, NLM_F_DUMP);
    return dump(socket_.get(), request, handler);
  };
  int error = ask(NFT_MSG_GETRULE, [&](uint16_t, std::string_view) { ++found; });
  if (error != 0) return error;
  error = ask(NFT_MSG_GETCHAIN, [&](uint16_t, std::string_view payload) {
    std::string_view row = payload.substr(std::min(NLMSG_ALIGN(sizeof(nfgenmsg)), payload.size()));
    if (number_in(attribute(row, NFTA_CHAIN_POLICY)) == NF_DROP) ++chains;
  });
  if (error != 0) return error;
  return found == rules && chains == kBaseChains ? 0 : EBADE;
}

int Firewall::close_to(const std::vector<Address>& host) {
  for (bool is_six : {false, true}) {
    std::vector<Element> elements;
    for (const Address& address : host) {
      if (address.is_six == is_six) elements.push_back({address, 0});
    }
    auto close = [&](Messages& batch, std::span<const Element> portion) {
      change_elements(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set_name("host", is_six), portion);
    };
    if (int error = commit_in_portions(socket_.get(), elements, close)) return error;
  }
  return 0;
}

int Firewall::open(unsigned set, const std::vector<Answer>& answers) {
  for (bool is_six : {false, true}) {
    std::vector<Element> elements;
    for (const Answer& answer : answers) {
      if (answer.address.is_six == is_six) elements.push_back({answer.address, answer.seconds * uint64_t{1000}});
    }
    // One that is there already keeps its time, so it is taken out and put in again; in one batch it never lacks.
    auto renew = [&](Messages& batch, std::span<const Element> portion) {
      std::string name = set_of_names(set, is_six);
      change_elements(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, name, portion);
      change_elements(batch, NFT_MSG_DELSETELEM, 0, name, portion);
      change_elements(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, name, portion);
    };
    if (int error = commit_in_portions(socket_.get(), elements, renew)) return error;
  }
  return 0;
}

}  // namespace sbox::network
