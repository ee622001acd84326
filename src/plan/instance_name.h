// Names of instances: PROFILE, PROFILE-2 and so on, or what the user says. What follows an @ names the private home.
#pragma once

#include <string>
#include <string_view>

namespace sbox {

// 1 to 64 letters, digits and . _ + @ -, the first no . and no -, and something behind each @.
bool is_instance_name(std::string_view name);

// The profile's name, or what is nearest to it among the names of instances.
std::string instance_name_for(std::string_view profile);

// "work" of "firefox@work"; "" where there is none.
std::string_view home_tag(std::string_view instance);

}  // namespace sbox
