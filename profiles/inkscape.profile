[profile]
description = Vector graphics editor
include = lib/editor
programs = inkview
# It also works without a window, for batch jobs.
optional = display

[home]
keep = ${PICTURES}
