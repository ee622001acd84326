# What sbox learn runs a program by. It adds what this host has: the secrets of the home, hidden; the names of the
# program's own desktop entries on the bus; directories outside of the home and entries of /etc, read-only.
[profile]
description = A program that is being watched: the home copy-on-write, the display, sound, the network
include = lib/gui, lib/audio, lib/gpu, lib/notifications
optional = abstract-sockets, dbus, display

[home]
mode = overlay
overlay = sbox-learn

[files]
arguments = read-only

[dbus]
# One interface: on some desktops the window manager itself has this name, and its scripts can do anything.
call = org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.*

[network]
mode = private

# Without it strace could not watch.
[process]
debug = yes
