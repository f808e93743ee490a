# Everything starts here: `make demo` and `make test` need Python >= 3.11, make and a package index, nothing else.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint check bench chaos mutants golden elements model core examples profiles lock clean

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Lines changed since this commit must be covered; by default since the day before.
CHANGED_SINCE ?= $(shell git rev-list -1 --before='1 day ago' HEAD 2>/dev/null)

help: ## show what can be made
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  \1: /'

setup: $(READY) ## make .venv from the lock file

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed; name one with PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install -q --require-hashes --python $(BIN)/python -r requirements.txt
	$(BIN)/uv pip install -q --no-deps --no-build-isolation --python $(BIN)/python -e .
	@touch $@

demo: $(READY) ## the whole story, offline, on an embedded FHIR server
	$(BIN)/fhir-adapter demo

test: $(READY) ## all tests, with the coverage of changed lines
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered --cov-report=xml -q
	$(BIN)/python -m coverage report --format=total | sed 's/^/covered in all: /; s/$$/ %/'
	@if [ -n "$(CHANGED_SINCE)" ]; then $(BIN)/diff-cover coverage.xml --compare-branch $(CHANGED_SINCE) --quiet; \
	 else echo 'changed lines: everything is new, so the coverage above is theirs'; fi

lint: $(READY) ## format, ruff, mypy strict, imports, container files, lock files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docker/check.py
	@if grep -n '://' requirements.txt docker/requirements.txt docker/build-requirements.txt; then echo 'a lock file names a package host'; exit 1; fi

check: lint test ## lint and test

bench: $(READY) ## measure, each figure beside its anchor
	$(BIN)/python -m benchmarks

chaos: $(READY) ## kill the push of the whole study at random moments
	$(BIN)/python -m pytest -m chaos -q tests/stories

mutants: $(READY) ## change the program in one place, in a copy, and see whether a test notices: two hours, resumable
	$(BIN)/python -m tests.mutants.run $(MUTANTS)

golden: $(READY) ## show what the golden resources would change to, then write them
	$(BIN)/python -m tests.golden

elements: $(READY) ## the table of R4 elements again, from the package hl7.fhir.r4.core: make elements PACKAGE=...tgz
	$(BIN)/python -m fhir_adapter.validation.generate_elements $(PACKAGE) fhir_adapter/validation/r4_elements.json

model: $(READY) ## the element model of FHIRPath again, from the package hl7.fhir.r4.core: make model PACKAGE=...tgz
	$(BIN)/python -m fhir_adapter.fhirpath.generate_model $(PACKAGE) fhir_adapter/fhirpath/r4_model.json

core: $(READY) ## the trimmed copy of R4 core again, from the package hl7.fhir.r4.core: make core PACKAGE=...tgz
	$(BIN)/python -m fhir_adapter.validation.packages.generate_core $(PACKAGE) fhir_adapter/validation/packages/r4_core.zip

examples: $(READY) ## FHIR R4's own examples against its invariants and the validator: make examples PACKAGES=folder of the two packages
	$(BIN)/python -m tests.fhirpath.examples $(PACKAGES)
	$(BIN)/python -m tests.validation.examples $(PACKAGES)

profiles: $(READY) ## the JSON of profiles/ again, from profiles/fsh/ (needs Node with npm): make profiles FHIR_CORE=...tgz
	FHIR_CORE='$(FHIR_CORE)' $(BIN)/python -m tests.profiles.build

lock: $(READY) ## the lock files again, after a change of pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  pyproject.toml --group dev -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  pyproject.toml -c requirements.txt -o docker/requirements.txt
	echo hatchling | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  - -c requirements.txt -o docker/build-requirements.txt

clean: ## remove what was made
	rm -rf $(VENV) build dist coverage.xml .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
