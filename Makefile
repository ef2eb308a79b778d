# make setup · run · test · check · show NAME=core|model|uplink|device · bench · package · install · lock · model
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
BENCH ?= .venv-bench
LOCK = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
INSTALL = $(BIN)/uv pip install -q --python $(BIN)/python
# Python's own compiled form of every module, which uv does not make and vision may not write: a start takes half the time with it.
COMPILE = -m compileall -q -j 0
INSTALL_BENCH = $(BIN)/uv pip install -q --python $(BENCH)/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run test check format show bench package install prove-arm64 lock clean

help:  ## these lines
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Passerby needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt

# picamera2 without what it needs (libcamera comes from the system): tests check our calls against its real signatures. axe is
# one file of script that judges the page in the tests; it comes in a package for another browser driver, which stays away.
$(VENV)/.dev: requirements/dev.txt requirements/picamera2.txt requirements/axe.txt pyproject.toml | $(BIN)/uv
	$(INSTALL) --require-hashes -r requirements/dev.txt
	$(INSTALL) --require-hashes --no-deps -r requirements/picamera2.txt
	$(INSTALL) --require-hashes --no-deps -r requirements/axe.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python $(COMPILE) $(VENV)/lib firmware collector provisioning || true  # files for other Pythons do not compile
	@touch $@

# The rivals need numpy 2, which tflite-runtime cannot bear: they live in a venv of their own.
$(BENCH)/.done: requirements/bench.txt pyproject.toml | $(VENV)/.dev
	$(PYTHON) -m venv $(BENCH)
	$(INSTALL_BENCH) --require-hashes -r requirements/bench.txt
	$(INSTALL_BENCH) --no-deps --no-build-isolation -e .
	@$(BENCH)/bin/python $(COMPILE) $(BENCH)/lib || true
	@touch $@

setup: $(VENV)/.dev  ## a .venv with the commands in it
	@echo "ready: $(BIN)/passerby --help"

run: $(VENV)/.dev  ## the embedded default: simulated shop, packaged model, counts on the screen
	$(BIN)/passerby run

test: $(VENV)/.dev  ## all tests
	$(BIN)/python -m pytest

check: $(VENV)/.dev  ## what a developer runs before each commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## lay the code out
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

show: $(BENCH)/.done  ## every figure of NAME=core|model|uplink|device, one JSON line each, measured now
	@$(BENCH)/bin/python -m benchmarks.show_$(NAME)

bench: $(BENCH)/.done  ## speed beside the rivals, as ratios in one run
	$(BENCH)/bin/python -m benchmarks

package: $(VENV)/.dev  ## dist/passerby-VERSION.tar.gz: wheel, units, installer (WHEELS="aarch64 3.13": with all it depends on)
	PYTHON=$(BIN)/python packaging/build.sh $(if $(WHEELS),--wheels $(WHEELS))

install: package  ## as root: onto this machine, under systemd
	rm -rf dist/unpacked && mkdir dist/unpacked && tar -C dist/unpacked --strip-components=1 -xzf "$$(ls -t dist/passerby-*.tar.gz | head -1)"
	dist/unpacked/install.sh

prove-arm64:  ## as root: the installer on an emulated Raspberry Pi system, a quarter of an hour (after make package WHEELS="aarch64 3.13")
	packaging/prove_arm64.sh "$$(ls -t dist/passerby-*.tar.gz | head -1)" $(MIRROR)

lock: | $(BIN)/uv  ## the locked requirements anew
	$(LOCK) -c requirements/constraints.in --extra dev pyproject.toml -o requirements/dev.txt
	$(LOCK) --extra litert --extra collector --extra bench pyproject.toml -o requirements/bench.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/uv.in -o requirements/uv.txt
	$(BIN)/uv pip compile -q --no-deps --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/picamera2.in -o requirements/picamera2.txt
	$(BIN)/uv pip compile -q --no-deps --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/axe.in -o requirements/axe.txt

clean:  ## remove what the tools left
	rm -rf .venv .venv-bench .venv-train .run .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist build

-include models_tflite/training/model.mk
