#include "oci/bundle.h"

#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/strings.h"
#include "oci/carry.h"
#include "oci/system_calls.h"

namespace sbox {
namespace {

using nlohmann::ordered_json;

ordered_json id_map(uint32_t id) { return {{{"containerID", id}, {"hostID", id}, {"size", 1}}}; }

ordered_json namespaces(const Plan& plan) {
  ordered_json list = ordered_json::array();
  for (const char* type : {"user", "mount", "pid", "ipc", "uts", "cgroup", "network"}) {
    if (plan.own_network || std::string_view(type) != "network") list.push_back({{"type", type}});
  }
  return list;
}

ordered_json no_capabilities() {
  ordered_json sets = ordered_json::object();
  for (const char* set : {"bounding", "effective", "inheritable", "permitted", "ambient"}) {
    sets[set] = ordered_json::array();
  }
  return sets;
}

ordered_json process(const Plan& plan, const BundleRequest& request) {
  // A runtime executes what the program is called.
  std::vector<std::string> arguments = plan.argv;
  arguments.front() = plan.program;
  ordered_json limits = ordered_json::array();
  for (const ResourceLimit& limit : plan.limits) {
    limits.push_back({{"type", limit.name}, {"soft", limit.soft}, {"hard", limit.hard}});
  }
  return {{"terminal", request.terminal},
          {"user", {{"uid", plan.uid}, {"gid", plan.gid}, {"umask", request.umask}}},
          {"args", arguments},
          {"env", plan.environment},
          {"cwd", plan.directory},
          {"capabilities", no_capabilities()},
          {"rlimits", limits},
          {"noNewPrivileges", true}};
}

ordered_json linux_section(const Plan& plan, const BundleRequest& request, const BundleTree& tree) {
  ordered_json section{{"uidMappings", id_map(plan.uid)}, {"gidMappings", id_map(plan.gid)},
                       {"namespaces", namespaces(plan)},  {"rootfsPropagation", "private"},
                       {"maskedPaths", tree.masked},      {"readonlyPaths", tree.read_only}};
  if (request.policy) section["seccomp"] = seccomp_section(policy_without_landlock(plan, *request.policy));
  return section;
}

// JSON is UTF-8, and a runtime ends strings at NUL.
void require_text(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (is_utf8(text) && text.find('\0') == std::string::npos) continue;
    throw Error("export " + quote(text), "config.json cannot hold it: it is not UTF-8").hint("give it another name");
  }
}

void require_texts(const Plan& plan) {
  require_text({plan.program, plan.directory, plan.hostname});
  require_text(plan.argv);
  require_text(plan.environment);
  for (const Node& node : plan.nodes) require_text({node.target, node.source});
}

}  // namespace

Bundle make_bundle(const Plan& plan, const BundleRequest& request) {
  require_whole(plan, request);
  require_texts(plan);
  BundleTree tree = bundle_tree(plan, request.mount_points);
  ordered_json config{{"ociVersion", "1.1.0"},
                      {"process", process(plan, request)},
                      {"root", {{"path", kRootfs}, {"readonly", true}}},
                      {"hostname", plan.hostname},
                      {"mounts", tree.mounts},
                      {"linux", linux_section(plan, request, tree)}};
  Bundle bundle;
  constexpr int kIndent = 1;
  bundle.config = config.dump(kIndent) + "\n";
  bundle.files = std::move(tree.files);
  bundle.notes = what_is_missing(plan, request);
  for (const std::string& target : tree.left_out) {
    bundle.notes.push_back("no " + target + ": it is a secret of the session");
  }
  return bundle;
}

}  // namespace sbox
