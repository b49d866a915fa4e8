# `make run` opens the demo from nothing, `make test` passes the tests from nothing.
# Needs Python 3.11 or newer and make; all else is fetched, and cached outside the checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait for servers and screens more than they compute: three at once keep two cores busy.
JOBS ?= 3

.PHONY: run test check bench soak screenshots emulator clean

$(BIN)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.'
	$(BIN)/python -m compileall -q src/workbench
	touch $@

$(BIN)/.installed-dev: $(BIN)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

run: $(BIN)/.installed
	$(BIN)/cfwb demo

emulator: $(BIN)/.installed-dev
	$(BIN)/python -m tests.support.emulator install

test: $(BIN)/.installed-dev emulator
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -q -m 'not soak'

check: $(BIN)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

soak: $(BIN)/.installed-dev emulator
	$(BIN)/python -m pytest -q -m soak

bench: $(BIN)/.installed-dev emulator
	$(BIN)/python -m benchmarks

screenshots: $(BIN)/.installed-dev
	$(BIN)/python scripts/make_screenshots.py

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
