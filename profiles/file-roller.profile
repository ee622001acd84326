[profile]
description = Archive manager
include = lib/editor

[home]
keep = ${DOWNLOADS}
