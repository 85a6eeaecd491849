# Everything that is done with this repository, by one word each. `make` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup model build demo test golden bench format check clean

SWIFT ?= swift
FORMATTED := Package.swift Sources Plugins Tests

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## install the system libraries (OpenBLAS, HDF5, PCRE2, NUMA) if they are missing
	@scripts/setup.sh

model: setup ## fetch SmolLM2-135M-Instruct (98 MB, once) into $SPAR_CACHE or ~/.cache/spar
	@scripts/fetch-model.sh

build: setup ## compile the command `spar` and every plugin, optimised
	$(SWIFT) build -c release
	@scripts/check-products.sh .build/release

demo: build model ## one self-play iteration on the small model, start to end
	.build/release/spar run docs/recipes/smollm2-sppo.yaml

test: build model ## run all tests
	@scripts/make-venv.sh .build/venv
	if [ -x .build/venv/bin/python ]; then export SPAR_PYTHON="$$PWD/.build/venv/bin/python"; fi; \
	  $(SWIFT) test

# A filter that matches nothing succeeds, so these two insist that something ran.
some_tests = tee .build/filtered.log && if grep -q 'Test run with 0 tests' .build/filtered.log; \
  then echo '$@: no test has this word in its name' >&2; exit 1; fi

golden: setup ## run the comparisons with values that independent programs computed
	@mkdir -p .build
	$(SWIFT) test --filter Golden | $(some_tests)

# Optimised test code needs -enable-testing, which would rebuild .build/release: own folder.
bench: build model ## measure speed
	SPAR_BENCH=1 $(SWIFT) test -c release -Xswiftc -enable-testing --scratch-path .build/bench \
	  --filter Benchmark | $(some_tests)

format: ## format the Swift sources in place
	$(SWIFT) format -i -r $(FORMATTED)

check: ## fail if a Swift source breaks the format or a lint rule, or a listing its file
	$(SWIFT) format lint --strict -r $(FORMATTED)
	@sed -n '/^```c$$/,/^```$$/{/^```/!p}' docs/plugins.md | diff - docs/examples/ipo.c || \
	  { echo 'check: the listing in docs/plugins.md differs from docs/examples/ipo.c' >&2; exit 1; }

clean: ## remove what was built; the model and the runs in checkpoints/ stay
	rm -rf .build
