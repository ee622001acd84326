#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// A sound server that is missing or not ours is none: programs go on without sound.
std::optional<std::string> own_socket(const Inputs& in, const std::string& path) {
  std::optional<std::string> normal = normalise(path);
  if (!normal || has_control(*normal)) return std::nullopt;
  Resolved found = in.host.resolve(*normal);
  bool trusted = found.status.uid == in.host.uid() || found.status.uid == 0;
  if (found.status.kind != FileKind::socket || !trusted) return std::nullopt;
  return found.path;
}

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

void plan_audio(const Inputs& in, Draft& draft) {
  if (!in.profile.flag(Key::audio_playback)) return;
  if (auto socket = own_socket(in, pulse_path(in))) {
    std::string target = join(in.places.runtime, "pulse/native");
    draft.view.place(make_bind(*socket, target, false, true));
    draft.environment["PULSE_SERVER"] = "unix:" + target;
    offer(in, draft, {"~/.config/pulse/cookie"});
  }
  if (auto socket = own_socket(in, pipewire_path(in))) {
    draft.view.place(make_bind(*socket, join(in.places.runtime, "pipewire-0"), false, true));
  }
}

}  // namespace sbox
