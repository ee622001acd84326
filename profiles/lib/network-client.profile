# Certificates, host names and resolv.conf come with the mode.
[profile]
description = The host's network
# Without Landlock ABI 6 the abstract sockets of the host are in reach.
optional = abstract-sockets

[network]
mode = host
