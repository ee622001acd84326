[profile]
description = A terminal whose shell has an empty home and no network
include = lib/gui
programs = uxterm

[display]
# It knows X11 only; in a Wayland session that is Xwayland.
wayland = no
x11 = yes

[home]
mode = empty
