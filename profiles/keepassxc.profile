# It saves by replacing the file, which needs the directory: a database elsewhere needs [home] keep of its directory.
[profile]
description = Password manager
include = lib/editor

[home]
keep = ${DOCUMENTS}
