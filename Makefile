# ChartBuster's front door. `make` alone says what there is.
#
# Every target makes what it needs and does nothing when nothing changed; each calls one program that
# answers --help with an example.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

ENV := .venv
UV := .tools/bin/uv
export UV_NO_PROGRESS := 1
export UV_PYTHON_PREFERENCE := system
export PYTHONDONTWRITEBYTECODE :=

LOCALSTACK_PORT ?= 4566
WEB_PORT ?= 8501
export LOCALSTACK_PORT WEB_PORT MODE STAGE

# The interpreter: a python3.13 of this machine by its real path, since a pyenv shim vanishes inside
# other environments; only where there is none does uv fetch one.
PYTHON := $(shell python3.13 -c 'import os, sys; print(os.path.realpath(sys.executable))' 2>/dev/null || echo 3.13)
ANY_PYTHON := $(shell if [ -x "$(PYTHON)" ]; then echo "$(PYTHON)"; else command -v python3; fi)

# $(call sources,folders): their files, and a list of them that changes when one comes or goes.
find_sources = $(shell find $(1) -type f -not -path '*/__pycache__/*' -not -path '*/.*' -not -path '*/tests/*' | LC_ALL=C sort)
define listing
$(shell mkdir -p build/lists; printf '%s\n' $(2) > build/lists/$(1).new; \
  if cmp -s build/lists/$(1).new build/lists/$(1); then rm build/lists/$(1).new; else mv build/lists/$(1).new build/lists/$(1); fi)build/lists/$(1)
endef

