#include "cli/print.h"

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace sbox {
namespace {

constexpr char kOutput[] = "standard output", kHint[] = "not all of it was written";

Error not_written(int errnum) { return system_error(kOutput, errnum).hint(kHint); }

}  // namespace

void print(std::string_view text) {
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size()) throw not_written(errno);
}

std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void finish_printing() {
  if (fflush(stdout) != 0) throw not_written(errno);
  if (ferror(stdout) != 0) throw Error(kOutput, "it could not be written").hint(kHint);
}

}  // namespace sbox
