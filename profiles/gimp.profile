[profile]
description = Image editor
include = lib/editor
programs = gimp-2.10

[home]
keep = ${PICTURES}

[system]
etc = gimp
