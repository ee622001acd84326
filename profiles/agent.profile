# What the project's files make other tools do (git hooks, build files) happens outside: look at the changes.
[profile]
description = A tool that works on one project: the current directory read-write, network, nothing else
include = lib/network-client, lib/development

[home]
mode = empty

[files]
read-write = ${CWD}
