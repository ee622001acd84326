#include "cli/ask.h"

#include <cstdio>

namespace sbox {

int ask(const std::string& question) {
  fputs(question.c_str(), stderr);
  int first = getchar();
  for (int c = first; c != '\n' && c != EOF;) c = getchar();
  return first;
}

bool is_yes(int answer) { return answer == '\n' || answer == 'y' || answer == 'Y'; }

}  // namespace sbox
