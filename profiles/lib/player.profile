[profile]
description = Plays the user's music and videos and the files named on the command line, no network
include = lib/gui, lib/audio, lib/gpu

[home]
mode = private
keep-read-only = ${MUSIC}, ${VIDEOS}

[files]
arguments = read-only
