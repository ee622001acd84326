// swap: exchanges one pair of paths after the other and back again, at random moments, until killed: what a hostile
// program does in its own directories while another sandbox starts. swap PATH OTHER [PATH OTHER...]
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_MICROSECONDS = 4000 };

static void wait_a_little(void) {
  struct timespec time = {0, (rand() % MOST_MICROSECONDS) * 1000};
  nanosleep(&time, NULL);
}

static int exchange(const char *a, const char *b) { return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE); }

int main(int argc, char **argv) {
  puts("begun");
  fflush(stdout);
  for (;;) {
    for (int i = 1; i + 1 < argc; i += 2) {
      if (exchange(argv[i], argv[i + 1]) != 0) return 1;
      wait_a_little();
      if (exchange(argv[i], argv[i + 1]) != 0) return 1;
      wait_a_little();
    }
  }
}
