# Learning real programs takes as long as these do, twice.
.PHONY: check-learn
check-learn: PACKAGES := $(BUILD_PACKAGES) $(RUN_PACKAGES) $(CHECK_PACKAGES) $(LEARN_PACKAGES)
check-learn: deps
	$(MAKE) $(PARALLEL) all
	BUILD=$(BUILD) tests/run learned_programs
