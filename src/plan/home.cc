#include <algorithm>

#include "base/contains.h"
#include "base/mount_path.h"
#include "base/strings.h"
#include "plan/draft.h"
#include "plan/instance_name.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr size_t kLargestMountTable = 16 << 20;

// A profile's name becomes a directory's, with what the instance's says behind an @.
std::string private_home(const Inputs& in) {
  const std::string& name = in.profile.name();
  if (!is_directory_name(name)) {
    throw Error("profile " + quote(name), "its name cannot be that of a private home")
        .at(in.profile.scalar(Key::home_mode).origin)
        .hint("rename the profile");
  }
  return join(data_directory(in.host, in.places), "homes/" + home_name(in));
}

// The kernel shows no mount below what an overlay is made of, and makes none where there is one.
void refuse_mounts_below_home(const Inputs& in) {
  std::string table = in.host.read("/proc/self/mountinfo", kLargestMountTable).value_or("");
  for (std::string_view line : split(table, '\n')) {
    constexpr int kWordsBeforeTarget = 4;
    for (int word = 0; word < kWordsBeforeTarget; ++word) take_part(line, ' ');
    std::string target = unescape_mount_path(take_part(line, ' '));
    if (!is_below(target, in.places.home_canonical)) continue;
    throw Error("home mode = overlay", quote(target) + " is a mount, and no overlay can be made of what holds one")
        .at(in.profile.scalar(Key::home_mode).origin)
        .hint("unmount it, or use private with keep");
  }
}

Error no_overlay(const std::string& name, const Value& named) {
  return Error("overlay " + quote(name), "not a name for an overlay")
      .at(named.origin)
      .hint("set [home] overlay, without a slash and no dot in front");
}

Error no_size(const Profile& profile) {
  const Value& size = profile.scalar(Key::home_size);
  return Error("home size = " + size.text, "files on a disk take no such limit")
      .at(size.origin)
      .hint("leave it out, or set home mode = empty");
}

Error not_in_home(const Value& value, bool is_home) {
  return Error("keep " + quote(value.text), "does not lie below the home directory")
      .at(value.origin)
      .hint(is_home ? "set home mode = host or overlay for the whole home" : "use [files] for paths outside of it");
}

std::string place_of_overlay(const Inputs& in) {
  if (!in.request.throw_away.empty()) return in.request.throw_away;
  const Value& named = in.profile.scalar(Key::home_overlay);
  std::string name = !named.text.empty()           ? named.text
                     : in.request.instance.empty() ? in.profile.name()
                                                   : in.request.instance;
  if (!is_directory_name(name)) throw no_overlay(name, named);
  return join(data_directory(in.host, in.places), "overlays/" + name);
}

void plan_overlay(const Inputs& in, Plan& plan, const std::string& lower) {
  plan.overlay = {.lower = lower, .directory = place_of_overlay(in)};
  for (const char* layer : {"upper", "work"}) plan.make_directories.push_back(join(plan.overlay.directory, layer));
}

// An overlay of nothing: the program begins without a file, and what it makes is there at the end.
void place_blank(const Inputs& in, Draft& draft) {
  std::string lower = join(in.request.throw_away, "lower");
  draft.plan.make_directories.push_back(lower);
  plan_overlay(in, draft.plan, lower);
  Node node = make_bind(lower, in.places.home_canonical, true, false);
  node.kind = NodeKind::overlay;
  draft.view.place(node);
  draft.view.use_private_home();
}

// How a run sees the home directory.
struct Sight {
  bool is_overlay = false, is_whole = false, is_blank = false, is_private = false;
};

// A throw-away run sees no more of it than any other, and makes nothing that stays: not in a private home either.
Sight sight_of(const Inputs& in) {
  const std::string& mode = in.profile.text(Key::home_mode);
  bool throws_away = !in.request.throw_away.empty(), keeps = !in.profile.list(Key::home_keep).empty();
  bool begins_empty = mode == "empty" || mode == "private";
  Sight sight;
  sight.is_blank = throws_away && begins_empty && !keeps;
  sight.is_overlay = mode == "overlay" || (throws_away && !sight.is_blank);
  sight.is_whole = !begins_empty && !keeps;
  sight.is_private = mode == "private" && !throws_away;
  return sight;
}

void place_home(const Inputs& in, Draft& draft, const Sight& sight) {
  const std::string& home = in.places.home_canonical;
  for (const Link& link : in.host.resolve(in.places.home).links) {
    draft.view.place(make_symlink(link.path, link.target));
  }
  if (sight.is_blank) return place_blank(in, draft);
  if (sight.is_private) {
    std::string source = private_home(in);
    draft.plan.make_directories.push_back(source);
    draft.view.place(make_bind(source, home, true, false));
    draft.view.use_private_home();
  } else {
    draft.view.place(make_tmpfs(home, in.profile.number(Key::home_size), 0700));
  }
}

