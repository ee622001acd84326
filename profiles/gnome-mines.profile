[profile]
description = Mines, a game
include = lib/gui

[home]
mode = private

[environment]
# Without the session bus its settings would be gone with it: they go into a file of its own home.
set = GSETTINGS_BACKEND=keyfile
