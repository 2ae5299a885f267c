# Every target works on a fresh machine that has Python >= 3.11 with venv, and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# For `make install`.
PREFIX ?= /opt/connectd
SYSCONFDIR ?= /etc
UNITDIR ?= $(SYSCONFDIR)/systemd/system
SYSUSERSDIR ?= $(SYSCONFDIR)/sysusers.d
TMPFILESDIR ?= $(SYSCONFDIR)/tmpfiles.d
# Extras for the service, with blanks between them, of those that have a file in systemd/requirements.
EXTRAS ?=

# Many tests wait for processes and servers: two more than there are cores keep these busy.
WORKERS := $(shell expr $$(nproc) + 2)

# Where it is set, each of the many processes would compile all of its modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: venv demo test test-long lint bench lock install clean

venv: $(READY)

# --no-deps everywhere: requirements.lock is the whole closure, with hashes.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "connectd needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Choose another with: make PYTHON=/path/to/python3")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	$(BIN)/python -m bench.demo

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not long" tests

# One after the other, for these need the machine for themselves.
test-long: $(READY)
	$(BIN)/python -m pytest -m long tests

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m bench

LOCK_OPTIONS := --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --python-version 3.11

# Run after changing dependencies; uv resolves for every platform and Python version at once.
lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --extra service pyproject.toml -o requirements-service.lock
	for extra in java vault aws registry; do \
		$(BIN)/uv pip compile $(LOCK_OPTIONS) --constraint requirements.lock --extra $$extra \
			$$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements-service.lock) \
			pyproject.toml -o systemd/requirements/$$extra.lock || exit 1; \
	done

# An environment of the service's own in PREFIX, its units, and files to begin with; what is there already in
# SYSCONFDIR/connectd stays as it is. systemd is told nothing: docs/systemd.md says what to do next.
install:
	$(PYTHON) -m venv $(PREFIX)
	$(PREFIX)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-service.lock $(EXTRAS:%=-r systemd/requirements/%.lock)
	$(PREFIX)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .
	$(PREFIX)/bin/python systemd/install.py --prefix $(PREFIX) --sysconfdir $(SYSCONFDIR) --unitdir $(UNITDIR) --sysusersdir $(SYSUSERSDIR) --tmpfilesdir $(TMPFILESDIR)

clean:
	rm -rf .venv build dist *.egg-info
