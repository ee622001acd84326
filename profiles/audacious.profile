[profile]
description = Music player
include = lib/gui, lib/audio

[home]
mode = private
keep-read-only = ${MUSIC}

[files]
arguments = read-only
