# `make` prints the targets. Each is a few lines; the work is in deploy/local/stack and in the binaries' own verbs.
STACK := deploy/local/stack
TEST_BASE ?= 18080

.DEFAULT_GOAL := help
.PHONY: help up down reset env demo status logs build test test-unit test-journeys routes policy openapi schema contracts lint bench doctor chaos chaos-long mutants

help: ## print the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS="$$(printf '\t')" read -r t d; do printf '  make %-14s %s\n' "$$t" "$$d"; done

up: ## run everything here, with a demo clinic
	@$(STACK) up
down: ## stop what `make up` started
	@$(STACK) down
reset: ## a fresh demo clinic
	@$(STACK) reset
env: ## KEY=VALUE lines for scripts
	@$(STACK) env
status: ## one line for each process
	@$(STACK) status
logs: ## follow the logs
	@$(STACK) logs
demo: ## walk a patient from arrival to receipt, against the running stack
	@python3 Tests/Journeys/demo.py

test: ## everything that must pass, on servers of its own
	@Tests/run all
test-unit: ## the Swift tests only
	@Tests/run unit
test-journeys: ## the journeys over HTTP only
	@Tests/run journeys
bench: ## what each job costs, beside pgbench, Go and FastAPI; writes docs/benchmarks.md (ONLY=book,next PROFILE=1)
	@Tests/Bench/bench $(ONLY)

chaos: ## people at work while everything is broken under them; then the record is checked (SEED=n DRILL=name MUTANT=name)
	@$(if $(MUTANT),Tests/run mutants --chaos $(MUTANT),Tests/run chaos $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(DRILL),--drill $(DRILL)))
chaos-long: ## the same for an hour: 100,000 contended bookings, 1,070 kills, new seeds (ARGS="--only r1 --minutes 10")
	@Tests/run chaos-long $(ARGS)
mutants: ## break each promise's guard on purpose and see a test notice (ONLY=name for one)
	@Tests/run mutants $(ONLY)

routes: ## every route of every service
	@Tests/run routes
policy: ## write Tests/Policy/matrix.txt: every route x every role
	@Tests/run policy
openapi: ## write docs/openapi.json from the routes
	@Tests/run openapi
schema: ## write each service's schema.sql from its migrations
	@Tests/run schema
contracts: ## write the golden files of events and docs/asyncapi.json
	@Tests/run contracts
lint: ## names, lengths and imports
	@Tests/lint

.PHONY: fuzz conformance sanitize simulation
fuzz: ## libFuzzer on all that reads strangers' bytes (TARGET=json SECONDS=600 RUNS=100000000)
	@FUZZ_SECONDS=$(or $(SECONDS),60) RUNS=$(RUNS) TARGET=$(or $(TARGET),all) Tests/Fuzz/fuzz
conformance: ## other people's HTTP, WebSocket and OpenAPI clients, against the running stack (ONLY=websocket CASES=10000)
	@$(if $(CASES),CASES=$(CASES)) Tests/Conformance/run $(ONLY)
sanitize: ## the Swift tests under ThreadSanitizer and AddressSanitizer (ONLY=thread or address)
	@Tests/Sanitize/run $(ONLY)
simulation: ## what decides, under 10,000 seeded schedules (SEED=n repeats one)
	@SIMULATION_SEED=$(SEED) Tests/run simulation
