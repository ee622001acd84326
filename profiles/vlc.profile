[profile]
description = Media player
include = lib/player
programs = cvlc, qvlc, rvlc
# It also works without a window, for batch jobs.
optional = display
