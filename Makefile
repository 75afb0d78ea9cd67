# Every target sets up what it needs: system libraries, a virtual environment in .venv, the package.
#   make demo    the laptop run, offline: models, landscapes, EPIC, five trained agents, a report
#   make test    the tests
#   make smoke   the main path of the workflow, as small as it can be; make smoke-all: every rule
#   make slurm-test  the workflow on a SLURM cluster of one node, which it starts and stops (Debian
#                packages slurm-wlm and munge)
#   make image   the container, by Docker, with the version as its tag
#   make image-test  the container without Docker or a registry, and the smoke run inside it; see
#                scripts/image.sh
#   make lint    style and types
#   make docs    these pages as a site, in build/docs; a broken link is an error
#   make lock    renew envs/*.txt after a change of pyproject.toml; UPGRADE=--upgrade takes the newest.
#                envs/environments.txt has the extras minigrid and robotics, which no target installs;
#                without pygame-ce, which would overwrite the files of Gymnasium's pygame

PYTHON ?= python3
CORES ?= all
FOLDER ?= .image
BIN := .venv/bin
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' vlmrm/__init__.py)
SNAKEMAKE := PATH="$$PWD/$(BIN):$$PATH" snakemake --cores $(CORES)
COMPILE = .venv-lock/bin/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet $(UPGRADE)

.PHONY: install demo smoke smoke-all test slurm-test image image-test lint docs lock clean

install: .venv/installed

.venv/installed: envs/installer.txt envs/lock.txt pyproject.toml
	@PYTHON="$(PYTHON)" sh scripts/system.sh
	@PYTHON="$(PYTHON)" sh scripts/install.sh dependencies
	@sh scripts/install.sh package
	@touch $@

demo smoke smoke-all: install
	$(SNAKEMAKE) --configfile config/$@.yaml
	$(SNAKEMAKE) --configfile config/$@.yaml --report results/$@/report.html
	@echo
	@$(BIN)/vlmrm summarize results/$@
	@echo "Provenance of each figure: results/$@/report.html"
	@[ $@ != demo ] || echo "Next, in a quarter of an hour on two cores: your own sentence, in config/own.yaml; see docs/sentence.md"

test: install
	$(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal

slurm-test: install
	$(BIN)/python -m pytest -m slurm -rsP tests/slurm

image:
	docker build --build-arg COMMIT="$$(git describe --always --abbrev=12 --exclude='*' --dirty=+)" \
		--build-arg VERSION=$(VERSION) --tag vlmrm --tag vlmrm:$(VERSION) .

image-test:
	scripts/image.sh $(FOLDER)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow
	$(SNAKEMAKE) --configfile config/smoke.yaml --lint

docs: install
	$(BIN)/sphinx-build --conf-dir docs --doctree-dir build/doctrees --fresh-env \
		--fail-on-warning --keep-going --quiet . build/docs

lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	$(COMPILE) --extra dev --extra docs --extra siglip --output-file envs/lock.txt pyproject.toml
	printf 'pip\nsetuptools\n' | $(COMPILE) --constraints envs/lock.txt --output-file envs/installer.txt -
	$(PYTHON) -c 'import tomllib; \
		extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; \
		print(*extras["minigrid"], *extras["robotics"], sep="\n")' \
	| $(COMPILE) --constraints envs/lock.txt --constraints envs/installer.txt \
		--no-emit-package pygame-ce --output-file envs/environments.txt -
	rm -r .venv-lock

clean:
	rm -rf .venv .snakemake build dist *.egg-info
