[profile]
description = Music player
include = lib/gui, lib/audio

[home]
mode = private
keep-read-only = ${MUSIC}

[files]
arguments = read-only

[display]
# On GTK 2 it knows X11 only; in a Wayland session that is Xwayland.
wayland = no
x11 = yes
