# Two commands for everyone: `make demo` and `make test`. Each sets up .venv with what was tested.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test slow build verify lock clean

demo: $(VENV)/.installed
	$(BIN)/chainrule demo --students 12 --unit 01

test: $(VENV)/.installed
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist worksteal

slow: $(VENV)/.installed
	$(BIN)/pytest -n 2 --dist worksteal -m slow

build: $(VENV)/.installed
	$(BIN)/chainrule build

verify: $(VENV)/.installed
	$(BIN)/chainrule verify

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chainrule needs Python 3.11 or later: make PYTHON=python3.11 demo")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[course,test]"
	touch $@

# New versions of everything, after `make test` with them passes
lock:
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[course,test]"
	$(BIN)/pip freeze --exclude-editable --exclude chainrule > constraints.txt

clean:
	rm -rf $(VENV)
