#include "plan/agents.h"

#include "base/strings.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr char kPrintSocket[] = "/run/cups/cups.sock", kCardSocket[] = "/run/pcscd/pcscd.comm";

// Where GnuPG has its sockets, as `gpgconf --list-dirs` would say: below /run/user where the system has made that, else
// in its home. A GNUPGHOME of one's own has a directory with a hashed name below /run/user, which is not looked for.
std::string gnupg_home(const Host& host, const Places& places) {
  std::string home = host.variable("GNUPGHOME").value_or("");
  return home.empty() ? join(places.home, ".gnupg") : home;
}

std::string gnupg_sockets(const Host& host, const Places& places) {
  std::string user = "/run/user/" + std::to_string(host.uid());
  FileStatus made = host.resolve(user).status;
  bool is_used = made.kind == FileKind::directory && made.uid == host.uid();
  return is_used && gnupg_home(host, places) == join(places.home, ".gnupg") ? join(user, "gnupg")
                                                                            : gnupg_home(host, places);
}

void place_socket(Draft& draft, const std::string& socket, const std::string& target, const Value& asked) {
  Node node = make_bind(socket, target, false, true);
  node.origin = asked.origin.text();
  draft.view.place(node);
}

// CUPS_SERVER is a path, or a server on the network, which a program with the host's network can reach.
void plan_printing(const Inputs& in, Draft& draft) {
  std::string server = print_server(in.host);
  offer(in, draft, {"/etc/cups/client.conf", "/etc/cups/lpoptions", "~/.cups/lpoptions"});
  if (!server.starts_with('/')) {
    if (!has_control(server)) draft.environment["CUPS_SERVER"] = server;
  } else if (auto socket = service_socket(in.host, server)) {
    place_socket(draft, *socket, kPrintSocket, in.profile.scalar(Key::desktop_printing));
    draft.environment["CUPS_SERVER"] = kPrintSocket;
  }
}

void plan_smart_cards(const Inputs& in, Draft& draft) {
  if (auto socket = service_socket(in.host, card_socket(in.host))) {
    place_socket(draft, *socket, kCardSocket, in.profile.scalar(Key::devices_smart_cards));
  }
}

void plan_ssh_agent(const Inputs& in, Draft& draft) {
  auto socket = service_socket(in.host, ssh_agent_socket(in.host));
  if (!socket) return;
  std::string target = join(in.places.runtime, "ssh-agent");
  Node node = make_node(NodeKind::socket, target);
  node.origin = in.profile.scalar(Key::desktop_ssh_agent).origin.text();
  draft.view.place(node);
  // A relay that lets keys be listed and used: an agent also forgets and locks them, and loads libraries.
  draft.plan.helpers.push_back(own_helper(in, "sbox-ssh-agent", *socket));
  draft.plan.helpers.back().node = target;
  draft.environment["SSH_AUTH_SOCK"] = target;
}

void plan_gpg_agent(const Inputs& in, Draft& draft) {
  auto socket = service_socket(in.host, gpg_agent_socket(in.host, in.places));
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

std::optional<std::string> service_socket(const Host& host, const std::string& path) {
  std::optional<std::string> normal = normalise(path);
  if (!normal || has_control(*normal)) return std::nullopt;
  Resolved found = host.resolve(*normal);
  bool is_trusted = found.status.uid == host.uid() || found.status.uid == 0;
  if (found.status.kind != FileKind::socket || !is_trusted) return std::nullopt;
  return found.path;
}

std::string print_server(const Host& host) { return host.variable("CUPS_SERVER").value_or(kPrintSocket); }

std::string card_socket(const Host& host) { return host.variable("PCSCLITE_CSOCK_NAME").value_or(kCardSocket); }

std::string ssh_agent_socket(const Host& host) { return host.variable("SSH_AUTH_SOCK").value_or(""); }

std::string gpg_agent_socket(const Host& host, const Places& places) {
  return join(gnupg_sockets(host, places), "S.gpg-agent.extra");
}

void plan_agents(const Inputs& in, Draft& draft) {
  for (const AgentRow& row : kAgents) {
    if (in.profile.flag(row.key)) row.plan(in, draft);
  }
}

}  // namespace sbox
