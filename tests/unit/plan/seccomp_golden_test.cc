// The programs as they are, for a reader of changes. SBOX_ACCEPT_GOLDEN=1 writes them anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "seccomp_policies.h"

namespace sbox::test {
namespace {

class SeccompGolden : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(, SeccompGolden, testing::Values("x86_64", "aarch64"));

// Relative to the directory of this source, which the compiler was given relative to the top of the tree.
std::string golden_file(const std::string& name) {
  std::string source = __FILE__;
  return source.substr(0, source.rfind("tests/unit/")) + "tests/golden/seccomp/" + name;
}

TEST_P(SeccompGolden, TheDefaultFiltersAreTheOnesThatWereReviewed) {
  const scmp_version* library = seccomp_version();
  if (library->major != 2 || library->minor != 5 || library->micro != 4) {
    GTEST_SKIP() << "another libseccomp than 2.5.4 may write the same rules in another order";
  }
  std::string text;
  for (const Filter& filter : compile_filters(default_policy(GetParam()))) text += disassemble(filter) + "\n";
  std::string path = golden_file("default." + GetParam() + ".txt");
  if (getenv("SBOX_ACCEPT_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream in(path);
  std::string reviewed{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(text == reviewed) << path << " differs; run again with SBOX_ACCEPT_GOLDEN=1 and look at the change";
}

}  // namespace
}  // namespace sbox::test
