[profile]
description = Text editor
include = lib/editor

[home]
keep = ${DOCUMENTS}
