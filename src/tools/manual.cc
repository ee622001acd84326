// Prints a manual page in which the comments SETTINGS, MACROS, BLOCKS and SYSTEM-CALL-GROUPS (each a line of its own)
// are replaced by the tables of the program, and by what the blocks in PROFILES say of themselves: the two cannot
// disagree.
//
//   manual PAGE.in PROFILES
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "base/error.h"
#include "base/strings.h"
#include "plan/seccomp.h"
#include "profile/macros.h"
#include "profile/reader.h"
#include "profile/settings.h"

namespace {

// Text as roff shows it: a hyphen is meant as one.
std::string roff(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '~') {
      out += "\\(ti";
    } else {
      out += c;
    }
  }
  return out;
}

// Words in short lines, a new one for each sentence; what would be a request is kept from being one.
void print_sentences(std::string_view text) {
  constexpr size_t kWidth = 78;
  std::string line;
  auto flush = [&] {
    if (!line.empty()) printf("%s%s\n", line[0] == '.' || line[0] == '\'' ? "\\&" : "", line.c_str());
    line.clear();
  };
  for (const std::string& word : sbox::split(roff(text), ' ')) {
    if (line.size() + word.size() >= kWidth) flush();
    line += (line.empty() ? "" : " ") + word;
    if (word.ends_with('.')) flush();
  }
  flush();
}

std::string type_name(const sbox::Setting& setting) {
  switch (setting.type) {
    case sbox::Type::boolean:
      return "yes | no";
    case sbox::Type::choice: {
      std::string choices;
      for (char c : setting.choices) choices += c == '|' ? std::string(" | ") : std::string(1, c);
      return choices;
    }
    case sbox::Type::text:
      return "text";
    case sbox::Type::size:
      return "size";
    case sbox::Type::count:
      return "number";
    case sbox::Type::duration:
      return "time";
    case sbox::Type::share:
      return "share";
    case sbox::Type::words:
      return "list of names";
    case sbox::Type::paths:
      return "list of paths";
    case sbox::Type::bus_rules:
      return "list of bus rules";
    case sbox::Type::variables:
      return "list of variables";
    case sbox::Type::assignments:
      return "list of NAME=VALUE";
    case sbox::Type::endpoints:
      return "list";
  }
  return "";
}

void print_settings() {
  std::string_view section;
  for (const sbox::Setting& setting : sbox::settings()) {
    if (setting.section != section) {
      if (!section.empty()) printf(".El\n");
      section = setting.section;
      printf(".Ss Section %s\n.Bl -tag -width Ds\n", roff(section).c_str());
    }
    printf(".It Cm %s No = %s\n", roff(setting.name).c_str(), roff(type_name(setting)).c_str());
    print_sentences(setting.meaning);
    if (!setting.fallback.empty()) printf("Default:\n.Ql %s .\n", roff(setting.fallback).c_str());
    if (setting.where == sbox::Where::file_only) printf("Not with\n.Fl \\-set .\n");
  }
  printf(".El\n");
}

void print_groups() {
  printf(".Bl -tag -width Ds\n");
  for (const sbox::SyscallGroup& group : sbox::syscall_groups()) {
    printf(".It Cm %s%s\n", roff(group.name).c_str(), group.by_default ? " No (default)" : "");
    print_sentences(group.meaning);
  }
  printf(".El\n");
}

void print_blocks(const std::string& profiles) {
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(profiles + "/lib")) files.insert(entry.path());
  printf(".Bl -tag -width Ds\n");
  for (const std::filesystem::path& file : files) {
    sbox::Profile block = sbox::read_profile({{profiles}}, file.string());
    printf(".It Li lib/%s\n", roff(file.stem().string()).c_str());
    print_sentences(block.text(sbox::Key::profile_description) + ".");
  }
  printf(".El\n");
}

void print_macros() {
  printf(".Bl -tag -width Ds\n");
  for (const sbox::Macro& macro : sbox::macros()) {
    printf(".It Li ${%s}\n", roff(macro.name).c_str());
    print_sentences(macro.meaning);
  }
  printf(".El\n");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return fputs("usage: manual PAGE.in PROFILES\n", stderr), 2;
  std::ifstream page(argv[1]);
  if (!page) return fprintf(stderr, "manual: cannot read %s\n", argv[1]), 1;
  for (std::string line; std::getline(page, line);) {
    if (line == ".\\\" SETTINGS") {
      print_settings();
    } else if (line == ".\\\" SYSTEM-CALL-GROUPS") {
      print_groups();
    } else if (line == ".\\\" MACROS") {
      print_macros();
    } else if (line == ".\\\" BLOCKS") {
      print_blocks(argv[2]);
    } else {
      puts(line.c_str());
    }
  }
  return 0;
} catch (const sbox::Error& error) {
  return fprintf(stderr, "manual: %s\n", error.line().c_str()), 1;
} catch (const std::filesystem::filesystem_error& error) {
  return fprintf(stderr, "manual: %s\n", error.what()), 1;
}
