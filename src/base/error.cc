#include "base/error.h"

#include <cerrno>
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

// What the caller's limits refuse comes with what raises them.
Error system_error(std::string what, int errnum) {
  Error error(std::move(what), strerror(errnum));
  if (errnum == EMFILE) return std::move(error).hint("let more files be open: `ulimit -n 1024`");
  if (errnum == EFBIG) return std::move(error).hint("see `ulimit -f`, and how large files may be there");
  return error;
}

}  // namespace sbox
