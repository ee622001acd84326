#include "sound/protocol.h"

#include <algorithm>
#include <iterator>

#include "base/contains.h"

namespace sbox::sound {
namespace {

// The protocol's numbers.
enum Command : uint32_t {
  kError = 0,
  kReply = 2,
  kCreatePlaybackStream = 3,
  kDeletePlaybackStream = 4,
  kAuth = 8,
  kSetClientName = 9,
  kLookupSink = 10,
  kLookupSource = 11,
  kDrainPlaybackStream = 12,
  kStat = 13,
  kGetPlaybackLatency = 14,
  kGetServerInfo = 20,
  kGetSinkInfo = 21,
  kGetSinkInfoList = 22,
  kGetSourceInfo = 23,
  kGetSourceInfoList = 24,
  kGetSinkInputInfo = 29,
  kSubscribe = 35,
  kSetSinkInputVolume = 37,
  kCorkPlaybackStream = 41,
  kFlushPlaybackStream = 42,
  kTriggerPlaybackStream = 43,
  kSetPlaybackStreamName = 46,
  kPrebufPlaybackStream = 60,
  kMoveSinkInput = 67,
  kSetSinkInputMute = 69,
  kSetPlaybackStreamBuffer = 72,
  kUpdatePlaybackStreamRate = 74,
  kUpdatePlaybackStreamProperties = 81,
  kUpdateClientProperties = 82,
  kRemovePlaybackStreamProperties = 84,
  kRemoveClientProperties = 85,
};

enum class Rule { allowed, own_stream };
struct CommandRow {
  Command command;
  Rule rule;  // own_stream: its first argument names a stream, which must be the client's own
};

// What plays, and what asks of it. Not here: all that records, loads modules, moves or ends what is of others, changes
// the volume of a device, or lists what others play.
constexpr CommandRow kAllowed[] = {
    {kCreatePlaybackStream, Rule::allowed},
    {kDeletePlaybackStream, Rule::allowed},
    {kAuth, Rule::allowed},
    {kSetClientName, Rule::allowed},
    {kLookupSink, Rule::allowed},
    {kLookupSource, Rule::allowed},
    {kDrainPlaybackStream, Rule::allowed},
    {kStat, Rule::allowed},
    {kGetPlaybackLatency, Rule::allowed},
    {kGetServerInfo, Rule::allowed},
    {kGetSinkInfo, Rule::allowed},
    {kGetSinkInfoList, Rule::allowed},
    {kGetSourceInfo, Rule::allowed},
    {kGetSourceInfoList, Rule::allowed},
    {kGetSinkInputInfo, Rule::own_stream},
    {kSubscribe, Rule::allowed},
    {kSetSinkInputVolume, Rule::own_stream},
    {kCorkPlaybackStream, Rule::allowed},
    {kFlushPlaybackStream, Rule::allowed},
    {kTriggerPlaybackStream, Rule::allowed},
    {kSetPlaybackStreamName, Rule::allowed},
    {kPrebufPlaybackStream, Rule::allowed},
    {kMoveSinkInput, Rule::own_stream},
    {kSetSinkInputMute, Rule::own_stream},
    {kSetPlaybackStreamBuffer, Rule::allowed},
    {kUpdatePlaybackStreamRate, Rule::allowed},
    {kUpdatePlaybackStreamProperties, Rule::allowed},
    {kUpdateClientProperties, Rule::allowed},
    {kRemovePlaybackStreamProperties, Rule::allowed},
    {kRemoveClientProperties, Rule::allowed},
};

// Properties that say what is played and by whom. Servers act on others: PulseAudio loads a module for one of
// "filter.apply", PipeWire makes a microphone of a stream with "media.class".
constexpr std::string_view kHarmless[] = {
    "application.icon_name",
    "application.id",
    "application.language",
    "application.name",
    "application.process.binary",
    "application.process.host",
    "application.process.id",
    "application.process.machine_id",
    "application.process.session_id",
    "application.process.user",
    "application.version",
    "event.description",
    "event.id",
    "format.channel_map",
    "format.channels",
    "format.rate",
    "format.sample_format",
    "media.artist",
    "media.copyright",
    "media.filename",
    "media.icon_name",
    "media.language",
    "media.name",
    "media.role",
    "media.software",
    "media.title",
    "window.icon_name",
    "window.id",
    "window.name",
    "window.x11.display",
};

// The kinds of values, each behind its letter.
constexpr char kNumber = 'L', kString = 't', kNoString = 'N', kBytes = 'x', kPropertyList = 'P', kChannelMap = 'm',
               kVolumes = 'v';
struct KindRow {
  char letter;
  size_t size;
};
constexpr KindRow kFixed[] = {{kNumber, 4}, {'B', 1}, {'R', 8}, {'r', 8}, {'a', 6}, {'1', 0},
                              {'0', 0},     {'T', 8}, {'U', 8}, {'V', 4}, {'f', 0}, {kNoString, 0}};

uint32_t number_at(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[at + i])); };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

