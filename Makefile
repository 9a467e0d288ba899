# Python 3.11 or later, make and pip are all that a machine needs; uv is used where it is installed.
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(PY) -m piptools compile --quiet --generate-hashes --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host pyproject.toml
PYTEST_ARGS ?= -n 2
.DEFAULT_GOAL := help

# The first Python that is new enough.
PYTHON = $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; sys.version_info < (3, 11) or print("$(name)")' 2>/dev/null)))

# $(call install,LOCK): fill the virtual environment from a hashed lock.
# Without uv, and where Debian's python3-venv is missing, the machine's own pip does it.
define install
	@$(ALONE); test $@ -nt $(1) && exit; echo "Installing $(1) …"; \
	if command -v uv >/dev/null; then install=(uv pip install --python $(PY)); \
	elif $(PY) -m pip --version >/dev/null 2>&1; then install=($(PY) -m pip install); \
	else install=($(PYTHON) -m pip --python $(PY) install); fi; \
	PIP_DISABLE_PIP_VERSION_CHECK=1 "$${install[@]}" --quiet --require-hashes -r $(1) && touch $@
endef

# One set-up at a time: a second make waits here for the first. The shell keeps the lock.
ALONE = exec 9<Makefile; $(PYTHON) -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.installed ## the whole set-up and the site, at http://127.0.0.1:$PORT/ (8000); Ctrl-C stops it
	@exec $(PY) manage.py serve

.PHONY: install
install: $(VENV)/.installed ## the packages alone, for an upgrade

.PHONY: dev
dev: export BENCHSITE_DEBUG := true
dev: $(VENV)/.installed-dev ## the same with Django's development server, which reloads
	@$(PY) manage.py prepare
	@exec $(PY) manage.py runserver "$${PORT:-8000}"

.PHONY: test
test: $(VENV)/.installed-dev ## the tests; PYTEST_ARGS="-k word" runs some of them
	@exec $(PY) -m pytest $(PYTEST_ARGS)

.PHONY: screenshots
screenshots: $(VENV)/.installed-dev ## pictures of the pages, four widths and both themes, into screenshots/
	@exec $(PY) -m pytest -q -s -p no:cacheprovider tests/browser/screenshots.py

.PHONY: bench
bench: $(VENV)/.installed-dev ## measure the site at up to a million runs, an hour; BENCH_RUNS=1000,100000 for less
	@exec $(PY) -m tests.bench

.PHONY: check
check: $(VENV)/.installed-dev ## format, lint, types, layers, templates, migrations, deployment
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports --no-logo
	find templates -name '*.html' -exec $(VENV)/bin/djade --check --target-version 5.2 {} +
	$(PY) manage.py makemigrations --check --dry-run
	BENCHSITE_HTTPS=true $(PY) manage.py check --deploy --fail-level WARNING

.PHONY: format
format: $(VENV)/.installed-dev ## rewrite code and templates as `make check` wants them
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	find templates -name '*.html' -exec $(VENV)/bin/djade --target-version 5.2 {} +

.PHONY: docs
docs: $(VENV)/.installed-dev ## write the tables of formats in README.md and docs/ from the code
	$(PY) manage.py write_docs

.PHONY: lock
lock: $(VENV)/.installed-dev ## make the lock files anew from pyproject.toml
	$(PY) -m pip install --quiet pip-tools==7.6.2
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt

.PHONY: clean
clean: ## remove what was built or cached; the data folder stays
	rm -rf $(VENV) staticfiles .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: none was found." >&2; exit 1; }
	@$(ALONE); test -x $(PY) && exit; echo "Making $(VENV) with $(PYTHON) …"; \
	$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip $(VENV)

$(VENV)/.installed: requirements.txt | $(PY)
	$(call install,requirements.txt)

# The development lock holds every package of the other one, at the same version.
$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(call install,requirements-dev.txt)
