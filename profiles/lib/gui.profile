# Windows on the desktop. No session bus: a program without one is its own first instance, and cannot reach another.
[profile]
description = Windows: Wayland, or X11 where there is no Wayland; fonts, themes, icons

[display]
wayland = yes
x11 = fallback

[desktop]
fonts = yes
themes = yes
icons = yes

[system]
etc = xdg, gtk-2.0, gtk-3.0, gtk-4.0, X11

[environment]
# What programs keep of their settings in dconf needs the session bus; so it goes into a file of their own home.
set = GSETTINGS_BACKEND=keyfile
