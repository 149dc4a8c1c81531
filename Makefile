# Fresh machine: `make demo` and `make test`. Both create the virtual environment and install
# when that is missing; VENV=path names another one, which checkouts can share.
VENV ?= .venv
PYTHON ?= python3
RUN := $(VENV)/bin/python

.PHONY: demo test test-long check format clean

demo: $(VENV)/.installed
	@$(RUN) -m orchestrator.sweep --config jobs/demo.yaml

test: check
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Variations of other tests that would make the suite too slow: before a release, and after a change
# to workers, storage faults, exports or precisions.
test-long: $(VENV)/.installed-dev
	$(RUN) -m pytest -m long

check: $(VENV)/.installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.installed-dev
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean:
	rm -rf demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(RUN)
	$(RUN) -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(RUN)
	$(RUN) -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed
