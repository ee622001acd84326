[profile]
description = Password manager of the command line
include = keepassxc
optional = display
