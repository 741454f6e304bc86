# Every target does its own set-up. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help prerequisites run test demo check fmt lint deny bench fuzz soak mutants doc

# make run PORT=9000 · make soak MINUTES=60 · make fuzz SECONDS_EACH=600 · make mutants ONLY=cut
PORT ?= 8443
MINUTES ?= 30
SECONDS_EACH ?= 60
ONLY ?=

help: ## lists these targets
	@sed --quiet --regexp-extended 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand --tabs=16

prerequisites:
	@deploy/prerequisites

run: prerequisites ## builds and starts a relay on this machine, and prints what to type next
	@deploy/try $(PORT)

test: lint ## runs everything that must hold: formatting, lints, and all tests
	cargo build --workspace --bins
	cargo test --workspace
	cargo run --profile model --package cobijo-tests --bin model -- --minutes 4
	cargo run --profile model --package cobijo-tests --bin fuzz -- --seconds 5

demo: prerequisites ## plays the whole journey with the real programs, one JSON line a step
	cargo build --workspace --bins
	cargo run --quiet --package cobijo-tests --bin demo

check: test deny doc ## runs what a change must pass: tests, dependencies, documentation

fmt: prerequisites ## formats the code
	cargo fmt --all

lint: prerequisites ## checks formatting and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings

deny: prerequisites ## checks licences, sources and known flaws of the dependencies
	@deploy/deny

bench: prerequisites ## measures
	cargo bench --package cobijo-tests

fuzz: prerequisites ## feeds each decoder random and mutated bytes: SECONDS_EACH=60
	cargo run --profile model --package cobijo-tests --bin fuzz -- --seconds $(SECONDS_EACH)

soak: prerequisites ## runs the model test with more seeds: MINUTES=30
	cargo run --profile model --package cobijo-tests --bin model -- --minutes $(MINUTES)

mutants: prerequisites ## breaks one rule after the other, and shows what notices: ONLY=word
	cargo run --profile model --package cobijo-tests --bin mutants -- --only "$(ONLY)"

doc: prerequisites ## builds the code's documentation
	RUSTDOCFLAGS="--deny warnings --allow rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items
