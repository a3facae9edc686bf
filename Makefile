# Two commands do everything: `make demo` runs a real search, `make test` runs every check.
# Both create .venv first, with uv where it is installed, else with python's own venv and pip.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BACKEND := $(if $(shell command -v nvidia-smi 2>/dev/null),gpu,cpu)
UV := $(shell command -v uv 2>/dev/null)

.PHONY: install demo test check format clean

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

test: check
	$(BIN)/pytest

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
