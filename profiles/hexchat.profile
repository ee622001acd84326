[profile]
description = IRC client
include = lib/gui, lib/notifications, lib/network-client
instance = single

[home]
mode = private
keep = ${DOWNLOADS}

[display]
# On GTK 2 it knows X11 only; in a Wayland session that is Xwayland.
wayland = no
x11 = yes

[dbus]
# By this name a link to a channel reaches the one that runs.
own = org.hexchat.service
