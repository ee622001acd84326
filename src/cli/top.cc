#include "cli/top.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/print.h"
#include "cli/words.h"
#include "instance/process.h"
#include "instance/usage.h"

namespace sbox {
namespace {

constexpr int kIntervalMs = 1000;

struct Sample {
  std::vector<Instance> instances;
  std::vector<Usage> usages;
  uint64_t ticks = 0;  // since boot
};

struct Row {
  Instance instance;
  Usage usage;
  // Percent of one processor; bytes each second.
  double cpu = 0, read = 0, written = 0, received = 0, sent = 0;
};

Sample take_sample(const std::string& home) {
  Sample sample;
  sample.instances = Registry::open(home).list();
  sample.usages = measure(sample.instances);
  sample.ticks = ticks_since_boot();
  return sample;
}

// What grew between two samples, each second; processes that ended in between may make it look like less than nothing.
double rate(uint64_t before, uint64_t after, double seconds) {
  return after > before && seconds > 0 ? static_cast<double>(after - before) / seconds : 0;
}

std::vector<Row> compare(const Sample& before, const Sample& after) {
  std::map<std::pair<pid_t, uint64_t>, const Usage*> old;
  for (size_t i = 0; i < before.instances.size(); ++i) {
    old.emplace(std::pair(before.instances[i].pid, before.instances[i].started), &before.usages[i]);
  }
  auto hertz = static_cast<double>(ticks_per_second());
  double seconds = static_cast<double>(after.ticks - before.ticks) / hertz;
  std::vector<Row> rows;
  for (size_t i = 0; i < after.instances.size(); ++i) {
    Row row{after.instances[i], after.usages[i]};
    auto found = old.find({row.instance.pid, row.instance.started});
    if (found != old.end()) {
      row.cpu = rate(found->second->cpu, row.usage.cpu, seconds) / hertz * 100;
      row.read = rate(found->second->read, row.usage.read, seconds);
      row.written = rate(found->second->written, row.usage.written, seconds);
      row.received = rate(found->second->received, row.usage.received, seconds);
      row.sent = rate(found->second->sent, row.usage.sent, seconds);
    }
    rows.push_back(std::move(row));
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.cpu > b.cpu; });
  return rows;
}

std::string one_decimal(double number) {
  char text[32];
  snprintf(text, sizeof text, "%.1f", number);
  return text;
}

// "512", "1.5K", "20.0M".
std::string size_text(double bytes) {
  constexpr const char* kUnits[] = {"K", "M", "G", "T"};
  constexpr double kStep = 1024;
  const char* unit = "";
  for (const char* next : kUnits) {
    if (bytes < kStep) break;
    bytes /= kStep;
    unit = next;
  }
  return *unit == '\0' ? std::to_string(std::lround(bytes)) : one_decimal(bytes) + unit;
}

std::string top_table(const std::vector<Row>& rows) {
  std::vector<std::vector<std::string>> cells = {
      {"NAME", "CPU%", "MEMORY", "TASKS", "SOCKETS", "READ/S", "WRITE/S", "IN/S", "OUT/S", "PID", "PROGRAM"}};
  for (const Row& row : rows) {
    cells.push_back({row.instance.name, one_decimal(row.cpu), size_text(static_cast<double>(row.usage.memory)),
                     std::to_string(row.usage.tasks), std::to_string(row.usage.sockets), size_text(row.read),
                     size_text(row.written), size_text(row.received), size_text(row.sent),
                     std::to_string(row.instance.pid), escape_control(row.instance.program)});
  }
  return table(cells);
}

std::string top_json(const std::vector<Row>& rows) {
  auto tenths = [](double number) { return std::round(number * 10) / 10; };
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    list.push_back({{"name", row.instance.name},
                    {"profile", escape_control(row.instance.profile)},
                    {"pid", row.instance.pid},
                    {"cpu", tenths(row.cpu)},
                    {"memory", row.usage.memory},
                    {"processes", row.usage.processes},
                    {"tasks", row.usage.tasks},
                    {"sockets", row.usage.sockets},
                    {"read", row.usage.read},
                    {"written", row.usage.written},
                    {"received", row.usage.received},
                    {"sent", row.usage.sent},
                    {"read_per_second", std::llround(row.read)},
                    {"written_per_second", std::llround(row.written)},
                    {"received_per_second", std::llround(row.received)},
                    {"sent_per_second", std::llround(row.sent)}});
  }
  return json_text(list);
}

// As much of `text` as the window holds.
std::string fit(const std::string& text, const winsize& window) {
  std::string shown;
  std::vector<std::string> lines = split(text, '\n');
  if (window.ws_row > 1 && lines.size() >= window.ws_row) lines.resize(window.ws_row - 1);
  for (std::string& line : lines) {
    // A line with other letters than ASCII is cut earlier than need be, and whole letters stay.
    while (window.ws_col > 0 && line.size() > window.ws_col) {
      do line.pop_back();
      while (!line.empty() && !is_utf8(line));
    }
    shown += line + "\n";
  }
  if (!shown.empty()) shown.pop_back();
  return shown;
}

// Until the user ends it. The terminal's modes are left alone, so a signal may do that.
[[noreturn]] void watch(const std::string& home) {
  Sample before = take_sample(home);
  for (;;) {
    poll(nullptr, 0, kIntervalMs);
    Sample after = take_sample(home);
    winsize window{};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
    constexpr char kClear[] = "\x1b[H\x1b[J";
    std::string text = kClear + fit(top_table(compare(before, after)), window);
    if (fputs(text.c_str(), stdout) < 0 || fflush(stdout) != 0) throw Error("top", "the terminal is gone");
    before = std::move(after);
  }
}

}  // namespace

int run_top(const Context& context, const std::vector<std::string>& arguments) {
  bool json = parse_words("top", arguments, {"--json"}, 0).has("--json");
  const std::string home = context.host.home();
  if (!json && isatty(STDOUT_FILENO)) watch(home);
  Sample before = take_sample(home);
  poll(nullptr, 0, kIntervalMs);
  std::vector<Row> rows = compare(before, take_sample(home));
  std::string text = json ? top_json(rows) : top_table(rows);
  print(text);
  return 0;
}

}  // namespace sbox
