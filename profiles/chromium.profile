# Of ~/.config/chromium only the first user: NativeMessagingHosts names commands that run outside.
[profile]
description = Chromium
include = lib/browser
programs = chromium-browser
instance = single

[home]
keep = ~/.config/chromium/Default

[system]
etc = chromium, chromium.d

[dbus]
own = org.mpris.MediaPlayer2.chromium.*
