[profile]
description = Office suite
include = lib/office
programs = soffice, loffice, lowriter, localc, loimpress, lodraw, lobase, lomath, lofromtemplate, loweb

[system]
etc = libreoffice
