# SPDX-License-Identifier: Apache-2.0
# For people's fingers; CMakeLists.txt does the work. `make` alone prints help.
PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
SECONDS_EACH ?= 20

help:
	@echo "make demo      install what is missing, build, train for two minutes, draw digits"
	@echo "make test      install what is missing, build, run the whole test suite"
	@echo "make build     build the library and the command in $(BUILD)/"
	@echo "make install   install under PREFIX=$(PREFIX) (DESTDIR is respected)"
	@echo "make bench     check and time Sumi beside PyTorch (WORKLOADS=\"ops A B\" for some of it)"
	@echo "make portability   run tests at lower instruction sets, and for 64-bit Arm in qemu"
	@echo "make sanitize  run the tests under clang's address, leak and undefined sanitizers"
	@echo "make fuzz      run every fuzz target for SECONDS_EACH=$(SECONDS_EACH)"
	@echo "make lint      layout, spelling, and faults that need no run to be seen"
	@echo "make deb       Debian packages into dist/ (needs dpkg-dev, debhelper)"
	@echo "make docs      pages of the public headers, into build/api/html (needs doxygen)"
	@echo "make coverage  which lines of src/ the tests run (needs gcovr)"
	@echo "make dependencies   install what is missing (apt-get), or print it"
	@echo "make clean     remove what was built"

dependencies:
	@scripts/install-dependencies

build:
	cmake -S . -B $(BUILD) -DSUMI_TESTS=OFF -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	cmake --build $(BUILD) -j $(JOBS)

demo: dependencies
	@$(MAKE) --no-print-directory build
	scripts/demo $(BUILD)/sumi

test: dependencies
	cmake -S . -B $(BUILD) -DSUMI_TESTS=ON
	cmake --build $(BUILD) -j $(JOBS)
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

install: build
	DESTDIR=$(DESTDIR) cmake --install $(BUILD)

bench: build
	bench/run --build $(BUILD) $(WORKLOADS)

portability:
	@scripts/install-dependencies --ci
	scripts/portability

sanitize:
	@scripts/install-dependencies --ci
	scripts/sanitize

fuzz:
	@scripts/install-dependencies --ci
	scripts/fuzz $(SECONDS_EACH)

lint:
	@scripts/install-dependencies --ci
	scripts/lint $(BUILD)

deb:
	scripts/deb

docs:
	mkdir -p build/api
	doxygen docs/Doxyfile 2>&1 | tee build/api/warnings
	@test ! -s build/api/warnings

coverage:
	@scripts/install-dependencies --ci
	scripts/coverage

clean:
	rm -rf $(BUILD) build-fuzz build-sanitize build-slim build-coverage build-clang build-portability build-sanitize-threads build-release

.PHONY: help dependencies build demo test install bench portability sanitize fuzz lint deb docs coverage clean
