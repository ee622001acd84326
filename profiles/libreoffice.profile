[profile]
description = Office suite
include = lib/office
programs = soffice, loffice, lowriter, localc, loimpress, lodraw, lobase, lomath, lofromtemplate, loweb
# It also works without a window, for batch jobs.
optional = display

[system]
etc = libreoffice
