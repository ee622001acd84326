[profile]
description = Media player
include = lib/player
programs = cvlc, qvlc, rvlc
