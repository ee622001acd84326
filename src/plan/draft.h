// What the concerns of the planner read and what they add to.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/host.h"
#include "plan/places.h"
#include "plan/plan.h"
#include "plan/planner.h"
#include "plan/view.h"
#include "profile/profile.h"

namespace sbox {

struct Inputs {
  const Profile& profile;
  const Request& request;
  const Host& host;
  const Places& places;
};

struct Draft {
  Plan plan;
  MountView view;
  std::map<std::string, std::string> environment;
  // Directories that relative words of the command line lead through, canonical: so that the words mean the same
  // inside, they are there, if only empty.
  std::vector<std::string> passed;
};

// One function for each concern, in a file of its name.
void plan_system(const Inputs& in, Draft& draft);   // /usr, /dev, /proc, /tmp and the rest of what every sandbox has
void plan_etc(const Inputs& in, Draft& draft);      // /etc: generated files and entries of the host
void plan_home(const Inputs& in, Draft& draft);     // [home]
void plan_files(const Inputs& in, Draft& draft);    // [files] and the files of the command line
void plan_devices(const Inputs& in, Draft& draft);  // [devices]
void plan_display(const Inputs& in, Draft& draft);  // [display]
void plan_audio(const Inputs& in, Draft& draft);    // [audio]
void plan_desktop(const Inputs& in, Draft& draft);  // [desktop]
void plan_portals(const Inputs& in, Draft& draft);  // [desktop] portals
void plan_dbus(const Inputs& in, Draft& draft);     // [dbus]
void plan_network(const Inputs& in, Draft& draft);  // [network]
void plan_sockets(const Inputs& in, Draft& draft);  // sockets of the host below granted directories
void plan_limits(const Inputs& in, Draft& draft);   // [limits]
void plan_seccomp(const Inputs& in, Draft& draft);  // [seccomp]
void plan_environment(const Inputs& in, Draft& draft);  // [environment]; what the others set stays
void plan_program(const Inputs& in, Draft& draft);      // the program and its arguments

// Error for what refuses the start on any host, whatever is started.
void check_home(const Profile& profile);
void check_limits(const Profile& profile);
void check_app_id(const Profile& profile);
void check_etc(const Value& value);

// These need the nodes of draft.plan.
void make_own_directories(const Inputs& in, Plan& plan);
void make_passed_directories(const std::vector<std::string>& passed, Plan& plan);  // in a home of the profile's own
void check_program(const Inputs& in, const Plan& plan);                            // visible inside, else Error
std::string directory_inside(const Inputs& in, const std::vector<std::string>& passed, const Plan& plan);
Landlock landlock_for(const Inputs& in, const std::vector<Node>& nodes);
void check_protected(const Inputs& in, const Plan& plan);  // also from a program that mounts; needs the Landlock rules

// Programs and libraries: offered read-only to every sandbox.
inline constexpr const char* kSystemDirectories[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

// The path of a program that is trusted with the session: only root can have put it there.
std::optional<std::string> trusted_program(const Inputs& in, const std::string& name);

// A helper without rights but those that its view grants: its program and libraries at first.
Helper new_helper(const Inputs& in, const std::string& name, std::vector<std::string> argv);
MountView view_for_helper(const Inputs& in);
// One of sbox's own static programs, called as NAME READY SERVER ARGUMENT..., which stands between the sandbox and the
// socket `server` of the host (canonical). Its tree holds these two and nothing else.
Helper own_helper(const Inputs& in, const std::string& name, const std::string& server,
                  const std::vector<std::string>& arguments = {});

// The directory of the private home: PROFILE, or PROFILE@TAG of an instance NAME@TAG.
std::string home_name(const Inputs& in);

// The name by which portals know the program.
std::string app_id(const Inputs& in);

// The shell that users inside have.
std::string shell_inside(const Host& host);

// Offers a row of host paths read-only; "~/" in front means the home.
void offer(const Inputs& in, Draft& draft, std::initializer_list<const char*> paths);

}  // namespace sbox
