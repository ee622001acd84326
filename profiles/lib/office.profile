[profile]
description = Changes the user's documents and the files named on the command line, no network
include = lib/editor

[home]
keep = ${DOCUMENTS}
