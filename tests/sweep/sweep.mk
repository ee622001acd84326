# The long proofs. SWEEP_FLAGS, KILL_FLAGS, RACES_FLAGS: --sample N is a short run, --help says the rest.

sweep kill-sweep races: PACKAGES := $(BUILD_PACKAGES) $(RUN_PACKAGES) $(PROOF_PACKAGES)
.PHONY: sweep kill-sweep races
sweep: deps
	$(MAKE) all
	BUILD=$(BUILD) tests/sweep/sweep.py $(SWEEP_FLAGS)

kill-sweep: deps
	$(MAKE) all
	BUILD=$(BUILD) tests/sweep/kill.py $(KILL_FLAGS)

races: deps
	$(MAKE) all
	BUILD=$(BUILD) tests/sweep/races.py $(RACES_FLAGS)
