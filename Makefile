# One command each; `make check` is all that CI runs.
export PKG_CONFIG_PATH := $(CURDIR)/.torch:$(PKG_CONFIG_PATH)
export JAY_MODELS ?= $(CURDIR)/.models
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 1000

.PHONY: build test docs check format golden bench thresholds index setup bundle

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

# Formatting, the index of methods, documentation without warnings, and the tests.
check: setup
	swift format lint --strict --recursive Sources Tests Package.swift
	Tools/index --check
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
