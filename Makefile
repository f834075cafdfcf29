SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory

MODULES   := . store/redisstore store/pglisten otelauth cmd/authctl internal/integration examples bench
LIBRARIES := $(patsubst %/,%,$(dir $(wildcard api.txt */api.txt */*/api.txt)))
FUZZTIME  := 60s

# Every module stands on its own go.mod: neither the workspace nor a -mod flag from outside may lend it anything.
export GOWORK  := off
export GOFLAGS := $(filter-out -mod=%,$(shell go env GOFLAGS))

each = for module in $(MODULES); do go -C $$module

# The packages with tests that the race detector would disturb, such as those that count allocations.
counted = for package in $$(git grep -l '^//go:build !race' -- '*_test.go' | xargs -n1 dirname | sort -u); do go -C $$package

.PHONY: test matrix faults bench bench-full microbench instructions fuzz lint api clean help

test: ## set up what is missing, then run every test with the race detector, and those without it that it would disturb
	@.ci/setup
	export CGO_ENABLED=1; $(each) test -race -shuffle=on -timeout=20m ./...; done
	$(counted) test -short .; done

matrix: ## run the kit over every store, and print store by case
	@.ci/setup
	@go -C internal/integration test -count=1 -run='^TestKit$$' -json . | go -C internal/integration run ./matrix

faults: ## break what stores stand on, 30 times each; half an hour
	@.ci/setup
	AUTH_FAULT_ROUNDS=30 go -C internal/integration test -v -count=1 -timeout=1h ./faults

bench: ## run the race against other libraries, see bench/README.md; six minutes
	@go -C bench run .

bench-full: ## run the race with its long cases and the curves; half an hour, 20 GB of memory
	@go -C bench run . -full

microbench: ## run every benchmark of Go
	$(each) test -run='^$$' -bench=. -benchmem ./...; done

instructions: ## count the instructions of the hot paths; UPDATE=-update writes what the test compares with
	@.ci/setup
	go -C bench/instructions run . $(UPDATE)

fuzz: ## fuzz every target for FUZZTIME (60s)
	@FUZZTIME=$(FUZZTIME) .ci/fuzz $(MODULES)

lint: ## vet, staticcheck, gofmt, and the house's own checks
	@.ci/lint $(MODULES)

api: ## write the exported API to the api.txt of each module that has one
	go run ./internal/apigolden -update $(LIBRARIES)

clean: ## remove what builds and tests leave behind
	git clean -fdXq

help: ## list the targets
	@sed -n 's/^\([a-z-]*\): *## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12
