# Every target does its own set-up: nothing is needed but Python 3.11+ and make.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.ready
DOCS  := $(VENV)/.ready-docs
DEEP  := $(VENV)/.ready-deep
LIBS  := $(VENV)/.ready-libraries
# Flower pins older versions of what others need: it has an environment, and constraints, of its own.
FLOWER := .venv-federated
FLOWER_CONSTRAINTS ?= constraints-federated.txt
BENCH := $(VENV)/.ready-bench
TOOLS := $(VENV)/.ready-tools
# /dev/null installs the newest versions, build/oldest.txt the oldest that pyproject.toml admits.
CONSTRAINTS ?= constraints.txt
PIP   := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -c $(CONSTRAINTS)
DEMO  := build/demo/breast-cancer
JOBS  ?= auto
PART  ?= kernels/statistics
INPUTS ?= 20000
FAST  := $(BIN)/pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal --ignore tests/deep --ignore tests/federated/flower -m 'not data and not slow and not deep and not libraries'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-data test-libraries test-deep test-federated test-experiments crash coverage fuzz mutants lint check format hooks bench picture \
	guide guide-check docs dist constraints constraints-federated clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with the pinned versions of constraints.txt

$(READY): pyproject.toml $(CONSTRAINTS)
	@test -n "$(PYTHON)" || { echo "setup: needs Python 3.11 or newer with venv; name one: make PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/pip || "$(PYTHON)" -m venv $(VENV)
	@echo "setup: installing toadstone and its tools into $(VENV) (about a minute)"
	@$(PIP) -e '.[dev]'
	@touch $@

demo: $(READY) ## audit an embedded real data set; ends with the path of its report
	@rm -rf $(DEMO) && mkdir -p $(dir $(DEMO))
	@$(BIN)/toadstone audit breast-cancer --fraction 0.03 --out $(DEMO)

test: $(READY) ## run the fast tests, in a process a core up to four (JOBS=0: in one)
	@$(FAST)

test-data: $(READY) ## run the slow tests and those on real data (TOADSTONE_DATA)
	@test -d "$$TOADSTONE_DATA" || { echo "test-data: TOADSTONE_DATA should name the folder of data sets, got '$$TOADSTONE_DATA'" >&2; exit 1; }
	@$(BIN)/pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal --ignore tests/deep --ignore tests/federated/flower -m '(data or slow) and not deep and not libraries'

test-libraries: $(LIBS) ## install PyOD, cleanlab and the boosting libraries and run the tests of what they are used for
	@TOADSTONE_LIBRARIES=true $(BIN)/pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal --ignore tests/deep --ignore tests/federated/flower -m libraries
	@$(BIN)/pytest -q --doctest-modules src/toadstone/detectors/adapters

$(LIBS): $(READY)
	@echo "setup: installing PyOD, cleanlab, XGBoost, LightGBM and CatBoost into $(VENV)"
	@$(PIP) -e '.[dev,pyod,cleanlab,boosting]'
	@touch $@

test-deep: $(DEEP) ## install torch and run the tests of networks; those on real data too where TOADSTONE_DATA is set
	@TOADSTONE_DEEP=true $(BIN)/pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal -m 'deep and not slow'

test-federated: $(FLOWER)/.ready ## install Flower in an environment of its own and run its tests, one of them a federation on loopback
	@TOADSTONE_FEDERATED=true $(FLOWER)/bin/python -m pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal tests/federated/flower
	@$(FLOWER)/bin/python -m pytest -q -W ignore::DeprecationWarning --doctest-modules src/toadstone/federated/flower

$(FLOWER)/.ready: pyproject.toml $(FLOWER_CONSTRAINTS)
	@echo "setup: installing Flower into $(FLOWER)"
	@test -x $(FLOWER)/bin/pip || "$(PYTHON)" -m venv $(FLOWER)
	@$(FLOWER)/bin/python -m pip install --quiet --quiet --disable-pip-version-check -c $(FLOWER_CONSTRAINTS) \
		-e '.[federated]' pytest pytest-xdist hypothesis
	@touch $@

test-experiments: $(DEEP) ## run the experiments on networks whole and check what they reach (TOADSTONE_DATA; a quarter of an hour)
	@TOADSTONE_DEEP=true $(BIN)/pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal -m 'deep and slow'

$(DEEP): $(READY)
	@echo "setup: installing torch, opacus, lightning and transformers into $(VENV)"
	@$(PIP) -e '.[dev,private,lightning,huggingface]'
	@touch $@

crash: $(READY) ## kill, interrupt and terminate runs at many points (eleven minutes); writes docs/results/crash.md
	@{ echo '# Runs stopped at many points'; echo; \
		echo 'By `make crash`. No wrong or partial result, no orphan after the next run, no traceback; else the test fails.'; echo; \
		echo '| what | command | points | stopped | seconds of a run |'; echo '|---|---|--:|--:|--:|'; } > docs/results/crash.md
	@TOADSTONE_CRASH=all TOADSTONE_CRASH_LOG=$(CURDIR)/docs/results/crash.md nice -n 10 $(BIN)/pytest -q tests/crash

fuzz: $(READY) ## read damaged files of every format (INPUTS=20000): read whole, or refused in one sentence
	@$(BIN)/python -m tests.fuzz $(INPUTS)

coverage: $(READY) ## run the fast tests and fail below the floor of pyproject.toml; says which lines no test reaches
	@$(FAST) --cov --cov-report=term:skip-covered --cov-report=html:build/coverage

mutants: $(TOOLS) ## change a part of the code and count the changes that no test notices (PART=kernels/statistics)
	@$(BIN)/python benchmarks/mutants.py $(PART)

lint: $(READY) ## lint, formatting, types, imports between rooms
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

check: lint ## lint, formatting, types, imports between rooms, doctests
	@$(BIN)/pytest -q --doctest-modules src \
		$$($(BIN)/python -c 'from importlib.util import find_spec as at; at("torch") and at("opacus") or print("--ignore src/toadstone/deep")') \
		--ignore src/toadstone/detectors/adapters --ignore src/toadstone/federated/flower

format: $(READY) ## rewrite the code as the formatter likes it
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

hooks: $(TOOLS) ## have git run `make lint` before each commit
	@$(BIN)/pre-commit install

bench: $(BENCH) ## time kernels and detectors against the generic route and other libraries
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

$(BENCH): $(READY)
	@$(PIP) -e '.[dev,bench]'
	@touch $@

picture: $(READY) ## take the README's picture again (TOADSTONE_DATA and Chromium)
	@$(BIN)/python docs/picture.py

guide: $(READY) ## run the commands of docs/guide again and write their output into its pages (TOADSTONE_DATA)
	@$(BIN)/python docs/guide/render.py

guide-check: $(READY) ## fail where the output in docs/guide is no longer that of its commands (TOADSTONE_DATA)
	@$(BIN)/python docs/guide/render.py --check

docs: $(DOCS) ## build the documentation; warnings are errors
	@rm -rf docs/api build/docs
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --builder html docs build/docs
	@echo "docs: open build/docs/index.html"

$(DOCS): $(READY)
	@$(PIP) -e '.[dev,docs]'
	@touch $@

dist: $(TOOLS) ## build the source archive and the wheel, and check what an index would say of them
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist . > /dev/null
	@$(BIN)/twine check --strict dist/*

$(TOOLS): $(READY)
	@$(PIP) -e '.[dev,tools]'
	@touch $@

build/oldest.txt: pyproject.toml .github/oldest.py
	@mkdir -p build && "$(PYTHON)" .github/oldest.py > $@

constraints: ## renew constraints.txt with the newest versions that go together
	@rm -rf build/newest && mkdir -p build && "$(PYTHON)" -m venv build/newest
	@build/newest/bin/pip install --quiet --quiet --disable-pip-version-check -e '.[dev,docs,bench,private,lightning,huggingface,tools,pyod,cleanlab,boosting]'
	@{ grep '^#' constraints.txt; build/newest/bin/pip freeze --exclude-editable | grep -Ev '^(nvidia|cuda|triton)' \
		| sed 's/+cpu//' | LC_ALL=C sort -fu; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt
	@git --no-pager diff --stat constraints.txt

constraints-federated: ## renew constraints-federated.txt with the newest versions that go together with Flower
	@rm -rf build/newest && mkdir -p build && "$(PYTHON)" -m venv build/newest
	@build/newest/bin/pip install --quiet --quiet --disable-pip-version-check -e '.[federated]' pytest pytest-xdist hypothesis
	@{ grep '^#' constraints-federated.txt; build/newest/bin/pip freeze --exclude-editable | LC_ALL=C sort -fu; } > build/constraints.txt
	@mv build/constraints.txt constraints-federated.txt
	@git --no-pager diff --stat constraints-federated.txt

clean: ## remove what the other targets made, but not .venv
	@rm -rf build dist docs/api .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests benchmarks examples -name __pycache__ -type d -exec rm -rf {} +
