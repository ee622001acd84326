#include "cli/list.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/print.h"
#include "cli/words.h"
#include "instance/process.h"
#include "instance/registry.h"

namespace sbox {
namespace {

// "41 s", "12 min", "3 h 20 min", "5 d 2 h".
std::string duration(uint64_t seconds) {
  constexpr uint64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  auto text = [](uint64_t number, const char* unit) { return std::to_string(number) + " " + unit; };
  if (seconds < 2 * kMinute) return text(seconds, "s");
  if (seconds < 2 * kHour) return text(seconds / kMinute, "min");
  if (seconds < kDay) return text(seconds / kHour, "h") + " " + text(seconds % kHour / kMinute, "min");
  return text(seconds / kDay, "d") + " " + text(seconds % kDay / kHour, "h");
}

uint64_t seconds_of(const Instance& instance) {
  return (ticks_since_boot() - std::min(ticks_since_boot(), instance.started)) /
         static_cast<uint64_t>(ticks_per_second());
}

std::string list_json(const std::vector<Instance>& instances) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Instance& instance : instances) {
    uint64_t seconds = seconds_of(instance);
    list.push_back({{"name", instance.name},
                    {"profile", escape_control(instance.profile)},
                    {"program", escape_control(instance.program)},
                    {"pid", instance.pid},
                    {"started", static_cast<uint64_t>(time(nullptr)) - seconds},
                    {"seconds", seconds}});
  }
  return json_text(list);
}

std::string list_table(const std::vector<Instance>& instances) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "PROFILE", "PID", "RUNNING", "PROGRAM"}};
  for (const Instance& instance : instances) {
    rows.push_back({instance.name, escape_control(instance.profile), std::to_string(instance.pid),
                    duration(seconds_of(instance)), escape_control(instance.program)});
  }
  return table(rows);
}

}  // namespace

int run_list(const Context& context, const std::vector<std::string>& arguments) {
  bool json = parse_words("list", arguments, {"--json"}, 0).has("--json");
  std::vector<Instance> instances = Registry::open(context.host.home()).list();
  std::string text = json ? list_json(instances) : list_table(instances);
  print(text);
  return 0;
}

}  // namespace sbox
