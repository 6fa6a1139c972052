# Two commands for a newcomer: `make demo` and `make test`. Everything is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# An environment of the machine (a database, a language, a workspace) must not steer the tests.
CLEAN := env -u CAMPAIGN_WORKSPACE -u CAMPAIGN_DATABASE_URL

.PHONY: help demo test coverage check test-real soak fuzz mutation audit bench translations constraints docs clean

help:
	@echo "make demo        install, rehearse the wage campaign on the local stage, write the preview page"
	@echo "make test        install and run the tests"
	@echo "make coverage    the same, and which lines they reach (half as long again)"
	@echo "make check       style, types, layers, translations, schema and README in step"
	@echo "make test-real   publish to a real WordPress, Bluesky PDS, Matrix and Mastodon API on this machine"
	@echo "make soak        kill the real command 500 times while it publishes, and count what went out"
	@echo "make fuzz        100,000 broken plans, answers of servers and requests to the stage, which bring nothing down"
	@echo "make mutation    which changed lines of the checks no test notices (hours)"
	@echo "make audit       known weaknesses of what is installed, where the package index tells"
	@echo "make bench       speed and memory, as ratios"
	@echo "make translations | constraints | docs   regenerate what is generated"

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 demo"; exit 1; }
	@echo "==> making .venv"
	@$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "==> installing campaign into .venv"
	@$(PIP) --editable '.[all]'
	@touch $@

.venv/.installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "==> installing campaign and its test tools into .venv"
	@$(PIP) --editable '.[dev]'
	@touch $@ .venv/.installed

demo: .venv/.installed
	@mkdir -p out
	@echo "==> campaign check campaigns/upah-layak-2027.yaml"
	@$(CLEAN) $(BIN)/campaign check campaigns/upah-layak-2027.yaml
	@echo "==> campaign preview campaigns/upah-layak-2027.yaml --html out/preview.html"
	@$(CLEAN) $(BIN)/campaign preview campaigns/upah-layak-2027.yaml --html out/preview.html
	@echo "==> campaign rehearse campaigns/upah-layak-2027.yaml --html out/rehearsal.html"
	@$(CLEAN) $(BIN)/campaign rehearse campaigns/upah-layak-2027.yaml --html out/rehearsal.html
	@echo
	@echo "Preview:   $(CURDIR)/out/preview.html"
	@echo "Rehearsal: $(CURDIR)/out/rehearsal.html"

test: .venv/.installed-dev
	@$(CLEAN) $(BIN)/python -m pytest -n 4

coverage: .venv/.installed-dev
	@$(CLEAN) $(BIN)/python -m pytest -n 4 --cov --cov-report=term:skip-covered --cov-fail-under=90

check: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/translations.py check
	$(BIN)/python tools/generated.py check

test-real: .venv/.installed-dev
	@$(CLEAN) tests/real/run

# What it did is kept in .soak/, and an interrupted soak goes on from there; SOAK=--short takes about a minute.
soak: .venv/.installed-dev
	@$(CLEAN) PYTHONPATH=tests $(BIN)/python -m soak $(SOAK)

# 100,000 plans, answers of servers and requests to the stage; less than an hour on one core each. FUZZ=2000: fewer.
fuzz: .venv/.installed-dev
	@$(CLEAN) PYTHONPATH=.:tests $(BIN)/python -W ignore -m fuzz plans $(FUZZ)
	@$(CLEAN) PYTHONPATH=.:tests $(BIN)/python -W ignore -m fuzz answers $(FUZZ)
	@$(CLEAN) PYTHONPATH=.:tests $(BIN)/python -W ignore -m fuzz requests $(FUZZ)

# What no test notices: lines of checks, approvals and redaction are changed one by one. Hours; not part of CI.
mutation: .venv/.installed-dev
	@$(PIP) 'mutmut>=3.5'
	@rm -rf mutants
	@$(CLEAN) $(BIN)/python -m mutmut run --max-children 2 || true
	@$(BIN)/python tools/mutation.py

# Known weaknesses of what is installed, where the package index offers advisories. No gate.
audit: .venv/.installed-dev
	@$(PIP) pip-audit || true
	@$(BIN)/python tools/audit.py $(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

bench: .venv/.installed-dev
	@$(BIN)/python benchmarks/run.py

translations: .venv/.installed-dev
	$(BIN)/python tools/translations.py update

docs: .venv/.installed-dev
	$(BIN)/python tools/generated.py write

constraints:
	$(PYTHON) -m venv .venv-constraints
	.venv-constraints/bin/python -m pip install --quiet --editable '.[dev]'
	.venv-constraints/bin/python -m pip freeze --exclude-editable > constraints.txt
	rm -rf .venv-constraints

clean:
	rm -rf .venv .venv-constraints out .coverage* .pytest_cache .mypy_cache .ruff_cache
