"""The file tree of a plan (`sbox --dry-run`, field "nodes") in the languages of the rivals: a list for `floor`, and a
command line for bubblewrap."""

# Kinds of nodes that are made without a mount.
NO_MOUNT = {"directory", "file", "follow", "symlink"}

# How the list for `floor` names what it makes.
FLOOR_KIND = {"directory": "directory", "file": "file", "follow": "file"}


def floor_flags(node):
    kind = node["kind"]
    flags = []
    if kind == "hide" or (kind in ("bind", "tmpfs") and not node["writable"]):
        flags.append("ro")
    if kind in ("bind", "tmpfs") and not node["executable"]:
        flags.append("noexec")
    if node["device"]:
        flags.append("dev")
    if node["is_file"] or kind in ("file", "follow"):
        flags.append("file")
    return ",".join(flags) or "-"


def floor_list(plan):
    lines = []
    for node in plan["nodes"]:
        kind = FLOOR_KIND.get(node["kind"], node["kind"])
        source = node["content"] if kind == "symlink" else node["source"]
        lines.append("\t".join([kind, source, node["target"], floor_flags(node)]))
    return "".join(line + "\n" for line in lines)


def bwrap_arguments(node):
    """What bubblewrap has for one node. Where it has no counterpart, it gets something cheaper, never dearer: an empty
    link for a file with content, a tmpfs for a devpts."""
    kind, target = node["kind"], node["target"]
    if kind == "directory":
        return ["--dir", target]
    if kind in ("file", "follow"):
        return ["--symlink", "empty", target]
    if kind == "symlink":
        return ["--symlink", node["content"], target]
    if kind == "bind":
        option = "--dev-bind" if node["device"] else "--bind" if node["writable"] else "--ro-bind"
        return [option, node["source"], target]
    if kind == "pin":
        return ["--bind", node["source"] or target, target]
    if kind == "hide" and node["is_file"]:
        return ["--ro-bind", "/dev/null", target]
    if kind == "proc":
        return ["--proc", target]
    return ["--tmpfs", target]


def bwrap(plan, *command):
    """The command line of bubblewrap for the mounts and namespaces of `plan`."""
    line = ["/usr/bin/bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"]
    if plan["own_network"]:
        line.append("--unshare-net")
    for node in plan["nodes"]:
        line += bwrap_arguments(node)
    return [*line, "--", *map(str, command)]
