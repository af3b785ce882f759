# Every target sets up .venv by itself; where nothing changed, that takes no time.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYX := $(wildcard $(foreach package,nameserver zones,$(package)/*.pyx $(package)/*.pxd))
READY := $(VENV)/.compiled

# As in: make test PYTEST_ARGS="-n 0 -k name". Many tests wait for other servers, so that several
# processes are worth it; those of one file stay together and share what they have started.
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench soak fuzz sanitize clean venv

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: $(READY) ## show the main job: a hidden primary followed, refused, served (Ctrl-C ends it)
	@$(BIN)/nsctl demo

test: $(READY) ## run all tests; those whose peers are not installed are skipped and named
	@$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

lint: $(READY) ## check style, types and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## format the sources and fix what can be fixed without thought
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# As in: make bench BENCH_ARGS="udp flood --quick".
bench: $(READY) ## measure, beside the installed peers
	@$(BIN)/python -m bench $(BENCH_ARGS)

soak: $(READY) ## load the server for ten minutes while zones change; memory must stay flat
	@$(BIN)/python -m bench.soak $(SOAK_ARGS)

fuzz: $(READY) ## send ten million mutated packets, and streams over TCP, to the compiled engine
	@$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

sanitize: $(READY) ## run the tests and the fuzzer on modules built with ASan and UBSan
	@tools/sanitize.sh $(PYTEST_ARGS)

venv: $(READY) ## only set up .venv, with the compiled modules in place

clean: ## remove .venv and everything built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.benchmarks .import_linter_cache
	rm -f $(foreach package,nameserver zones,$(package)/*.so)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created: tools/new_venv.py
	@$(PYTHON) tools/new_venv.py $(VENV)
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.created
	@echo "installing what pyproject.toml names into $(VENV)"
	@NSCTL_COMPILE=0 $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[dev]'
	@touch $@

# Compiled in place and apart from the installation, so that a change of a .pyx costs only itself.
$(READY): setup.py $(PYX) $(VENV)/.installed
	@$(BIN)/python setup.py --quiet build_ext --inplace
	@touch $@
