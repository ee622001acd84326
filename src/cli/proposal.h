// What `sbox learn` proposes: the narrowest profile that the evidence of a run supports. Pure but for the host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "learn/evidence.h"
#include "log/denial.h"
#include "plan/host.h"
#include "plan/planner.h"
#include "profile/profile.h"

namespace sbox {

// What strace writes while sbox learns, in the home.
inline constexpr char kTraceName[] = ".sbox-learn.trace";

struct DeniedCall {
  Denial denial;
  std::string by;
  uint64_t count = 0;
};

// What a run has shown.
struct Lesson {
  std::string name;        // of the profile that is to be
  Request request;         // of the program itself
  const Profile& profile;  // by which it ran
  const Plan& plan;
  const learn::Evidence& evidence;
  std::vector<DeniedCall> denied;
  bool succeeded = true;  // the program ended with status 0
};

// A block of lib/, with what it includes.
struct Block {
  std::string name;  // lib/NAME
  Profile profile;
};

struct Reason {
  std::string what;     // "read", "connected to"
  std::string subject;  // the path, host or name: the program's word, not escaped
  learn::Trail trail;
};

struct ProposedLine {
  Key key{};
  std::string value;  // one element of a list
  std::vector<Reason> reasons;
  std::string caution;  // why it is told but not proposed; "" where it is
};

struct Proposal {
  std::string name, program;
  std::vector<ProposedLine> lines;      // in the order of the settings
  std::vector<ProposedLine> not_taken;  // told as comments
  std::vector<std::string> remarks;     // what no line says
};

// Error where the program itself cannot be planned for.
Proposal propose(const Lesson& lesson, const std::vector<Block>& blocks, const Host& host);

// The profile that these lines make; ends with a newline.
std::string proposal_text(const Proposal& proposal);
std::string proposal_json(const Proposal& proposal, int status);
// One line as it is asked for: "[network] connect = tcp example.org:443".
std::string proposed_line_text(const ProposedLine& line);
// "connected to example.org:443, by curl (connect), 2 times"
std::string reasons_text(const ProposedLine& line);

// Paths of the home that no program sees while sbox learns: keys, passwords, what browsers know. Each begins with ~/.
std::vector<std::string> secret_paths();

}  // namespace sbox
