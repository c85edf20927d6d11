# What the project can do. `make help` lists it.
# Everything is built with one profile, so that wasmtime is compiled once.

CARGO ?= cargo
TARGET ?= target
HARNESS := $(TARGET)/release/smp-harness
COMPONENT := dist/atlassian-cloud.wasm
FIXTURE := tests/fixtures/acme
export CARGO_TARGET_DIR := $(abspath $(TARGET))

# Flags of the component: no folder of the machine that builds it may be in it, and a stack of 64 KiB is enough.
CARGO_HOME_DIR := $(or $(CARGO_HOME),$(HOME)/.cargo)
RUSTUP_HOME_DIR := $(or $(RUSTUP_HOME),$(HOME)/.rustup)
COMPONENT_FLAGS := --remap-path-prefix=$(CARGO_HOME_DIR)=cargo --remap-path-prefix=$(RUSTUP_HOME_DIR)=rustup \
	--remap-path-prefix=$(CURDIR)=src -C link-arg=-zstack-size=65536
CORE_MODULE := $(TARGET)/wasm32-unknown-unknown/component/atlassian_cloud.wasm

.DEFAULT_GOAL := help
.PHONY: help run demo test lint doc check bless component build toolchain clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

toolchain:
	@rustup target list --installed 2>/dev/null | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown

component: toolchain ## Build the connector: dist/atlassian-cloud.wasm
	@mkdir -p dist
	RUSTFLAGS="$(COMPONENT_FLAGS)" $(CARGO) build --quiet --locked --package atlassian-cloud --profile component --target wasm32-unknown-unknown
	$(CARGO) run --quiet --locked --release --package componentize -- $(CORE_MODULE) $(COMPONENT)

build: component ## Build that and the command: target/release/smp-harness
	$(CARGO) build --locked --release --package smp-harness
