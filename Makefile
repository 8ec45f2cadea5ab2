# Two commands matter: `make demo` and `make test`. Everything else is a part of them.
PYTHON ?= python3
UV := .uv/bin/uv
BIN := .venv/bin
DEMO_ARGS ?=
BENCH_ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help env demo test check format replay-real pictures reference packages crash schema-snapshot

help: ## what there is
	@grep -hE '^[a-zA-Z%-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(UV):
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .uv uv

env: .venv/.made ## make .venv exactly as uv.lock says

.venv/.made: $(UV) uv.lock pyproject.toml
	@$(UV) sync --quiet --frozen --python $(PYTHON)
	@touch $@

demo: env ## start Waystream, a sandbox carrier network and a shop that sells
	@$(BIN)/waystream demo $(DEMO_ARGS)

packages:
	@scripts/packages

check: env ## format, lint, types, contracts, tidy and the fast tests: under a minute
	@$(BIN)/ruff format --check --quiet src tests benchmarks scripts
	@$(BIN)/ruff check --quiet src tests benchmarks scripts
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q -n 2 tests/tidy tests/core tests/docs

test: env packages check ## everything, from nothing
	@$(BIN)/pytest -q -n 2 --dist worksteal tests --ignore tests/tidy --ignore tests/core --ignore tests/docs

format: env ## put the code in its form
	@$(BIN)/ruff check --fix --quiet src tests benchmarks scripts
	@$(BIN)/ruff format --quiet src tests benchmarks scripts

replay-real: env ## 5,000 real orders through the whole system; prints one JSON object
	@$(BIN)/python -m benchmarks.replay_real --json

bench-%: env ## one benchmark by its name (ingest, ingest_single, …); prints one JSON object
	@$(BIN)/python -m benchmarks.$* --json $(BENCH_ARGS)

pictures: env packages ## draw every page into docs/pictures
	@$(BIN)/pytest -q tests/browser --pictures

crash: env ## 200 rounds of kill -9 under load: `make crash SEED=17 ROUNDS=1` plays one again
	@$(BIN)/python -m tests.crash $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS))

schema-snapshot: env ## a small database of this version with data: VERSION=0.1.0, once at its release
	@$(BIN)/python -m tests.upgrade.snapshot $(VERSION)

reference: env ## write docs/reference from the code
	@$(BIN)/python -m scripts.reference --write
