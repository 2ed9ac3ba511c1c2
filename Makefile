# SPDX-License-Identifier: BSD-2-Clause
# Role: the commands a person types. The build itself is CMakeLists.txt.
BUILD  := build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)
SOAK_MINUTES ?= 30
BENCH_ARGS   ?=
KERNEL_BENCH_CPUS ?= 2 4 8 16 32 64
GUEST_FORM ?= long

CONFIGURE := cmake -S . -B $(BUILD)

.PHONY: all run test guest-test kernel-test kernel-bench amalgamation bench bench-pools install soak format clean help
.DEFAULT_GOAL := all

all:
	@$(CONFIGURE) >/dev/null
	@cmake --build $(BUILD) -j$(JOBS) --target products

run:
	@scripts/deps.sh run
	@$(MAKE) --no-print-directory all
	@scripts/run-demo.sh $(BUILD)

test:
	@scripts/deps.sh test
	@$(CONFIGURE) -DSLABKIT_TESTS=ON -DSLABKIT_CONFIG_TESTS=ON >/dev/null
	@cmake --build $(BUILD) -j$(JOBS)
	@ctest --test-dir $(BUILD) -j$(JOBS) --output-on-failure --no-tests=error --timeout 600

guest-test:
	@scripts/deps.sh guest
	@$(CONFIGURE) -DSLABKIT_TESTS=ON >/dev/null
	@cmake --build $(BUILD) -j$(JOBS)
	@test/guest/run.sh broken $(BUILD)
	@test/guest/run.sh $(GUEST_FORM) $(BUILD)

bench:
	@scripts/deps.sh bench
	@$(MAKE) --no-print-directory all
	@$(BUILD)/bin/slabkit bench $(BENCH_ARGS)

bench-pools:
	@scripts/deps.sh pools
	@$(CONFIGURE) >/dev/null
	@cmake --build $(BUILD) -j$(JOBS) --target slabkit-pools
	@$(BUILD)/bin/slabkit-pools

kernel-test:
	@scripts/deps.sh kernel
	@$(CONFIGURE) -DSLABKIT_TESTS=ON >/dev/null
	@cmake --build $(BUILD) -j$(JOBS) --target kernel_all
	@ctest --test-dir $(BUILD) -j$(JOBS) -L '^kernel$$' --output-on-failure --no-tests=error
	@scripts/build-config.sh kernel-aarch64 $(BUILD)/config || test $$? = 77

kernel-bench:
	@scripts/deps.sh kernel
	@$(CONFIGURE) -DSLABKIT_TESTS=ON >/dev/null
	@cmake --build $(BUILD) -j$(JOBS) --target kernel_ipi_bench
	@scripts/kernel-bench.sh $(BUILD) -c "$(KERNEL_BENCH_CPUS)"

amalgamation:
	@python3 scripts/amalgamate.py . $(BUILD)/amalgamation
	@ls -l $(BUILD)/amalgamation

install:
	@$(CONFIGURE) -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	@cmake --build $(BUILD) -j$(JOBS) --target products
	@cmake --install $(BUILD) --prefix $(PREFIX)

soak:
	@scripts/deps.sh test
	@$(CONFIGURE) -DSLABKIT_TESTS=ON >/dev/null
	@cmake --build $(BUILD) -j$(JOBS)
	@scripts/soak.sh $(BUILD) $(SOAK_MINUTES)

format:
	@scripts/source-files.sh c | xargs clang-format -i

clean:
	@rm -rf $(BUILD)

help:
	@echo 'make                     release build in $(BUILD)/: bin/slabkit, lib/libslabkit*.so and .a'
	@echo 'make run                 a real program on slabkit and on libc, side by side, and its report'
	@echo 'make test                all tests: this build, clang, debug, sanitizers, 64-bit ARM'
	@echo 'make guest-test          on a Linux under QEMU with more CPUs and nodes: the long form (half an hour); GUEST_FORM=soak: hours'
	@echo 'make bench               the benchmark against other allocators (BENCH_ARGS=...)'
	@echo 'make bench-pools         object caches beside DPDK, APR and talloc pools (installs about 220 packages for DPDK)'
	@echo 'make soak                the model test and the stress oracle with ever new seeds (SOAK_MINUTES=$(SOAK_MINUTES))'
	@echo 'make kernel-test         the engine in a small kernel under QEMU, x86-64 and 64-bit ARM: layers, interrupts, exhaustion'
	@echo 'make kernel-bench        interrupts between CPUs, one message for each free and slabkit (KERNEL_BENCH_CPUS="$(KERNEL_BENCH_CPUS)")'
	@echo 'make amalgamation        the engine for kernels as one slabkit.c and slabkit.h, in $(BUILD)/amalgamation'
	@echo 'make install             into PREFIX=$(PREFIX), below DESTDIR if given'
	@echo 'make format              clang-format over the tree'
	@echo 'make clean'
