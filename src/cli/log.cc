#include "cli/log.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/page.h"
#include "cli/print.h"
#include "cli/words.h"
#include "log/bus_denial.h"
#include "log/connection_denial.h"
#include "log/words.h"
#include "plan/places.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

// "2026-11-22 12:30:05"
std::string date_and_time(int64_t seconds) {
  time_t time = seconds;
  tm parts{};
  char text[64];
  if (localtime_r(&time, &parts) == nullptr) return std::to_string(seconds);
  return std::string(text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts));
}

// "12:30:05"
std::string time_of_day(int64_t seconds) {
  std::string whole = date_and_time(seconds);
  return whole.substr(std::min(whole.find(' ') + 1, whole.size()));
}

std::string times(uint64_t count) { return count == 1 ? "once" : std::to_string(count) + " times"; }

std::string sentence(const LogRecord& record, const Denial& denial) {
  std::string who = process_name(record);
  std::string text = time_of_day(record.first) + "  " + denial.call + "(" + denial.arguments + "), " +
                     times(record.count) + ", by process " + std::to_string(record.process);
  if (!who.empty()) text += " that calls itself '" + who + "'";
  return text + ": " + error_name(record.error);
}

// By its name where that leads to the same file, so that drop-ins count.
Profile current_profile(const SearchPath& search, const LogHeader& header) {
  try {
    Profile named = read_profile(search, header.profile);
    if (named.path() == header.profile_file) return named;
  } catch (const Error&) {
    // It was a file.
  }
  return read_profile(search, header.profile_file);
}

// What a line of the profile took away by name, that line gives back.
std::string remedy_of(const SearchPath& search, const Log& log, const Denial& denial) {
  const SyscallGroup* group = group_of(denial.call);
  if (!denial.remedy.empty() || group == nullptr || !group->by_default) return denial.remedy;
  try {
    Profile profile = current_profile(search, log.header);
    for (const Value& word : profile.list(Key::seccomp_deny)) {
      const SyscallGroup* named = find_group(word.text);
      bool names_it = named != nullptr ? named == group : word.text == denial.call;
      if (names_it) return "without " + word.origin.text();
    }
  } catch (const Error&) {
    // The profile may be another by now, or a file that was named for one run.
  }
  return "";
}

bool is_same(const LogRecord& a, const Denial& of_a, const LogRecord& b, const Denial& of_b) {
  return of_a == of_b && a.error == b.error && a.name == b.name;
}

// Calls differ in registers that they do not use too: what reads the same is one denial.
void add_denial(Run& run, const LogRecord& record, Denial denial) {
  for (size_t i = 0; i < run.denials.size(); ++i) {
    LogRecord& known = run.log.records[i];
    if (!is_same(known, run.denials[i], record, denial)) continue;
    known.count += record.count;
    known.first = std::min(known.first, record.first);
    known.last = std::max(known.last, record.last);
    return;
  }
  run.log.records.push_back(record);
  run.denials.push_back(std::move(denial));
}

Run make_run(const Context& context, const std::string& home, const StoredLog& stored) {
  std::optional<Log> log = parse_log(read_log(home, stored));
  if (!log) throw Error("the log " + quote(stored.file), "it cannot be read").hint("remove it");
  Run run{{log->header, {}, log->others, log->notes, log->other_notes}, stored.is_running, {}};
  for (const LogRecord& record : log->records) {
    Denial denial = describe(record, log->header.policy);
    denial.remedy = remedy_of(context.search, *log, denial);
    add_denial(run, record, std::move(denial));
  }
  return run;
}

std::string program_of(const std::string& home, const StoredLog& stored) {
  std::optional<Log> log = parse_log(read_log(home, stored));
  return log ? log->header.program.substr(log->header.program.rfind('/') + 1) : "";
}

// The newest of all, or of one instance, else of a program; with `all`, every one that is kept.
std::vector<StoredLog> wanted(std::vector<StoredLog> logs, const std::string& home, const std::string& name, bool all) {
  auto is_of = [&](const StoredLog& log) { return log.instance == name; };
  bool is_instance = std::any_of(logs.begin(), logs.end(), is_of);
  std::erase_if(logs, [&](const StoredLog& log) {
    return !name.empty() && !is_of(log) && (is_instance || program_of(home, log) != name);
  });
  if (logs.size() > 1 && !all) logs.resize(1);
  return logs;
}

Error nothing_kept(const std::vector<StoredLog>& logs, const std::string& instance) {
  std::vector<std::string> names;
  for (const StoredLog& log : logs) names.push_back(log.instance);
  std::optional<std::string> near = nearest(instance, names);
  return Error("log", instance.empty() ? "no run has left one" : "no run of " + quote(instance) + " has left one")
      .hint(near ? "did you mean " + *near + "?" : "start the program by sbox first");
}

std::string when_and_how_often(const Note& note, const std::string& what) {
  return time_of_day(note.first) + "  " + what + ", " + times(note.count);
}

void say_bus_denial(Page& page, const Note& note, const BusDenial& denial) {
  page.say(when_and_how_often(note, sentence_of(denial)));
  if (denial.remedy.empty()) return page.item("No line allows it.", denial.why);
  page.item(denial.remedy + (denial.with.empty() ? "" : ", with " + denial.with), denial.why);
  if (!denial.wider.empty() && denial.wider != denial.remedy) page.item("or all of that name: " + denial.wider);
}

