// compile-filters SEARCHDIR OUTDIR: stores the seccomp filters of every profile in SEARCHDIR, so that no start has to
// compile them. Build time; profiles of other directories, and drop-ins, do not count.
#include <cstdio>

#include "base/error.h"
#include "plan/seccomp.h"
#include "profile/reader.h"

namespace {

void write_for_all(const std::string& profiles, const std::string& output) {
  const sbox::SearchPath search{{profiles}};
  for (const std::string& name : sbox::list_profiles(search)) {
    sbox::Profile profile = sbox::read_profile(search, name);
    if (profile.text(sbox::Key::seccomp_mode) == "none") continue;
    sbox::write_filters(sbox::seccomp_policy(profile), output);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fputs("usage: compile-filters SEARCHDIR OUTDIR\n", stderr);
    return sbox::kExitFailure;
  }
  try {
    write_for_all(argv[1], argv[2]);
    sbox::write_filters(sbox::network_helper_policy(), argv[2]);
    return 0;
  } catch (const sbox::Error& error) {
    fprintf(stderr, "%s\n", error.line().c_str());
    return error.exit_status();
  }
}
