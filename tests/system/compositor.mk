# A compositor with security-context-v1 is Debian 13's: it runs from a directory with that system, which takes minutes to
# make and stays beside the build directory.
TRIXIE := $(abspath $(BUILD))-trixie
.PHONY: check-compositor
check-compositor: PACKAGES := $(BUILD_PACKAGES) $(RUN_PACKAGES) $(COMPOSITOR_PACKAGES)
check-compositor: deps
	$(MAKE) $(PARALLEL) all
	tests/debian $(TRIXIE) trixie sway
	BUILD=$(BUILD) SBOX_TRIXIE=$(TRIXIE) tests/run security_context
