# Of ~/.mozilla and ~/.config/mozilla only the profiles: native-messaging-hosts names commands that run outside.
[profile]
description = Firefox
include = lib/browser
optional = nested-sandbox
programs = firefox-esr
instance = single

[home]
keep = ~/.mozilla/firefox, ~/.config/mozilla/firefox

[system]
etc = firefox, firefox-esr

[dbus]
# The second name is by which a link reaches the one that runs.
own = org.mpris.MediaPlayer2.firefox.*, org.mozilla.firefox.*
