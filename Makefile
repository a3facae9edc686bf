# `make demo` runs a real search, `make test` every check, `make docs` builds the documentation,
# `make notebooks` executes the notebooks, `make bench` every benchmark, and `make curves` makes what
# is missing of the tables of learning curves. Each creates its environment first, with uv where it
# is installed, else with python's own venv and pip: .venv; .venv-jax of the tests with JAX and
# without TensorFlow; .venv-bench with the libraries we are compared with.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JAX := .venv-jax
BENCH := .venv-bench
BACKEND := $(if $(shell command -v nvidia-smi 2>/dev/null),gpu,cpu)
UV := $(shell command -v uv 2>/dev/null)

.PHONY: install demo test check docs notebooks bench bench-quick curves format clean

install: $(VENV)/installed

# An environment, with the extras of its own.
$(VENV)/installed: EXTRAS = $(BACKEND),dev
$(JAX)/installed: EXTRAS = jax
$(BENCH)/installed: EXTRAS = $(BACKEND),bench

%/installed: pyproject.toml
ifdef UV
	$(UV) venv --quiet --allow-existing --python ">=3.11" $*
	$(UV) pip install --quiet --python $*/bin/python -e ".[$(EXTRAS)]"
else
	$(PYTHON) -m venv $*
	$*/bin/python -m pip install --quiet --upgrade pip
	$*/bin/python -m pip install --quiet -e ".[$(EXTRAS)]"
endif
	touch $@

demo: install
	$(BIN)/kt-hpo search --data mnist5k --model cnn --algorithm hyperband --max-epochs 4 --directory runs/demo

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check $(JAX)/installed
	$(BIN)/pytest -n 2 --dist worksteal

# Executes the notebooks where they are, and keeps their outputs.
notebooks: install
	$(BIN)/python notebooks/execute.py

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(BENCH)/installed
	$(BENCH)/bin/python -m benchmarks.run

bench-quick: $(BENCH)/installed
	$(BENCH)/bin/python -m benchmarks.run --quick

curves: $(BENCH)/installed
	$(BENCH)/bin/python -m benchmarks.curves.make

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(JAX) $(BENCH) build site *.egg-info .mypy_cache .ruff_cache .pytest_cache
