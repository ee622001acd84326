[profile]
description = Remote desktop client
include = lib/gui, lib/network-client
programs = remmina-file-wrapper

[home]
mode = private

[files]
arguments = read-only
