[profile]
description = Any program that shows a file: the files named on the command line read-only, no network
include = lib/viewer

[home]
mode = empty