void put_number(std::string& text, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
}

// The bytes of the value at the front of `text`, its letter included; 0 where there is no whole one.
size_t value_size(std::string_view text) {
  if (text.empty()) return 0;
  auto fixed = std::find_if(std::begin(kFixed), std::end(kFixed), [&](auto& row) { return row.letter == text[0]; });
  size_t size = 0;
  if (fixed != std::end(kFixed)) {
    size = 1 + fixed->size;
  } else if (text[0] == kString) {
    size = text.find('\0');
    size = size == std::string_view::npos ? 0 : size + 1;
  } else if (text[0] == kBytes) {
    size = text.size() >= 5 ? 5 + size_t{number_at(text, 1)} : 0;
  } else if (text[0] == kChannelMap || text[0] == kVolumes) {
    size_t each = text[0] == kVolumes ? 4 : 1;
    size = text.size() >= 2 ? 2 + each * static_cast<uint8_t>(text[1]) : 0;
  }
  return size <= text.size() ? size : 0;
}

// Reads values off the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  char kind() const { return text_.empty() ? '\0' : text_[0]; }
  // The whole next value; empty where there is none.
  std::string_view take() {
    std::string_view value = text_.substr(0, value_size(text_));
    text_.remove_prefix(value.size());
    return value;
  }
  bool take_number(uint32_t& value) {
    if (kind() != kNumber) return false;
    std::string_view taken = take();
    if (taken.empty()) return false;
    value = number_at(taken, 1);
    return true;
  }
  void skip_letter() { text_.remove_prefix(1); }

 private:
  std::string_view text_;
};

// A list of properties: key, size and bytes of each, then the end. Copies those that servers do not act on.
bool copy_properties(Reader& from, std::string& to) {
  from.skip_letter();
  to += kPropertyList;
  while (from.kind() == kString) {
    std::string_view key = from.take(), size = from.kind() == kNumber ? from.take() : "";
    std::string_view bytes = from.kind() == kBytes ? from.take() : "";
    if (key.empty() || size.empty() || bytes.empty() || number_at(size, 1) != bytes.size() - 5) return false;
    std::string_view name = key.substr(1, key.size() - 2);
    if (!contains(kHarmless, name)) continue;
    to.append(key).append(size).append(bytes);
  }
  if (from.kind() != kNoString) return false;
  to += from.take();
  return true;
}

// The same values without the properties that are not to pass. False for what is no row of values.
bool rewrite(std::string_view content, std::string& to) {
  Reader from(content);
  while (!from.at_end()) {
    if (from.kind() == kPropertyList) {
      if (!copy_properties(from, to)) return false;
      continue;
    }
    std::string_view value = from.take();
    if (value.empty()) return false;
    to += value;
  }
  return true;
}

