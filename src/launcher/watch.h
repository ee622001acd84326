// The supervisor's side of denied system calls: writes each down and answers as the plan's filters do. It never lets
// one through: where it is gone, or cannot go on, the kernel gives ENOSYS in its place.
#pragma once

#include <linux/seccomp.h>
#include <poll.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "log/note.h"
#include "log/record.h"
#include "plan/plan.h"

namespace sbox {

class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  // Writes how often each was.
  ~Watch();

  // `log`: where records are added at the end; it may be none.
  void open(UniqueFd log);
  // `listener`: of the filter; `filters`: those of the plan.
  void begin(UniqueFd listener, std::vector<Filter> filters);
  // What the helper of that number told. False for what no helper may say.
  bool keep(size_t helper, const Note& note) const;
  // What the user is told at the end.
  void say(const std::string& text) const;
  int descriptor() const { return listener_.get(); }  // -1 where there is nothing to wait for
  // After poll(2): answers one call.
  void work(const std::vector<pollfd>& polled);

 private:
  void answer();
  void note(const seccomp_notif& call, int error);
  void write(const LogRecord& record) const;
  void write(size_t part, const Note& note) const;

  UniqueFd listener_, log_;
  std::vector<Filter> filters_;
  std::vector<LogRecord> records_;
  off_t begin_ = 0;  // of the records in the log
};

}  // namespace sbox
