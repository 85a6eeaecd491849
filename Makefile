# Everything that is done with this repository, by one word each. `make` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup model build demo test golden examples bench fuzz format check install uninstall clean

SWIFT ?= swift
FORMATTED := Package.swift Sources Plugins Tests

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## install the system libraries (OpenBLAS, HDF5, PCRE2, NUMA) if they are missing
	@scripts/setup.sh

build: setup ## compile the command `spar` and every plugin, optimised
	$(SWIFT) build -c release
	@scripts/check-products.sh .build/release

model: build ## fetch SmolLM2-135M-Instruct (98 MB, once) into $SPAR_CACHE or ~/.cache/spar
	.build/release/spar model fetch smollm2-135m

demo: model ## self-play on the small model with a ranker of its own, start to end (about 20 minutes)
	.build/release/spar run docs/recipes/smollm2-sppo-gpm.yaml

# The optimiser is part of the system, so what is tested is the release build.  SwiftPM's two test
# runners are told apart here: all tests are Swift Testing's.
TEST = $(SWIFT) test -c release --disable-xctest

test: model ## run all tests
	@scripts/setup.sh tests
	@scripts/make-venv.sh .build/venv
	if [ -x .build/venv/bin/python ]; then export SPAR_PYTHON="$$PWD/.build/venv/bin/python"; fi; \
	  gguf="$${SPAR_CACHE:-$$HOME/.cache/spar}/models/SmolLM2-135M-Instruct.Q4_1.gguf"; \
	  SPAR_GOLDEN_TRAINING=1 SPAR_SMOLLM2="$$gguf" SPAR_SMOLLM2_GGUF="$$gguf" $(TEST)

# A filter that matches nothing succeeds, so this insists that something ran.
golden: model ## run the comparisons with values that independent programs computed
	SPAR_GOLDEN_TRAINING=1 $(TEST) --filter Golden | tee .build/filtered.log
	@! grep -q 'Test run with 0 tests' .build/filtered.log || { echo 'no test ran' >&2; exit 1; }

examples: build ## build the example plugins and every `spar plugin new` outside this tree
	@scripts/setup.sh tests
	@SWIFT="$(SWIFT)" scripts/check-examples.sh

bench: model ## measure speed: products, training, generation
	for what in gemm train generate; do .build/release/spar bench $$what; done

FUZZ_SECONDS ?= 600

fuzz: setup ## feed each parser mutated inputs, FUZZ_SECONDS (600) each; see CONTRIBUTING.md
	@SWIFT="$(SWIFT)" scripts/fuzz.sh $(FUZZ_SECONDS)

format: ## format the Swift sources in place
	$(SWIFT) format -i -r $(FORMATTED)

check: ## fail if a Swift source breaks the format or a lint rule, or a listing its file
	$(SWIFT) format lint --strict -r $(FORMATTED)
	@sed -n '/^```c$$/,/^```$$/{/^```/!p}' docs/plugins.md | diff - docs/examples/ipo.c || \
	  { echo 'check: the listing in docs/plugins.md differs from docs/examples/ipo.c' >&2; exit 1; }

PREFIX ?= /usr/local
export DESTDIR

install: build ## install under PREFIX (default /usr/local): program, plugins, header, spar.pc
	@scripts/install.sh install "$(PREFIX)"

uninstall: ## remove from PREFIX what `make install` put there
	@scripts/install.sh uninstall "$(PREFIX)"

clean: ## remove what was built; the model and the runs in checkpoints/ stay
	rm -rf .build
