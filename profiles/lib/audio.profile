[profile]
description = Sound, where the host has any

[audio]
playback = yes

[system]
etc = pulse, pipewire, alsa, asound.conf, openal
