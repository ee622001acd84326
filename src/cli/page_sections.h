// The page of `sbox explain PROFILE`: its sections, each in the file page_NAME.cc of its group, and what these share.
// All pure. explain_page (explain.h) puts them in order.
#pragma once

#include <string>
#include <string_view>

#include "cli/explain.h"

namespace sbox {

// page_files.cc
void explain_files(Page& page, const Profile& profile, const Plan& plan);
void explain_devices(Page& page, const Plan& plan);
// page_network.cc
void explain_network(Page& page, const Profile& profile);
// page_desktop.cc
void explain_display(Page& page, const Profile& profile, const Plan& plan);
void explain_services(Page& page, const Profile& profile);
// page_buses.cc
void explain_session_bus(Page& page, const Profile& profile);
void explain_system_bus(Page& page, const Profile& profile);
// page_process.cc
void explain_environment(Page& page, const Profile& profile);  // what it learns of user and machine besides files
void explain_process(Page& page, const Profile& profile);
void explain_limits(Page& page, const Profile& profile);
// page_concerns.cc
void explain_concerns(Page& page, const Profile& profile, const Plan& plan);

// The value of a variable inside; "" where there is none.
std::string variable(const Plan& plan, std::string_view name);
// Where the value was written; empty for a default.
std::string origin(const Profile& profile, Key key);

struct RuleRow {
  Key key;
  const char* sentence;
};
void say_if(Page& page, const Profile& profile, Key key, const std::string& sentence);  // where the flag is set
// The sentence and the values of a list below it, where there are any: line by line, or together by their origin.
void list_places(Page& page, const Profile& profile, Key key, const std::string& sentence);
void list_rules(Page& page, const Profile& profile, Key key, const std::string& sentence);

}  // namespace sbox
