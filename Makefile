# Three environments: .venv-gateway for what faces the internet, .venv-rasa for Rasa and its action server, .venv for the rest.
.DEFAULT_GOAL := help
.PHONY: help setup train run chat test test-widget evaluate evaluate-test lint clean

PYTHON ?= python3
TOOLS := .venv/bin/python
RASA := .venv-rasa/bin/python

export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

setup: ## make the environments and the widget, if missing or out of date
	@$(PYTHON) -m scripts.setup

train: setup ## train the model, if missing or out of date
	@$(TOOLS) -m scripts.train

run: train ## set up, train and start everything, with a demo clinic's page; Ctrl-C stops it
	@$(TOOLS) -m scripts.run

chat: setup ## talk to the running bot in this terminal
	@$(TOOLS) -m scripts.chat

test: train test-widget ## run every test
	$(TOOLS) -m pytest tests --ignore=tests/rasa
	$(RASA) -m pytest tests/rasa --asyncio-mode=auto --disable-warnings

test-widget: setup
	npm test --prefix widget
	npm run size --prefix widget

evaluate: train ## measure on the development and validation cases; writes docs/evaluation.md
	$(TOOLS) -m evaluation development validation

evaluate-test: train ## measure on the test cases, beside plain Rasa and a keyword gate; long the first time
	$(TOOLS) -m evaluation test

lint: setup ## check style, types and Rasa's data
	$(TOOLS) -m ruff check .
	$(TOOLS) -m ruff format --check .
	$(TOOLS) -m mypy aftercare gateway scripts evaluation --exclude evaluation/parse.py
	$(RASA) -m mypy --follow-imports=silent actions rasa_ext evaluation/parse.py
	$(RASA) -m rasa data validate
	npm run check --prefix widget

clean: ## remove environments, model, bundles and caches; conversations stay in .run
	rm -rf .venv .venv-gateway .venv-rasa .tools widget/node_modules widget/dist models .rasa .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
