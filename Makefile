# breakeven: one line of help per target (`make` prints them)
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
UV ?= uv

.DEFAULT_GOAL := help
.PHONY: help demo test check lint format docs pictures accept lock bench sbom changelog clean system

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

demo: .venv/.runtime ## set up everything, run the whole chain on a synthetic log, say where the report is
	$(BIN)/breakeven demo --out demo

test: ## set up everything, pass all tests
	@$(MAKE) --no-print-directory -j 2 .venv/.dev .venv/.litellm .venv/.npm .venv/.docs .venv/.pythons system
	$(BIN)/python -m pytest

check: lint test ## what a reviewer runs: ruff, mypy --strict, import-linter, all tests

lint: .venv/.dev ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check --output-format concise src tests benchmarks
	$(BIN)/ruff format --check --quiet src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev ## format and sort the code
	$(BIN)/ruff check --fix --quiet src tests benchmarks
	$(BIN)/ruff format --quiet src tests benchmarks

docs: .venv/.dev .venv/.docs ## print the reference pages from code and catalogue again, and build the site strictly into site/
	$(BIN)/python -m breakeven.catalog.reference
	$(BIN)/python -m breakeven.reports.schema
	$(BIN)/python -m breakeven.reports.guide_page
	$(BIN)/python -m breakeven.cli.reference
	$(BIN)/python -m breakeven.cli.man_page
	$(BIN)/python -m breakeven.reports.claim_pages
	$(BIN)/python -m breakeven.serving.prediction.reference
	$(BIN)/python -m breakeven.reports.log_formats
	$(BIN)/python -m breakeven.gateway.config.reference
	$(BIN)/python -m breakeven.gateway.openapi
	$(BIN)/python -m breakeven.gateway.error_table
	$(BIN)/python -m breakeven.gateway.telemetry.reference
	$(BIN)/python docs/run_tutorials.py
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

pictures: .venv/.dev system ## take the pictures of README and docs again (needs chromium)
	$(BIN)/python docs/take_pictures.py

accept: .venv/.dev ## show changed snapshots, accept them
	$(BIN)/python -m pytest -n 0 --snapshot-update tests
	git diff --stat -- '*.ambr'

bench: .venv/.dev ## print the tables of benchmarks/
	$(BIN)/python benchmarks/breakeven_envelope.py
	$(BIN)/python benchmarks/usage.py
	$(BIN)/python benchmarks/compare_million_calls.py
	$(BIN)/python benchmarks/capacity.py
	$(BIN)/python benchmarks/simulate.py
	$(BIN)/python benchmarks/bench_overhead.py
	$(BIN)/python benchmarks/horizon.py
	$(BIN)/python benchmarks/convergence.py
	$(BIN)/python benchmarks/gateway_metering.py

sbom: .venv/.dev .venv/.release ## bill of materials (CycloneDX) of what is installed, and the list of licences
	$(PYTHON) -m venv --clear build/sbom
	build/sbom/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/runtime.txt
	build/sbom/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/gateway.txt
	mkdir -p dist
	.venv-release/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON \
	  -o dist/breakeven.cdx.json build/sbom/bin/python
	$(BIN)/python docs/licences.py dist/breakeven.cdx.json

