// Makes a plan from a few lines of settings on a fake host, and looks into it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fake_host.h"
#include "plan/paths.h"
#include "plan/plan.h"
#include "plan/planner.h"
#include "profile/profile.h"

namespace sbox::testing {

class Planning : public ::testing::Test {
 protected:
  // One line each; the line number is the origin.
  void set(Key key, const std::string& text) { profile.assign(key, Value{text, Origin{"test.profile", ++line}}); }

  Plan plan() {
    profile.rename("test", "");
    return make_plan(profile, request, host);
  }

  // The text of the error; "" when there is none.
  std::string fault() {
    try {
      plan();
    } catch (const Error& error) {
      return error.line();
    }
    return "";
  }

  static const Node* find(const Plan& plan, const std::string& target) {
    for (const Node& node : plan.nodes) {
      if (node.target == target) return &node;
    }
    return nullptr;
  }

  // "KIND", with "rw" or "ro" for a bind, "none" where there is no node.
  static std::string what(const Plan& plan, const std::string& target) {
    constexpr const char* kNames[] = {"directory", "file", "follow", "symlink", "bind",   "overlay",
                                      "pin",       "hide", "tmpfs",  "proc",    "devpts", "socket"};
    const Node* node = find(plan, target);
    if (!node) return "none";
    if (node->kind == NodeKind::bind) return node->writable ? "rw" : "ro";
    return kNames[static_cast<int>(node->kind)];
  }

  static std::string variable(const Plan& plan, const std::string& name) {
    for (const std::string& entry : plan.environment) {
      if (entry.starts_with(name + "=")) return entry.substr(name.size() + 1);
    }
    return "unset";
  }

  FakeHost host;
  Profile profile;
  Request request{"true", {}, "", "/usr/local", false};
  int line = 0;
};

}  // namespace sbox::testing
