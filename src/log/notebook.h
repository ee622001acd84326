// A helper's side of the log: counts what was denied, and tells the supervisor of it seldom enough.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "log/note.h"

namespace sbox {

class NoteBook {
 public:
  // `socket` leads to the supervisor, and belongs to the caller.
  explicit NoteBook(int socket) : socket_(socket), entries_(1) {}

  // Words may hold anything; a NUL ends one. Does not wait: what cannot be told now is told later.
  void add(NoteKind kind, uint16_t where, std::initializer_list<std::string_view> words);
  // Tells what was not told, and that there will be nothing more.
  void close();

 private:
  struct Entry {
    Note note;
    bool is_told = true;
  };
  Entry& entry_for(const Note& note);
  void tell(Entry& entry, int flags) const;

  int socket_;
  std::vector<Entry> entries_;
};

}  // namespace sbox
