# `make demo` and `make test` are all that a newcomer needs; each sets up first. See README.md.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help setup demo test lint bench chaos egg lock clean

help:
	@echo "make setup   a virtual environment in .venv with pinned requirements (the others call it)"
	@echo "make demo    crawl a sandbox of four chains into demo/splitcart.db and show what landed"
	@echo "make test    every test, with the 20 slowest     (ARGS='tests/models -k lease' for some)"
	@echo "make lint    ruff (lint and format) and mypy"
	@echo "make bench   the benchmarks as a table and build/bench.json   (ARGS='--only NAME' for one)"
	@echo "make chaos   the long version of the fault tests"
	@echo "make egg     the egg for scrapyd, in dist/"
	@echo "make lock    compile requirements*.txt from requirements*.in"

setup: .venv/.ready

.venv/.ready: requirements.txt requirements-dev.txt .ci/system-packages
	@PYTHON="$(PYTHON)" sh .ci/system-packages
	@test -x $(BIN)/python || echo "setup: a virtual environment in .venv"
	@$(PYTHON) -m venv .venv
	@echo "setup: pinned requirements (about a minute the first time)"
	@$(BIN)/python -m pip install -qq -r requirements-dev.txt
	@touch $@

demo: setup
	@$(BIN)/python scripts/demo.py $(ARGS)

test: setup
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy -m scripts.sandbox

bench: setup
	@$(BIN)/python -m benchmarks.run $(ARGS)

chaos: setup
	@$(BIN)/python scripts/chaos.py $(ARGS)

egg: setup
	@rm -rf build/lib build/bdist.*
	@$(BIN)/python -W ignore setup.py --quiet bdist_egg --dist-dir dist
	@ls dist/*.egg

lock: setup
	@for name in requirements requirements-coles requirements-dev; do \
		$(BIN)/python -m piptools compile --quiet --strip-extras --allow-unsafe --no-header --annotation-style=line \
			--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file=$$name.txt $$name.in || exit 1; \
	done

clean:
	rm -rf .venv build dist demo
