# make demo and make test work on a fresh clone; both make the environment first if it is not there.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
# Which PyTorch to install where none is there, such as torch==2.13.0; what pyproject.toml declares by default.
TORCH ?=

# Threads that spin while they wait slow each other down where there are as many threads as cores.
export OMP_WAIT_POLICY ?= PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1
export PYTHON

.PHONY: demo demo-gui test test-minimum coverage lint types contracts check format clean

demo: $(STAMP)
	$(if $(filter --gui,$(ARGS)),.ci/packages window && $(BIN)/python .ci/window.py)
	$(BIN)/microforge demo $(ARGS)

# An option of make's own cannot be --gui, so this target stands for it.
demo-gui:
	@$(MAKE) --no-print-directory demo ARGS="--gui $(ARGS)"

test: $(STAMP)
	.ci/packages window
	.ci/screen $(BIN)/python -m pytest $(ARGS)

coverage: $(STAMP)
	.ci/packages window
	.ci/screen $(BIN)/python -m pytest --cov --cov-report=term:skip-covered $(ARGS)

# The same tests with every dependency as old as pyproject.toml allows.
test-minimum: .venv-minimum/.installed
	.ci/packages window
	.ci/screen .venv-minimum/bin/python -m pytest $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

check: lint types contracts test

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Installs again only when what the project needs has changed; pip honours PIP_CONSTRAINT by itself.
$(STAMP): pyproject.toml
	.ci/environment $(VENV)
	$(BIN)/python .ci/install_torch.py $(if $(TORCH),"$(TORCH)")
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(STAMP)

.venv-minimum/.installed: pyproject.toml .ci/minimum.py
	.ci/environment .venv-minimum
	.venv-minimum/bin/python .ci/minimum.py > .venv-minimum/constraints.txt
	.venv-minimum/bin/python .ci/install_torch.py "$$(grep '^torch==' .venv-minimum/constraints.txt)"
	PIP_CONSTRAINT= .venv-minimum/bin/python -m pip install --quiet --constraint .venv-minimum/constraints.txt \
		--only-binary :all: --editable ".[dev]"
	touch $@

clean:
	rm -rf build dist demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage
