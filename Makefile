# Everything here sets itself up in .venv/ and needs only make, Python >= 3.11 and the PyPI registry.

PYTHON ?= python3
AGENT ?= cpython
# Tests at a time, whole files; more than there are processors, as they wait a lot. JOBS=0: one after the other.
JOBS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PARALLEL := -n $(JOBS) --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

DAYS ?= 1000
# Of fuzzing each target.
SECONDS ?= 60

.PHONY: help demo test test-interop test-long soak fuzz hil lint bench clean python

help:
	@echo "make demo       the whole story once, on this machine (AGENT=micropython: the device runs real MicroPython)"
	@echo "make test       the tests, in under ten minutes; TESTS=path narrows it"
	@echo "make test-interop  those against software that is not ours; Leshan's need Java 17 and Maven, or say so"
	@echo "make test-long  those that take longer: every modem family, two WANs in network namespaces (root)"
	@echo "make hil        on a virtual Raspberry Pi: Debian's kernel and pppd, a USB modem, a cable, power cuts (QEMU)"
	@echo "make soak       $(DAYS) simulated days, hard ones, on all processors; DAYS=20 plays fewer"
	@echo "make fuzz       damaged input for all that takes any, led by coverage, $(SECONDS) s each; SECONDS=5 TARGETS='coap cbor'"
	@echo "make lint       ruff, import layers, limits, the portable subset"
	@echo "make bench      the figures, beside a peer's where there is one; NAMES='heap.story_min_kib ...' narrows it"
	@echo "make clean      removes .venv/ and everything built"
	@echo "PYTHON=/path/to/python3 names the Python to set up with (3.11 or newer)."

demo: $(VENV)/.lab
	@$(BIN)/pointsman lab --once --agent $(AGENT)

test: $(VENV)/.test
	@$(BIN)/python -m pytest -m "not long" $(PARALLEL) $(TESTS)

test-interop: $(VENV)/.test
	@$(BIN)/python -m pytest $(PARALLEL) tests/interop

test-long: $(VENV)/.test
	@$(BIN)/python -m pytest -m long $(PARALLEL) $(TESTS)

hil: $(VENV)/.test
	@$(BIN)/python tests/hil/image.py
	@$(BIN)/python -m pytest tests/hil

soak: $(VENV)/.test
	@$(BIN)/python tests/sim/soak.py $(DAYS)

fuzz: $(VENV)/.fuzz
	@$(BIN)/python tests/fuzz/run.py --seconds $(SECONDS) $(TARGETS)

lint: $(VENV)/.test
	@$(BIN)/ruff check .
	@$(BIN)/python -m pytest -q tests/structure

bench: $(VENV)/.test
	@$(BIN)/pointsman bench $(NAMES)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp of an extra: newer than what says which packages it takes.
$(VENV)/.%: pyproject.toml setup.py | python
	@echo "setting up $(VENV)/ for '$*' (once)"
	@$(BIN)/python -c "" 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --editable '.[$*]' 2>$(VENV)/pip.log || { cat $(VENV)/pip.log; \
	    echo "make: the packages could not be installed (see above); is the package registry reachable?"; exit 1; }
	@touch $@

# What is missing on this machine, said before anything is made.
python:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "make: there is no $(PYTHON) here; install Python 3.11 or newer, or name one: PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make: $(PYTHON) is $$($(PYTHON) --version 2>&1), 3.11 or newer is needed; name one: PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	    echo "make: $(PYTHON) has no venv module; install it (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
