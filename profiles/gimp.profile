[profile]
description = Image editor
include = lib/editor
programs = gimp-2.10
# It also works without a window, for batch jobs.
optional = display

[home]
keep = ${PICTURES}

[system]
etc = gimp
