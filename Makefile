# The way in: `make` lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The benchmark has packages of its own, and keeps them out of the others' way.
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/.installed
# Order lines of the benchmark: make bench N=50000
N ?= 1000000
NEW_ENOUGH = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Mudanza needs Python 3.11 or newer: make PYTHON=...")'
# PG=15 runs the tests on the system's PostgreSQL 15 instead of the wheel's.
PG ?=
# More words for the program behind a target: make test ARGS="-k preflight"
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo test parts lint format bench load scoreboard soak mutants-protocol lock clean

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP) ## make .venv from requirements.lock, when the lock or pyproject.toml changed

$(STAMP): requirements.lock pyproject.toml
	$(NEW_ENOUGH)
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@# setuptools warns that an editable package is found by its folder: that is its point.
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: venv ## a shop runs on SQLite, is moved, and runs on PostgreSQL: make demo ARGS=--check
	$(BIN)/python -m deploy.demo $(ARGS)

test: venv parts lint ## all that CI runs; PG=15 on PostgreSQL 15, ARGS for pytest
	MUDANZA_TEST_PG=$(PG) $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

parts: ## see that the Debian packages in deploy/parts.txt are there; as root, install them
	deploy/parts.sh

lint: venv ## style, types and the way imports run
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports --no-cache

format: venv ## put the code into its form
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

bench: $(BENCH_STAMP) ## measure beside pgloader, DuckDB and others: make bench N=50000
	$(BENCH_VENV)/bin/python -m benchmarks.bench --order-lines $(N) $(ARGS)

$(BENCH_STAMP): requirements-bench.lock
	$(NEW_ENOUGH)
	$(PYTHON) -m venv --clear $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --require-hashes -r requirements-bench.lock
	touch $@

load: venv ## the shop under load, on SQLite and on PostgreSQL: make load ARGS="--seconds 20"
	$(BIN)/python -m benchmarks.load $(ARGS)

scoreboard: venv ## judge Mudanza beside pgloader on all databases: docs/scoreboard.md
	$(BIN)/python -m benchmarks.scoreboard $(ARGS)

soak: venv parts ## the tests that run for minutes or hours
	MUDANZA_TEST_PG=$(PG) $(BIN)/python -m pytest -m soak --timeout 0 $(ARGS)

mutants-protocol: venv parts ## break each rule of the protocol on purpose: a test must notice
	MUDANZA_TEST_PG=$(PG) $(BIN)/python -m tests.protocol.run_mutants $(ARGS)

PIP_COMPILE = CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes \
	--allow-unsafe --no-strip-extras --no-emit-options --no-emit-index-url \
	--no-emit-trusted-host --no-emit-find-links $(ARGS)

LOCKS = requirements.lock requirements-runtime.lock requirements-bench.lock

lock: venv ## compile the three locks again; ARGS=--upgrade for newer versions
	$(PIP_COMPILE) --extra webapp --extra dev --extra load --output-file requirements.lock pyproject.toml
	$(PIP_COMPILE) --constraint requirements.lock --extra webapp --output-file requirements-runtime.lock pyproject.toml
	$(PIP_COMPILE) --constraint requirements.lock --extra bench --output-file requirements-bench.lock pyproject.toml
	! grep -nE '://|file:/|^-|^ *#.* /' $(LOCKS)

clean: ## remove what the other targets made
	rm -rf $(VENV) $(BENCH_VENV) .bench build dist *.egg-info .coverage htmlcov
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
