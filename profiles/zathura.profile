[profile]
description = Document viewer
include = lib/viewer

[home]
mode = private
keep-read-only = ~/.config/zathura

[system]
etc = zathurarc
