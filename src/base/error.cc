#include "base/error.h"

#include <cstring>

#include "base/strings.h"

namespace sbox {

std::string Error::line() const {
  std::string text = "sbox: ";
  bool is_place = !where_.file.empty() && where_.file != "sbox";
  if (is_place) text += where_.text() + ": ";
  text += what_ + ": " + why_;
  if (!hint_.empty()) text += " (" + hint_ + ")";
  return escape_control(text);
}

Error system_error(std::string what, int errnum) { return Error(std::move(what), strerror(errnum)); }

}  // namespace sbox
