#include "network/resolver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/strings.h"

namespace sbox::network {
namespace {

constexpr size_t kMostPending = 256, kMostStreams = 32, kLargestMessage = 65535, kMostServers = 3;
constexpr uint16_t kPort = 53;
// Less than the five seconds after which clients ask once more: that goes to the next server.
constexpr int64_t kPatienceMs = 4500, kIdleMs = 30000;
// Programs go on using an answer for a while after its time.
constexpr uint32_t kGraceSeconds = 300, kLongestSeconds = 86400;

int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000} + now.tv_nsec / 1'000'000;
}

sockaddr_in6 server_at(const Address& address) {
  sockaddr_in6 place{};
  if (address.is_six) {
    place.sin6_family = AF_INET6;
    place.sin6_port = htons(kPort);
    memcpy(&place.sin6_addr, address.bytes.data(), 16);
    return place;
  }
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(kPort);
  memcpy(&four.sin_addr, address.bytes.data(), 4);
  memcpy(&place, &four, sizeof four);
  return place;
}

std::string read_file(const std::string& path) {
  constexpr size_t kLargest = 65536;
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string text(kLargest, '\0');
  ssize_t size = file ? read(file.get(), text.data(), text.size()) : 0;
  text.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

// One line of resolv.conf(5).
void add_server(std::string_view line, std::vector<sockaddr_in6>& servers) {
  constexpr std::string_view kWord = "nameserver", kSpaces = " \t";
  if (!line.starts_with(kWord)) return;
  line.remove_prefix(kWord.size());
  size_t begin = line.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos || begin == 0) return;
  line.remove_prefix(begin);
  line = line.substr(0, line.find_first_of(" \t#;"));
  size_t percent = line.find('%');
  Address address;
  if (!parse_address(line.substr(0, percent), address)) return;
  servers.push_back(server_at(address));
  if (percent != std::string_view::npos) {
    servers.back().sin6_scope_id = if_nametoindex(std::string(line.substr(percent + 1)).c_str());
  }
}

std::string with_length(std::string_view message) {
  std::string framed{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())};
  return framed.append(message);
}

// The first whole message, taken off the front; "" when there is none yet.
std::string take_message(std::string& bytes) {
  size_t size = number_of(bytes);
  if (bytes.size() < 2 || bytes.size() < 2 + size) return "";
  std::string message = bytes.substr(2, size);
  bytes.erase(0, 2 + size);
  return message;
}

// False at the end of the stream or on an error.
bool read_more(int fd, std::string& bytes) {
  char part[4096];
  ssize_t size = recv(fd, part, sizeof part, MSG_DONTWAIT);
  if (size > 0) bytes.append(part, static_cast<size_t>(size));
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

bool write_some(int fd, std::string& bytes) {
  ssize_t size = send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size > 0) bytes.erase(0, static_cast<size_t>(size));
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

short events_of(const std::vector<pollfd>& polled, int fd) {
  auto found = std::find_if(polled.begin(), polled.end(), [&](const pollfd& p) { return p.fd == fd; });
  return found == polled.end() || fd < 0 ? short{0} : found->revents;
}

}  // namespace

void Resolver::prepare(std::vector<pollfd>& polled) const {
  polled.push_back({pending_.size() < kMostPending ? datagrams_.get() : -1, POLLIN, 0});
  polled.push_back({streams_.size() < kMostStreams ? listener_.get() : -1, POLLIN, 0});
  for (const Pending& pending : pending_) polled.push_back({pending.server.get(), POLLIN, 0});
  for (const Stream& stream : streams_) {
    bool writes = !stream.said.empty(), reads = !writes && stream.query.empty();
    polled.push_back({stream.client.get(), static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0});
    if (stream.server) {
      polled.push_back({stream.server.get(), static_cast<short>(stream.asked.empty() ? POLLIN : POLLOUT), 0});
    }
  }
}

int Resolver::patience() const {
  int64_t first = INT64_MAX;
  for (const Pending& pending : pending_) first = std::min(first, pending.deadline);
  for (const Stream& stream : streams_) first = std::min(first, stream.deadline);
  if (first == INT64_MAX) return -1;
  return static_cast<int>(std::clamp<int64_t>(first - now_ms(), 0, kIdleMs));
}

