[profile]
description = Media player
include = lib/player
programs = cvlc, qvlc, rvlc
# It also works without a window, for batch jobs.
optional = display

[display]
# It knows X11 only; in a Wayland session that is Xwayland.
wayland = no
x11 = yes