lock: ## lock the dependencies again (needs uv)
	$(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --quiet --custom-compile-command "make lock" --extra pdf --extra ui \
	  -o requirements/runtime.txt
	$(UV) pip compile pyproject.toml --extra gateway --extra redis --extra otel --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --quiet --custom-compile-command "make lock" \
	  -c requirements/runtime.txt -o requirements/gateway.txt
	$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --quiet --custom-compile-command "make lock" -c requirements/runtime.txt -o requirements/dev.txt
	$(UV) pip compile requirements/build.in -c requirements/dev.txt --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --quiet --custom-compile-command "make lock" -o requirements/build.txt
	$(UV) pip compile requirements/litellm.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --quiet --custom-compile-command "make lock" -o requirements/litellm.txt
	$(UV) pip compile requirements/release.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --quiet --custom-compile-command "make lock" -o requirements/release.txt
	$(UV) pip compile requirements/docs.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --quiet --custom-compile-command "make lock" -o requirements/docs.txt

changelog: .venv/.dev ## make CHANGELOG.md of the fragments: make changelog VERSION=0.2.0
	@[ -n "$(VERSION)" ] || { echo "say which version: make changelog VERSION=0.2.0"; exit 1; }
	$(BIN)/towncrier build --yes --version $(VERSION)

clean: ## remove what was built
	rm -rf .venv $(PYTHONS:%=.venv-%) .venv-docs .venv-litellm .venv-release build site dist demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "breakeven needs Python 3.11 or newer; saw $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { \
	  echo "no working venv module; trying Debian's package"; \
	  apt-get install -y --no-install-recommends python3-venv && $(PYTHON) -m venv --clear .venv; }

.venv/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml | .venv/bin/python
	@echo "installing breakeven and its dependencies (hashes checked)"
	@$(PIP) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	@echo "installing breakeven with what its tests need (hashes checked)"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@ .venv/.runtime

# LiteLLM, whose versions of things are its own, in an environment of its own: a test runs the how-to page's code in it
.venv/.litellm: requirements/litellm.txt | .venv/bin/python
	@[ -n "$$BREAKEVEN_NO_LITELLM" ] || { \
	  echo "installing LiteLLM beside, for the test of docs/how-to/route-in-litellm.md (hashes checked)"; \
	  $(BIN)/python -m venv .venv-litellm && .venv-litellm/bin/python -m pip --disable-pip-version-check install \
	  --quiet --no-compile --require-hashes -r requirements/litellm.txt && touch $@; } \
	  || echo "no LiteLLM: the test of its how-to page will be skipped"

# The tool that writes the bill of materials, in an environment of its own: it brings things that change what others do
.venv/.release: requirements/release.txt | .venv/bin/python
	@$(BIN)/python -m venv .venv-release && .venv-release/bin/python -m pip --disable-pip-version-check install --quiet \
	  --require-hashes -r requirements/release.txt && touch $@

# What builds the documentation, in an environment of its own: a test builds it strictly
.venv/.docs: requirements/docs.txt | .venv/bin/python
	@[ -n "$$BREAKEVEN_NO_DOCS" ] || { $(BIN)/python -m venv .venv-docs \
	  && .venv-docs/bin/python -m pip --disable-pip-version-check install --quiet --no-compile --require-hashes -r requirements/docs.txt \
	  && touch $@; } || echo "no mkdocs: the test that builds the documentation will be skipped"

# Environments of the other Pythons that are installed: a test runs the demo in each and compares the figures
PYTHONS := 3.12 3.13
.venv/.pythons: requirements/runtime.txt requirements/build.txt docs/find_python.sh | .venv/bin/python
	@[ -n "$$BREAKEVEN_NO_PYTHONS" ] || for version in $(PYTHONS); do \
	  found=$$(bash docs/find_python.sh $$version) || { echo "no Python $$version: its test will be skipped"; continue; }; \
	  ( "$$found" -m venv --clear .venv-$$version && .venv-$$version/bin/python -m pip --disable-pip-version-check install \
	  --quiet --no-compile --require-hashes -r requirements/runtime.txt -r requirements/build.txt && touch .venv-$$version/.ready \
	  || echo "Python $$version could not be filled: its test will be skipped" ) & \
	done; wait; touch $@

# The npm client of OpenAI: a test points it at the gateway
NPM_OPENAI := 6.49.0
.venv/.npm: | .venv/bin/python
	@[ -n "$$BREAKEVEN_NO_NPM" ] || { command -v npm >/dev/null 2>&1 \
	  && echo "installing the npm client for the gateway's test" \
	  && npm install --no-audit --no-fund --no-save --silent --prefix .venv openai@$(NPM_OPENAI) >/dev/null 2>&1 \
	  && touch $@; } || echo "no npm client: the test that needs it will be skipped"

# Debian packages that some tests use; a test skips with the reason where they are missing
system:
	@command -v chromium >/dev/null 2>&1 || [ -n "$$BREAKEVEN_NO_APT" ] || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	  && echo "installing chromium for the report's browser test" \
	  && apt-get update -qq >/dev/null 2>&1 \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; } \
	  || echo "no chromium: the browser test will be skipped"
	@command -v soffice >/dev/null 2>&1 || [ -n "$$BREAKEVEN_NO_APT" ] || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	  && echo "installing LibreOffice Calc for the spreadsheet's test" \
	  && apt-get update -qq >/dev/null 2>&1 \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libreoffice-calc-nogui \
	  >/dev/null 2>&1; } \
	  || echo "no LibreOffice: the test that recalculates the spreadsheet will be skipped"
	@command -v java >/dev/null 2>&1 || [ -n "$$BREAKEVEN_NO_APT" ] || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	  && echo "installing Java for the tests of the Spark engine" \
	  && apt-get update -qq >/dev/null 2>&1 \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless \
	  >/dev/null 2>&1; } \
	  || echo "no Java: the tests of the Spark engine will be skipped"
	@for tool in redis-server nginx wrk; do \
	  command -v $$tool >/dev/null 2>&1 || [ -n "$$BREAKEVEN_NO_APT" ] || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	  && echo "installing $$tool for the gateway's tests and benchmark" \
	  && apt-get update -qq >/dev/null 2>&1 \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$tool >/dev/null 2>&1; } \
	  || echo "no $$tool: what needs it will be skipped"; done
