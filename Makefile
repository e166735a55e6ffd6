# The one door for commands: people and CI call the same words.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL_FLAGS := --quiet --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
# The checks need no server and leave no secret behind
FOR_CHECKS := SECRET_KEY=only-for-the-checks VAR=$(VENV)/var

.PHONY: help run test check fix lock schema screenshots method-pictures bench bench-analytics

help:
	@echo "make run              start everything on http://127.0.0.1:8000/ (PORT, VAR can be set)"
	@echo "make test             every check and every test"
	@echo "make check            formats, rules, types, migrations, documents; no test"
	@echo "make fix              put formats and imports right"
	@echo "make lock             compile requirements/*.txt anew"
	@echo "make schema           write the OpenAPI document anew"
	@echo "make screenshots      take the pictures of the documents anew"
	@echo "make method-pictures  draw the pictures of the method anew"
	@echo "make bench            measure the road against its yardsticks"
	@echo "make bench-analytics  measure the analytics"

run: $(VENV)/.run
	@$(BIN)/python manage.py up

test: check
	$(BIN)/python -m pytest

# Cheap first
check: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/djlint --quiet --check monitoring/templates
	$(BIN)/djlint --quiet --lint monitoring/templates
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/lint-imports --no-logo
	$(FOR_CHECKS) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(FOR_CHECKS) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(VENV)/openapi.yaml
	diff -u docs/reference/openapi.yaml $(VENV)/openapi.yaml || { \
		echo "The door no longer is what its document says. If that is meant: make schema"; exit 1; }
	$(FOR_CHECKS) $(BIN)/mypy .

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format --quiet .
	$(BIN)/djlint --quiet --reformat monitoring/templates

schema: $(VENV)/.dev
	$(FOR_CHECKS) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/reference/openapi.yaml

screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.journeys.take_pictures

method-pictures: $(VENV)/.dev
	$(BIN)/python -m analytics.method_pictures docs/pictures

bench: $(VENV)/.dev
	$(BIN)/python -m bench

bench-analytics: $(VENV)/.dev
	$(BIN)/python -m bench.analytics

lock: $(VENV)/.uv
	$(COMPILE) pyproject.toml --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --group test --group check --constraints requirements/run.txt \
		--output-file requirements/dev.txt
	$(BIN)/uv --version | cut -d' ' -f2 | sed 's/^/uv==/' | $(COMPILE) - --output-file requirements/uv.txt

# What is installed, compiled at once: otherwise the first start has four processes compile the same
# 13,000 files at one time, and where PYTHONDONTWRITEBYTECODE is set every start does. uv is ten times faster than pip; pip is asked when uv cannot, because it
# knows the settings (a proxy, an index, a certificate) that an organisation gave to pip alone.
ask_pip = { echo "uv could not install; asking pip, which takes some minutes."; \
	$(BIN)/python -m pip install --disable-pip-version-check $(INSTALL_FLAGS) -r $(1); }

$(VENV)/.uv: requirements/uv.txt
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here. Soundings needs Python 3.11 or newer."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Soundings needs Python 3.11 or newer, and $(PYTHON) is older." \
			"Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); } || { \
		rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment with pip." \
			"On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check $(INSTALL_FLAGS) -r $<
	@touch $@

$(VENV)/.run: requirements/run.txt $(VENV)/.uv
	@$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python $(INSTALL_FLAGS) -r $< || $(call ask_pip,$<)
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.uv
	@$(BIN)/uv pip sync --compile-bytecode --python $(BIN)/python $(INSTALL_FLAGS) $< || $(call ask_pip,$<)
	@touch $@ $(VENV)/.run
