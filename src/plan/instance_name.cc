#include "plan/instance_name.h"

#include <algorithm>
#include <cctype>

namespace sbox {
namespace {

constexpr size_t kLongest = 64;
constexpr size_t kLongestOfProfile = 56;  // leaves room for a number

bool is_letter(char c) {
  return isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("._+@-").find(c) != std::string_view::npos;
}

}  // namespace

bool is_instance_name(std::string_view name) {
  bool ok = !name.empty() && name.size() <= kLongest && name[0] != '-' && name[0] != '.' && name[0] != '@' &&
            name.back() != '@' && std::all_of(name.begin(), name.end(), is_letter);
  return ok && std::count(name.begin(), name.end(), '@') <= 1;
}

std::string instance_name_for(std::string_view profile) {
  std::string name(profile.substr(0, kLongestOfProfile));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '@' || !is_letter(c); }, '_');
  if (name.empty() || name[0] == '-' || name[0] == '.') name.insert(0, 1, '_');
  return name;
}

std::string_view home_tag(std::string_view instance) {
  size_t at = instance.find('@');
  return at == std::string_view::npos ? std::string_view() : instance.substr(at + 1);
}

}  // namespace sbox
