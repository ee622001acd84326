# To be included by the profile of one program, which names its own directory in [home] keep.
[profile]
description = Program made of a web browser
include = lib/browser
