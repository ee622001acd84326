#include "launcher/watch.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>

#include "plan/notify_filter.h"

namespace sbox {
namespace {

// Linux 6.6; the headers may be older.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

// Pointers differ from call to call and say nothing here; they lie above what a number can be.
uint64_t number_in(uint64_t argument) { return argument >> 32 == 0 ? argument : 0; }

bool is_same_call(const LogRecord& record, const seccomp_data& call) {
  return record.number == call.nr && record.architecture == call.arch;
}

bool is_same(const LogRecord& record, const seccomp_data& call) {
  return is_same_call(record, call) &&
         std::equal(record.arguments.begin(), record.arguments.end(), std::begin(call.args),
                    [](uint64_t a, uint64_t b) { return number_in(a) == number_in(b); });
}

void read_name(LogRecord& record) {
  std::string path = "/proc/" + std::to_string(record.process) + "/comm";
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || read(file.get(), record.name.data(), record.name.size()) < 0) record.name = {};
}

LogRecord new_record(const seccomp_notif& call, int error) {
  LogRecord record;
  record.first = time(nullptr);
  record.architecture = call.data.arch;
  record.number = call.data.nr;
  std::copy(std::begin(call.data.args), std::end(call.data.args), record.arguments.begin());
  record.process = static_cast<int32_t>(call.pid);
  record.error = error;
  read_name(record);
  return record;
}

}  // namespace

Watch::~Watch() {
  for (const LogRecord& record : records_) write(record);
}

void Watch::open(UniqueFd log) {
  log_ = std::move(log);
  begin_ = lseek(log_.get(), 0, SEEK_END);
}

void Watch::begin(UniqueFd listener, std::vector<Filter> filters) {
  listener_ = std::move(listener);
  filters_ = std::move(filters);
  // The caller waits for the answer: this processor has time for it. Where the kernel knows no such way, it is slower.
  (void)!ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  records_.emplace_back();
}

bool Watch::keep(size_t helper, const Note& note) const {
  if (helper + 1 >= kMostTellers || note.place >= kMostNotes) return false;
  write(helper + 1, note);
  return true;
}

void Watch::say(const std::string& text) const {
  Note note;
  note.place = 1;
  note.kind = NoteKind::said;
  note.count = 1;
  note.first = note.last = time(nullptr);
  std::copy_n(text.begin(), std::min(text.size(), note.words.size() - 1), note.words.begin());
  write(0, note);
}

void Watch::write(size_t part, const Note& note) const {
  size_t at = kMostRecords * sizeof(LogRecord) + (part * kMostNotes + note.place) * sizeof note;
  (void)!pwrite(log_.get(), &note, sizeof note, begin_ + static_cast<off_t>(at));
}

void Watch::work(const std::vector<pollfd>& polled) {
  for (const pollfd& each : polled) {
    if (!listener_ || each.fd != listener_.get() || each.revents == 0) continue;
    // To receive where no call waits would wait itself.
    if ((each.revents & POLLIN) != 0) return answer();
    return listener_.reset();
  }
}

void Watch::answer() {
  seccomp_notif call{};
  if (ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) {
    // The caller was killed meanwhile. Anything else would come again and again.
    if (errno != ENOENT && errno != EINTR) listener_.reset();
    return;
  }
  seccomp_notif_resp response{};
  response.id = call.id;
  response.error = -errno_of(filters_, call.data);
  note(call, -response.error);
  if (ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response) != 0 && errno != ENOENT) listener_.reset();
}

void Watch::note(const seccomp_notif& call, int error) {
  auto found =
      std::find_if(records_.begin(), records_.end(), [&](const LogRecord& r) { return is_same(r, call.data); });
  if (found == records_.end()) {
    auto of_call =
        std::count_if(records_.begin(), records_.end(), [&](const LogRecord& r) { return is_same_call(r, call.data); });
    bool has_room = records_.size() < kMostRecords && of_call < static_cast<ptrdiff_t>(kMostRecordsOfCall);
    if (has_room) records_.push_back(new_record(call, error));
    found = has_room ? std::prev(records_.end()) : records_.begin();
  }
  found->last = time(nullptr);
  ++found->count;
  // Seldom enough that no program can keep the disk busy, and often enough to be near the truth when we are killed.
  if ((found->count & (found->count - 1)) == 0) write(*found);
}

void Watch::write(const LogRecord& record) const {
  // A log that takes no more is no reason to end the program.
  (void)!pwrite(log_.get(), &record, sizeof record,
                begin_ + (&record - records_.data()) * static_cast<off_t>(sizeof record));
}

}  // namespace sbox