// Of the server's answer about itself all but who runs it and what the machine is called.
bool forget_names(std::string& content) {
  constexpr size_t kBefore = 4, kNames = 2;  // behind kind, tag, and what the server is called and its version
  const std::string_view nobody("t\0", 2);
  std::string_view text = content;
  size_t begin = 0;
  for (size_t i = 0; i < kBefore; ++i) {
    size_t size = value_size(text.substr(begin));
    if (size == 0) return false;
    begin += size;
  }
  size_t end = begin;
  for (size_t i = 0; i < kNames; ++i) {
    size_t size = value_size(text.substr(end));
    if (size == 0 || (text[end] != kString && text[end] != kNoString)) return false;
    end += size;
  }
  content = std::string(text.substr(0, begin)).append(nobody).append(nobody).append(text.substr(end));
  return true;
}

// The version that the client speaks; the upper bits offer shared memory.
bool take_shared_memory_back(std::string& content) {
  constexpr size_t kVersion = 11;  // behind the command and the tag
  constexpr char kLower = 0x3f;
  if (content.size() <= kVersion || content[kVersion - 1] != kNumber) return false;
  content[kVersion] = static_cast<char>(content[kVersion] & kLower);
  return true;
}

}  // namespace

Header parse_header(const char* bytes) {
  std::string_view text(bytes, kHeaderSize);
  return {number_at(text, 0), number_at(text, 4), number_at(text, 8), number_at(text, 12), number_at(text, 16)};
}

std::string packet(std::string_view content) {
  std::string text;
  for (uint32_t value : {static_cast<uint32_t>(content.size()), kControl, 0U, 0U, 0U}) put_number(text, value);
  return text.append(content);
}

bool is_sound_header(const Header& header) {
  constexpr uint32_t kSeek = 0xff;  // how the offset is meant
  uint32_t flags = header.channel == kControl ? header.flags : header.flags & ~kSeek;
  return flags == 0 && header.length > 0 && header.length <= kLongestPacket;
}

Verdict Gate::judge(std::string& content) {
  Reader reader(content);
  uint32_t command = 0, tag = 0, stream = 0;
  if (!reader.take_number(command) || !reader.take_number(tag)) return Verdict::broken;
  // Two questions by one number: it could not be told which one an answer is for.
  constexpr size_t kMostUnanswered = 4096;
  if (unanswered_.contains(tag) || unanswered_.size() >= kMostUnanswered) return Verdict::broken;
  std::string rewritten;
  if (!rewrite(content, rewritten)) return Verdict::broken;
  refused_ = tag;
  auto row = std::find_if(std::begin(kAllowed), std::end(kAllowed), [&](auto& r) { return r.command == command; });
  if (row == std::end(kAllowed)) return Verdict::refuse;
  bool is_own = reader.take_number(stream) && own_.contains(stream);
  if (row->rule == Rule::own_stream && !is_own) return Verdict::refuse;
  if (command == kAuth && !take_shared_memory_back(rewritten)) return Verdict::broken;
  unanswered_[tag] = command;
  content = std::move(rewritten);
  return Verdict::forward;
}

std::string Gate::refusal() const {
  constexpr uint32_t kAccessDenied = 1;
  std::string content;
  for (uint32_t value : {uint32_t{kError}, refused_, kAccessDenied}) put_number(content += kNumber, value);
  return packet(content);
}

bool Gate::hear(std::string& content) {
  Reader reader(content);
  uint32_t command = 0, tag = 0, channel = 0, stream = 0;
  if (!reader.take_number(command) || !reader.take_number(tag)) return true;
  if (command != kReply && command != kError) return true;
  auto asked = unanswered_.find(tag);
  if (asked == unanswered_.end()) return true;
  uint32_t question = command == kReply ? asked->second : uint32_t{kError};
  unanswered_.erase(asked);
  if (question == kGetServerInfo) return forget_names(content);
  bool makes_stream = question == kCreatePlaybackStream;
  if (makes_stream && reader.take_number(channel) && reader.take_number(stream)) own_.insert(stream);
  return true;
}

}  // namespace sbox::sound
