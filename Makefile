# Sojourn: what there is to do. 'make' alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
DEMO := $(VENV)/.demo-ready
TEST := $(VENV)/.test-ready
PEERS := .venv-peers
COMPILE := --quiet --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11
# Hashes are checked; the registry is whatever this machine is set up for.
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --require-hashes
SELF = $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench bench-linkage bench-names lock docs clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 14

demo: $(DEMO) ## a live country of invented travellers, in the browser
	@$(BIN)/sojourn demo $(ARGS)

test: $(TEST) ## everything: both databases, a real browser
	@sh tools/system_packages.sh
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

check: $(TEST) ## style, types, contracts, documentation; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tools/build_docs.py --check
	@$(BIN)/python tools/check_pins.py
	@echo "check: all well"

fix: $(TEST) ## format, sort imports, rebuild generated documentation
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .
	@$(BIN)/python tools/build_docs.py

bench: $(TEST) ## speed and accuracy on this machine
	@sh tools/system_packages.sh
	@$(BIN)/python -m benchmarks $(ARGS)

bench-linkage: $(TEST) $(PEERS)/.ready ## linking beside Splink and others, on the same files
	@$(BIN)/python -m benchmarks.peers $(ARGS)

bench-names: $(TEST) $(PEERS)/.ready ## spellings of one name, by script, beside phonetic libraries
	@$(BIN)/python -m benchmarks.names $(ARGS)

docs: $(TEST) ## rebuild the generated documentation
	@$(BIN)/python tools/build_docs.py

lock: $(UV) ## choose newer versions of what we depend on
	@$(UV) pip compile $(COMPILE) --upgrade requirements/tools.in -o requirements/tools.txt
	@$(UV) pip compile $(COMPILE) --upgrade requirements/node.in -o requirements/node.txt
	@$(UV) pip compile $(COMPILE) --upgrade pyproject.toml requirements/build.in --extra web --extra simulate -o requirements/demo.txt
	@$(UV) pip compile $(COMPILE) --upgrade pyproject.toml requirements/build.in --extra web --extra simulate --extra dev -o requirements/test.txt
	@$(UV) pip compile $(COMPILE) --upgrade requirements/peers.in -o requirements/peers.txt

clean: ## forget everything that was installed or built
	@rm -rf $(VENV) $(PEERS) build src/*.egg-info src/sojourn_web/static/vendor .mypy_cache .ruff_cache .pytest_cache
	@find src -name __pycache__ -prune -exec rm -rf {} +

$(UV): requirements/tools.txt
	@echo "[1/4] a Python environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@touch $@

$(DEMO): $(UV) requirements/demo.txt requirements/node.txt src/sojourn_web/frontend/package-lock.json pyproject.toml
	@echo "[2/4] packages, pinned by hash (about 60; a minute on a slow line)"
	@test -e $(TEST) || $(INSTALL) -r requirements/demo.txt
	@$(SELF)
	@echo "[3/4] front-end packages, exact versions"
	@command -v npm >/dev/null || $(INSTALL) -r requirements/node.txt
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m sojourn_web.build_frontend
	@echo "[4/4] compiling the kernels, once (half a minute)"
	@$(BIN)/sojourn doctor --warm
	@touch $@

$(TEST): $(UV) requirements/test.txt requirements/node.txt src/sojourn_web/frontend/package-lock.json pyproject.toml
	@echo "[2/4] packages for development, pinned by hash"
	@$(INSTALL) -r requirements/test.txt
	@$(SELF)
	@echo "[3/4] front-end packages, exact versions"
	@command -v npm >/dev/null || $(INSTALL) -r requirements/node.txt
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m sojourn_web.build_frontend
	@echo "[4/4] compiling the kernels, once (half a minute)"
	@$(BIN)/sojourn doctor --warm
	@touch $@

# Who does not install is told of in its row: the others go on.
$(PEERS)/.ready: $(UV) requirements/peers.txt
	@echo "peers' packages, pinned by hash, in $(PEERS)"
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@$(UV) pip install --quiet --python $(PEERS)/bin/python --require-hashes -r requirements/peers.txt && touch $@ || echo "not all peers could be installed"
