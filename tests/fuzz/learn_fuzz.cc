// Traces, which the program that is watched can write to: whatever they hold, what is proposed can be read as a profile
// again, steers no terminal, and shows nothing that is dangerous to show. libFuzzer entry: a trace.
#include <algorithm>

#include "cli/proposal.h"
#include "fuzz.h"
#include "profile/dangers.h"
#include "profile/ini.h"
#include "profile/values.h"
#include "tests/unit/plan/fake_host.h"

namespace {

using namespace sbox;
using fuzz::require;

// A host with the files of the seeds, and the sandbox in which sbox learns there.
struct Scene {
  testing::FakeHost host;
  Profile profile;
  Request request{"true", {"doc/letter"}, "", "/usr/local", false};
  Plan plan;
  std::vector<Block> blocks;

  Scene() {
    for (const char* path : {"/home/ann/doc/letter", "/home/ann/.ssh/id", "/etc/odd.conf", "/srv/data"})
      host.file(path);
    host.node("/dev/video0", FileKind::character_device);
    set(profile, Key::home_mode, "overlay");
    set(profile, Key::home_overlay, "sbox-learn");
    set(profile, Key::dbus_talk, "org.freedesktop.Notifications");
    set(profile, Key::seccomp_mode, "none");
    profile.rename("learn", "");
    plan = make_plan(profile, request, host);
    blocks.push_back({"lib/notifications", {}});
    set(blocks.back().profile, Key::dbus_session, "filtered");
    set(blocks.back().profile, Key::dbus_talk, "org.freedesktop.Notifications");
  }
  static void set(Profile& profile, Key key, const std::string& value) { profile.assign(key, {value, {"scene", 1}}); }
};

void check_line(const ProposedLine& line) {
  if (line.key == Key::profile_include) return;
  check_value(setting(line.key), {line.value, {}});
  if (setting(line.key).type == Type::paths) {
    require(danger_of_path(line.value, line.key == Key::home_keep).empty(), "what is dangerous is proposed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Scene scene;
  learn::Collector collector("/home/ann");
  std::string_view text = fuzz::text_of(data, size);
  while (!text.empty()) collector.add_line(take_part(text, '\n'));
  const learn::Evidence& evidence = collector.evidence();
  bool is_empty = evidence.files.empty() && evidence.sockets.empty() && evidence.bus.empty() &&
                  evidence.names.empty() && evidence.endpoints.empty();
  if (is_empty) return 0;
  Lesson lesson{"prog", scene.request, scene.profile, scene.plan, evidence, {}, true};
  Proposal proposal = propose(lesson, scene.blocks, scene.host);
  std::for_each(proposal.lines.begin(), proposal.lines.end(), check_line);
  std::string made = proposal_text(proposal), shown = made;
  std::erase(shown, '\n');
  require(is_safe_to_show(shown), "the text steers the terminal");
  parse_ini("proposal", made);
  require(!proposal_json(proposal, 0).empty(), "no JSON");
  return 0;
}
