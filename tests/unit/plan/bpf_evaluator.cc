#include "bpf_evaluator.h"

#include <linux/filter.h>

#include <cstring>
#include <stdexcept>

namespace sbox::test {
namespace {

// What libseccomp emits; anything else is as unexpected here as it would be to a reader.
enum Code : uint16_t {
  kLoad = BPF_LD | BPF_W | BPF_ABS,
  kAnd = BPF_ALU | BPF_AND | BPF_K,
  kReturn = BPF_RET | BPF_K,
  kJump = BPF_JMP | BPF_JA,
  kIfEqual = BPF_JMP | BPF_JEQ | BPF_K,
  kIfGreater = BPF_JMP | BPF_JGT | BPF_K,
  kIfGreaterEqual = BPF_JMP | BPF_JGE | BPF_K,
  kIfSet = BPF_JMP | BPF_JSET | BPF_K,
};

uint32_t load(const seccomp_data& call, uint32_t offset) {
  if (offset % 4 != 0 || offset + 4 > sizeof call) throw std::runtime_error("load outside the data");
  uint32_t word = 0;
  memcpy(&word, reinterpret_cast<const char*>(&call) + offset, sizeof word);
  return word;
}

bool holds(uint16_t code, uint32_t accumulator, uint32_t operand) {
  switch (code) {
    case kIfEqual:
      return accumulator == operand;
    case kIfGreater:
      return accumulator > operand;
    case kIfGreaterEqual:
      return accumulator >= operand;
    case kIfSet:
      return (accumulator & operand) != 0;
    default:
      throw std::runtime_error("unexpected instruction " + std::to_string(code));
  }
}

// Smaller is stricter; killing is the smallest as a signed number.
int32_t strictness(uint32_t action) { return static_cast<int32_t>(action & SECCOMP_RET_ACTION_FULL); }

std::string mnemonic(uint16_t code) {
  switch (code) {
    case kIfEqual:
      return "jeq";
    case kIfGreater:
      return "jgt";
    case kIfGreaterEqual:
      return "jge";
    case kIfSet:
      return "jset";
    default:
      throw std::runtime_error("unexpected instruction " + std::to_string(code));
  }
}

std::string hexadecimal(uint32_t number) {
  char text[16];
  snprintf(text, sizeof text, "0x%x", number);
  return text;
}

std::string location(uint32_t offset) {
  if (offset == offsetof(seccomp_data, nr)) return "number";
  if (offset == offsetof(seccomp_data, arch)) return "architecture";
  uint32_t word = (offset - static_cast<uint32_t>(offsetof(seccomp_data, args))) / 4;
  return "argument " + std::to_string(word / 2) + (word % 2 == 0 ? " low" : " high");
}

std::string action_text(uint32_t action) {
  switch (action & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
      return "allow";
    case SECCOMP_RET_KILL_PROCESS:
      return "kill";
    case SECCOMP_RET_ERRNO:
      return std::string("fail ") + strerrorname_np(static_cast<int>(action & SECCOMP_RET_DATA));
    default:
      return hexadecimal(action);
  }
}

std::string instruction_text(const FilterInstruction& line, size_t at) {
  switch (line.code) {
    case kLoad:
      return "load " + location(line.operand);
    case kAnd:
      return "and " + hexadecimal(line.operand);
    case kReturn:
      return action_text(line.operand);
    case kJump:
      return "jump " + std::to_string(at + 1 + line.operand);
    default:
      return mnemonic(line.code) + " " + hexadecimal(line.operand) + " " + std::to_string(at + 1 + line.jump_true) +
             " else " + std::to_string(at + 1 + line.jump_false);
  }
}

}  // namespace

Verdict evaluate(const Filter& filter, const seccomp_data& call) {
  Verdict verdict;
  uint32_t accumulator = 0;
  for (size_t at = 0; at < filter.code.size(); ++at) {
    const FilterInstruction& line = filter.code[at];
    switch (line.code) {
      case kLoad:
        accumulator = load(call, line.operand);
        verdict.saw_arguments |= line.operand >= offsetof(seccomp_data, instruction_pointer);
        break;
      case kAnd:
        accumulator &= line.operand;
        break;
      case kReturn:
        verdict.action = line.operand;
        return verdict;
      case kJump:
        at += line.operand;
        break;
      default:
        at += holds(line.code, accumulator, line.operand) ? line.jump_true : line.jump_false;
    }
  }
  throw std::runtime_error("program ends without a verdict");
}

Verdict evaluate(const std::vector<Filter>& filters, const seccomp_data& call) {
  Verdict whole;
  for (auto filter = filters.rbegin(); filter != filters.rend(); ++filter) {
    Verdict one = evaluate(*filter, call);
    whole.saw_arguments |= one.saw_arguments;
    if (strictness(one.action) < strictness(whole.action)) whole.action = one.action;
  }
  return whole;
}

std::string disassemble(const Filter& filter) {
  std::string text = filter.name + ": " + std::to_string(filter.code.size()) + " instructions\n";
  for (size_t at = 0; at < filter.code.size(); ++at) {
    text += std::to_string(at) + ": " + instruction_text(filter.code[at], at) + "\n";
  }
  return text;
}

}  // namespace sbox::test
