# Two commands do everything: `make demo` and `make test`. Each makes the environments it needs.
# `make help` lists the rest. Nothing but python3 >= 3.11, make and git is assumed.

PYTHON ?= python3
STAGE ?=
WORKERS ?= 2
BIN := .venv/bin
RUN := $(BIN)/python -W error::SyntaxWarning

# What `make check` runs: not the packaged stack, the pages in a browser, the benchmarks.
QUICK := $(filter-out tests/bench tests/browser tests/e2e tests/infra,$(wildcard tests/*))

# Of these, what the functions run: not the tools that come with them.
RUNTIME := $(addprefix tests/,api contract domain mails services)

.DEFAULT_GOAL := help
.PHONY: help env env-demo node demo check test lint static unit runtime package wheel deploy rollback doctor bench memory bench-lists bench-exchange bench-files bench-mails bench-orders mails screenshots abuse cost capacity reliability year simulate mutations restore-drill logs format upgrade clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: NEEDED :=
env-demo: NEEDED := --demo
env env-demo:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing: install python 3.11 or later, or say PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m local.environment $(NEEDED)

env: ## make the two environments, .venv and .venv-local; does nothing when they are up to date
env-demo: ## the same, with only what the demo needs

demo: env-demo node ## start everything here, play the story, stay up; ONCE=1 ends after the table
	@$(RUN) -m local --play $(if $(ONCE),--once)

check: static ## while working: formatting, types, layers and the quick tests, in about a minute
	@$(BIN)/pytest --quiet --numprocesses $(WORKERS) -m 'not slow and not stack and not browser' $(QUICK)

test: lint unit runtime ## every gate and every test, the quick ones on the functions' python too

static: env node ## formatting, types and layers alone
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(RUN) -m infra.page_texts
	@.venv-node/bin/node node_modules/typescript/bin/tsc
	@.venv-node/bin/node node_modules/@biomejs/biome/bin/biome check --error-on-warnings --log-level=warn
	@$(BIN)/lint-imports --verbose >/dev/null || $(BIN)/lint-imports

lint: static package ## formatting, types, layers, security and the template
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml app.py chalicelib cli infra local
	@$(BIN)/cfn-lint --template build/local/template.json

unit: env node package ## the tests alone
	@$(BIN)/pytest --quiet --numprocesses $(WORKERS) --dist loadgroup

runtime: env ## the quick tests on python3.13, which the functions run on, where it is installed
	@$(RUN) -m local.runtime --quiet --numprocesses $(WORKERS) -m 'not slow and not stack and not browser' $(RUNTIME)

node: env-demo ## node with esbuild, TypeScript and Biome, which build and check the pages; does nothing when up to date
	@$(RUN) -m local.node

package: env-demo node ## build/: the pages; the template, the zip and the layer that the local stack runs
	@$(RUN) -m infra.package --target local
	@$(RUN) -m infra.pages

wheel: env-demo ## build/wheel/: the `tandem` command for the client's own machines, the same bytes each time
	@$(RUN) -m infra.wheel

deploy: env node ## deploy to AWS: STAGE=name PARAMETERS_FILE=…, and see infra/README.md before the first time
	@test -n "$(STAGE)" || { echo "make: say which stage: make deploy STAGE=name" >&2; exit 1; }
	@infra/deploy.sh "$(STAGE)"

rollback: env ## deploy the release before the one in force again: STAGE=name
	@test -n "$(STAGE)" || { echo "make: say which stage: make rollback STAGE=name" >&2; exit 1; }
	@$(RUN) -m infra.deployment rollback "$(STAGE)"

doctor: env ## check what a stage needs of its account: STAGE=name, or the running local stack
	@$(RUN) -c 'from cli.main import app; app()' doctor --stage "$(or $(STAGE),local)"

bench: env package ## start-up times, zip sizes and the cost of each route and consumer
	@$(RUN) -m bench

memory: env ## the memory size of each function, by what it takes, on the functions' python if it is here; some minutes
	@$$(ls .venv-runtime/bin/python 2>/dev/null || echo $(BIN)/python) -m bench.memory

bench-lists: env ## the digest-list engine beside sort, DuckDB, polars, SQLite, LMDB, under 5 minutes; SIZE=1M, SIZE=100M
	@$(RUN) -m bench.lists $(SIZE)

mails: env ## every mail in every language, side by side: build/mails/index.html
	@$(RUN) -m local.mails

screenshots: env node ## a picture of every page and state, small, into docs/screenshots/; needs chromium
	@$(RUN) -m tests.browser.screenshots

bench-mails: env ## how long a sign-in waits behind 25,000 invitations, by the sending rate
	@$(RUN) -m bench.mails

bench-orders: env ## what 500 reported orders of referees ask of AWS, by call and by file
	@$(RUN) -m bench.orders

bench-exchange: env node ## a million voucher codes beside npm's voucher-code-generator, and the calls of a till
	@$(RUN) -m bench.exchange

bench-files: env ## a million orders beside csv and pydantic, a million vouchers beside csv and gzip, ten million orders in 300 MB; ROWS=100000, MOST=1000000
	@$(RUN) -m bench.files $(or $(ROWS),1000000) $(or $(MOST),10000000)

abuse: env ## what strangers and cheats can do: bytes and time of answers, floods, costs, odd inputs, a planted ring; NAME=score, SHARE=0.1
	@PYTHONHASHSEED=0 $(RUN) -m bench.abuse $(NAME) --share $(or $(SHARE),1)

cost: env node ## the bill of a million invitations by line beside SES alone, and the idle month; MEASURE=1 times executions anew
	@PYTHONHASHSEED=0 $(RUN) -m bench.cost $(if $(MEASURE),--measure)

capacity: env ## what each component bears, replayed against AWS's published limits; NAME=due for one; some minutes
	@$(RUN) -m bench.capacity $(NAME)

reliability: env ## what is promised, in numbers: an hour, or SHARE=0.1 of it
	@PYTHONHASHSEED=0 $(RUN) -m tests.reliability $(NAME) --share $(or $(SHARE),1)

year: env ## a year of exchange with the client by a virtual clock: every account agrees, or it fails
	@$(RUN) -m bench.year

simulate: env ## play seeds of concurrent work with faults: SEED=1 SEEDS=1 STEPS=2000
	@$(RUN) -m tests.simulation.run --seed $(or $(SEED),1) --seeds $(or $(SEEDS),1) --steps $(or $(STEPS),2000)

mutations: env ## take every guard of the code away in turn: a test notices; FIND=1 looks for tests for new ones
	@$(RUN) -m tests.mutations --workers $(WORKERS) $(if $(FIND),--find --trace)

restore-drill: env package ## take the table of a local stack back, and bring it forward by the runbook
	@$(RUN) -m tests.e2e.restore_drill

logs: env-demo ## follow the log groups of the running local stack
	@$(RUN) -m local.logs

format: env node ## put the code in order
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .
	@.venv-node/bin/node node_modules/@biomejs/biome/bin/biome check --write --log-level=warn

upgrade: env node ## pin the newest versions, from every requirements*.in and package.json; then: make test
	@$(RUN) -m local.upgrade

clean: ## take out everything that was made
	rm -rf build .local .venv .venv-local .venv-runtime .venv-bench .venv-survival .venv-client .venv-node node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
