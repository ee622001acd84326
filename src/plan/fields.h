// The members of a Plan, listed once: the encoder, the decoder and the JSON printer walk the same list.
// fields(visitor, object) calls visitor(name, member) for each member in order.
#pragma once

#include <concepts>
#include <type_traits>

#include "plan/plan.h"

namespace sbox {

template <typename T, typename Base>
concept Is = std::same_as<std::remove_const_t<T>, Base>;

template <typename Visitor, Is<Node> T>
void fields(Visitor& visit, T& node) {
  visit("kind", node.kind);
  visit("target", node.target);
  visit("source", node.source);
  visit("content", node.content);
  visit("mode", node.mode);
  visit("is_file", node.is_file);
  visit("writable", node.writable);
  visit("executable", node.executable);
  visit("device", node.device);
  visit("make_target", node.make_target);
  visit("guarded", node.guarded);
  visit("required", node.required);
  visit("size", node.size);
  visit("inodes", node.inodes);
  visit("origin", node.origin);
}

template <typename Visitor, Is<FilterInstruction> T>
void fields(Visitor& visit, T& instruction) {
  visit("code", instruction.code);
  visit("jump_true", instruction.jump_true);
  visit("jump_false", instruction.jump_false);
  visit("operand", instruction.operand);
}

template <typename Visitor, Is<Filter> T>
void fields(Visitor& visit, T& filter) {
  visit("name", filter.name);
  visit("code", filter.code);
}

template <typename Visitor, Is<LandlockRule> T>
void fields(Visitor& visit, T& rule) {
  visit("path", rule.path);
  visit("access", rule.access);
}

template <typename Visitor, Is<LandlockPort> T>
void fields(Visitor& visit, T& port) {
  visit("port", port.port);
  visit("access", port.access);
}

template <typename Visitor, Is<Landlock> T>
void fields(Visitor& visit, T& landlock) {
  visit("abi", landlock.abi);
  visit("handled", landlock.handled);
  visit("handled_ports", landlock.handled_ports);
  visit("scoped", landlock.scoped);
  visit("rules", landlock.rules);
  visit("ports", landlock.ports);
}

template <typename Visitor, Is<ResourceLimit> T>
void fields(Visitor& visit, T& limit) {
  visit("name", limit.name);
  visit("resource", limit.resource);
  visit("soft", limit.soft);
  visit("hard", limit.hard);
}

template <typename Visitor, Is<CgroupLimit> T>
void fields(Visitor& visit, T& limit) {
  visit("file", limit.file);
  visit("line", limit.line);
  visit("property", limit.property);
  visit("meaning", limit.meaning);
}

template <typename Visitor, Is<Helper> T>
void fields(Visitor& visit, T& helper) {
  visit("name", helper.name);
  visit("argv", helper.argv);
  visit("node", helper.node);
  visit("network", helper.network);
  visit("environment", helper.environment);
  visit("nodes", helper.nodes);
  visit("filters", helper.filters);
  visit("log", helper.log);
}

template <typename Visitor, Is<Overlay> T>
void fields(Visitor& visit, T& overlay) {
  visit("lower", overlay.lower);
  visit("directory", overlay.directory);
  visit("recover", overlay.recover);
}

template <typename Visitor, Is<Plan> T>
void fields(Visitor& visit, T& plan) {
  visit("profile", plan.profile);
  visit("instance", plan.instance);
  visit("listed", plan.listed);
  visit("uid", plan.uid);
  visit("gid", plan.gid);
  visit("own_network", plan.own_network);
  visit("hostname", plan.hostname);
  visit("make_directories", plan.make_directories);
  visit("overlay", plan.overlay);
  visit("nodes", plan.nodes);
  visit("environment", plan.environment);
  visit("directory", plan.directory);
  visit("program", plan.program);
  visit("argv", plan.argv);
  visit("filters", plan.filters);
  visit("landlock", plan.landlock);
  visit("limits", plan.limits);
  visit("cgroup", plan.cgroup);
  visit("seconds", plan.seconds);
  visit("nice", plan.nice);
  visit("io_priority", plan.io_priority);
  visit("helpers", plan.helpers);
  visit("nested_sandbox", plan.nested_sandbox);
  visit("log", plan.log);
  visit("verbose", plan.verbose);
}

}  // namespace sbox
