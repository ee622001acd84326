// Whatever the kernel hands out of a process: a command line is taken for an instance's only when that instance has it,
// and with a name that can be shown. libFuzzer entry.
#include "fuzz.h"
#include "instance/process.h"
#include "instance/registry.h"
#include "plan/instance_name.h"

using namespace sbox;
using fuzz::require;

namespace {

void check_command_line(std::string_view bytes) {
  Instance instance;
  if (!parse_command_line(bytes, instance)) return;
  std::string again;
  for (const std::string& word : command_line_of(instance)) again.append(word).append(1, '\0');
  require(again == bytes, "another command line");
  require(is_instance_name(instance.name), "no name");
  require(is_safe_to_show(instance.name), "a name that steers the terminal");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(fuzz::text_of(data, size));
  check_command_line(bytes);
  check_command_line(std::string("sbox\0", 5).append(bytes));
  parse_status(bytes);
  require(is_instance_name(instance_name_for(bytes)), "the name for a profile is none");
  if (is_instance_name(bytes)) require(bytes.ends_with(home_tag(bytes)), "a home of another name");
  return 0;
}
