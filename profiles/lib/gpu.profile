[profile]
description = Graphics acceleration, where the host has any

[devices]
gpu = yes

[system]
etc = vulkan, glvnd, OpenCL, drirc
