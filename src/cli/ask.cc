#include "cli/ask.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "base/typed.h"

namespace sbox {
namespace {

// The rest of what a terminal said may come now, with an escape or a bell at its end.
int answer_of(const std::string& line) {
  bool is_word = std::all_of(line.begin(), line.end(), [](unsigned char c) { return isalpha(c); });
  if (!is_word) return '?';
  return line.empty() ? '\n' : line[0];
}

}  // namespace

std::optional<std::string> ask_for_line(const std::string& question) {
  // In front of the end of a line it does not show.
  tcflush(0, TCIFLUSH);
  forget_typed(0);
  fputs(question.c_str(), stderr);
  std::string line;
  for (int c = 0; (c = getchar()) != '\n';) {
    if (c == EOF) return std::nullopt;
    line += static_cast<char>(c);
  }
  return line;
}

int ask(const std::string& question) {
  std::optional<std::string> line = ask_for_line(question);
  return line ? answer_of(*line) : EOF;
}

bool is_yes(int answer) { return answer == '\n' || answer == 'y' || answer == 'Y'; }

}  // namespace sbox
