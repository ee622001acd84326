#include <algorithm>

#include "base/strings.h"
#include "plan/draft.h"
#include "plan/instance_name.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// A profile's name becomes a directory's, with what the instance's says behind an @.
std::string private_home(const Inputs& in) {
  const std::string& name = in.profile.name();
  if (name.empty() || name[0] == '.' || name.find('/') != std::string::npos || has_control(name)) {
    throw Error("profile " + quote(name), "its name cannot be that of a private home")
        .at(in.profile.scalar(Key::home_mode).origin)
        .hint("rename the profile");
  }
  Resolved base = in.host.resolve(join(in.places.home_canonical, ".local/share"));
  for (const Link& link : base.links) {
    if (link.uid != 0 && link.uid != in.host.uid()) {
      throw Error("symlink " + quote(link.path), "belongs to another user").hint("remove it");
    }
  }
  std::optional<std::string> path = normalise(join(join(base.path, base.rest), "sbox/homes/" + home_name(in)));
  if (!path) throw Error("~/.local/share", "leads to a missing directory and back").hint("make it a directory");
  return *path;
}

void place_home(const Inputs& in, Draft& draft, const std::string& mode) {
  const std::string& home = in.places.home_canonical;
  for (const Link& link : in.host.resolve(in.places.home).links) {
    draft.view.place(make_symlink(link.path, link.target));
  }
  if (mode == "private") {
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
    if (!is_below(path, in.places.home)) {
      throw Error("keep " + quote(value.text), "does not lie below the home directory")
          .at(value.origin)
          .hint("use [files] for paths outside of it");
    }
    draft.view.grant({path, access, Strength::written, value.origin});
  }
}

}  // namespace

std::string home_name(const Inputs& in) {
  std::string_view tag = home_tag(in.request.instance);
  return tag.empty() ? in.profile.name() : in.profile.name() + "@" + std::string(tag);
}

void plan_home(const Inputs& in, Draft& draft) {
  const Value& mode = in.profile.scalar(Key::home_mode);
  if (mode.text == "overlay") {
    throw Error("home mode = overlay", "is not available yet").at(mode.origin).hint("use private, or empty with keep");
  }
  bool whole = mode.text == "host" && in.profile.list(Key::home_keep).empty();
  if (whole) {
    draft.view.grant({in.places.home, Access::read_write, Strength::written, mode.origin});
  } else {
    place_home(in, draft, mode.text);
  }
  keep(in, draft, Key::home_keep, Access::read_write);
  keep(in, draft, Key::home_keep_read_only, Access::read_only);
}

void make_private_home_directories(const Inputs& in, Plan& plan) {
  if (plan.make_directories.empty()) return;
  const std::string& home = in.places.home_canonical;
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
