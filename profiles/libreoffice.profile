[profile]
description = Office suite
include = lib/office
programs = soffice, loffice, lowriter, localc, loimpress, lodraw, lobase, lomath, lofromtemplate, loweb
# It also works without a window, for batch jobs.
optional = display

# Its databases and some of its wizards are written in Java.
[system]
etc = libreoffice, java*
