// Whatever the command line is: it is refused with one line, or what is no option comes out as it went in. libFuzzer
// entry; NUL separates words.
#include <algorithm>

#include "cli/options.h"
#include "fuzz.h"

namespace {

using namespace sbox;
using fuzz::require;

void check(const std::vector<std::string>& words) {
  RunOptions options = parse_run_options(words);
  const std::vector<std::string>& command = options.command;
  require(command.size() <= words.size() && std::equal(command.rbegin(), command.rend(), words.rbegin()),
          "the command is not the end of the words");
  require(options.instance.find_first_of("/ \n") == std::string::npos, "the name of an instance is no name");
  require(escape_control(options.instance) == options.instance, "the name of an instance is not printable");
  bool is_end = command.size() < words.size() && words[words.size() - command.size() - 1] == "--";
  require(is_end || command.empty() || command[0].size() < 2 || command[0][0] != '-', "an option became the program");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    check(split(fuzz::text_of(data, size), '\0'));
  } catch (const Error& error) {
    fuzz::check_error(error);
  }
  return 0;
}
