# SPDX-License-Identifier: GPL-2.0-only
#
# make help tells what there is to do here.

# All the architectures that can be tested here, if none is named.
ifeq ($(origin ARCH),undefined)
TEST_ARCHES = $(ARCH)$(if $(filter x86_64,$(ARCH)),$(comma)arm64)
endif
TEST_ARCHES ?= $(ARCH)

# The kernel to build the module for, and where what is built goes.
KDIR ?= /lib/modules/$(shell uname -r)/build
BUILD ?= $(CURDIR)/build
ARCH ?= $(patsubst aarch64,arm64,$(shell uname -m))
ifeq ($(ARCH),arm64)
CROSS_COMPILE ?= $(if $(filter aarch64,$(shell uname -m)),,aarch64-linux-gnu-)
endif
CROSS_COMPILE ?=
PREFIX ?= /usr/local
DESTDIR ?=
# The Makefiles below run in their own directories.
override BUILD := $(abspath $(BUILD))
override DESTDIR := $(abspath $(DESTDIR))
export ARCH CROSS_COMPILE PREFIX DESTDIR

comma := ,

# Kbuild reads V=1 itself; everything else here is told by Q.
Q := $(if $(filter 1,$(V)),,@)

TESTBED := tools/testbed/testbed
BOOTSTRAP := tools/testbed/bootstrap
TESTBED_FLAGS = --arch $(TEST_ARCHES) $(if $(filter 1,$(V)),--verbose)

.PHONY: all
all: module tools

# --- the module -------------------------------------------------------------

# Which of the three modules, and the directory that it is built in: kbuild
# leaves its objects beside the sources, so each pair of kernel and module gets
# a directory of links.
AXVCPU_MODULE ?= axvcpu
KERNEL_ID ?= $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)
MODULE_DIR = $(BUILD)/$(KERNEL_ID)/$(AXVCPU_MODULE)$(if $(COUNT),-count)$(if $(COVERAGE),-gcov)
SOURCES = Kbuild $(wildcard axvcpu*.[ch]) arch kunit uapi

.PHONY: module
module: kdir
	$(Q)mkdir -p $(MODULE_DIR)
	$(Q)cp -rsf $(addprefix $(CURDIR)/,$(SOURCES)) $(MODULE_DIR)
	$(Q)find $(MODULE_DIR) -xtype l -delete
	$(Q)$(MAKE) --no-print-directory -C $(KDIR) M=$(MODULE_DIR) AXVCPU_MODULE=$(AXVCPU_MODULE) \
		$(if $(COUNT),COUNT=1) $(if $(COVERAGE),COVERAGE=1) modules

# What tests insert besides; each kernel has a directory for them.
TEST_MODULE_DIR = $(BUILD)/$(KERNEL_ID)/selftests

.PHONY: test-modules
test-modules: kdir
	$(Q)mkdir -p $(TEST_MODULE_DIR)
	$(Q)cp -rsf $(CURDIR)/selftests/modules/. $(TEST_MODULE_DIR)
	$(Q)find $(TEST_MODULE_DIR) -xtype l -delete
	$(Q)$(MAKE) --no-print-directory -C $(KDIR) M=$(TEST_MODULE_DIR) modules

.PHONY: kdir
kdir:
	@test -n "$(KERNEL_ID)" || { \
		echo "No kernel headers in $(KDIR)." >&2; \
		echo "Install them with: apt-get install linux-headers-$$(uname -r)" >&2; \
		echo "or name another kernel's: make KDIR=/lib/modules/VERSION/build" >&2; \
		exit 1; }

# --- programs ---------------------------------------------------------------

# Each directory has a Makefile of its own, which takes ARCH, CROSS_COMPILE,
# STATIC=1 and O=, and leaves its products in O; the guests' are many.
PROGRAM_DIRS = $(patsubst %/Makefile,%,$(wildcard $(addsuffix /Makefile,tools/lib tools/vmm tools/bench guests)))
TOOLS_DIR = $(BUILD)/tools-$(ARCH)
tools-output = $(TOOLS_DIR)$(if $(filter guests,$(1)),/guests)

.PHONY: tools
tools: $(addprefix tools-,$(PROGRAM_DIRS))

.PHONY: $(addprefix tools-,$(PROGRAM_DIRS))
$(addprefix tools-,$(PROGRAM_DIRS)): tools-%:
	$(Q)$(MAKE) --no-print-directory -C $* O=$(call tools-output,$*) all

# The programs are linked with the library.
tools-tools/vmm tools-tools/bench tools-guests: $(filter tools-tools/lib,$(addprefix tools-,$(PROGRAM_DIRS)))

# What needs no kernel's headers
.PHONY: install-tools
install-tools: tools
	$(Q)$(foreach d,$(PROGRAM_DIRS),$(MAKE) --no-print-directory -C $(d) O=$(call tools-output,$(d)) \
		DESTDIR='$(DESTDIR)' install &&) :

.PHONY: install
install: module install-tools
	$(Q)$(MAKE) --no-print-directory -C $(KDIR) M=$(MODULE_DIR) AXVCPU_MODULE=$(AXVCPU_MODULE) \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) INSTALL_MOD_DIR=extra \
		modules_install

# --- emulated machines ------------------------------------------------------