void keep(const Inputs& in, Draft& draft, Key key, Access access) {
  for (const Value& value : in.profile.list(key)) {
    std::string path = host_path(value, in.places, in.host);
    if (!is_below(path, in.places.home)) throw not_in_home(value, path == in.places.home);
    draft.view.grant({path, access, Strength::written, value.origin});
  }
}

// Whether what is written at or below `path` is in the overlay.
bool is_in_overlay(const Inputs& in, const Sight& sight, const std::string& path) {
  if (sight.is_whole || sight.is_blank) return true;
  const std::vector<Value>& kept = in.profile.list(Key::home_keep);
  return std::any_of(kept.begin(), kept.end(), [&](const Value& value) {
    std::string place = host_path(value, in.places, in.host);
    return is_at_or_below(path, place) || is_below(place, path);
  });
}

// As it is on the host, without a link.
std::string place_to_recover(const Inputs& in, const Sight& sight, const Value& value) {
  auto refuse = [&](const char* why) { return Error("recover " + quote(value.text), why).at(value.origin); };
  if (!sight.is_overlay && !sight.is_blank) {
    throw refuse("there is no overlay to take files over from")
        .hint("set home mode = overlay, or start the program with --ephemeral");
  }
  std::string path = host_path(value, in.places, in.host);
  if (!is_below(path, in.places.home)) {
    throw refuse("does not lie below the home directory").hint("name directories in it, such as ~/Downloads");
  }
  Resolved found = in.host.resolve(path);
  std::string place = join(found.path, found.rest);
  if (!is_below(place, in.places.home_canonical)) {
    throw refuse("leads out of the home directory, where no overlay is").hint("name directories in it");
  }
  if (!is_in_overlay(in, sight, path)) {
    throw refuse("what is written there is not in the overlay, but forgotten").hint("add it to [home] keep");
  }
  return place;
}

}  // namespace

std::string home_name(const Inputs& in) {
  std::string_view tag = home_tag(in.request.instance);
  return tag.empty() ? in.profile.name() : in.profile.name() + "@" + std::string(tag);
}

void check_home(const Profile& profile) {
  const std::string& mode = profile.text(Key::home_mode);
  bool is_whole = mode != "empty" && profile.list(Key::home_keep).empty();
  if (profile.is_set(Key::home_size) && (is_whole || mode == "private")) throw no_size(profile);
  for (Key key : {Key::home_keep, Key::home_keep_read_only}) {
    for (const Value& value : profile.list(key)) {
      if (value.text == "~" || value.text == "${HOME}") throw not_in_home(value, true);
    }
  }
  const Value& overlay = profile.scalar(Key::home_overlay);
  if (!overlay.text.empty() && !is_directory_name(overlay.text)) throw no_overlay(overlay.text, overlay);
}

void plan_home(const Inputs& in, Draft& draft) {
  const Value& mode = in.profile.scalar(Key::home_mode);
  Sight sight = sight_of(in);
  Access access = sight.is_overlay ? Access::overlay : Access::read_write;
  check_home(in.profile);
  if (sight.is_blank && in.profile.is_set(Key::home_size)) throw no_size(in.profile);
  if (sight.is_overlay) {
    refuse_mounts_below_home(in);
    plan_overlay(in, draft.plan, in.places.home_canonical);
  }
  if (sight.is_whole) {
    draft.view.grant({in.places.home, access, Strength::written, mode.origin});
  } else {
    place_home(in, draft, sight);
  }
  keep(in, draft, Key::home_keep, access);
  keep(in, draft, Key::home_keep_read_only, Access::read_only);
  for (const Value& value : in.profile.list(Key::home_recover)) {
    draft.plan.overlay.recover.push_back(place_to_recover(in, sight, value));
  }
}

void make_passed_directories(const std::vector<std::string>& passed, Plan& plan) {
  std::vector<std::string>& list = plan.make_directories;
  for (const std::string& path : passed) {
    const Node* node = node_showing(plan, path);
    std::optional<std::string> place = node ? shown_at(*node, path) : std::nullopt;
    if (!place || *place == path) continue;
    if (!contains(list, *place)) list.push_back(std::move(*place));
  }
}

void make_own_directories(const Inputs& in, Plan& plan) {
  if (plan.make_directories.empty()) return;
  const std::string& home = in.places.home_canonical;
  if (!plan.overlay.lower.empty()) {
    // What hides a directory needs one: it could be made on the host later, and would be seen.
    for (const Node& node : plan.nodes) {
      bool is_missing = node.kind == NodeKind::hide && in.host.status(node.target).kind == FileKind::missing;
      if (is_missing && is_below(node.target, home)) plan.make_directories.push_back(node.target);
    }
    return;
  }
  const std::string source = plan.make_directories.front();
  std::vector<std::string>& list = plan.make_directories;
  for (const Node& node : plan.nodes) {
    if (!node.make_target || !is_below(node.target, home)) continue;
    for (std::string path = parent_of(node.target); path != home; path = parent_of(path)) {
      list.push_back(rebase(path, home, source));
    }
  }
  std::sort(list.begin(), list.end(), PathOrder());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace sbox
