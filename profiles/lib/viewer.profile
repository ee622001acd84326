[profile]
description = Shows the files named on the command line, no network
include = lib/gui

[files]
arguments = read-only
