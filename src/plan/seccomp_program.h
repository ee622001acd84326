// A seccomp program under construction. It is written from its end to its start, so that whatever is jumped to is there
// already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace sbox {

class SeccompProgram {
 public:
  // An instruction, by how many there are from it to the end.
  using Place = size_t;

  // Ends the program with this SECCOMP_RET_*. Each answer is written once.
  Place answer(uint32_t action);
  // Loads a word of struct seccomp_data and goes on at `next`.
  Place load(size_t offset, Place next);
  // Clears the bits of the loaded word that are not in `mask`.
  Place keep(uint32_t mask, Place next);
  Place if_equal(uint32_t value, Place yes, Place no);
  Place if_at_least(uint32_t value, Place yes, Place no);
  // Goes to the place of the last key that is not above the loaded word. Precondition: there is a key 0.
  Place search(const std::map<uint32_t, Place>& places);

  // The program that starts with what was written last.
  std::vector<FilterInstruction> take() &&;

 private:
  Place put(uint16_t code, uint32_t operand, size_t jump_true = 0, size_t jump_false = 0);
  Place branch(uint16_t code, uint32_t value, Place yes, Place no);
  void fall_to(Place next);
  Place within_reach(Place target);

  std::vector<FilterInstruction> backwards_;
  std::map<uint32_t, Place> answers_;
};

// The names of the calls of an architecture ("x86_64", "i386" or "aarch64") by their numbers. Of those that are newer
// than libseccomp, only the host's own.
std::map<uint32_t, std::string> calls_by_number(std::string_view architecture);

// As AUDIT_ARCH_*, which is what programs see.
uint32_t architecture_token(std::string_view architecture);

}  // namespace sbox
