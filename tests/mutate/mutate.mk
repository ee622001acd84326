# MUTATE_FLAGS=--sample 4: every fourth mutation only; words: those whose name holds one of them.
mutate: PACKAGES := $(BUILD_PACKAGES) $(RUN_PACKAGES) $(CHECK_PACKAGES)
mutate: deps
	$(MAKE) $(PARALLEL) all $(BUILD)/tests/unit
	python3 -B tests/mutate/mutate.py --build $(BUILD) $(MUTATE_FLAGS)
.PHONY: mutate
