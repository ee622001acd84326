# sbox: make [all], deps, run, check, bench, fuzz, lint, install, dist, uninstall, clean. README.md says when.
#   PREFIX=/usr/local DESTDIR=   where install puts things
#   CXX=g++|clang++              compiler (C++20)
#   SETUID=yes|capabilities      install also puts sbox-userns there, set-user-ID root or with file capabilities: for hosts
#                                where ordinary users may not make user namespaces
#   STRIP=                       install leaves the symbols in (packagers strip by themselves)
#   V=1                          say each compiler command
#   SAN=address,undefined        build and test with sanitizers, in a build directory of its own

PREFIX ?= /usr/local
STRIP = -s
CXX = g++
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma := ,
ifneq ($(words x$(DESTDIR)$(PREFIX)$(BUILD)),1)
$(error DESTDIR, PREFIX and BUILD may hold no spaces: a shell would take them apart, and uninstall remove what it finds there)
endif
VERSION := 0.1.0
QUIET := $(if $(V),,@)
# For the targets that do everything in one go.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# Everything that building, running and testing needs, by Debian package.
BUILD_PACKAGES := g++ make pkg-config libseccomp-dev libcap-dev libinih-dev nlohmann-json3-dev
RUN_PACKAGES := xdg-dbus-proxy passt xauth xvfb x11-apps x11-utils imagemagick firefox-esr dbus python3 openbox fonts-dejavu-core
CHECK_PACKAGES := libgtest-dev libgmock-dev strace util-linux hostname xdotool xclip mandoc libglib2.0-bin pulseaudio \
  pulseaudio-utils chromium thunderbird evince mpv vlc libreoffice-writer libreoffice-calc libreoffice-gtk3 gimp inkscape mousepad \
  keepassxc transmission-gtk eog okular audacious qbittorrent file-roller \
  zathura ristretto geany hexchat remmina remmina-plugin-vnc gnome-mines \
  xterm sway foot git libcap2-bin procps xdg-desktop-portal xdg-desktop-portal-gtk fuse3 \
  python3-gi gir1.2-gtk-3.0 gsettings-desktop-schemas x11-xserver-utils xserver-xephyr xwayland weston qtwayland5 \
  desktop-file-utils libgtk-3-bin libnotify-bin dunst xdg-utils zsh fish bubblewrap openssh-client gpg gpg-agent \
  nftables iproute2 cups-daemon cups-client pcscd libpcsclite1 ibus fcitx5 at-spi2-core fontconfig \
  libwebkit2gtk-4.1-0 curl crun
FUZZ_PACKAGES := clang libclang-rt-dev
BENCH_PACKAGES := iperf3 iproute2 passt bubblewrap firejail firejail-profiles
PROOF_PACKAGES := bubblewrap strace
COMPOSITOR_PACKAGES := mmdebstrap bubblewrap wayland-utils grim foot sway
UML_PACKAGES := user-mode-linux
LEARN_PACKAGES := sqlite3 l3afpad
LINT_PACKAGES := clang-format clang-tidy g++-aarch64-linux-gnu

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast \
  -Wcast-qual -Wformat=2 -Wundef -Wvla -Werror
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection -D_GLIBCXX_ASSERTIONS
ifeq ($(SAN),)
OPTIMIZE := -O2 -D_FORTIFY_SOURCE=2
STATIC := -static-pie
else
OPTIMIZE := -O1 -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all
STATIC :=
endif
ifneq ($(findstring aarch64,$(CXX)),)
HARDENING := $(filter-out -fcf-protection,$(HARDENING))
endif
CXXFLAGS += -std=c++20 -g $(OPTIMIZE) $(HARDENING) $(WARNINGS) -fPIE -ffunction-sections -fdata-sections
CPPFLAGS += -Isrc -DSBOX_VERSION='"$(VERSION)"' -MMD -MP
LDFLAGS += $(STATIC) -pie -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections $(if $(SAN),-fsanitize=$(SAN))
ifneq ($(STATIC),)
LDFLAGS := $(filter-out -pie,$(LDFLAGS))
endif
# The launcher holds no exceptions and nothing of the front end: it stays in memory twice for each sandbox. The same goes
# for the relays between programs and the sound server, and the SSH agent.
LAUNCHER_FLAGS := -fno-exceptions -fno-rtti

