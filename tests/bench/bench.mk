.PHONY: bench-instances
# The programs of `make bench`, in C and static: what they cost themselves must not blur what they measure.
BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,floor driver hot)

$(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -static -o $@ $<

# BENCH_FLAGS=--check: fail where a figure of the table does not hold.
bench: PACKAGES := $(BUILD_PACKAGES) $(RUN_PACKAGES) $(BENCH_PACKAGES)
bench: deps
	$(MAKE) all $(BENCH_PROGRAMS)
	python3 tests/bench/bench.py --build $(BUILD) $(BENCH_FLAGS)
	BUILD=$(BUILD) python3 tests/bench/network.py

# A thousand sandboxes at once.
bench-instances: PACKAGES := $(BUILD_PACKAGES) $(BENCH_PACKAGES)
bench-instances: deps
	$(MAKE) all $(BENCH_PROGRAMS)
	python3 tests/bench/instances.py --build $(BUILD) $(BENCH_FLAGS)
