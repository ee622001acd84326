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
# One interface: on some desktops the window manager itself has this name, and its scripts can do anything.
call = org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.*

[process]
nested-sandbox = yes
