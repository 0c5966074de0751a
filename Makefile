# Thin doors, no logic: every target calls one script. `make` alone prints the help.

.DEFAULT_GOAL := help
PYTHON ?= python3

# A file name is data: it reaches the script as it was typed, never expanded by make or by a shell.
unexport FILE NAME
export MAKE_FILE = $(value FILE)
export MAKE_NAME = $(value NAME)

##@ Assets
.PHONY: backup-assets restore-assets rollback-assets
backup-assets: ## write assets/assets.dump.gz; NAME=x writes backups/postgres/x.dump.gz, NAME=auto a dated one
	@./scripts/backup-assets.sh $(ARGS) -- "$${MAKE_NAME:-$${MAKE_FILE:-assets/assets.dump.gz}}"

restore-assets: ## replace the database with assets/assets.dump.gz, FILE=path, or NAME=x of backups/postgres
	@named=$${MAKE_NAME:+backups/postgres/$$MAKE_NAME.dump.gz}; \
	    ./scripts/restore-assets.sh $(ARGS) -- "$${MAKE_FILE:-$${named:-assets/assets.dump.gz}}"

rollback-assets: ## bring back what the last restore replaced, if it was kept
	@./scripts/rollback-assets.sh $(ARGS)

.PHONY: init stats db-size clean-db
init: ## fill a new database: a menu of restoring and fetching
	@./scripts/init.sh $(ARGS)

stats: ## show the tables: rows, size, share
	@./scripts/stats.sh $(ARGS)

db-size: ## show the size of the database
	@./scripts/stats.sh --size $(ARGS)

clean-db: ## empty the database: the tables stay, their rows go
	@./scripts/clean-db.sh $(ARGS)

##@ Server
.PHONY: up down
up: ## start the database container and wait until it is healthy
	@./scripts/up.sh $(ARGS)

down: ## stop the database container; its data stays
	@./scripts/down.sh $(ARGS)

##@ Development
.PHONY: demo test faults bench lint
demo: .venv/.demo ## see it work on a private server: needs Python 3.10 and nothing else
	@.venv/bin/python -m helpers demo

test: .venv/.test ## run all tests; ARGS="-k name" picks some
	@.venv/bin/python -m pytest $(ARGS)

faults: .venv/.test ## the whole fault-injection campaign, of which make test runs a sample
	@TEST_FAULTS=all .venv/bin/python -m pytest tests/test_faults.py $(ARGS)

bench: .venv/.test ## measure beside the guide's own commands; SCALE=1 measures only that, and prints
	@.venv/bin/python tests/benchmark.py $(SCALE)

lint: .venv/.test ## shellcheck, shfmt, dash -n, ruff
	@./scripts/dev/lint.sh

.venv/.%: pyproject.toml
	@./scripts/dev/make-venv.sh "$(PYTHON)" $*

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*## "; print "Usage: make TARGET" } \
	    /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '%s\n' '' 'Examples' \
	    '  make up && make init                               a new database, filled' \
	    '  make backup-assets                                 then commit assets/assets.dump.gz' \
	    '  make restore-assets FILE=./backups/postgres/x.dump.gz' \
	    '  RESTORE_SKIP_CONFIRM=yes make restore-assets       unattended'
