[profile]
description = BitTorrent client
include = lib/gui, lib/network-client

[home]
mode = private
keep = ${DOWNLOADS}

[files]
arguments = read-only
