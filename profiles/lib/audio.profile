[profile]
description = Sound, where the host has any
optional = audio

[audio]
playback = yes

[system]
etc = pulse, pipewire, alsa, asound.conf, openal