FRONT_SOURCES := $(wildcard src/base/*.cc src/wayland/*.cc src/profile/*.cc src/plan/*.cc src/desktop/*.cc src/log/*.cc src/instance/*.cc \
  src/overlay/*.cc src/learn/*.cc src/oci/*.cc src/cli/*.cc) $(patsubst %,src/launcher/%.cc,step stdio relay terminal) \
  $(patsubst %,src/network/%.cc,bandwidth dns firewall netlink rules)
LAUNCHER_SOURCES := $(wildcard src/launcher/*.cc) src/plan/decode.cc src/plan/notify_filter.cc src/base/strings.cc
CORE_OBJECTS := $(patsubst %.cc,$(BUILD)/obj/%.o,$(filter-out src/cli/main.cc,$(FRONT_SOURCES)))
USERNS_OBJECTS := $(BUILD)/launcher-obj/src/userns/main.o
NETWORK_SOURCES := $(wildcard src/network/*.cc)
NETWORK_OBJECTS := $(patsubst %.cc,$(BUILD)/launcher-obj/%.o,$(NETWORK_SOURCES) src/log/notebook.cc src/launcher/runtime.cc src/launcher/step.cc)
BUS_SOURCES := $(wildcard src/bus/*.cc)
BUS_OBJECTS := $(patsubst %.cc,$(BUILD)/launcher-obj/%.o,$(BUS_SOURCES) src/log/notebook.cc src/launcher/runtime.cc src/launcher/step.cc)
SOUND_SOURCES := $(wildcard src/sound/*.cc)
SOUND_OBJECTS := $(patsubst %.cc,$(BUILD)/launcher-obj/%.o,$(SOUND_SOURCES) src/launcher/runtime.cc)
SSH_AGENT_OBJECTS := $(patsubst %.cc,$(BUILD)/launcher-obj/%.o,$(wildcard src/ssh_agent/*.cc) src/launcher/runtime.cc)
LAUNCHER_OBJECTS := $(patsubst %.cc,$(BUILD)/launcher-obj/%.o,$(LAUNCHER_SOURCES))
UNIT_SOURCES := $(wildcard tests/unit/*.cc tests/unit/*/*.cc)
UNIT_OBJECTS := $(patsubst %.cc,$(BUILD)/obj/%.o,$(UNIT_SOURCES))
PROFILES := $(wildcard profiles/*.profile profiles/lib/*.profile)
LIBRARIES := -lseccomp -linih

# The build directory has the layout of an installation, so build/bin/sbox runs from there.
PROGRAMS := $(BUILD)/bin/sbox $(BUILD)/libexec/sbox/sbox-launch $(BUILD)/libexec/sbox/sbox-wayland \
  $(addprefix $(BUILD)/libexec/sbox/sbox-,sound ssh-agent network bus)
# Only where it is asked for.
GRANTER := $(BUILD)/privileged/sbox-userns
DATA := $(patsubst profiles/%,$(BUILD)/share/sbox/profiles/%,$(PROFILES)) $(BUILD)/lib/sbox/filters/.made \
  $(patsubst contrib/%,$(BUILD)/share/sbox/%,$(wildcard contrib/apparmor/*))
MANUALS := $(BUILD)/share/man/man1/sbox.1 $(BUILD)/share/man/man5/sbox-profile.5 \
  $(BUILD)/share/man/man7/sbox-distro.7

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps run check check-unit check-granted bench fuzz lint lint-tidy lint-aarch64 install dist uninstall clean
all: $(PROGRAMS) $(GRANTER) $(DATA) $(MANUALS)

$(BUILD)/obj/%.o: %.cc
	@mkdir -p $(@D)
	@echo "  C++  $@"
	$(QUIET)$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<

# Tests are built in half the time without, and run no longer.
ifeq ($(SAN),)
$(BUILD)/obj/tests/%.o: OPTIMIZE := -O0
endif

$(BUILD)/launcher-obj/%.o: %.cc
	@mkdir -p $(@D)
	@echo "  C++  $@"
	$(QUIET)$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(LAUNCHER_FLAGS) -c -o $@ $<

$(BUILD)/bin/sbox: $(CORE_OBJECTS) $(BUILD)/obj/src/cli/main.o
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(LDFLAGS) -o $@ $^ $(LIBRARIES)

$(BUILD)/libexec/sbox/sbox-launch: $(LAUNCHER_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(LDFLAGS) -o $@ $^ -lcap

$(GRANTER): $(USERNS_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(LDFLAGS) -o $@ $^

$(BUILD)/libexec/sbox/sbox-wayland: $(addprefix $(BUILD)/obj/src/,helpers/wayland_context.o wayland/wire.o)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(LDFLAGS) -o $@ $^

$(BUILD)/tools/%: $(CORE_OBJECTS) $(BUILD)/obj/src/tools/%.o
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(LDFLAGS) -o $@ $^ $(LIBRARIES)

$(BUILD)/tests/unit: $(CORE_OBJECTS) $(UNIT_OBJECTS) $(addprefix $(BUILD)/obj/src/sound/,protocol.o relay.o) \
    $(BUILD)/obj/src/ssh_agent/relay.o $(BUILD)/obj/src/network/packets.o $(BUILD)/obj/src/bus/lines.o | $(DATA)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(filter-out -static-pie,$(LDFLAGS)) -pie -o $@ $^ $(LIBRARIES) -lgmock -lgtest -lgtest_main -lpthread

$(BUILD)/libexec/sbox/sbox-network: $(NETWORK_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(LDFLAGS) -o $@ $^

$(BUILD)/libexec/sbox/sbox-bus: $(BUS_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(LDFLAGS) -o $@ $^

$(BUILD)/libexec/sbox/sbox-sound: $(SOUND_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(LDFLAGS) -o $@ $^

$(BUILD)/libexec/sbox/sbox-ssh-agent: $(SSH_AGENT_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(QUIET)$(CXX) $(LDFLAGS) -o $@ $^

# Profiles that others could write are refused, so the modes do not depend on the umask.
$(BUILD)/share/sbox/profiles/%: profiles/%
	install -d -m 755 $(BUILD)/share/sbox/profiles/lib
	install -m 644 $< $@

$(BUILD)/share/sbox/apparmor/%: contrib/apparmor/%
	install -D -m 644 $< $@

# The filters of the shipped profiles, compiled once instead of at each start.
$(BUILD)/lib/sbox/filters/.made: $(BUILD)/tools/compile_filters $(patsubst profiles/%,$(BUILD)/share/sbox/profiles/%,$(PROFILES))
	rm -rf $(@D)
	install -d -m 755 $(@D)
	$(BUILD)/tools/compile_filters $(BUILD)/share/sbox/profiles $(@D)
	touch $@

$(BUILD)/share/man/man1/%: man/%
	install -D -m 644 $< $@

$(BUILD)/share/man/man7/%: man/%
	install -D -m 644 $< $@

$(BUILD)/share/man/man5/sbox-profile.5: man/sbox-profile.5.in $(BUILD)/tools/manual $(wildcard profiles/lib/*.profile)
	@mkdir -p $(@D)
	$(BUILD)/tools/manual $< profiles > $@

# Installs what is missing; needs root (or sudo) only then.
deps:
	@missing=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(PACKAGES) 2>/dev/null | \
	  awk '$$2 == "installed" {have[$$1] = 1} END {n = split("$(PACKAGES)", want); \
	  for (i = 1; i <= n; i++) if (!(want[i] in have)) print want[i]}'); \
	if [ -n "$$missing" ]; then \
	  root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$root apt-get update -q && \
	  DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -q --no-install-recommends $$missing; \
	fi

run: PACKAGES := $(BUILD_PACKAGES) $(RUN_PACKAGES)
run: deps
	$(MAKE) $(PARALLEL) all
	BUILD=$(BUILD) tests/system/show.py

check: PACKAGES := $(BUILD_PACKAGES) $(RUN_PACKAGES) $(CHECK_PACKAGES) $(FUZZ_PACKAGES)
check: deps
	$(MAKE) $(PARALLEL) all $(BUILD)/tests/unit fuzz-programs
	BUILD=$(BUILD) tests/run

# With SAN= this is the part that sanitizers can watch: the launcher's processes are tested by `check`.
check-unit: $(BUILD)/tests/unit
	$(BUILD)/tests/unit --gtest_brief=1

# What of the attack suite can be run where user namespaces are refused, through sbox-userns. As root.
check-granted: PACKAGES := $(BUILD_PACKAGES) $(RUN_PACKAGES) $(CHECK_PACKAGES)
check-granted: deps
	$(MAKE) $(PARALLEL) all
	BUILD=$(BUILD) tests/granted

lint: PACKAGES := $(BUILD_PACKAGES) $(CHECK_PACKAGES) $(LINT_PACKAGES)
lint: deps
	$(MAKE) $(PARALLEL) all
	clang-format --dry-run -Werror $$(find src tests -name '*.cc' -o -name '*.h')
	$(MAKE) lint-tidy lint-aarch64
	$(BUILD)/bin/sbox lint $(wildcard profiles/*.profile)
	mandoc -Tlint -Wwarning $(MANUALS)

# Each source by itself, on all processors.
EACH_SOURCE := printf '%s\n' $(wildcard src/*/*.cc) | xargs -P $$(nproc) -I{}
LINT_FLAGS = -std=c++20 $(filter-out -MMD -MP,$(CPPFLAGS))
lint-tidy:
	$(EACH_SOURCE) clang-tidy --quiet {} -- $(LINT_FLAGS)

