# Thin wrappers, no logic: every target calls one script. `make` alone prints the help.

.DEFAULT_GOAL := help
PYTHON ?= python3

# A file name is data: the script gets it as typed; neither make nor a shell expands it.
unexport FILE NAME
export MAKE_FILE = $(value FILE)
export MAKE_NAME = $(value NAME)

##@ Assets
.PHONY: backup-assets restore-assets rollback-assets
backup-assets: ## back up to assets/assets.dump.gz; NAME=x: to backups/postgres
	@./scripts/backup-assets.sh $(ARGS) -- "$${MAKE_NAME:-$${MAKE_FILE:-assets/assets.dump.gz}}"

restore-assets: ## restore assets/assets.dump.gz, FILE=path or NAME=x
	@named=$${MAKE_NAME:+backups/postgres/$$MAKE_NAME.dump.gz}; \
	    ./scripts/restore-assets.sh $(ARGS) -- "$${MAKE_FILE:-$${named:-assets/assets.dump.gz}}"

rollback-assets: ## swap back to the database that the last restore kept
	@./scripts/rollback-assets.sh $(ARGS)

.PHONY: init stats db-size clean-db
init: ## fill a new database: restore a backup or fetch fresh data (menu)
	@./scripts/init.sh $(ARGS)

stats: ## print the tables: rows, size, share
	@./scripts/stats.sh $(ARGS)

db-size: ## print the size of the database
	@./scripts/stats.sh --size $(ARGS)

clean-db: ## delete the rows of all tables; the schema stays
	@./scripts/clean-db.sh $(ARGS)

##@ Server
.PHONY: up down
up: ## start the database container and wait until it is healthy
	@./scripts/up.sh $(ARGS)

down: ## stop the database container; its data stays
	@./scripts/down.sh $(ARGS)

##@ Development
.PHONY: demo test faults bench picture lint
demo: .venv/.demo ## demo on a throwaway server (Python 3.10+ and network access for its packages)
	@.venv/bin/python -m helpers demo

test: .venv/.test ## run all tests; ARGS="-k name" runs some
	@.venv/bin/python -m pytest $(ARGS)

faults: .venv/.test ## run all fault injections; make test runs a sample
	@TEST_FAULTS=all .venv/bin/python -m pytest tests/faults $(ARGS)

bench: .venv/.test ## benchmark against the guide's plain pg_dump and pg_restore; SCALE=1: only this
	@PYTHONPATH=tests .venv/bin/python -m bench.benchmark $(SCALE)

picture: .venv/.test ## draw docs/demo.svg, what make demo shows
	@.venv/bin/python scripts/dev/draw_demo.py

lint: .venv/.test ## run shellcheck, shfmt, dash -n, ruff, and the checks of structure and words
	@./scripts/dev/lint.sh

.venv/.%: pyproject.toml
	@./scripts/dev/make-venv.sh "$(PYTHON)" $*

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*## "; print "Usage: make TARGET" } \
	    /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '%s\n' '' 'Examples' \
	    '  make up && make init                               create and fill a new database' \
	    '  make backup-assets                                 then commit assets/assets.dump.gz' \
	    '  make restore-assets FILE=./backups/postgres/x.dump.gz' \
	    '  RESTORE_SKIP_CONFIRM=yes make restore-assets       unattended'
