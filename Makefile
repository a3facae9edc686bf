# `make demo` runs a real search, `make test` the checks and the quick tests, `make test-all` every
# test, `make test-latest` the quick ones with the newest version of every library, `make docs`
# builds the documentation, `make notebooks` executes the notebooks, `make bench` every benchmark,
# `make curves` makes what is missing of the tables of learning curves, and `make stubs` writes the
# types of the names in the registry. Each installs what it needs first, with uv: .venv, which grows
# from one target to the next; .venv-jax of the tests with JAX and without TensorFlow; .venv-bench
# with the libraries we are compared with; .venv-latest with the newest versions.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JAX := .venv-jax
BENCH := .venv-bench
LATEST := .venv-latest
BACKEND := $(if $(shell command -v nvidia-smi 2>/dev/null),gpu,cpu)
UV := $(shell command -v uv 2>/dev/null)
# Images of containers often set it; each process would compile all of TensorFlow anew then.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-all test-latest check docs notebooks bench bench-quick curves format stubs clean

define install
	$(if $(UV),$(UV) venv --quiet --allow-existing --python ">=3.11" $(@D),$(PYTHON) -m venv $(@D))
	$(if $(UV),,$(@D)/bin/python -m pip install --quiet uv)
	$(or $(UV),$(@D)/bin/uv) pip install --quiet --python $(@D)/bin/python $(OPTIONS) -e ".[$(EXTRAS)]"
	touch $@
endef

$(VENV)/demo: EXTRAS = $(BACKEND),datasets
$(VENV)/dev: EXTRAS = $(BACKEND),dev
$(VENV)/all: EXTRAS = $(BACKEND),all
$(JAX)/jax: EXTRAS = jax
$(BENCH)/bench: EXTRAS = $(BACKEND),bench
$(VENV)/demo $(VENV)/dev $(VENV)/all $(JAX)/jax $(BENCH)/bench: pyproject.toml
	$(install)

demo: $(VENV)/demo
	$(BIN)/kt-hpo search --data mnist5k --model cnn --minutes 1.5 --seed 1 --directory runs/demo

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

test-all: $(VENV)/all $(JAX)/jax check
	$(BIN)/pytest -n 2 --dist worksteal

# The caps of pyproject.toml do not hold here, and what is installed is upgraded every time.
test-latest: $(LATEST)/latest
	$(LATEST)/bin/pytest -n 2 --dist worksteal -m "not slow"

$(LATEST)/latest: EXTRAS = $(BACKEND),dev
$(LATEST)/latest: OPTIONS = --upgrade --overrides build/uncapped.txt
.PHONY: $(LATEST)/latest
$(LATEST)/latest:
	mkdir -p build
	sed -n 's/.*"\(.*\),<[0-9.]*".*/\1/p' pyproject.toml > build/uncapped.txt
	$(install)

# Executes the notebooks where they are, and keeps their outputs.
notebooks: $(VENV)/all
	$(BIN)/python notebooks/execute.py

docs: $(VENV)/all
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(BENCH)/bench
	$(BENCH)/bin/python -m benchmarks.run

bench-quick: $(BENCH)/bench
	$(BENCH)/bin/python -m benchmarks.run --quick

curves: $(BENCH)/bench
	$(BENCH)/bin/python -m benchmarks.curves.make

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What type checkers read of the names in the registry.
stubs: $(VENV)/dev
	$(BIN)/python tests/stubs.py

clean:
	rm -rf $(VENV) $(JAX) $(BENCH) $(LATEST) build site *.egg-info .mypy_cache .ruff_cache .pytest_cache
