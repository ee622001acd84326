[profile]
description = Text editor for programmers
include = lib/editor, lib/development

[home]
keep = ${DOCUMENTS}
