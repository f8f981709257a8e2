# Environments: .venv-gateway for what faces the internet, .venv-rasa for Rasa and its actions, .venv for the rest, .venv-peers for a peer of the benchmark.
.DEFAULT_GOAL := help
.PHONY: help setup programs train train-two run dev demo-data chat unit test test-widget evaluate evaluate-test generate safety coverage mutants bench bench-queue soak fuzz lint clean

PYTHON ?= python3
TOOLS := .venv/bin/python
RASA := .venv-rasa/bin/python
# Files of tests are shared out among so many processes.
PARALLEL := -n 2 --dist loadfile
# A module that is slow as a whole is not even imported.
FAST := $(shell grep -L "^pytestmark = pytest.mark.slow" tests/core/test_*.py) tests/gateway/console/test_redaction.py

export PATH := $(CURDIR)/.tools/bin:$(PATH)
export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

setup: ## make the environments, Node.js and the widget, if missing or out of date
	@$(PYTHON) -m scripts.setup

programs: ## provide Chromium, Firefox, PostgreSQL, Redis, nginx and a FHIR validator for the tests, where this machine lacks them
	@$(PYTHON) -m scripts.programs

train: setup ## train the model, if missing or out of date
	@$(TOOLS) -m scripts.train

run: train ## set up, train and start everything, with a demo clinic's page; Ctrl-C stops it
	@$(TOOLS) -m scripts.run

dev: train ## like `make run`, and whatever is changed meanwhile is built, trained and started again
	@$(TOOLS) -m scripts.dev

demo-data: train ## let N invented patients (240 unless you say N=...) chat with the demo's bot, over the last 24 hours
	@$(TOOLS) -m scripts.demo_data $(N)

chat: setup ## talk to the running bot in this terminal
	@$(TOOLS) -m scripts.chat

unit: ## run the fast tests of the core and the gateway, in a small environment of their own: no Rasa, no browser
	@$(PYTHON) -m scripts.setup unit
	.venv-unit/bin/python -m pytest -q -m "not slow" $(FAST)

train-two: setup ## train the model of two procedures that some tests use, if missing or out of date
	@$(TOOLS) -m tests.procedures

test: programs setup test-widget ## run every test
	@$(MAKE) --no-print-directory -j2 train train-two
	$(TOOLS) -m pytest $(PARALLEL) tests/browser
	$(TOOLS) -m pytest $(PARALLEL) tests --ignore=tests/rasa --ignore=tests/browser
	$(RASA) -m pytest tests/rasa --asyncio-mode=auto --disable-warnings -W default

test-widget: setup
	npm test --prefix widget
	npm run size --prefix widget

evaluate: train ## measure on the development and validation cases; writes docs/evaluation.md
	$(TOOLS) -m evaluation development validation

evaluate-test: train ## measure on the test cases, beside plain Rasa and a keyword gate; long the first time
	$(TOOLS) -m evaluation test

generate: setup ## make Rasa's domain, rules and training data and the documents anew from languages/, clinical/ and protocols/
	@$(TOOLS) -m scripts.rasa_project
	@$(TOOLS) -m scripts.documents

safety: programs train ## run the tests that the hazard log names, go through every combination of findings; writes docs/safety/traceability.md
	$(TOOLS) -m scripts.safety

coverage: programs setup ## which branches of core and gateway their tests take; fails where they are fewer than the bars
	$(TOOLS) -m coverage run --branch --source=aftercare,gateway -m pytest tests/core tests/gateway
	$(TOOLS) -m coverage report --include="aftercare/*" --fail-under=90
	$(TOOLS) -m coverage report --include="gateway/*" --fail-under=85

mutants: setup ## change rules, interview and assertion in code on purpose, and list the changes that no test notices
	$(TOOLS) -m mutmut run
	$(TOOLS) -m mutmut results

bench: train ## measure the whole system beside a plain Rasa project, on a quiet machine; writes docs/speed.md; long the first time
	$(TOOLS) -m benchmarks.speed

bench-queue: setup ## time the nurses' queue with 100,000 and 1,000,000 conversations; writes docs/console-speed.md
	$(TOOLS) -m benchmarks.queue

soak: train ## let N simulated patients (10,000 unless you say N=...) chat while parts of the bot fail; writes docs/reliability.md
	$(TOOLS) -m benchmarks.soak $(N) $(if $(SEED),--seed $(SEED)) $(if $(ACTION_SERVER),--action-server)

fuzz: setup ## look for SECONDS (120 unless you say SECONDS=...) for words that the core cannot take, led by the code's branches
	$(TOOLS) -m scripts.fuzz $(SECONDS) $(if $(SEED),--seed $(SEED))

lint: setup ## check style, types and Rasa's data
	$(TOOLS) -m ruff check .
	$(TOOLS) -m ruff format --check .
	$(TOOLS) -m mypy --python-version 3.11 aftercare readers gateway vault scripts evaluation benchmarks deploy tests --exclude "evaluation/parse.py|evaluation/peers/context_program.py|benchmarks/stages.py|tests/rasa/"
	$(RASA) -m mypy --follow-imports=silent actions rasa_ext evaluation/parse.py benchmarks/stages.py tests/rasa
	$(RASA) -m rasa data validate
	npm run check --prefix widget

clean: ## remove environments, model, bundles and caches; conversations stay in .run
	rm -rf .venv .venv-unit .venv-gateway .venv-rasa .venv-peers .tools widget/node_modules widget/dist tests/r4/node_modules tests/firefox/node_modules models .rasa .mypy_cache .ruff_cache .pytest_cache .hypothesis mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
