# Everything runs from a checkout: each target sets up .venv on first use.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
CASELAW_DATA ?= data
override CASELAW_DATA := $(abspath $(CASELAW_DATA))
export CASELAW_DATA
export DAGSTER_HOME := $(CASELAW_DATA)/dagster
export DAGSTER_REDACT_USER_CODE_ERRORS = 1

.PHONY: bench-weeks help setup demo dev test test-phoenix test-exports check format backfill restate publish bench clean lock
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: .venv/.installed ## install what the lock names into .venv

.venv/.installed: requirements.lock pyproject.toml
	@echo "Setting up .venv (a few minutes the first time) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## two weeks of sample traffic through the whole pipeline, in data/demo
	@CASELAW_DATA=$(CURDIR)/data/demo DAGSTER_HOME=$(CURDIR)/data/demo/dagster $(BIN)/python -m assets.demo

dev: setup ## the Dagster UI on http://127.0.0.1:3000, schedules included
	@$(BIN)/python -m assets.home >/dev/null
	@$(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p $${PORT:-3000}

test: setup ## everything: linters, types and tests
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -n $${WORKERS:-2}

test-phoenix: setup .venv-phoenix/.installed ## the Phoenix connector against a real Phoenix server
	@$(BIN)/python -m pytest tests/phoenix/against_server.py

.venv-phoenix/.installed:
	@echo "Setting up .venv-phoenix (a few minutes, 850 MB) ..."
	@$(PYTHON) -m venv .venv-phoenix
	@.venv-phoenix/bin/python -m pip install --quiet --disable-pip-version-check arize-phoenix==20.26.0
	@touch $@

test-exports: setup ## exports in the real tools: promptfoo, Inspect, DeepEval, openai/evals, SDKs
	@$(BIN)/python -m tests.exports.install
	@$(BIN)/python -m pytest -rs tests/exports/against_tools.py

check: setup ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: setup ## ruff's fixes and formatting
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

backfill: setup ## days, their weeks, then the suite: FROM=2026-11-02 TO=2026-11-15; else what is missing
	$(if $(TO),$(if $(FROM),,$(error give the first day too: make backfill FROM=YYYY-MM-DD TO=YYYY-MM-DD)))
	@$(BIN)/python -m assets.backfill $(if $(FROM),--from $(FROM) --to $(or $(TO),$(FROM)),--missing) $(if $(PARALLEL),--parallel $(PARALLEL))

restate: setup ## re-run every later day and week in order: FROM=2026-11-02
	$(if $(FROM),,$(error give the first day: make restate FROM=YYYY-MM-DD))
	@$(BIN)/python -m assets.backfill --restate $(FROM)

publish: setup ## write the eval suite and the warehouse anew
	@$(BIN)/python -m assets.backfill --publish

bench: setup .bench/.installed ## findings against the simulator's ground truth, and speed against peers
	@PYTHONPATH=.bench $(BIN)/python -m tests.bench

bench-weeks: setup ## eight simulated weeks: do modes persist, fixes hold, cases tell (a quarter of an hour)
	@$(BIN)/python -m tests.bench.weeks data/weeks

.bench/.installed: tests/bench/peer.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade --target .bench -r $<
	@touch $@

lock: ## resolve requirements.lock anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --no-annotate --group dev --group weights \
	  pyproject.toml --output-file requirements.lock

clean: ## remove what runs made: .venv, caches, data/demo; people's work stays
	rm -rf .venv .venv-phoenix .exports .bench .mypy_cache .ruff_cache .hypothesis data/demo data/weeks *.egg-info
