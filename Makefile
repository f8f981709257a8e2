# Two environments: .venv for everything but Rasa, .venv-rasa for Rasa and its action server.
.DEFAULT_GOAL := help
.PHONY: help setup train run chat test evaluate evaluate-test lint clean

PYTHON ?= python3
TOOLS := .venv/bin/python
RASA := .venv-rasa/bin/python

export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

setup: ## make both environments, if missing or out of date
	@$(PYTHON) -m scripts.setup

train: setup ## train the model, if missing or out of date
	@$(TOOLS) -m scripts.train

run: train ## set up, train and start the bot; Ctrl-C stops it
	@$(TOOLS) -m scripts.run

chat: setup ## talk to the running bot in this terminal
	@$(TOOLS) -m scripts.chat

test: train ## run every test
	$(TOOLS) -m pytest tests --ignore=tests/rasa
	$(RASA) -m pytest tests/rasa --asyncio-mode=auto --disable-warnings

evaluate: train ## measure on the development and validation cases; writes docs/evaluation.md
	$(TOOLS) -m evaluation development validation

evaluate-test: train ## measure on the test cases, beside plain Rasa and a keyword gate; long the first time
	$(TOOLS) -m evaluation test

lint: setup ## check style, types and Rasa's data
	$(TOOLS) -m ruff check .
	$(TOOLS) -m ruff format --check .
	$(TOOLS) -m mypy aftercare scripts evaluation --exclude evaluation/parse.py
	$(RASA) -m mypy --follow-imports=silent actions rasa_ext evaluation/parse.py
	$(RASA) -m rasa data validate

clean: ## remove environments, model and caches; conversations stay in .run
	rm -rf .venv .venv-rasa .tools models .rasa .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
