# Two commands, each setting up what it needs in .venv, each safe to repeat:
#   make demo [MUSIC=~/Music]   index, and show the tracks that sound like one of them
#   make test                   format, lint, types, documentation, tests
PYTHON ?= python3
BIN = .venv/bin
LIBRARY = .demo/library.db
MUSIC ?=
TRACK ?=

.PHONY: demo test clean
.DELETE_ON_ERROR:

demo: .venv/demo.stamp
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/demo "$(MUSIC)" "$(TRACK)"

test: .venv/dev.stamp
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[serve]"
	@touch $@

.venv/dev.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[serve,dev,docs]"
	@touch $@ .venv/demo.stamp

clean:
	rm -rf .venv .demo build *.egg-info
