# One libFuzzer program for each tests/fuzz/NAME_fuzz.cc, with its seeds in tests/fuzz/seeds/NAME. A finding ends the
# run, and its input is left in $(BUILD)/fuzz/findings: once it is fixed, it becomes a seed.
#   FUZZ_SECONDS=20              how long `fuzz` runs each
#   FUZZ_RUNS=5000               how many inputs `fuzz-short` tries on each
#   FUZZ_LONG_RUNS=10000000      how many inputs `fuzz-long` tries on each; one line for each target at the end, and not
#                                status 0 if there was a finding. $(BUILD)/fuzz/long-NAME.log holds the rest
# On one core of 2.5 GHz with nothing beside it, ten million inputs take minutes (xauthority, codec), up to an hour
# (macros, profile, desktop, text, options) or one to two hours (json, planner).
FUZZ_SECONDS ?= 20
FUZZ_RUNS ?= 5000
FUZZ_LONG_RUNS ?= 10000000
FUZZ_CXX := clang++
FUZZ := $(BUILD)/fuzz
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_FLAGS := -std=c++20 -g -O2 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS $(WARNINGS) $(FUZZ_SANITIZE)
FUZZ_GUIDE := -fsanitize-coverage-ignorelist=tests/fuzz/coverage-ignore
FUZZ_NAMES := $(patsubst tests/fuzz/%_fuzz.cc,%,$(wildcard tests/fuzz/*_fuzz.cc))
FUZZ_CORE := $(wildcard src/base/*.cc src/wayland/*.cc src/profile/*.cc src/plan/*.cc src/desktop/*.cc src/log/*.cc) src/cli/options.cc tests/unit/plan/fake_host.cc
FUZZ_FLAGS_RUN = -timeout=10 -rss_limit_mb=2048 -max_len=$(FUZZ_LENGTH_$*) -reload=0 -dict=$(FUZZ)/words \
  -artifact_prefix=$(FUZZ)/findings/$*-
FUZZ_QUIET := -verbosity=0
FUZZ_CORE += $(wildcard src/learn/*.cc) $(patsubst %,src/cli/%.cc,proposal proposal_files proposal_things proposal_text explain_path answer page print)
FUZZ_CORE += src/sound/protocol.cc src/ssh_agent/relay.cc src/network/dns.cc src/network/rules.cc src/network/netlink.cc src/network/packets.cc src/bus/lines.cc src/instance/process.cc src/instance/registry.cc src/overlay/record.cc
# Bytes of the longest input: room for several of all that the target tells apart; short inputs are tried faster.
FUZZ_LENGTH_agent := 256
FUZZ_LENGTH_bus := 768
FUZZ_LENGTH_codec := 1024
FUZZ_LENGTH_desktop := 512
FUZZ_LENGTH_dns := 512
FUZZ_LENGTH_instance := 512
FUZZ_LENGTH_json := 128
FUZZ_LENGTH_learn := 1024
FUZZ_LENGTH_log := 768
FUZZ_LENGTH_macros := 256
FUZZ_LENGTH_options := 128
FUZZ_LENGTH_overlay := 256
FUZZ_LENGTH_planner := 1024
FUZZ_LENGTH_packet := 128
FUZZ_LENGTH_profile := 1024
FUZZ_LENGTH_request := 512
FUZZ_LENGTH_sound := 256
FUZZ_LENGTH_text := 128
FUZZ_LENGTH_xauthority := 512
# Seeds besides tests/fuzz/seeds/NAME.
FUZZ_SEEDS_profile := profiles profiles/lib

.PHONY: fuzz fuzz-short fuzz-long fuzz-programs $(foreach kind,run short long,$(addprefix fuzz-$(kind)-,$(FUZZ_NAMES)))
fuzz: PACKAGES := $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
fuzz: deps
	$(MAKE) $(addprefix fuzz-run-,$(FUZZ_NAMES))

fuzz-short: PACKAGES := $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
fuzz-short: deps
	$(MAKE) $(addprefix fuzz-short-,$(FUZZ_NAMES))

# A finding ends the run of its target only.
fuzz-long: PACKAGES := $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
fuzz-long: deps
	@$(MAKE) -k $(addprefix fuzz-long-,$(FUZZ_NAMES)); status=$$?; \
	for name in $(FUZZ_NAMES); do awk -v name=$$name "$$FUZZ_SUMMARY" $(FUZZ)/long-$$name.log; done; exit $$status

define FUZZ_SUMMARY
/ cov: / {sub(/.* cov: /, ""); coverage = $$1}
/^Done / {seconds = $$5}
/^SUMMARY: / {findings++}
/^stat::number_of_executed_units:/ {runs = $$2}
END {printf "%s: %d executions, %s seconds, coverage %d, %d findings\n", name, runs, seconds, coverage, findings}
endef
export FUZZ_SUMMARY

fuzz-programs: $(patsubst %,$(FUZZ)/%_fuzz,$(FUZZ_NAMES)) $(FUZZ)/words

# What is found stays in the corpus of this build directory, and the next run goes on from there.
$(addprefix fuzz-run-,$(FUZZ_NAMES)): fuzz-run-%: $(FUZZ)/%_fuzz $(FUZZ)/words
	@mkdir -p $(FUZZ)/corpus/$* $(FUZZ)/findings
	@echo "  FUZZ $*, $(FUZZ_SECONDS) seconds"
	$(QUIET)$< $(FUZZ_FLAGS_RUN) $(FUZZ_QUIET) -max_total_time=$(FUZZ_SECONDS) $(FUZZ)/corpus/$* tests/fuzz/seeds/$* $(FUZZ_SEEDS_$*)

# The same inputs each time: the seeds, and what the first number of the generator makes of them.
$(addprefix fuzz-short-,$(FUZZ_NAMES)): fuzz-short-%: $(FUZZ)/%_fuzz $(FUZZ)/words
	@rm -rf $(FUZZ)/short/$*
	@mkdir -p $(FUZZ)/short/$* $(FUZZ)/findings
	@echo "  FUZZ $*, $(FUZZ_RUNS) inputs"
	$(QUIET)$< $(FUZZ_FLAGS_RUN) $(FUZZ_QUIET) -runs=$(FUZZ_RUNS) -seed=1 $(FUZZ)/short/$* tests/fuzz/seeds/$* $(FUZZ_SEEDS_$*)

$(addprefix fuzz-long-,$(FUZZ_NAMES)): fuzz-long-%: $(FUZZ)/%_fuzz $(FUZZ)/words
	@mkdir -p $(FUZZ)/corpus/$* $(FUZZ)/findings
	@echo "  FUZZ $*, $(FUZZ_LONG_RUNS) inputs"
	$(QUIET)$< $(FUZZ_FLAGS_RUN) -runs=$(FUZZ_LONG_RUNS) -print_final_stats=1 \
	  $(FUZZ)/corpus/$* tests/fuzz/seeds/$* $(FUZZ_SEEDS_$*) > $(FUZZ)/long-$*.log 2>&1

# The sections, keys and choices of the settings table, for the fuzzer to put in.
$(FUZZ)/words: src/profile/settings.def
	@mkdir -p $(@D)
	sed -n 's/^SBOX_SETTING([a-z_0-9]*, "\([^"]*\)", "\([^"]*\)", [a-z_]*, "[^"]*", "\([^"]*\)".*/[\1]\n\2 = \n\3/p' $< | \
	  tr '|' '\n' | sed '/^$$/d; s/.*/"&"/' | sort -u > $@

$(FUZZ)/obj/%.o: %.cc tests/fuzz/coverage-ignore
	@mkdir -p $(@D)
	@echo "  FUZZ $@"
	$(QUIET)$(FUZZ_CXX) $(CPPFLAGS) -I. $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(FUZZ_GUIDE) -c -o $@ $<

$(FUZZ)/core.a: $(patsubst %.cc,$(FUZZ)/obj/%.o,$(FUZZ_CORE))
	rm -f $@
	$(AR) rc $@ $^

$(FUZZ)/%_fuzz: $(FUZZ)/obj/tests/fuzz/%_fuzz.o $(FUZZ)/obj/tests/fuzz/sanitizers.o $(FUZZ)/core.a
	$(FUZZ_CXX) $(FUZZ_SANITIZE) -fsanitize=fuzzer -o $@ $^ $(LIBRARIES)
