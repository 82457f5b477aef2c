# Two commands matter: `make run` and `make test`. Each does its own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
# What `make test` runs, and further arguments to pytest: make test TESTS=tests/unit ARGS="-k costs -x"
TESTS ?=
ARGS ?=
# What `make bench` measures; results.py is what the others print with.
BENCHMARKS ?= $(filter-out benchmarks/results.py,$(wildcard benchmarks/[a-z]*.py))
export PIP_DISABLE_PIP_VERSION_CHECK := 1
PIP := $(BIN)/python -m pip install --quiet --require-hashes --no-deps --only-binary :all: --no-compile
# Compiled here and not by pip, which would also compile 80 MB of other projects' tests.
# A file that this Python cannot compile is one that it will not import either.
COMPILE := $(BIN)/python -m compileall -q -j 0 -x '/(pandas|pip|tests?|locale)/' $(VENV)/lib
export PORT
# Where this is set, every process compiles our sources anew, and pytest rewrites every test at every start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check reference bench clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

run: $(VENV)/.installed ## Start the portal on http://127.0.0.1:8000 (PORT=… moves it); Ctrl-C ends it
	@exec $(BIN)/python manage.py up

test: $(VENV)/.installed-dev ## Run all tests (TESTS=path and ARGS="-k word" narrow it)
ifneq ($(TESTS),)
	@$(BIN)/python -m pytest $(TESTS) $(ARGS)
else
	@$(BIN)/python -m pytest tests/unit tests/integration -n 2 --dist worksteal $(ARGS)
	@$(BIN)/python -m pytest tests/system tests/browser $(ARGS)
endif

check: $(VENV)/.installed-dev ## Format, lint, types, import contracts, migrations, templates
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/djlint --quiet --check templates
	$(BIN)/djlint --quiet --lint templates

reference: $(VENV)/.installed-reference ## Install PyTorch (CPU) and transformers, which some tests compare with

bench: $(VENV)/.installed-dev ## Measure, and keep the numbers in benchmarks/results/
	@set -e; for script in $(BENCHMARKS); do PYTHONPATH=. $(BIN)/python $$script; done

clean: ## Remove the virtual environment and caches; your data in var/ stays
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed; name one with make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }

# A stamp file, so that the second start installs nothing.
$(VENV)/.installed: requirements.lock | $(VENV)/bin/python
	@echo "Installing what the portal needs (once, a minute or two) …"
	@$(PIP) -r requirements.lock
	@$(COMPILE) || true
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing what the tests need (once, a minute or two) …"
	@$(PIP) -r requirements-dev.lock
	@$(COMPILE) || true
	@touch $@ $(VENV)/.installed

# PyTorch alone in its line and without dependencies: those of the CUDA build are gigabytes. A local CPU build, where
# pip knows one, is taken.
TORCH := torch==2.13.0
$(VENV)/.installed-reference: requirements-reference.lock $(VENV)/.installed-dev
	@echo "Installing the references that some tests compare with (once, a minute or two) …"
	@$(BIN)/python -m pip install --quiet --no-deps --only-binary :all: --no-compile $(TORCH)
	@$(PIP) -r requirements-reference.lock
	@touch $@
