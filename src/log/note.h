// What a helper writes down of what was denied: one packet on its socket. The supervisor puts it at its place in the
// log, behind the records of system calls, and understands no more of it than that place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sbox {

inline constexpr size_t kMostTellers = 8;             // parts of the log: the supervisor's own, and one for each helper
inline constexpr uint32_t kMostNotes = 128;           // of one helper; the first stands for all that had no room
inline constexpr uint32_t kMostNotesOfOneThing = 16;  // with the same first word

enum class NoteKind : uint16_t {
  none,
  // Words: name, interface, member, path. `where` is a BusNumber.
  bus_call,    // a method of that name
  bus_signal,  // a signal to it
  bus_own,     // to be that name, asked of the bus by the method
  bus_see,     // whether it is there, or who it is, asked of the bus
  bus_start,   // that the bus starts it
  // Words: address, port, protocol, the name that has led there. `where` is a Wall.
  connection,
  // Words: a name of a host, which was not looked up.
  host_name,
  // Word: the line that sbox said, why it ended the program.
  said,
};
inline constexpr NoteKind kLastNoteKind = NoteKind::said;

enum class BusNumber : uint16_t { none, session, system, accessibility };
// What refused a connection: that nothing allows it, a line that takes it away, or that it is an address of the host.
enum class Wall : uint16_t { end, deny, host };

struct Note {
  uint32_t place = 0;  // among the notes of its helper
  NoteKind kind = NoteKind::none;
  uint16_t where = 0;
  uint64_t count = 0;                // how often; a log that is not closed may say less, but no less than half
  int64_t first = 0, last = 0;       // seconds since 1970
  std::array<char, 480> words = {};  // each with a NUL at its end; what does not fit is left out
};
static_assert(sizeof(Note) == 512);

}  // namespace sbox
