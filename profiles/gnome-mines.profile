[profile]
description = Mines, a game
include = lib/gui

[home]
mode = private