void say_connection(Page& page, const Note& note, const ConnectionDenial& denial) {
  page.say(when_and_how_often(note, sentence_of(denial)));
  page.item(denial.remedy.empty() ? "No line allows it." : denial.remedy, denial.why);
}

void say_run(Page& page, const Run& run) {
  const LogHeader& header = run.log.header;
  page.heading(header.instance + ": " + header.program + ", " + date_and_time(header.started) +
               (run.is_running ? ", running" : ""));
  if (header.profile != header.instance) page.say("By the profile " + header.profile + ".");
  if (run.log.records.empty() && run.log.notes.empty()) page.say("Nothing was denied.");
  for (size_t i = 0; i < run.log.records.size(); ++i) {
    const Denial& denial = run.denials[i];
    page.say(sentence(run.log.records[i], denial));
    page.item(denial.remedy.empty() ? "No line allows it alone." : denial.remedy, denial.why);
  }
  for (const Note& note : run.log.notes) {
    if (is_of_bus(note)) say_bus_denial(page, note, describe_bus(note, header));
    if (is_of_network(note)) say_connection(page, note, describe_connection(note, header));
  }
  if (uint64_t others = run.log.others + run.log.other_notes; others > 0)
    page.say("And " + std::to_string(others) + " more, of which nothing else is known.");
  for (const Note& note : run.log.notes) {
    if (note.kind == NoteKind::said) page.say(time_of_day(note.first) + "  " + words_of(note)[0]);
  }
}

}  // namespace

std::string runs_text(const std::vector<Run>& runs) {
  Page page;
  for (const Run& run : runs) say_run(page, run);
  return page.text();
}

namespace {

using nlohmann::ordered_json;

ordered_json bus_denials_json(const Run& run) {
  ordered_json list = ordered_json::array();
  for (const Note& note : run.log.notes) {
    if (!is_of_bus(note)) continue;
    BusDenial denial = describe_bus(note, run.log.header);
    list.push_back({{"bus", denial.bus},
                    {"kind", denial.kind},
                    {"name", denial.name},
                    {"interface", denial.interface},
                    {"member", denial.member},
                    {"path", denial.path},
                    {"count", note.count},
                    {"first", note.first},
                    {"last", note.last},
                    {"why", denial.why},
                    {"remedy", denial.remedy},
                    {"wider", denial.wider},
                    {"with", denial.with}});
  }
  return list;
}

ordered_json said_json(const Run& run) {
  ordered_json list = ordered_json::array();
  for (const Note& note : run.log.notes) {
    if (note.kind == NoteKind::said) list.push_back({{"time", note.first}, {"text", words_of(note)[0]}});
  }
  return list;
}

// Connections, or names that were not looked up, which have neither address nor port.
ordered_json connections_json(const Run& run, NoteKind kind) {
  ordered_json list = ordered_json::array();
  for (const Note& note : run.log.notes) {
    if (note.kind != kind) continue;
    ConnectionDenial denial = describe_connection(note, run.log.header);
    ordered_json each = {{"name", denial.name}, {"count", note.count}, {"first", note.first},
                         {"last", note.last},   {"why", denial.why},   {"remedy", denial.remedy}};
    if (kind == NoteKind::connection) {
      each["protocol"] = denial.protocol;
      each["address"] = denial.address;
      each["port"] = denial.port;
    }
    list.push_back(std::move(each));
  }
  return list;
}

}  // namespace

std::string runs_json(const std::vector<Run>& runs) {
  ordered_json list = ordered_json::array();
  for (const Run& run : runs) {
    const LogHeader& header = run.log.header;
    ordered_json denied = ordered_json::array();
    for (size_t i = 0; i < run.log.records.size(); ++i) {
      const LogRecord& record = run.log.records[i];
      const Denial& denial = run.denials[i];
      denied.push_back({{"call", denial.call},
                        {"arguments", denial.arguments},
                        {"error", error_name(record.error)},
                        {"count", record.count},
                        {"first", record.first},
                        {"last", record.last},
                        {"pid", record.process},
                        {"process", process_name(record)},
                        {"why", denial.why},
                        {"remedy", denial.remedy}});
    }
    list.push_back({{"instance", header.instance},
                    {"profile", header.profile},
                    {"program", header.program},
                    {"started", header.started},
                    {"running", run.is_running},
                    {"denied_calls", denied},
                    {"others", run.log.others},
                    {"denied_on_buses", bus_denials_json(run)},
                    {"denied_connections", connections_json(run, NoteKind::connection)},
                    {"said", said_json(run)},
                    {"denied_names", connections_json(run, NoteKind::host_name)},
                    {"other_notes", run.log.other_notes}});
  }
  return json_text({{"runs", list}});
}

int run_log(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse_words("log", arguments, {"--all", "--json"}, 1);
  std::string home = find_places(context.host).home, instance = words.name();
  std::vector<StoredLog> logs = stored_logs(home), chosen = wanted(logs, home, instance, words.has("--all"));
  if (chosen.empty()) throw nothing_kept(logs, instance);
  std::vector<Run> runs;
  for (const StoredLog& log : chosen) runs.push_back(make_run(context, home, log));
  print(words.has("--json") ? runs_json(runs) : runs_text(runs));
  return 0;
}

}  // namespace sbox
