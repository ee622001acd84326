[profile]
description = Document viewer
include = lib/viewer

[home]
mode = private
