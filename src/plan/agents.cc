#include "plan/agents.h"

#include "base/strings.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr char kPrintSocket[] = "/run/cups/cups.sock", kCardSocket[] = "/run/pcscd/pcscd.comm";

void place_socket(Draft& draft, const std::string& socket, const std::string& target, const Value& asked) {
  Node node = make_bind(socket, target, false, true);
  node.origin = asked.origin.text();
  draft.view.place(node);
}

// CUPS_SERVER is a path, or a server on the network, which a program with the host's network can reach.
void plan_printing(const Inputs& in, Draft& draft) {
  std::string server = in.host.variable("CUPS_SERVER").value_or(kPrintSocket);
  offer(in, draft, {"/etc/cups/client.conf", "/etc/cups/lpoptions", "~/.cups/lpoptions"});
  if (!server.starts_with('/')) {
    if (!has_control(server)) draft.environment["CUPS_SERVER"] = server;
  } else if (auto socket = service_socket(in, server)) {
    place_socket(draft, *socket, kPrintSocket, in.profile.scalar(Key::desktop_printing));
    draft.environment["CUPS_SERVER"] = kPrintSocket;
  }
}

void plan_smart_cards(const Inputs& in, Draft& draft) {
  std::string name = in.host.variable("PCSCLITE_CSOCK_NAME").value_or(kCardSocket);
  if (auto socket = service_socket(in, name)) {
    place_socket(draft, *socket, kCardSocket, in.profile.scalar(Key::devices_smart_cards));
  }
}

void plan_ssh_agent(const Inputs& in, Draft& draft) {
  auto socket = service_socket(in, in.host.variable("SSH_AUTH_SOCK").value_or(""));
  if (!socket) return;
  std::string target = join(in.places.runtime, "ssh-agent");
  place_socket(draft, *socket, target, in.profile.scalar(Key::desktop_ssh_agent));
  draft.environment["SSH_AUTH_SOCK"] = target;
}

// Where GnuPG has its sockets, as `gpgconf --list-dirs` would say: below /run/user where the system has made that, else
// in its home. A GNUPGHOME of one's own has a directory with a hashed name below /run/user, which is not looked for.
std::string gnupg_home(const Inputs& in) {
  std::string home = in.host.variable("GNUPGHOME").value_or("");
  return home.empty() ? join(in.places.home, ".gnupg") : home;
}

std::string gnupg_sockets(const Inputs& in) {
  std::string user = "/run/user/" + std::to_string(in.host.uid());
  FileStatus made = in.host.resolve(user).status;
  bool is_used = made.kind == FileKind::directory && made.uid == in.host.uid();
  return is_used && gnupg_home(in) == join(in.places.home, ".gnupg") ? join(user, "gnupg") : gnupg_home(in);
}

void plan_gpg_agent(const Inputs& in, Draft& draft) {
  auto socket = service_socket(in, join(gnupg_sockets(in), "S.gpg-agent.extra"));
  if (!socket) return;
  // GnuPG looks for the agent there only where nobody else can look into the directory.
  Node directory = make_node(NodeKind::directory, join(in.places.runtime, "gnupg"));
  directory.mode = 0700;
  draft.view.place(directory);
  place_socket(draft, *socket, join(directory.target, "S.gpg-agent"), in.profile.scalar(Key::desktop_gpg_agent));
  offer(in, draft, {"~/.gnupg/pubring.gpg", "~/.gnupg/pubring.kbx", "~/.gnupg/trustdb.gpg"});
}

struct AgentRow {
  Key key;
  void (*plan)(const Inputs&, Draft&);
};
constexpr AgentRow kAgents[] = {
    {Key::desktop_printing, plan_printing},
    {Key::devices_smart_cards, plan_smart_cards},
    {Key::desktop_ssh_agent, plan_ssh_agent},
    {Key::desktop_gpg_agent, plan_gpg_agent},
};

}  // namespace

std::optional<std::string> service_socket(const Inputs& in, const std::string& path) {
  std::optional<std::string> normal = normalise(path);
  if (!normal || has_control(*normal)) return std::nullopt;
  Resolved found = in.host.resolve(*normal);
  bool is_trusted = found.status.uid == in.host.uid() || found.status.uid == 0;
  if (found.status.kind != FileKind::socket || !is_trusted) return std::nullopt;
  return found.path;
}

void plan_agents(const Inputs& in, Draft& draft) {
  for (const AgentRow& row : kAgents) {
    if (in.profile.flag(row.key)) row.plan(in, draft);
  }
}

}  // namespace sbox
