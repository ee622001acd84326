# What their programs below /usr lead to: without it no program in Java starts more than halfway.
[profile]
description = What interpreters, compilers and build tools read in /etc

[system]
etc = java*, maven, ant, perl, python3*, php, R, texmf, groff, manpath.config
