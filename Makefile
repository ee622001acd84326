# sbox: make [all], deps, run, check, bench, fuzz, lint, install, uninstall, clean.
#   PREFIX=/usr/local DESTDIR=   where install puts things
#   CXX=g++|clang++              compiler (C++20)
#   SAN=address,undefined        build and test with sanitizers, in a build directory of its own

PREFIX ?= /usr/local
CXX = g++
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma := ,
VERSION := 0.1.0

# Everything that building, running and testing needs, by Debian package.
BUILD_PACKAGES := g++ make pkg-config libseccomp-dev libcap-dev libinih-dev nlohmann-json3-dev libcli11-dev
RUN_PACKAGES := xdg-dbus-proxy xauth xvfb x11-apps x11-utils imagemagick firefox-esr dbus
CHECK_PACKAGES := libgtest-dev libgmock-dev python3 strace util-linux openbox xdotool mandoc

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
# The launcher holds no exceptions and nothing of the front end.
LAUNCHER_FLAGS := -fno-exceptions -fno-rtti

FRONT_SOURCES := $(wildcard src/base/*.cc src/profile/*.cc src/plan/*.cc src/helpers/*.cc src/cli/*.cc)
LAUNCHER_SOURCES := $(wildcard src/launcher/*.cc) src/plan/decode.cc
CORE_OBJECTS := $(patsubst %.cc,$(BUILD)/obj/%.o,$(filter-out src/cli/main.cc,$(FRONT_SOURCES)))
LAUNCHER_OBJECTS := $(patsubst %.cc,$(BUILD)/launcher-obj/%.o,$(LAUNCHER_SOURCES))
UNIT_SOURCES := $(wildcard tests/unit/*.cc tests/unit/*/*.cc)
UNIT_OBJECTS := $(patsubst %.cc,$(BUILD)/obj/%.o,$(UNIT_SOURCES))

.DELETE_ON_ERROR:
.PHONY: all
all: $(BUILD)/bin/sbox $(BUILD)/libexec/sbox/sbox-launch

$(BUILD)/obj/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<

$(BUILD)/launcher-obj/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(LAUNCHER_FLAGS) -c -o $@ $<

$(BUILD)/bin/sbox: $(CORE_OBJECTS) $(BUILD)/obj/src/cli/main.o
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) -o $@ $^ -lseccomp -linih

$(BUILD)/libexec/sbox/sbox-launch: $(LAUNCHER_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) -o $@ $^ -lcap

$(BUILD)/tests/unit: $(CORE_OBJECTS) $(UNIT_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) $(filter-out -static-pie,$(LDFLAGS)) $(if $(SAN),,-pie) -o $@ $^ -lseccomp -linih -lgmock -lgtest -lgtest_main -lpthread

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf $(BUILD)
