// What an overlay has changed, as a list. Reads only. Changes are told from the upper directory and the host's; nothing
// that a program wrote there is followed.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "plan/host.h"

namespace sbox {

// What lies in more directories than these is named, but neither looked into nor taken over.
inline constexpr int kDeepestScanned = 100;

enum class ChangeKind {
  added,
  changed,
  deleted,
  none,  // in the upper directory, but as it is on the host: nothing to take over
};

struct Change {
  ChangeKind kind = ChangeKind::none;
  std::string path;           // below the home, not escaped
  FileKind now{};             // missing: deleted
  FileKind before{};          // missing: added
  struct stat status {};      // of the upper's; zeros where it is deleted
  struct stat host {};        // of the host's; zeros where there is none
  std::string link;           // where a symlink leads
  bool same_content = false;  // of a changed file: only its mode, times or attributes differ
  bool is_conflict = false;   // the host's was changed since
  std::string obstacle;       // why it cannot be taken over; ""
};

// When the host's files were last known to be as the program saw them.
struct Since {
  timespec began{};
  std::map<std::string, timespec> taken;  // by path, later than `began`
};

struct Layers {
  int upper = -1, home = -1;  // directories
  bool blank = false;         // the program saw nothing of the home
  Since since;
  std::vector<std::string> own;  // of sbox, below the home: never taken over
};

inline bool is_same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}
inline bool is_later(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

// Of paths without a slash in front.
bool is_at_or_below_any(const std::string& path, const std::vector<std::string>& directories);

// In an order in which they can be carried out: what must go comes before what takes its place, directories before what
// is in them. Error when the layers cannot be read.
std::vector<Change> find_changes(const Layers& layers);

}  // namespace sbox
