# No network, no bus, no document directory: the database is named on the command line.
[profile]
description = Password manager
include = lib/editor
programs = keepassxc-cli