void Resolver::work(const std::vector<pollfd>& polled) {
  for (Pending& pending : pending_) {
    if (events_of(polled, pending.server.get()) != 0) answer(pending);
    if (pending.server && pending.deadline <= now_ms()) {
      pending.server.reset();
      pass_over(pending.place);
    }
  }
  std::erase_if(pending_, [](const Pending& pending) { return !pending.server; });
  std::erase_if(streams_, [&](Stream& stream) {
    return !go_on(stream, events_of(polled, stream.client.get()), events_of(polled, stream.server.get()));
  });
  if (events_of(polled, datagrams_.get()) != 0) take_datagrams();
  if (events_of(polled, listener_.get()) != 0) take_connections();
}

bool Resolver::is_known(const std::string& name) const {
  return rules_.all_names || std::any_of(rules_.names.begin(), rules_.names.end(),
                                         [&](const Name& n) { return matches_host(n.text, name); });
}

void Resolver::remember(const std::string& name, const std::vector<Answer>& answers) {
  constexpr size_t kMostRemembered = 512;
  for (const Answer& answer : answers) {
    std::erase_if(led_, [&](const auto& each) { return each.first == answer.address; });
    led_.emplace_front(answer.address, name);
  }
  led_.resize(std::min(led_.size(), kMostRemembered));
}

std::string_view Resolver::name_of(const Address& address) const {
  auto found = std::find_if(led_.begin(), led_.end(), [&](const auto& each) { return each.first == address; });
  return found == led_.end() ? std::string_view() : found->second;
}

void Resolver::take_datagrams() {
  std::string query(kLargestMessage, '\0');
  while (pending_.size() < kMostPending) {
    sockaddr_in client{};
    socklen_t length = sizeof client;
    ssize_t size = recvfrom(datagrams_.get(), query.data(), query.size(), MSG_DONTWAIT,
                            reinterpret_cast<sockaddr*>(&client), &length);
    if (size < 0) return;
    ask(query.substr(0, static_cast<size_t>(size)), client);
  }
}

void Resolver::ask(std::string query, const sockaddr_in& client) {
  std::optional<Question> question = parse_query(query);
  if (!question) return;
  auto refuse = [&](Refusal why) {
    std::string reply = refusal(query, *question, why);
    sendto(datagrams_.get(), reply.data(), reply.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&client),
           sizeof client);
  };
  if (!is_known(question->name)) {
    notes_.add(NoteKind::host_name, 0, {question->name});
    return refuse(Refusal::refused);
  }
  Pending pending{UniqueFd(), client, std::move(query), 0, now_ms() + kPatienceMs, 0, servers().size()};
  pending.number = number_of(pending.query);
  uint16_t number = 0;
  // Whoever would forge an answer has to guess this and the port.
  bool is_random = getrandom(&number, sizeof number, 0) == sizeof number;
  query = pending.query;
  set_number(pending.query, number);
  if (!is_random || !send_on(pending)) return refuse(Refusal::failed);
  pending_.push_back(std::move(pending));
}

// To the server that serves, or the next one that takes it. False where none is left that was not asked.
bool Resolver::send_on(Pending& pending) {
  for (; pending.left > 0; pass_over(pending.place)) {
    --pending.left;
    pending.place = next_server_;
    pending.server = connect_to_server(SOCK_DGRAM);
    const std::string& query = pending.query;
    if (pending.server && send(pending.server.get(), query.data(), query.size(), MSG_DONTWAIT) >= 0) return true;
  }
  return false;
}

// That one does not serve: questions go to the next. Of several that waited for it only the first says something new.
void Resolver::pass_over(size_t place) {
  if (place == next_server_) ++next_server_;
}

