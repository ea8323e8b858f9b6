# Everything a developer does here. Needs Python 3.11, make and git; the rest is installed.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BASKETS ?= 30000
SEED ?= 1
RUNS ?= 10
WORKERS ?= 1
PYTHON ?= $(shell for name in python3.11 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
	&& { command -v $$name; break; }; done)
BIN := .venv/bin
STAMPS := .venv/stamps
LOG := .venv/setup.log
failed = { echo "error: $(1) could not be installed: check the network and the disk, then run it again (more in $(LOG))" >&2; exit 1; }

.PHONY: help setup setup-test demo up down test fuzz unit lint format typecheck contracts bench bench-evaluator bench-posting bench-rollup bench-decisions bench-quote bench-backtest bench-redemption bench-growth bench-query bench-freshness bench-customers bench-offers bench-fraud bench-forecast chaos check check-alerts

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/python $(STAMPS)/kafka $(STAMPS)/npm ## install all that is needed, below .venv and node_modules

setup-test: setup $(STAMPS)/chromium $(STAMPS)/promtool

$(STAMPS)/venv:
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 was not found: install python3.11, or give PYTHON=<path>" >&2; exit 1; }
	@echo "==> virtual environment"
	@$(PYTHON) -m venv .venv || { echo "error: no virtual environment could be made: install python3.11-venv" >&2; exit 1; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/python: $(STAMPS)/venv requirements.lock pyproject.toml
	@echo "==> Python packages (a few minutes the first time)"
	@$(BIN)/python -m pip install --progress-bar off -r requirements.lock 2>$(LOG) \
		| sed -uE '/^(Requirement already|Looking in|Ignoring)/d' || $(call failed,the Python packages)
	@$(BIN)/python -m pip install --quiet --no-deps -e . 2>$(LOG) || $(call failed,Tillstream itself)
	@touch $@

$(STAMPS)/kafka: $(STAMPS)/python deploy/local/kafka.lock
	@echo "==> Kafka"
	@$(BIN)/python -m deploy.local.jars --download
	@touch $@

$(STAMPS)/npm: $(STAMPS)/python package.json package-lock.json .npmrc
	@echo "==> npm packages"
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --no-progress --loglevel=error 2>$(LOG) \
		|| $(call failed,the npm packages)
	@touch $@

$(STAMPS)/chromium: $(STAMPS)/python
	@echo "==> Chromium, for the browser tests"
	@$(BIN)/python -m deploy.local.chromium
	@touch $@

$(STAMPS)/promtool: $(STAMPS)/python
	@echo "==> promtool, for the tests of alerts"
	@$(BIN)/python -m deploy.local.promtool || echo "the tests of alerts will be skipped" >&2
	@touch $@

demo: setup ## replay real baskets through the whole stack and watch (BASKETS=all: the whole year)
	@$(BIN)/tillstream demo --baskets $(BASKETS)

up: setup ## start Kafka, PostgreSQL and the services
	@$(BIN)/tillstream up

down: setup ## stop them; the data stay
	@$(BIN)/tillstream down

test: setup-test ## run every test (WORKERS=2: on two stacks side by side, for a machine with cores to spare)
	@$(BIN)/python -m pytest --numprocesses $(if $(filter-out 1,$(WORKERS)),$(WORKERS),0) --dist loadfile --no-loadscope-reorder

EXAMPLES ?= 300
fuzz: setup ## send generated requests to every HTTP API (EXAMPLES=300 random ones to each operation)
	@EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/integration/test_http_apis.py

unit: $(STAMPS)/python ## run the unit tests and the conformance cases: no servers, seconds
	@$(BIN)/python -m pytest --numprocesses auto tests/unit tests/conformance

chaos: setup ## break a stack under load by seeded schedules and check every count (SEED=1 RUNS=10)
	@$(BIN)/python -m tests.faults --seed $(SEED) --runs $(RUNS)

lint: $(STAMPS)/python ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(STAMPS)/python ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

typecheck: $(STAMPS)/python ## mypy, strict
	@$(BIN)/mypy

check: lint typecheck ## all that reads the code without running it
	@$(BIN)/python -m pytest -q tests/test_tidy.py

check-alerts: $(STAMPS)/promtool ## check the alerts, their cases and the dashboard's queries with promtool
	@$(BIN)/python -m pytest -q tests/contract/test_monitoring.py

contracts: $(STAMPS)/python ## write docs/asyncapi.yaml and docs/schemas from the models
	@$(BIN)/python -m deploy.contracts

bench: bench-evaluator bench-posting bench-rollup bench-decisions bench-quote bench-backtest bench-redemption bench-freshness bench-customers bench-forecast ## measure everything, one after another

bench-evaluator: $(STAMPS)/python ## measure how fast carts are decided, beside zen-engine
	@$(BIN)/python -m tests.bench.evaluator

bench-posting: setup ## measure how fast personal codes are posted and published
	@$(BIN)/python -m tests.bench.posting

bench-decisions: setup ## measure carts to decisions through Kafka against a bare echo
	@$(BIN)/python -m tests.bench.decisions

bench-quote: setup ## measure quotes over HTTP against a bare ASGI application
	@command -v wrk >/dev/null || apt-get install -y -qq wrk >/dev/null \
		|| { echo "error: wrk is missing: install the package wrk, then run it again" >&2; exit 1; }
	@$(BIN)/python -m tests.bench.quote

bench-backtest: setup ## measure how fast a draft campaign is tried on 100,000 recorded receipts
	@$(BIN)/python -m tests.bench.backtest

bench-rollup: setup ## measure the rollups' throughput against a bare consumer
	@$(BIN)/python -m tests.bench.rollup

bench-query: setup ## measure the dashboard's questions over 20 million minute cells (CELLS=…): takes minutes
	@$(BIN)/python -m tests.bench.query

bench-freshness: setup-test ## measure how old the figures in a browser are at 2,000 receipts a second
	@$(BIN)/python -m tests.bench.freshness

bench-customers: setup ## measure a worker of the customers service beside a bare Faust agent
	@$(BIN)/python -m tests.bench.customers

bench-offers: setup ## measure what offers cost with 2 thousand and 200 thousand customers
	@$(BIN)/python -m tests.bench.offers

bench-redemption: setup ## measure redemptions on one hot limit against a transaction per request
	@$(BIN)/python -m tests.bench.redemption

bench-fraud: setup ## measure how much labelled abuse in real baskets is found, and who is wronged by it
	@$(BIN)/python -m tests.bench.fraud

bench-growth: setup ## measure what a redemption costs at 10 thousand, 1 million and 10 million (SIZES=…)
	@$(BIN)/python -m tests.bench.growth $(SIZES)

bench-forecast: $(STAMPS)/python ## measure how well the next purchases are foretold on a year of real baskets
	@$(BIN)/python -m tests.bench.forecast
