# The inner sandbox of a browser is the better one for its pages: it needs user namespaces.
[profile]
description = Web browser with a sandbox of its own
include = lib/gui, lib/notifications, lib/network-client, lib/audio, lib/gpu

[home]
mode = private
keep = ${DOWNLOADS}

[files]
arguments = read-only

[dbus]
# Two methods: on some desktops the window manager itself has this name, whose scripts can do anything; others lock the
# screen or keep it from locking without being listed.
call = org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.Inhibit, org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.UnInhibit

[process]
nested-sandbox = yes
