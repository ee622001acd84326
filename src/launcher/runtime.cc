// The trusted core uses the standard library's headers only. What they call when something goes wrong ends the process
// here: so neither exceptions nor their unwinder are part of this program, and less of it stays in memory.
#include <unistd.h>

#include <cstdlib>
#include <new>

namespace {

[[noreturn]] void give_up(const char* why, size_t size) {
  constexpr char kStart[] = "sbox: sbox-launch: ";
  (void)!write(2, kStart, sizeof kStart - 1);
  (void)!write(2, why, size);
  _exit(125);
}

template <size_t size>
[[noreturn]] void give_up(const char (&why)[size]) {
  give_up(why, size - 1);
}

}  // namespace

void* operator new(size_t size) {
  void* memory = malloc(size == 0 ? 1 : size);
  if (memory == nullptr) give_up("out of memory\n");
  return memory;
}
void* operator new[](size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

// The library's own brings a demangler along, a tenth of this program.
namespace __gnu_cxx {
[[noreturn]] void __verbose_terminate_handler() { give_up("internal error: terminated\n"); }
}  // namespace __gnu_cxx

namespace std {
[[noreturn]] void __throw_bad_alloc() { give_up("out of memory\n"); }
[[noreturn]] void __throw_bad_array_new_length() { give_up("out of memory\n"); }
[[noreturn]] void __throw_length_error(const char*) { give_up("a list is too long\n"); }
[[noreturn]] void __throw_logic_error(const char*) { give_up("internal error\n"); }
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) { give_up("internal error: out of range\n"); }
[[noreturn]] void __throw_bad_optional_access() { give_up("internal error: no value\n"); }
void __glibcxx_assert_fail(const char*, int, const char*, const char*) noexcept {
  give_up("internal error: assertion\n");
}
}  // namespace std
