[profile]
description = Video player
include = lib/player

[home]
keep-read-only = ~/.config/mpv

[system]
etc = mpv
