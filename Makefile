# Targets for people; `make` alone lists them. Everything below is a thin cover of `swift` and Scripts/.

PREFIX = /usr/local
RUN = Examples/demo.yaml
# For each target of `make fuzz`; TARGETS names them, all if it is empty.
SECONDS = 600
TARGETS =
# One with torch, transformers and peft, for `make bench`; BENCH are options of Benchmarks/bench.py, such as --quick.
PYTHON = python3
BENCH =

RELEASE = .build/release
# Where an installed ptune (first) and an installed plugin (second) find the Swift runtime beside them.
RUNPATHS = -Xlinker -rpath -Xlinker '$$ORIGIN/../lib/ptune' -Xlinker -rpath -Xlinker '$$ORIGIN/..'
# Our own files: other people's plugins in the same folder are none of our business.
MANIFEST = $(DESTDIR)$(PREFIX)/lib/ptune/installed.txt

.DEFAULT_GOAL = help
.PHONY: help setup build demo test install uninstall dist bench bench-demo docs fuzz crash-matrix sanitize lint format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install missing system packages, fetch the demo's model and data
	@Scripts/setup/packages
	@Scripts/setup/fetch-demo

build: ## build ptune and its plugins, optimised
	@Scripts/setup/packages
	swift build -c release $(RUNPATHS)

demo: setup build ## tune a prompt for a real model on real text
	$(RELEASE)/ptune train $(RUN)

test: setup ## run the tests
	swift test

install: ## install under PREFIX (/usr/local); DESTDIR is honoured
	@# Under sudo the files of the build should stay the user's: `make build` comes first.
	@if [ -z "$$SUDO_USER" ] && command -v swift >/dev/null; then $(MAKE) build; fi
	@Scripts/release/install $(RELEASE) "$(DESTDIR)$(PREFIX)"

uninstall: ## remove what `make install` put under PREFIX
	@test -f "$(MANIFEST)" || { echo "error: nothing installed by make under $(DESTDIR)$(PREFIX)" >&2; exit 1; }
	@cd "$(DESTDIR)$(PREFIX)" && while read -r file; do rm -f "$$file"; done <lib/ptune/installed.txt
	@rm -f "$(MANIFEST)"
	@cd "$(DESTDIR)$(PREFIX)" && find lib/ptune share/ptune share/doc/ptune -depth -type d -empty -delete 2>/dev/null || true

dist: build ## pack an archive for this platform into build/dist
	@Scripts/release/dist $(RELEASE) build/dist

bench: setup build ## compare with PEFT's speed and memory (needs torch, transformers and peft)
	$(PYTHON) Benchmarks/bench.py --ptune $(RELEASE)/ptune --report Docs/benchmarks.md $(BENCH)

bench-demo: setup build ## compare the demo run with PyTorch's (needs the same)
	$(PYTHON) Benchmarks/compare_demo.py --ptune $(RELEASE)/ptune --run $(RUN)

docs: ## make the documentation of the Swift kit (DocC), and the references that come from ptune.h
	Scripts/generate/abi-reference
	Scripts/generate/rust-bindings
	Scripts/generate/kit-docs

fuzz: ## fuzz the parsers of outside data, SECONDS=600 each
	@Scripts/check/fuzz --seconds $(SECONDS) $(TARGETS)

crash-matrix: ## stop a small training at every operation on its files (Linux)
	swift build -c release
	@mkdir -p build
	@Scripts/check/crash-matrix/run --ptune $(RELEASE)/ptune --results build/crash-matrix.jsonl --report Docs/robustness.md

sanitize: ## run the tests under the address and the thread sanitizer, each with a build of its own
	@Scripts/check/sanitize address
	@Scripts/check/sanitize thread

lint: ## check the style of the Swift, Python, C and shell sources
	@Scripts/check/lint

format: ## put the sources into that style
	@Scripts/check/lint --fix

clean: ## remove what was built
	swift package clean
	rm -rf build
