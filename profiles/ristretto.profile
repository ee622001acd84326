[profile]
description = Picture viewer
include = lib/viewer

[home]
mode = private
keep-read-only = ${PICTURES}
