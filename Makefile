# Thin wrappers. check-make.sh refuses targets and variables that make would ignore. `make` alone
# prints the help.

.DEFAULT_GOAL := help
.NOTPARALLEL: # in 'make backup-assets clean-db', the second waits for the first
PYTHON ?= python3

# A file name is data: the script gets it as typed; neither make nor a shell expands it.
unexport FILE NAME LEVEL WITH
export MAKE_FILE = $(value FILE)
export MAKE_NAME = $(if $(filter command,$(firstword $(origin NAME))),$(value NAME))
export MAKE_LEVEL = $(value LEVEL)
export MAKE_WITH = $(value WITH)

# The backup that a script gets: FILE, or NAME without its ending, or the shared one.
chosen = name=$${MAKE_NAME%.gz}; name=$${name%.dump}; \
    backup=$${MAKE_FILE:-$${name:-assets/assets.dump.gz}}; export MAKE_CHOSEN="$$backup"

# Targets and variables that make would silently ignore are refused.
quoted = '$(subst ','\'',$1)'
given := $(foreach each,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(each)))),$(each)))
ifeq ($(wildcard scripts/dev/check-make.sh),)
$(error run make in the project's directory, or with -C DIRECTORY)
endif
checked = ./scripts/dev/check-make.sh $(call quoted,$(MAKECMDGOALS)) $(call quoted,$(given)) \
    $(call quoted,$(value NAME)) $(call quoted,$(value FILE)) \
    $(call quoted,$(foreach each,$(given),$(if $(value $(each)),,$(each)))) \
    $(call quoted,$(origin NAME)) $(call quoted,$(value ARGS))
ifneq ($(shell $(checked) && echo fit),fit)
$(error nothing was done)
endif

##@ Assets
.PHONY: backup-assets restore-assets verify-backup diff-backup rollback-assets
backup-assets: ## back up to assets/assets.dump.gz; NAME=x: to backups/postgres
	@$(chosen); ./scripts/backup-assets.sh $(ARGS) -- "$$backup"

restore-assets: ## restore assets/assets.dump.gz, FILE=path or NAME=x
	@$(chosen); ./scripts/restore-assets.sh $(ARGS) -- "$$backup"

verify-backup: ## verify a backup; LEVEL=hash, read or restore (default)
	@$(chosen); \
	    ./scripts/verify-backup.sh $(ARGS) $${MAKE_LEVEL:+--level "$$MAKE_LEVEL"} -- "$$backup"

diff-backup: ## compare a backup with the database; WITH=x: with x
	@$(chosen); \
	    ./scripts/diff-backup.sh $(ARGS) $${MAKE_WITH:+--with "$$MAKE_WITH"} -- "$$backup"

rollback-assets: ## swap back to the database that the last restore kept
	@./scripts/rollback-assets.sh $(ARGS)

.PHONY: list-backups prune-backups
list-backups: ## list backups: age, rows, state, last verification
	@./scripts/list-backups.sh $(ARGS)

prune-backups: ## delete old backups in backups/postgres; KEEP=7 keeps 7
	@./scripts/prune-backups.sh $(ARGS)

.PHONY: init stats db-size schedule k8s-cronjob doctor drop-copy clean-db
init: ## fill a new database: from a backup, or fetched fresh (menu)
	@./scripts/init.sh $(ARGS)

stats: ## print the tables: rows, size, share
	@./scripts/stats.sh $(ARGS)

db-size: ## print the size of the database
	@./scripts/stats.sh --size $(ARGS)

schedule: ## print a nightly job for cron; ARGS=systemd: for systemd
	@./scripts/schedule.sh $(ARGS)

k8s-cronjob: ## print a CronJob for Kubernetes, with copies in object storage
	@./scripts/schedule.sh kubernetes

doctor: ## check everything that backup and restore need
	@./scripts/doctor.sh $(ARGS)

drop-copy: ## drop the copy that RESTORE_KEEP_COPY=yes has kept
	@./scripts/drop-copy.sh $(ARGS)

clean-db: ## delete the rows of all tables; the schema stays
	@./scripts/clean-db.sh $(ARGS)

##@ Set-up
.PHONY: up down setup
up: ## start the database container and wait until it is healthy
	@./scripts/up.sh $(ARGS)

down: ## stop the database container; its data stays
	@./scripts/down.sh $(ARGS)

setup: .venv/.setup ## optional: Python packages for a bar in the progress line
	@echo '.venv is ready'

##@ Development
.PHONY: demo test faults test-kubernetes bench picture lint
demo: .venv/.demo ## demo on a throwaway server (needs Python 3.10+ and a network)
	@.venv/bin/python -m helpers demo

test: .venv/.test ## run the tests; ARGS="-k name" runs some
	@.venv/bin/python -m pytest $(ARGS)

faults: .venv/.test ## run all fault injections; make test runs a sample
	@TEST_ALL=yes .venv/bin/python -m pytest --dist=worksteal tests/faults tests/bench tests/test_versions.py $(ARGS)

test-kubernetes: .venv/.test ## test with a real Kubernetes, built from source on Debian 12
	@.venv/bin/python -m pytest --numprocesses=0 --timeout=600 tests/kubernetes $(ARGS)

bench: .venv/.test ## benchmark against the guide's commands; SCALE=1: only scale 1
	@PYTHONPATH=tests .venv/bin/python -m bench.benchmark $(SCALE)

picture: .venv/.test ## draw docs/demo.svg, what make demo shows
	@.venv/bin/python scripts/dev/draw_demo.py

lint: .venv/.test ## run the checks of shell, Python, structure and words
	@./scripts/dev/lint.sh

.venv/.%: pyproject.toml
	@./scripts/dev/make-venv.sh "$(PYTHON)" $*

.PHONY: help
help:
	@bold= plain=; \
	    if [ -t 1 ] && [ -z "$$NO_COLOR" ] && [ "$${TERM:-dumb}" != dumb ]; then \
	        bold=$$(printf '\033[1m') plain=$$(printf '\033[0m'); \
	    fi; \
	    awk -v bold="$$bold" -v plain="$$plain" \
	        'BEGIN { FS = ":.*## "; print bold "Usage:" plain " make TARGET" } \
	        /^##@/ { printf "\n%s%s%s\n", bold, substr($$0, 5), plain } \
	        /^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 } \
	        END { printf "\n%sExamples%s\n", bold, plain }' $(MAKEFILE_LIST)
	@printf '%s\n' \
	    '  make up && make init                          create and fill a new database' \
	    '  make backup-assets                            then commit file and .info' \
	    '  make restore-assets FILE=./backups/postgres/x.dump.gz' \
	    '  RESTORE_SKIP_CONFIRM=yes make restore-assets  unattended'
