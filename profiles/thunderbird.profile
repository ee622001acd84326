[profile]
description = Thunderbird
include = lib/browser

[home]
keep = ~/.thunderbird

[system]
etc = thunderbird
