[profile]
description = The unknown program: empty home, the files named on the command line read-only, no network
include = lib/viewer, lib/development
optional = display

[home]
mode = empty
