# One command each; CI (`.ci/run`) runs `make lint test`.
export PKG_CONFIG_PATH := $(CURDIR)/.torch:$(PKG_CONFIG_PATH)
export JAY_MODELS ?= $(CURDIR)/.models
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 1000

.PHONY: build test docs lint check format golden bench thresholds index setup bundle

setup:
	@Tools/setup

build: setup
	swift build -c release --product jay

# An archive that runs where Python's torch is installed and Swift is not.
bundle:
	Tools/bundle

test: setup
	swift build --build-tests
	swift test --skip-build

# One page a module, in .build/docs; warnings are errors.
docs: setup
	Tools/docs

# What is checked in seconds: formatting, and the index of methods.
lint:
	swift format lint --strict --recursive Sources Tests Package.swift
	Tools/index --check

# Before a change goes out: all that CI runs, and the documentation, which must be without warnings.
check: setup
	$(MAKE) lint
	$(MAKE) docs
	$(MAKE) test

format:
	swift format --in-place --recursive Sources Tests Package.swift

index:
	Tools/index

# Needs the Python packages of Tools/golden/requirements.txt.
golden:
	python3 Tools/golden/all.py --check

bench: setup
	Benchmarks/run

# What the last `make bench` falls short of.
thresholds:
	Benchmarks/thresholds
