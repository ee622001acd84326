[profile]
description = Graphics acceleration, where the host has any
optional = gpu

[devices]
gpu = yes

[system]
etc = vulkan, glvnd, OpenCL, drirc
