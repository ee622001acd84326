[profile]
description = Video player
include = lib/player
# It also works without a window, for batch jobs.
optional = display

[home]
keep-read-only = ~/.config/mpv

[system]
etc = mpv
