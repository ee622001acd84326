// The supervisor's side of the streams: copies between the caller's descriptors and the pipes or pty of the sandbox.
// Blocks in no read or write that poll(2) has not promised; nothing of the copied bytes is looked at.
#pragma once

#include <poll.h>

#include <memory>
#include <vector>

#include "launcher/stdio.h"

namespace sbox {

// One direction. Owns what it was given ownership of; the caller's 0, 1, 2 are only borrowed.
struct Channel {
  int from = -1, to = -1;
  UniqueFd owned_from, owned_to;
  bool is_output = false;    // from the sandbox: must be drained before the end
  bool is_screen = false;    // to the caller's terminal
  bool is_shared = false;    // the caller's end may be others' too
  bool is_keyboard = false;  // from the caller's terminal: only while in the foreground
  std::unique_ptr<char[]> buffer;
  size_t begin = 0, end = 0;

  bool is_open() const { return from >= 0 || begin < end; }
};

class Relay {
 public:
  // Takes the outside ends of the pipes.
  explicit Relay(Stdio& stdio);
  void add_terminal(const Stdio& stdio, UniqueFd master);

  // Adds what to wait for to `polled`; `keyboard`: the caller's terminal may be read.
  void prepare(std::vector<pollfd>& polled, bool keyboard) const;
  // Moves what can be moved after poll(2). `is_over`: the sandbox has ended, so what it has not written by now never
  // comes.
  void work(const std::vector<pollfd>& polled, bool is_over);
  // Whether everything that the sandbox wrote has been handed on. After the sandbox has ended.
  bool is_drained() const;
  // Whether there is output that its reader has not taken.
  bool has_pending() const;
  // The errno by which output of the sandbox was lost, but for a reader that has gone; 0 where nothing was.
  int lost_output() const { return lost_; }
  int terminal_master() const { return master_.get(); }

 private:
  void add(Channel channel) { channels_.push_back(std::move(channel)); }

  std::vector<Channel> channels_;
  UniqueFd master_;
  int lost_ = 0;
};

}  // namespace sbox
