[profile]
description = Thunderbird
include = lib/browser
optional = nested-sandbox
instance = single

[home]
keep = ~/.thunderbird

[system]
etc = thunderbird

[dbus]
# By this name a link to a mail address reaches the one that runs.
own = org.mozilla.thunderbird.*
