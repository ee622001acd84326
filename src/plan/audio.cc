#include "base/strings.h"
#include "plan/agents.h"
#include "plan/paths.h"

namespace sbox {
namespace {

std::string pulse_path(const Inputs& in) {
  constexpr std::string_view kUnix = "unix:";
  std::string server = in.host.variable("PULSE_SERVER").value_or("");
  if (server.starts_with(kUnix)) return server.substr(kUnix.size());
  if (!server.empty()) return server;  // a path, or a server on the network, which is no path
  return in.places.host_runtime.empty() ? "" : join(in.places.host_runtime, "pulse/native");
}

std::string pipewire_path(const Inputs& in) {
  std::string remote = in.host.variable("PIPEWIRE_REMOTE").value_or("pipewire-0");
  if (remote.starts_with('/')) return remote;
  return in.places.host_runtime.empty() || remote.empty() ? "" : join(in.places.host_runtime, remote);
}

}  // namespace

// A sound server that is missing or not ours is none: programs go on without sound.
void plan_audio(const Inputs& in, Draft& draft) {
  bool records = in.profile.flag(Key::audio_record);
  if (!records && !in.profile.flag(Key::audio_playback)) return;
  std::string target = join(in.places.runtime, "pulse/native");
  if (auto socket = service_socket(in.host, pulse_path(in))) {
    if (records) {
      draft.view.place(make_bind(*socket, target, false, true));
      offer(in, draft, {"~/.config/pulse/cookie"});
    } else {
      draft.view.place(make_node(NodeKind::socket, target));
      // A relay that lets sound out and neither recordings in nor orders through.
      draft.plan.helpers.push_back(own_helper(in, "sbox-sound", *socket));
      draft.plan.helpers.back().node = target;
    }
    draft.environment["PULSE_SERVER"] = "unix:" + target;
  }
  // PipeWire's own socket knows no one who may play alone.
  if (!records) return;
  if (auto socket = service_socket(in.host, pipewire_path(in))) {
    draft.view.place(make_bind(*socket, join(in.places.runtime, "pipewire-0"), false, true));
  }
}

}  // namespace sbox
