[profile]
description = Image editor
include = lib/editor
programs = gimp-2.10
# It also works without a window, for batch jobs.
optional = display

[display]
# Up to 2.10 it knows X11 only; in a Wayland session that is Xwayland.
wayland = no
x11 = yes

[home]
keep = ${PICTURES}

[system]
etc = gimp
