// compat: asks for a user namespace through the 32-bit entry (int 0x80, other call numbers) of an x86_64 kernel and
// prints the result, "unsupported" where there is no such entry. A filter that ends the caller is fine, too.
#include <stdio.h>

int main(void) {
#ifdef __x86_64__
  enum { UNSHARE_OF_I386 = 310, CLONE_NEWUSER_FLAG = 0x10000000 };
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(UNSHARE_OF_I386), "b"(CLONE_NEWUSER_FLAG) : "memory", "r8", "r9", "r10", "r11");
  printf("%ld\n", (long)(int)result);
#else
  puts("unsupported");
#endif
  return 0;
}
