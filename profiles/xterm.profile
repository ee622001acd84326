[profile]
description = A terminal whose shell has an empty home and no network
include = lib/gui
programs = uxterm

[home]
mode = empty
