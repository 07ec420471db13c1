# `make` shows the map. Everything below works on a fresh clone: each target sets up what it needs first.
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3 || command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
BOOTSTRAP := @$(PYTHON) -I -S backend/scripts/bootstrap.py
BIN := $(CURDIR)/.venv/bin
UV := $(CURDIR)/.venv/tools/uv/bin/uv
COMPILE := UV_PYTHON_DOWNLOADS=never $(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
# One more than the cores of a small machine: tests often wait for servers and children.
WORKERS ?= 3
ALL_EXTRAS := speakers faster-whisper mlx
.DEFAULT_GOAL := help
.PHONY: help setup run dev test test-backend test-long chaos fuzz test-frontend test-e2e lint fmt types contract migrate revision openapi config-docs extras native bench lock clean

help: ## Show this map
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install everything for work on the code: Python, packages of the pages, Postgres and Redis for tests
	$(BOOTSTRAP) python-dev postgres redis web-packages web

run: ## Set up what is needed and serve API and pages on http://127.0.0.1:8000 (HOST, PORT)
	$(BOOTSTRAP) python web
	@exec $(BIN)/transcribe serve

dev: ## Serve with reload: the API on PORT (8000), the pages with hot reload on 5173
	$(BOOTSTRAP) python-dev web-packages
	@exec $(BIN)/python backend/scripts/dev.py

test: test-backend test-frontend test-e2e ## Run every test

test-backend: ## Test the backend on SQLite and Postgres (ARGS="-k name" narrows it, ARGS="-n 0" runs one at a time)
	$(BOOTSTRAP) python-dev postgres redis
	cd backend && $(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-long: ## Run the tests that take minutes (make test has a shorter form of each)
	$(BOOTSTRAP) python-dev postgres redis
	cd backend && $(BIN)/pytest -m long $(ARGS)

chaos: ## Run the long form of the tests in backend/tests/chaos (prints its seeds)
	$(BOOTSTRAP) python-dev postgres redis
	cd backend && $(BIN)/pytest -m long -s tests/chaos $(ARGS)

fuzz: ## Fuzz the whole HTTP surface for five minutes (prints its seeds; FUZZ_SEED=n repeats one)
	$(BOOTSTRAP) python-dev postgres
	cd backend && $(BIN)/pytest -m long -n 0 -s tests/contract $(ARGS)

test-frontend: ## Test the pages' code
	$(BOOTSTRAP) web-packages
	cd frontend && npm run --silent test

test-e2e: ## Test the whole product in a real browser, two files at a time (E2E_LOOKS=all: pages in all four looks)
	$(BOOTSTRAP) python-dev web
	cd frontend && node --test --test-concurrency=2 --test-reporter=spec e2e/*.test.mjs

lint: ## Check style, formatting and the direction of imports
	$(BOOTSTRAP) python-dev web-packages
	cd backend && $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports
	cd frontend && npm run --silent lint && npm run --silent format:check

fmt: ## Format the code
	$(BOOTSTRAP) python-dev web-packages
	cd backend && $(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .
	cd frontend && npm run --silent format

types: ## Check types: mypy and tsc
	$(BOOTSTRAP) python-dev web-packages
	cd backend && $(BIN)/mypy
	cd frontend && npm run --silent types

contract: ## Check that the pages' API types and the settings' documents are current
	$(BOOTSTRAP) python-dev web-packages
	$(BIN)/python backend/scripts/openapi.py --check
	$(BIN)/python backend/scripts/config_docs.py --check

openapi: ## Write frontend/src/api/openapi.json from the application, and the types from it
	$(BOOTSTRAP) python-dev web-packages
	$(BIN)/python backend/scripts/openapi.py

config-docs: ## Write .env.example and docs/deployment/config.md from the settings
	$(BOOTSTRAP) python-dev
	$(BIN)/python backend/scripts/config_docs.py

migrate: ## Bring the database to the newest revision (a SQLite file is copied first)
	$(BOOTSTRAP) python
	$(BIN)/transcribe migrate

revision: ## Write the next migration from the models: make revision m="add share links"
	$(BOOTSTRAP) python-dev
	$(BIN)/python backend/scripts/revision.py "$(m)"

extras: ## Install optional engines: make extras EXTRAS="speakers faster-whisper" (none: take them out again)
	@EXTRAS="$(EXTRAS)" $(PYTHON) -I -S backend/scripts/bootstrap.py extras

native: ## Build whisper.cpp with faster kernels into .venv (ARGS=--undo: the wheel again)
	$(BOOTSTRAP) python-dev
	$(BIN)/python backend/scripts/native.py $(ARGS)

bench: ## Measure against the budgets in docs/benchmarks.md
	$(BOOTSTRAP) python-dev web
	cd backend && $(BIN)/python -m bench $(ARGS)

lock: ## Resolve the Python packages anew (ARGS=--upgrade takes newer versions)
	$(BOOTSTRAP) python-dev
	cd backend && $(COMPILE) $(ARGS) pyproject.toml -o requirements.lock
	cd backend && for extra in $(ALL_EXTRAS); do \
	  $(COMPILE) $(ARGS) pyproject.toml --extra $$extra -c requirements.lock -o requirements-$$extra.lock || exit 1; done
	cd backend && $(COMPILE) $(ARGS) pyproject.toml --group dev -c requirements.lock $(ALL_EXTRAS:%=-c requirements-%.lock) -o requirements-dev.lock

clean: ## Remove what was built and installed; data/ stays
	rm -rf .venv frontend/node_modules frontend/dist frontend/e2e/screenshots
	find backend -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf backend/.mypy_cache backend/.ruff_cache backend/.pytest_cache backend/.import_linter_cache backend/.hypothesis
