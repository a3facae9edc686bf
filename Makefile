# Two commands do everything: `make demo` runs a real search, `make test` runs every check.
# `make docs` builds the documentation. All create .venv first, with uv where it is installed, else
# with python's own venv and pip. The tests have a second environment, with JAX and without
# TensorFlow.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JAX := .venv-jax
BACKEND := $(if $(shell command -v nvidia-smi 2>/dev/null),gpu,cpu)
UV := $(shell command -v uv 2>/dev/null)

.PHONY: install demo test docs check format notebooks clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
ifdef UV
	$(UV) venv --quiet --allow-existing --python ">=3.11" $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python -e ".[$(BACKEND),dev]"
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e ".[$(BACKEND),dev]"
endif
	touch $@

demo: install
	$(BIN)/kt-hpo search --data mnist5k --model cnn --algorithm hyperband --max-epochs 4 --directory runs/demo

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(JAX)/installed: pyproject.toml
ifdef UV
	$(UV) venv --quiet --allow-existing --python ">=3.11" $(JAX)
	$(UV) pip install --quiet --python $(JAX)/bin/python -e ".[jax]"
else
	$(PYTHON) -m venv $(JAX)
	$(JAX)/bin/python -m pip install --quiet --upgrade pip
	$(JAX)/bin/python -m pip install --quiet -e ".[jax]"
endif
	touch $@

test: check $(JAX)/installed
	$(BIN)/pytest -n 2 --dist worksteal

# Executes the notebooks where they are, and keeps their outputs.
notebooks: install
	$(BIN)/python notebooks/execute.py

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(JAX) build site *.egg-info .mypy_cache .ruff_cache .pytest_cache
