[profile]
description = Changes the files named on the command line, no network
include = lib/gui

[home]
mode = private

[files]
arguments = read-write
