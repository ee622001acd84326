# The session bus through a filter. No ca.desrt.dconf: its settings hold commands that run outside.
[profile]
description = Desktop notifications and nothing else of the session bus

[desktop]
notifications = yes

[dbus]
session = filtered
