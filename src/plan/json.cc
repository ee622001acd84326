#include "plan/json.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "plan/fields.h"

namespace sbox {
namespace {

using nlohmann::ordered_json;

const char* name_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::directory:
      return "directory";
    case NodeKind::file:
      return "file";
    case NodeKind::follow:
      return "follow";
    case NodeKind::symlink:
      return "symlink";
    case NodeKind::bind:
      return "bind";
    case NodeKind::overlay:
      return "overlay";
    case NodeKind::pin:
      return "pin";
    case NodeKind::hide:
      return "hide";
    case NodeKind::tmpfs:
      return "tmpfs";
    case NodeKind::proc:
      return "proc";
    case NodeKind::devpts:
      return "devpts";
    case NodeKind::socket:
      return "socket";
  }
  return "unknown";
}

std::string hexadecimal(const std::vector<FilterInstruction>& code) {
  std::string text;
  for (const FilterInstruction& one : code) {
    char digits[17];
    snprintf(digits, sizeof digits, "%04x%02x%02x%08x", one.code, one.jump_true, one.jump_false, one.operand);
    text += digits;
  }
  return text;
}

class Printer {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    object_[name] = std::string_view(name) == "mode" ? octal(value) : shown(value);
  }
  ordered_json take() { return std::move(object_); }

 private:
  template <typename T>
  static ordered_json octal(const T& value) {
    if constexpr (std::is_same_v<T, uint32_t>) {
      char digits[16];
      snprintf(digits, sizeof digits, "%04o", value);
      return digits;
    } else {
      return shown(value);
    }
  }
  static ordered_json shown(NodeKind kind) { return name_of(kind); }
  static ordered_json shown(const std::vector<FilterInstruction>& code) { return hexadecimal(code); }
  template <typename T>
  static ordered_json shown(const std::vector<T>& list) {
    ordered_json array = ordered_json::array();
    for (const T& element : list) array.push_back(shown(element));
    return array;
  }
  template <typename T>
  static ordered_json shown(const T& value) {
    if constexpr (std::is_class_v<T> && !std::is_same_v<T, std::string>) {
      Printer inner;
      fields(inner, value);
      return inner.take();
    } else {
      return value;
    }
  }

  ordered_json object_ = ordered_json::object();
};

}  // namespace

std::string plan_json(const Plan& plan) {
  Printer printer;
  fields(printer, plan);
  constexpr int kIndent = 2;
  // In ASCII: it may be read on a terminal.
  return printer.take().dump(kIndent, ' ', true, ordered_json::error_handler_t::replace);
}

}  // namespace sbox
