[profile]
description = Thunderbird
include = lib/browser
optional = nested-sandbox
instance = single

[home]
keep = ~/.thunderbird

[system]
etc = thunderbird
