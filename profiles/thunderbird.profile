[profile]
description = Thunderbird
include = lib/browser
optional = nested-sandbox

[home]
keep = ~/.thunderbird

[system]
etc = thunderbird