# The headers of the libraries are those of this machine: they are the same on all.
lint-aarch64:
	$(EACH_SOURCE) aarch64-linux-gnu-g++ -fsyntax-only $(LINT_FLAGS) $(WARNINGS) -idirafter /usr/include {}

COMPLETIONS_BASH := share/bash-completion/completions/sbox
COMPLETIONS_ZSH := share/zsh/site-functions/_sbox
COMPLETIONS_FISH := share/fish/vendor_completions.d/sbox.fish

install: all
	install -d -m 755 $(DESTDIR)$(PREFIX)/share/sbox/profiles/lib $(DESTDIR)$(PREFIX)/lib/sbox/filters
	install -D $(STRIP) -m 755 $(BUILD)/bin/sbox $(DESTDIR)$(PREFIX)/bin/sbox
	install -D $(STRIP) -m 755 -t $(DESTDIR)$(PREFIX)/libexec/sbox $(filter $(BUILD)/libexec/%,$(PROGRAMS))
	if [ -n "$(SETUID)" ]; then install $(STRIP) -m $(if $(filter yes,$(SETUID)),4755,755) $(GRANTER) $(DESTDIR)$(PREFIX)/libexec/sbox; fi
	if [ "$(SETUID)" = capabilities ]; then \
	  setcap cap_sys_admin,cap_setuid,cap_sys_ptrace=p $(DESTDIR)$(PREFIX)/libexec/sbox/sbox-userns; fi
	install -m 644 profiles/*.profile $(DESTDIR)$(PREFIX)/share/sbox/profiles
	install -m 644 profiles/lib/*.profile $(DESTDIR)$(PREFIX)/share/sbox/profiles/lib
	install -m 644 $(BUILD)/lib/sbox/filters/* $(DESTDIR)$(PREFIX)/lib/sbox/filters
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/sbox/apparmor contrib/apparmor/*
	install -D -m 644 contrib/completions/sbox.bash $(DESTDIR)$(PREFIX)/$(COMPLETIONS_BASH)
	install -D -m 644 contrib/completions/_sbox $(DESTDIR)$(PREFIX)/$(COMPLETIONS_ZSH)
	install -D -m 644 contrib/completions/sbox.fish $(DESTDIR)$(PREFIX)/$(COMPLETIONS_FISH)
	install -d -m 755 $(DESTDIR)$(PREFIX)/share/sbox/file-managers
	install -m 755 contrib/file-managers/sbox-open $(DESTDIR)$(PREFIX)/share/sbox/file-managers/sbox-open
	for file in README.md sbox-open.desktop uca.xml; do \
	  sed 's#@SHARE@#$(PREFIX)/share/sbox#' contrib/file-managers/$$file > $(DESTDIR)$(PREFIX)/share/sbox/file-managers/$$file; \
	  chmod 644 $(DESTDIR)$(PREFIX)/share/sbox/file-managers/$$file; \
	done
	install -D -m 644 $(BUILD)/share/man/man1/sbox.1 $(DESTDIR)$(PREFIX)/share/man/man1/sbox.1
	install -D -m 644 $(BUILD)/share/man/man5/sbox-profile.5 $(DESTDIR)$(PREFIX)/share/man/man5/sbox-profile.5
	install -D -m 644 $(BUILD)/share/man/man7/sbox-distro.7 $(DESTDIR)$(PREFIX)/share/man/man7/sbox-distro.7

# The same bytes from the same commit, whatever the umask, the time and the user.
dist:
	epoch=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} && mkdir -p $(BUILD) && \
	git ls-files -z | LC_ALL=C sort -z | tar --create --no-recursion --null --format=ustar --mtime=@$$epoch \
	  --owner=0 --group=0 --numeric-owner --mode=u+rw,go+r-w,a-s --transform='s,^,sbox-$(VERSION)/,S' --files-from=- | gzip -n -9 > \
	  $(BUILD)/sbox-$(VERSION).tar.gz

uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/share/sbox $(DESTDIR)$(PREFIX)/lib/sbox $(DESTDIR)$(PREFIX)/libexec/sbox
	cd $(DESTDIR)$(PREFIX) && rm -f $(COMPLETIONS_BASH) $(COMPLETIONS_ZSH) $(COMPLETIONS_FISH)
	cd $(DESTDIR)$(PREFIX) && rm -f bin/sbox share/man/man1/sbox.1 share/man/man5/sbox-profile.5 share/man/man7/sbox-distro.7

clean:
	rm -rf $(BUILD) $(BUILD)-trixie $(BUILD)-packages $(BUILD)-vm $(BUILD)-vm-trixie $(BUILD)-vm-trixie-qemu

-include tests/bench/bench.mk tests/fuzz/fuzz.mk
-include tests/mutate/mutate.mk
-include tests/uml/uml.mk tests/sweep/sweep.mk tests/system/compositor.mk tests/system/learn.mk tests/system/overlay.mk tests/packages/packages.mk tests/vm/vm.mk
-include $(shell find $(BUILD) -name '*.d' -type f 2>/dev/null)
