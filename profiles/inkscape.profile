[profile]
description = Vector graphics editor
include = lib/editor
programs = inkview

[home]
keep = ${PICTURES}
