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
# Two methods: on some desktops the window manager itself has this name, whose scripts can do anything; others lock the
# screen or keep it from locking without being listed.
call = org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.Inhibit, org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.UnInhibit

[network]
mode = private

# Without it strace could not watch.
[process]
debug = yes
