[profile]
description = Music player
include = lib/player
