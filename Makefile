# Understudy's commands. Each sets up what it needs and says what it does.

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long lint format bench report clean

PYTHON := .venv/bin/python
# Workers append the working directory to sys.path, where an installed package
# named like one of our folders would win: so ours stands first.
export PYTHONPATH := $(CURDIR)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TF_ENABLE_ONEDNN_OPTS ?= 1
export TF_CPP_MIN_LOG_LEVEL ?= 2

DEMO_ARGS ?= --demo
# Two workers; tests that start a program's nodes share one of them (conftest).
PYTEST_ARGS ?= -n 2 --dist loadgroup
BENCHMARKS ?= memory loading ingest learner offline acting hosts program teachers evaluation
FOLDERS := agents teachers datasets launchers benchmarks studies examples tests .ci

help:  ## list the commands
	@echo "Understudy. Commands:"
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) \
	  | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 16

setup:  ## create .venv with the pinned packages, when these have changed
	@.ci/setup

demo: setup  ## clone a teacher, four growing-batch cycles, table and picture
	@$(PYTHON) -m launchers.growing_batch $(DEMO_ARGS)

test: lint  ## lint, units, contracts, one small program of each kind
	@$(PYTHON) -m pytest $(PYTEST_ARGS) -m "not long" \
	  --junitxml=.pytest_cache/quick.xml

test-long: setup  ## kills, trainings to a threshold, studies, many programs
	@$(PYTHON) -m pytest $(PYTEST_ARGS) -m long \
	  --junitxml=.pytest_cache/long.xml

lint: setup  ## ruff and mypy
	@$(PYTHON) -m ruff format --check --quiet --diff $(FOLDERS)
	@$(PYTHON) -m ruff check --quiet $(FOLDERS)
	@$(PYTHON) -m mypy --no-error-summary
	@echo "ruff and mypy: clean"

format: setup  ## apply what ruff can put right by itself
	@$(PYTHON) -m ruff check --quiet --fix $(FOLDERS)
	@$(PYTHON) -m ruff format --quiet $(FOLDERS)

bench: setup  ## every speed figure of the README, beside its peer
	@set -e; for name in $(BENCHMARKS); do \
	  echo "== benchmarks.$$name"; $(PYTHON) -m benchmarks.$$name; done

report: setup  ## RUN=runs/NAME: draw its learning curves and tables again
	@test -n "$(RUN)" || { echo "Say which run: make report RUN=runs/NAME" >&2; \
	  exit 2; }
	@$(PYTHON) -m launchers.report $(RUN)

clean:  ## remove caches; .venv and runs/ stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find $(FOLDERS) -name __pycache__ -type d -prune -exec rm -rf {} +