# Templates that only go to AWS are in no wheel and in no image.
WHEEL_SOURCES := $(call find_sources,chartbuster trainer webapp) $(wildcard infra/*.py) infra/data.yaml $(wildcard compose/*.py) pyproject.toml LICENSE
WHEEL_LIST := $(call listing,wheel,$(WHEEL_SOURCES))
EXECUTOR_SOURCES := $(call find_sources,compose/process_executor/localstack_process_executor) compose/process_executor/pyproject.toml compose/process_executor/README.md
EXECUTOR_LIST := $(call listing,executor,$(EXECUTOR_SOURCES))
ZIP_SOURCES := $(call find_sources,chartbuster lambdas) scripts/build_zip.py
ZIP_LIST := $(call listing,zip,$(ZIP_SOURCES))

WHEEL := build/wheels/chartbuster.stamp
EXECUTOR_WHEEL := build/wheels/executor.stamp
ZIP := build/create_data.zip
RUNTIME := build/lambda-runtime/.stamp
DEMO := build/demo_catalogue.csv.gz

##@ Run it
.PHONY: up down status logs reset reconcile outputs awslocal
up: $(ENV)/scripts/.wheel  ## bring the whole stack up and say where the app is; MODE=docker or embedded
	@mode=$$($(ENV)/scripts/bin/python -m scripts.mode); $(MAKE) parts-for-$$mode; \
	  $(ENV)/scripts/bin/python -m scripts.up --mode $$mode
down: $(ENV)/scripts/.wheel  ## stop everything; uploads, runs and champions are kept
	@$(ENV)/scripts/bin/python -m scripts.down
status: $(ENV)/scripts/.wheel  ## what runs and how it is; FORMAT=json for programs
	@$(ENV)/scripts/bin/python -m scripts.status $(if $(FORMAT),--format $(FORMAT))
logs: $(ENV)/scripts/.wheel  ## the components' logs; SERVICE=trainer for one, FOLLOW=1 to keep watching
	@$(ENV)/scripts/bin/python -m scripts.logs $(if $(SERVICE),--service $(SERVICE)) $(if $(FOLLOW),--follow)
outputs: $(ENV)/scripts/.wheel  ## addresses and names of the running stack, as JSON
	@$(ENV)/scripts/bin/python -m scripts.outputs
reconcile: $(ENV)/scripts/.wheel  ## announce again what was uploaded but never finished; DRY_RUN=1 only lists it
	@$(ENV)/scripts/bin/python -m scripts.reconcile $(if $(DRY_RUN),--dry-run)
awslocal: $(ENV)/emulator/.wheel  ## any AWS command against the local stack: make awslocal CMD='s3 ls'
	@$(ENV)/scripts/bin/python -m scripts.awslocal -- $(CMD)
reset: $(ENV)/scripts/.wheel  ## stop, and forget all uploads, runs and champions; asks first (YES=1 does not)
	@$(ENV)/scripts/bin/python -m scripts.reset $(if $(YES),--yes)

##@ Use it
.PHONY: demo predict score card drift models promote rollback evaluate
demo: $(ENV)/scripts/.wheel  ## bring your own songs: make demo DATA=songs.csv.gz [DATASET=name]
	@$(ENV)/scripts/bin/python -m scripts.demo --data "$(DATA)" $(if $(DATASET),--dataset "$(DATASET)")
predict: $(ENV)/trainer/.wheel  ## one song's popularity: make predict SONG='{"genre": "Pop", "danceability": 0.7}'
	@$(ENV)/scripts/bin/python -m scripts.predict --song '$(subst ','\'',$(SONG))'
score: $(ENV)/trainer/.wheel  ## a whole file's popularity: make score DATA=songs.csv OUT=scored.csv [DATASET=] [RUN=] [MODEL=]
	@$(ENV)/scripts/bin/python -m scripts.score --data "$(DATA)" --out "$(OUT)" $(if $(DATASET),--dataset "$(DATASET)") $(if $(RUN),--run "$(RUN)") $(if $(MODEL),--model "$(MODEL)")
card: $(ENV)/scripts/.wheel  ## a run's model card as a file: make card [RUN=id] [DATASET=name] [OUT=card.html]
	@$(ENV)/scripts/bin/python -m scripts.card $(if $(RUN),--run "$(RUN)") $(if $(DATASET),--dataset "$(DATASET)") $(if $(OUT),--out "$(OUT)")
drift: $(ENV)/scripts/.wheel  ## how far new songs are from the champion's; DATASET=name, FORMAT=json
	@$(ENV)/scripts/bin/python -m scripts.drift $(if $(DATASET),--dataset "$(DATASET)") $(if $(FORMAT),--format $(FORMAT))
models: $(ENV)/scripts/.wheel  ## runs and models with their scores, champions, and how they came to be; [DATASET=name] [FORMAT=json]
	@$(ENV)/scripts/bin/python -m scripts.models $(if $(DATASET),--dataset "$(DATASET)") $(if $(FORMAT),--format $(FORMAT))
promote: $(ENV)/scripts/.wheel  ## make a model champion by hand: make promote RUN=3f9a [MODEL=forest] [DATASET=name]
	@$(ENV)/scripts/bin/python -m scripts.promote --run "$(RUN)" $(if $(MODEL),--model "$(MODEL)") $(if $(DATASET),--dataset "$(DATASET)")
rollback: $(ENV)/scripts/.wheel  ## return to the champion before this one; [DATASET=name]
	@$(ENV)/scripts/bin/python -m scripts.rollback $(if $(DATASET),--dataset "$(DATASET)")
evaluate: $(ENV)/scripts/.wheel $(ENV)/trainer/.wheel  ## how good the models are on a song file: make evaluate DATA=songs.csv.gz [FORMAT=json] [CONFIGURATION=file]
	@$(ENV)/scripts/bin/python -m scripts.evaluate --data "$(DATA)" $(if $(FORMAT),--format "$(FORMAT)") $(if $(CONFIGURATION),--configuration "$(CONFIGURATION)")

##@ Work on it
.PHONY: dev test calls verify parity check format bench bench-web plan lock build screenshots
dev: $(ENV)/scripts/.wheel  ## run trainer and app from the checkout, and restart them when their code changes
	@mode=$$($(ENV)/scripts/bin/python -m scripts.mode); $(MAKE) parts-for-$$mode; \
	  $(ENV)/scripts/bin/python -m scripts.dev --mode $$mode
test: for-tests  ## every test this machine can run; ARGS='-k trainer' for some
	@$(ENV)/dev/bin/python -m pytest $(ARGS)
calls: for-tests  ## record anew what each component asks of AWS, which the roles are held against
	@$(ENV)/dev/bin/python -m pytest tests/integration/test_web_journeys.py --record-calls
verify: $(if $(filter aws,$(TARGET)),$(ENV)/dev/.synced,for-tests)  ## the acceptance tests on one target: make verify TARGET=aws [STAGE=dev]
	@$(ENV)/dev/bin/python -m pytest tests/acceptance --target $(or $(TARGET),embedded)
parity: for-tests  ## the acceptance tests on every local target, side by side in docs/parity.md
	@$(ENV)/dev/bin/python -m pytest tests/acceptance --parity docs/parity.md
check: $(ENV)/dev/.synced  ## lint, formatting, types, imports, template
	@$(ENV)/dev/bin/python -m scripts.check
format: $(ENV)/dev/.synced  ## lay the code out as `make check` wants it
	@$(ENV)/dev/bin/ruff format . && $(ENV)/dev/bin/ruff check --fix .
bench: stack $(ENV)/dev/.synced  ## measure speed and memory; each target is printed as met or missed
	@$(ENV)/dev/bin/python -m scripts.bench $(ARGS)
bench-web: stack $(ENV)/dev/.synced  ## how fast the running stack's app answers, beside an empty page; [FORMAT=json]
	@$(ENV)/dev/bin/python -m scripts.bench_web $(if $(FORMAT),--format $(FORMAT))
plan: $(ENV)/scripts/.wheel $(ZIP)  ## what deploying infra/data.yaml as it is now would change
	@$(ENV)/scripts/bin/python -m scripts.plan
screenshots: $(ENV)/dev/.synced  ## pictures of every page of the running app, into build/screenshots; [PAGES='predict data'] [DOCS=1]
	@$(ENV)/dev/bin/python -m scripts.screenshots $(if $(PAGES),--pages $(PAGES)) $(if $(DOCS),--docs)
build: artifacts $(ENV)/scripts/.wheel  ## the wheel, the Lambda's zip, the images, and build/manifest.json; NO_CACHE=1 from nothing
	@$(ENV)/scripts/bin/python -m scripts.build $(if $(NO_CACHE),--no-cache)
lock: $(UV)  ## lock every environment again; UPGRADE=1 takes newer releases
	@$(ANY_PYTHON) -m scripts.lock --uv $(UV) $(if $(UPGRADE),--upgrade)

##@ On AWS
# Who is signed in and what is set is looked at before anything is built, which takes minutes.
.PHONY: plan-aws deploy-aws verify-aws rollback-aws status-aws logs-aws train-now reconcile-aws drift-aws
.PHONY: destroy-aws mutate-aws rehearse-aws
on_aws = $(ENV)/scripts/bin/python -m scripts.$(1)
settings = $(foreach each,$(SET),--set '$(each)') $(if $(filter 0,$(SCALING)),--without-scaling)
plan-aws: $(ENV)/scripts/.synced  ## what deploying would change and cost, and nothing else; STAGE=dev SET='AllowedCidr=203.0.113.7/32'
	@$(call on_aws,plan_aws) --check $(settings) && $(MAKE) build && $(call on_aws,plan_aws) $(settings)
deploy-aws: $(ENV)/scripts/.synced  ## deploy what is built, unchanged; shows the plan and asks first (CONFIRM=yes does not); [RUN=id] [SCALING=0]
	@$(call on_aws,deploy_aws) --check $(settings) && $(MAKE) build && \
	  $(call on_aws,deploy_aws) $(settings) $(if $(RUN),--run "$(RUN)") $(if $(UNTIL),--until "$(UNTIL)")
verify-aws: $(ENV)/scripts/.synced  ## whether what is deployed is what was built, by digest; [STAGE=dev] [RUN=id] [FORMAT=json]
	@$(call on_aws,verify_aws) $(if $(RUN),--run "$(RUN)") $(if $(FORMAT),--format $(FORMAT))
rollback-aws: $(ENV)/scripts/.synced  ## return to the deployment before the current one; [TO=record]
	@$(call on_aws,rollback_aws) $(if $(TO),--to "$(TO)")
status-aws: $(ENV)/scripts/.synced  ## how a stage is, and where its app is; [STAGE=dev] FORMAT=json for programs
	@$(call on_aws,status_aws) $(if $(FORMAT),--format $(FORMAT))
logs-aws: $(ENV)/scripts/.synced  ## what a stage's components wrote; [SERVICE=trainer|webapp|create-data] [SINCE=1h] [FOLLOW=1]
	@$(call on_aws,logs_aws) $(if $(SERVICE),--service $(SERVICE)) $(if $(SINCE),--since $(SINCE)) $(if $(FOLLOW),--follow)
train-now: $(ENV)/scripts/.synced  ## start a trainer at once, in place of within 15 minutes; [STAGE=dev] [DATASET=name]
	@$(call on_aws,train_now) $(if $(DATASET),--dataset "$(DATASET)")
reconcile-aws: $(ENV)/scripts/.synced  ## announce again what a stage never finished; DRY_RUN=1 only lists it
	@$(call on_aws,reconcile_aws) $(if $(DRY_RUN),--dry-run)
drift-aws: $(ENV)/scripts/.synced  ## what was changed by hand in a stage, property by property
	@$(call on_aws,drift_aws)
destroy-aws: $(ENV)/scripts/.synced  ## delete a stage with all uploads, runs and champions; asks for its name (CONFIRM=chartbuster-<stage> does not)
	@$(call on_aws,destroy_aws) $(if $(CONFIRM),--confirm "$(CONFIRM)")
rehearse-aws: build $(ENV)/ministack/.synced  ## all of it without an account, on a stand-in: deploy, repeat, change, fail, interrupt, tear down
	@$(call on_aws,rehearse_aws)
mutate-aws: $(ENV)/dev/.synced  ## change one value at a time of what goes to AWS: do the checks notice? CHECK=1, SECONDS=300
	@$(ENV)/dev/bin/python -m scripts.mutate_aws $(if $(CHECK),--check) $(if $(SECONDS),--seconds $(SECONDS))

.PHONY: help
help:
	@awk -f scripts/help.awk $(MAKEFILE_LIST)

# --- what the targets stand on ---------------------------------------------------------------------
.PHONY: artifacts parts-for-docker parts-for-embedded stack for-tests
artifacts: $(WHEEL) $(EXECUTOR_WHEEL) $(ZIP) $(DEMO)
parts-for-docker: artifacts
	@$(ENV)/scripts/bin/python -m scripts.build --images
parts-for-embedded: stack
stack: $(ENV)/emulator/.wheel $(ENV)/trainer/.wheel $(ENV)/webapp/.wheel $(ENV)/scripts/.wheel $(RUNTIME) $(ZIP) $(DEMO)
for-tests: build stack $(ENV)/dev/.synced $(ENV)/ministack/.synced

$(UV): scripts/tools.txt
	@echo "making the tools folder"
	@$(ANY_PYTHON) -m venv --clear .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@[ -x "$(PYTHON)" ] || $(UV) python install --quiet $(PYTHON)
	@touch $@

# $(1) environment, $(2) lock file
define environment
$(ENV)/$(1)/.synced: $(2) $(UV)
	@echo "making the environment $(1)"
	@[ -x $(ENV)/$(1)/bin/python ] || $(UV) venv --quiet --no-project --python "$(PYTHON)" $(ENV)/$(1)
	@$(UV) pip sync --quiet --python $(ENV)/$(1)/bin/python --require-hashes $(2)
	@touch $$@
endef
$(eval $(call environment,emulator,compose/localstack/requirements.txt))
$(eval $(call environment,trainer,trainer/requirements.txt))
$(eval $(call environment,webapp,webapp/requirements.txt))
$(eval $(call environment,scripts,scripts/requirements.txt))
$(eval $(call environment,dev,tests/requirements.txt))
$(eval $(call environment,ministack,tests/ministack/requirements.txt))

# $(1) environment, $(2) stamp of the wheel, $(3) the wheel's file name
define installed
$(ENV)/$(1)/.wheel: $(ENV)/$(1)/.synced $(2)
	@$(UV) pip install --quiet --python $(ENV)/$(1)/bin/python --no-deps --no-index --reinstall build/wheels/$(3)-*.whl
	@touch $$@
endef
$(eval $(call installed,emulator,$(EXECUTOR_WHEEL),localstack_process_executor))
$(eval $(call installed,trainer,$(WHEEL),chartbuster))
$(eval $(call installed,webapp,$(WHEEL),chartbuster))
$(eval $(call installed,scripts,$(WHEEL),chartbuster))

$(WHEEL): $(WHEEL_SOURCES) $(WHEEL_LIST) $(UV)
	@echo "building the wheel"
	@rm -f build/wheels/chartbuster-*.whl
	@.tools/bin/hatchling build -t wheel -d build/wheels >/dev/null 2>build/wheel.log || { cat build/wheel.log >&2; exit 1; }
	@touch $@
$(EXECUTOR_WHEEL): $(EXECUTOR_SOURCES) $(EXECUTOR_LIST) $(UV)
	@echo "building the process executor"
	@rm -f build/wheels/localstack_process_executor-*.whl
	@cd compose/process_executor && ../../.tools/bin/hatchling build -t wheel -d ../../build/wheels >/dev/null 2>../../build/executor.log || { cat ../../build/executor.log >&2; exit 1; }
	@touch $@
$(ZIP): $(ZIP_SOURCES) $(ZIP_LIST) $(UV)
	@echo "building the Lambda's zip"
	@"$$($(UV) python find --no-project "$(PYTHON)")" -m scripts.build_zip --uv $(UV) --out $@
$(RUNTIME): compose/process_executor/runtime.txt $(UV)
	@echo "making the Lambda's runtime folder"
	@rm -rf build/lambda-runtime
	@$(UV) pip install --quiet --python "$(PYTHON)" --target build/lambda-runtime --compile-bytecode --require-hashes -r $<
	@touch $@
$(DEMO): $(call find_sources,chartbuster/demo) $(ENV)/trainer/.synced
	@echo "drawing the demo catalogue"
	@$(ENV)/trainer/bin/python -m chartbuster.demo $@ >/dev/null
