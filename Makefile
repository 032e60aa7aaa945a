# The verbs of this repository. `make run` and `make test` work on a fresh machine with Python 3.11 or later.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
TESTING := $(VENV)/.testing
# It fills and slows disks, which tests beside it would feel.
ALONE := tests/chaos/test_cluster.py
# Tests wait for far ends half of their time. Each process has servers of its own, so there are eight at most.
WORKERS ?= $(shell c=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); n=$$((c + c / 2)); echo $$((n > 8 ? 8 : n)))

.PHONY: run test lint bench docs codes lock chaos clean

run: $(RUNTIME)  ## start the platform with the demo workspace
	$(BIN)/heliograph demo

test: $(TESTING)  ## the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --ignore $(ALONE)
	$(BIN)/python -m pytest -n 0 $(ALONE)

lint: $(TESTING)  ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

bench: $(TESTING)  ## every benchmark; minutes
	$(BIN)/python bench/run.py

docs: $(TESTING)  ## write the generated reference pages
	$(BIN)/python docs/generate.py

codes: $(RUNTIME)  ## write the generated key list from codes.csv
	$(BIN)/python -m heliograph.catalogue.generate

chaos: $(TESTING)  ## kill -9 rounds with exact accounting, of one process and of several
	$(BIN)/python bench/chaos.py
	$(BIN)/python bench/chaos_cluster.py --rounds 100
	$(BIN)/python bench/chaos_cluster.py --rounds 25 --brokers 3

lock: | $(VENV)  ## pin all dependencies with hashes
	$(BIN)/pip install -q --disable-pip-version-check 'pip-tools>=7.4'
	$(BIN)/pip-compile -q --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --generate-hashes \
		--allow-unsafe --strip-extras --extra build -o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --generate-hashes \
		--allow-unsafe --strip-extras --extra build --extra test -o requirements-test.lock pyproject.toml

$(VENV):
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed; set PYTHON=") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock pyproject.toml | $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(TESTING): requirements-test.lock pyproject.toml | $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-test.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(RUNTIME)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
