# No [devices] input: whoever reads those sees each key pressed anywhere.
[profile]
description = Game without network
include = lib/gui, lib/audio, lib/gpu

[home]
mode = private