void Resolver::answer(Pending& pending) {
  std::string reply(kLargestMessage, '\0');
  ssize_t size = recv(pending.server.get(), reply.data(), reply.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  reply.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  if (size < 0) {
    // Nobody listens there.
    pass_over(pending.place);
    if (send_on(pending)) return;
    std::optional<Question> question = parse_query(pending.query);
    if (question) reply = refusal(pending.query, *question, Refusal::failed);
  }
  if (!publish(reply, pending.query)) return;
  set_number(reply, pending.number);
  sendto(datagrams_.get(), reply.data(), reply.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&pending.client),
         sizeof pending.client);
  pending.server.reset();
}

// Whether it is an answer to the question, and the way to where it leads is open.
bool Resolver::publish(std::string_view reply, std::string_view query) {
  std::optional<std::vector<Answer>> answers = parse_reply(reply, query);
  std::optional<Question> question = parse_query(query);
  if (!answers || !question) return false;
  remember(question->name, *answers);
  for (Answer& answer : *answers) answer.seconds = std::min(answer.seconds, kLongestSeconds) + kGraceSeconds;
  for (const Name& name : rules_.names) {
    if (matches_host(name.text, question->name) && firewall_.open(name.set, *answers) != 0) return false;
  }
  return true;
}

void Resolver::take_connections() {
  UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (client) streams_.push_back({std::move(client), UniqueFd(), "", "", "", "", "", now_ms() + kIdleMs});
}

bool Resolver::go_on(Stream& stream, short client_events, short server_events) {
  if (stream.deadline <= now_ms()) return false;
  if (server_events != 0 && !stream.asked.empty() && !write_some(stream.server.get(), stream.asked)) return false;
  if ((server_events & (POLLIN | POLLHUP | POLLERR)) && stream.asked.empty()) {
    if (!read_more(stream.server.get(), stream.from_server) || !take_answer(stream)) return false;
  }
  if (client_events == 0) return true;
  if (!stream.said.empty()) return write_some(stream.client.get(), stream.said);
  if (!stream.query.empty()) return false;  // it has gone away
  if (!read_more(stream.client.get(), stream.from_client)) return false;
  return start_question(stream);
}

bool Resolver::start_question(Stream& stream) {
  std::string query = take_message(stream.from_client);
  if (query.empty()) return stream.from_client.size() <= kLargestMessage + 2;
  std::optional<Question> question = parse_query(query);
  if (!question) return false;
  stream.deadline = now_ms() + kIdleMs;
  if (!is_known(question->name)) {
    notes_.add(NoteKind::host_name, 0, {question->name});
    stream.said = with_length(refusal(query, *question, Refusal::refused));
    return true;
  }
  stream.server = connect_to_server(SOCK_STREAM);
  stream.asked = with_length(query);
  stream.query = std::move(query);
  return stream.server.ok();
}

bool Resolver::take_answer(Stream& stream) {
  std::string reply = take_message(stream.from_server);
  if (reply.empty()) return stream.from_server.size() <= kLargestMessage + 2;
  if (!publish(reply, stream.query)) return false;
  stream.said = with_length(reply);
  stream.server.reset();
  stream.query.clear();
  stream.from_server.clear();
  return true;
}

// As they are now: the file is read for each question, so a change of networks is followed at once.
std::vector<sockaddr_in6> Resolver::servers() const {
  std::vector<sockaddr_in6> found;
  for (const Address& address : rules_.upstreams) found.push_back(server_at(address));
  if (rules_.resolver.empty()) return found;
  std::string text = read_file(rules_.resolver);
  for (std::string_view rest = text; !rest.empty() && found.size() < kMostServers;) {
    size_t end = std::min(rest.find('\n'), rest.size());
    add_server(rest.substr(0, end), found);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return found;
}

UniqueFd Resolver::connect_to_server(int kind) {
  std::vector<sockaddr_in6> all = servers();
  if (all.empty()) return UniqueFd();
  const sockaddr_in6& place = all[next_server_ % all.size()];
  UniqueFd fd(socket(place.sin6_family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  socklen_t length = place.sin6_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  bool connects =
      fd && (connect(fd.get(), reinterpret_cast<const sockaddr*>(&place), length) == 0 || errno == EINPROGRESS);
  if (!connects) fd.reset();
  return fd;
}

}  // namespace sbox::network
