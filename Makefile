# One command does everything: `make reproduce`. Needs make and Python 3.11, 3.12 or 3.13.
# Variables: STUDY="twin newyork" SIZE=smoke|class|paper PYTHON=python3.12

SIZE  ?= class
STUDY ?=

VENV  := .venv
RUN   := $(VENV)/bin/python
STAMP := $(VENV)/.complete
PRODA := $(RUN) -m proda_lib

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

# The first Python that is new enough, unless PYTHON names one.
ifndef PYTHON
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	if $$p -c '$(SUPPORTED)' 2>/dev/null; then command -v $$p; break; fi; done)
endif

UV := $(shell uv --version >/dev/null 2>&1 && echo uv)

.PHONY: help setup data reproduce book pdf class test lint bench clean clean-results clean-all
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## show this list
	@echo 'make TARGET [STUDY="twin newyork"] [SIZE=smoke|class|paper] [PYTHON=python3.12]'
	@echo
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -e 's/:.*## /|/' \
		| while IFS='|' read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

setup: $(STAMP) ## make the environment .venv from requirements.lock

# Written last: an interrupted setup goes on where it stopped.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo 'No Python 3.11, 3.12 or 3.13 found on the PATH: install one'\
		'(python.org, your package manager, conda or uv), or name it: make setup PYTHON=/path/to/python3.12'; exit 1; }
	@"$(PYTHON)" -c '$(SUPPORTED)' || { echo '$(PYTHON) is' \
		"$$("$(PYTHON)" --version 2>&1 || true):" 'Python 3.11, 3.12 or 3.13 is needed; name one:' \
		'make setup PYTHON=/path/to/python3.12'; exit 1; }
	@echo 'Installing into $(VENV) with $(or $(UV),pip): one to five minutes the first time'
ifeq ($(UV),uv)
	@$(RUN) -c '$(SUPPORTED)' 2>/dev/null || uv venv --quiet --clear --python "$(PYTHON)" $(VENV)
	@uv pip install --quiet --python $(RUN) --compile-bytecode -r requirements.lock
	@uv pip install --quiet --python $(RUN) --no-deps --no-build-isolation -e .
else
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo '$(PYTHON) lacks the modules' \
		'venv and ensurepip: install them (Debian, Ubuntu: apt install python3-venv), or install uv'; exit 1; }
	@$(RUN) -c '$(SUPPORTED)' 2>/dev/null && $(RUN) -m pip --version >/dev/null 2>&1 \
		|| "$(PYTHON)" -m venv --clear $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $(STAMP)

data: $(STAMP) ## make or download the data of STUDY (default: list what is there)
	$(PRODA) data $(if $(STUDY),$(STUDY),--list)

reproduce: $(STAMP) ## run every chapter whose inputs changed, then build the book
	$(PRODA) reproduce $(foreach s,$(STUDY),--study $(s)) --size $(SIZE)

book: $(STAMP) ## build the book in build/html from what has run
	$(PRODA) book

pdf: $(STAMP) ## print the book to build/pdf (needs Chromium or Chrome)
	$(PRODA) book --pdf

class: $(STAMP) ## write the notebooks of a class for STUDY, without and with answers
	$(PRODA) class $(if $(STUDY),--study $(firstword $(STUDY))) --size $(SIZE)

test: $(STAMP) ## run the tests on all cores (real data only where PRODA_MIRROR is set)
	$(RUN) -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(STAMP) ## check style, and that notebooks carry no outputs
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	@set -e; for notebook in notebooks/*.ipynb; do \
		if test -e "$$notebook"; then $(RUN) -m nbstripout --verify --keep-id "$$notebook"; fi; done

bench: $(STAMP) ## measure speed and memory
	$(RUN) benchmarks/run.py
	$(RUN) benchmarks/assimilation.py
	$(RUN) benchmarks/everywhere.py
	$(RUN) benchmarks/maps.py
	$(RUN) benchmarks/mechanisms.py
	$(RUN) benchmarks/wosis.py

clean: ## remove the built book and caches; keep results, downloads and .venv
	rm -rf build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

clean-results: ## remove the results of all studies
	rm -rf results

clean-all: clean clean-results ## also remove .venv
	rm -rf $(VENV) *.egg-info
