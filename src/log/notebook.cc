#include "log/notebook.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace sbox {
namespace {

bool is_same(const Note& a, const Note& b) { return a.kind == b.kind && a.where == b.where && a.words == b.words; }

bool is_of_one_thing(const Note& a, const Note& b) {
  return a.kind == b.kind && strncmp(a.words.data(), b.words.data(), a.words.size()) == 0;
}

}  // namespace

void NoteBook::add(NoteKind kind, uint16_t where, std::initializer_list<std::string_view> words) {
  Note wanted;
  wanted.kind = kind;
  wanted.where = where;
  size_t at = 0;
  for (std::string_view word : words) {
    word = word.substr(0, word.find('\0'));
    size_t size = std::min(word.size(), wanted.words.size() - std::min(at + 1, wanted.words.size()));
    std::copy_n(word.begin(), size, wanted.words.begin() + static_cast<ptrdiff_t>(at));
    at = std::min(at + size + 1, wanted.words.size() - 1);
  }
  Entry& entry = entry_for(wanted);
  Note& note = entry.note;
  note.last = time(nullptr);
  if (note.first == 0) note.first = note.last;
  ++note.count;
  entry.is_told = false;
  // Seldom enough that no program can keep anybody busy, and often enough to be near the truth when we are killed.
  if ((note.count & (note.count - 1)) == 0) tell(entry, MSG_DONTWAIT);
}

void NoteBook::close() {
  for (Entry& entry : entries_) {
    if (!entry.is_told) tell(entry, 0);
  }
  shutdown(socket_, SHUT_RDWR);
}

NoteBook::Entry& NoteBook::entry_for(const Note& note) {
  auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return is_same(entry.note, note); });
  if (found != entries_.end()) return *found;
  auto alike = std::count_if(entries_.begin(), entries_.end(),
                             [&](const Entry& entry) { return is_of_one_thing(entry.note, note); });
  if (entries_.size() >= kMostNotes || alike >= static_cast<ptrdiff_t>(kMostNotesOfOneThing)) return entries_.front();
  entries_.push_back({note, true});
  entries_.back().note.place = static_cast<uint32_t>(entries_.size() - 1);
  return entries_.back();
}

void NoteBook::tell(Entry& entry, int flags) const {
  entry.is_told = send(socket_, &entry.note, sizeof entry.note, flags | MSG_NOSIGNAL) == sizeof entry.note;
}

}  // namespace sbox