files = $(if $(FILES),--files '$(subst ','\'',$(FILES))')

.PHONY: check
check:
	$(Q)$(BOOTSTRAP) $(TESTBED) $(TESTBED_FLAGS) check $(if $(T),--test $(T)) $(if $(M),--machine $(M)) $(files) \
		$(if $(LIMITS),--limits $(LIMITS)) \
		$(if $(CMD),--program '$(subst ','\'',$(CMD))')

.PHONY: run
run:
	$(Q)$(BOOTSTRAP) $(TESTBED) $(TESTBED_FLAGS) run $(if $(M),--machine $(M))

.PHONY: shell
shell:
	$(Q)$(BOOTSTRAP) $(TESTBED) $(TESTBED_FLAGS) shell $(if $(M),--machine $(M)) $(files)

.PHONY: bench
bench:
	$(Q)$(BOOTSTRAP) $(TESTBED) $(TESTBED_FLAGS) bench $(if $(M),--machine $(M)) $(if $(T),-- $(subst $(comma), ,$(T)))

.PHONY: coverage
coverage:
	$(Q)$(BOOTSTRAP) $(TESTBED) --arch x86_64 $(if $(filter 1,$(V)),--verbose) coverage $(if $(T),--test $(T)) $(if $(M),--machine $(M))

.PHONY: mutants
mutants:
	$(Q)$(BOOTSTRAP) tools/mutants/mutants $(if $(N),--count $(N)) $(if $(SEED),--seed $(SEED)) $(F)

.PHONY: kernels
kernels:
	$(Q)$(BOOTSTRAP) $(TESTBED) $(TESTBED_FLAGS) kernels

.PHONY: deps
deps:
	$(Q)$(BOOTSTRAP) $(TESTBED) $(TESTBED_FLAGS) deps

# --- the rest ---------------------------------------------------------------

# tools/lint and Documentation have Makefiles of their own.
.PHONY: lint docs
lint:
	$(Q)$(MAKE) --no-print-directory -C tools/lint
docs:
	$(Q)$(MAKE) --no-print-directory -C Documentation O=$(BUILD)/docs html

.PHONY: clean distclean cache-clean
clean:
	$(Q)rm -rf $(BUILD)/*/axvcpu $(BUILD)/*/axvcpu_mock $(BUILD)/*/axvcpu_kunit \
		$(BUILD)/tools-* $(BUILD)/testbed-* $(BUILD)/host $(BUILD)/docs
distclean:
	$(Q)rm -rf $(BUILD)
cache-clean:
	$(Q)$(TESTBED) cache-clean

# --- help -------------------------------------------------------------------

.PHONY: help
help:
	@echo "axvcpu: hardware virtual CPUs as file descriptors"
	@echo
	@echo "  make              the module for the running kernel, and the tools"
	@echo "  make module       the module alone"
	@echo "  make tools        libaxvcpu, axvmm and the example guests"
	@echo "  make install      install module, headers, library, axvmm, man pages"
	@echo "  make install-tools  all of these but the module, for which it takes no kernel headers"
	@echo
	@echo "  make run          the example guests, on an emulated machine with VMX, or VHE"
	@echo "  make shell        a shell on an emulated machine, with the module loaded"
	@echo "  make check        all the tests, on all the emulated machines"
	@echo "  make bench        what axvcpu costs, and KVM on the same machine; charts"
	@echo "  make coverage     which lines and branches of the module the tests reach (x86)"
	@echo "  make mutants      which changes of the module no test notices"
	@echo "  make lint         checkpatch, sparse, warnings of gcc and clang, and more"
	@echo "  make docs         the documentation as HTML"
	@echo
	@echo "  make kernels      build the test kernels, if the cache does not have them"
	@echo "  make deps         install the Debian packages that the above needs"
	@echo "  make clean        remove what was built but logs; distclean: and the logs"
	@echo "  make cache-clean  remove the test kernels"
	@echo
	@echo "Variables:"
	@echo "  KDIR=DIR          build the module for the kernel with these headers"
	@echo "                    ($(KDIR))"
	@echo "  ARCH=NAME         x86_64, arm64 ($(ARCH)); make check, bench, kernels, deps:"
	@echo "                    without it, all that can be tested here ($(subst $(comma),$(comma) ,$(TEST_ARCHES)))"
	@echo "  T=TEST            make check, bench: only these tests or rows, with commas between"
	@echo "  M=MACHINE         make check, run, shell, bench: on this machine:"
	@$(TESTBED) --arch $(TEST_ARCHES) machines 2>/dev/null | sed 's/^/                  /'
	@echo "  LIMITS=PERCENT    make check: of the tests' limits, for tests that are expected to hang"
	@echo "  F=FILE[:LINE], N=COUNT, SEED=NUMBER  make mutants: of what, how many, other ones"
	@echo "  FILES=DIR         make shell, check: what is in there is on the machine, in /files"
	@echo "  CMD=\"PROGRAM ...\" make check FILES=DIR: run a program of it, instead of the tests"
	@echo "  PREFIX=, LIBDIR=, DESTDIR=  make install ($(PREFIX), PREFIX/lib)"
	@echo "  V=1               show the commands; C=1, W=1: as for any kernel module"
