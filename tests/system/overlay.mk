# An overlay with a hundred thousand files: some minutes.
.PHONY: check-overlay
check-overlay: PACKAGES := $(BUILD_PACKAGES) $(RUN_PACKAGES)
check-overlay: deps
	$(MAKE) $(PARALLEL) all
	BUILD=$(BUILD) tests/run overlay_large
