# SPDX-License-Identifier: GPL-2.0
#
# VexFS: the kernel module, mkfs.vexfs, fsck.vexfs and vexctl, and their tests.
#
#   make                  module (where kernel headers are found) and tools
#   make install          installs both, and the manual pages
#   make check            style, unit tests, selftests in guests
#   make demo             the main job, shown in a guest
#   make bench            speed and recall, beside other engines
#   make bench-files      speed of ordinary files, beside ext4
#   make help             all targets
#
# Sources are found by wildcard: a new file needs no change here.

BUILD		?= build
KVER		?= $(shell uname -r)
KDIR		?= /lib/modules/$(KVER)/build
PREFIX		?= /usr/local
SBINDIR		?= $(PREFIX)/sbin
BINDIR		?= $(PREFIX)/bin
MANDIR		?= $(PREFIX)/share/man
INSTALL		?= install
DEPMOD		?= PATH=$$PATH:/sbin:/usr/sbin depmod

# ------------------------------------------------------------- userspace
ifeq ($(origin CC),default)
CC		:= gcc
endif
# One line a file; make V=1 shows the commands.
ifeq ($(V),1)
cmd		= $(2)
else
cmd		= @printf '  %-7s %s\n' $(1) $@; $(2)
endif

CFLAGS		?= -O2 -g
WARN		:= -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
		   -Wno-missing-field-initializers -Wstrict-prototypes
CPPFLAGS_ALL	:= -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude \
		   -Iinclude/uapi -Ifs/vexfs -Ifs/vexfs/libvexfs \
		   -Ifs/vexfs/simd -Itools/lib -Itools/client -Itools/fsck
# The shared core is kernel code, and the kernel is built like this.
CFLAGS_ALL	:= -std=gnu11 -fno-strict-aliasing -fwrapv -MMD -MP $(WARN) \
		   $(if $(WERROR),-Werror)
LIBS		:= -lblkid -luuid -lpthread -lm

# Only the files that carry an instruction set in their name get its flags;
# no contraction, so that each level computes the same bits.
AVX512		:= -mavx512f -mavx512bw -mavx512vl -mavx512dq \
		   -mprefer-vector-width=512
SIMD_sse2	:= -msse2
SIMD_avx2	:= -mavx2 -mfma -mf16c
SIMD_avx512	:= $(AVX512)
SIMD_avx512vnni	:= $(AVX512) -mavx512vnni
SIMD_avx512popcnt := $(AVX512) -mavx512vnni -mavx512vpopcntdq
simd_flags	= $(if $(filter fs/vexfs/simd/%,$<),-ffp-contract=off \
		  $(SIMD_$(lastword $(subst _, ,$(basename $(notdir $<))))))

CORE_SRC	:= $(wildcard fs/vexfs/libvexfs/*.c fs/vexfs/simd/*.c \
		   tools/lib/*.c)
CLIENT_SRC	:= $(wildcard tools/client/*.c)
MKFS_SRC	:= $(wildcard mkfs/*.c)
FSCK_SRC	:= $(wildcard tools/fsck/*.c)
# Tests make, check and repair volumes in memory.
FSCKLIB_SRC	:= $(filter-out tools/fsck/main.c,$(FSCK_SRC)) mkfs/format.c \
		   mkfs/quota.c mkfs/zero.c
VEXCTL_SRC	:= $(wildcard tools/vexctl/*.c)
DUMP_SRC	:= $(wildcard tools/dump/*.c)
TUNE_SRC	:= $(wildcard tools/tune/*.c)
# The demo's reference reads vectors as vexctl does.
BRUTE_SRC	:= tests/demo/brute.c $(filter-out tools/vexctl/main.c \
		   tools/vexctl/create.c tools/vexctl/ids.c \
		   tools/vexctl/import.c tools/vexctl/info.c \
		   tools/vexctl/search.c,$(VEXCTL_SRC))
UNIT_SRC	:= $(wildcard tests/unit/test_*.c)
CRASHLIB_SRC	:= $(filter-out tests/crash/load.c tests/crash/main.c,\
		   $(wildcard tests/crash/*.c))
UNITLIB_SRC	:= $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))

TOOLS		:= $(if $(MKFS_SRC),$(BUILD)/bin/mkfs.vexfs) \
		   $(if $(FSCK_SRC),$(BUILD)/bin/fsck.vexfs) \
		   $(if $(VEXCTL_SRC),$(BUILD)/bin/vexctl) \
		   $(BUILD)/bin/vexdump $(BUILD)/bin/tune.vexfs

# The benchmark: peers as they come, for this very processor; the core as it is
# shipped. What is not installed is left out.
BENCH_OWN	:= bench/gen.c bench/guest.c
BENCH_SRC	:= $(filter-out $(BENCH_OWN),$(wildcard bench/*.c))
BENCH_PEERS	:= $(if $(wildcard /usr/include/hnswlib/hnswlib.h),hnswlib) \
		   $(if $(wildcard /usr/include/faiss/IndexHNSW.h),faiss)
BENCH_BLAS	:= $(wildcard /usr/include/*/openblas-pthread/cblas.h)
BENCH_FLAGS	:= $(if $(filter hnswlib,$(BENCH_PEERS)),-DHAVE_HNSWLIB) \
		   $(if $(filter faiss,$(BENCH_PEERS)),-DHAVE_FAISS) \
		   $(if $(BENCH_BLAS),-DHAVE_OPENBLAS \
			-I$(dir $(firstword $(BENCH_BLAS))))
BENCH_LIBS	:= $(if $(filter faiss,$(BENCH_PEERS)),-lfaiss -lgomp) \
		   $(if $(BENCH_BLAS),-lopenblas) \
		   $(if $(strip $(BENCH_PEERS)),-lstdc++)

.PHONY: all module tools brute install install-module install-tools install-man \
	clean distclean deps unit unit-asan selftests lint check check-variants \
	check-debug check-next check-fuzz check-fuzz-mount check-crash \
	check-stress demo bench \
	bench-files help unit-programs unit-asan-programs demo-programs \
	crash-programs stress-programs fuzz-programs \
	bench-programs bench-files-programs guest-modules FORCE
.DELETE_ON_ERROR:
.SECONDARY:
all: tools module

tools: $(TOOLS)

# $(1) object folder, $(2) its own flags: the same sources, once as they are
# shipped and once under the sanitizers.
define variant
$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(call cmd,CC,$$(CC) $$(CPPFLAGS_ALL) $$(CPPFLAGS) $$(CFLAGS_ALL) \
		$$(CFLAGS) $(2) $$(simd_flags) -c -o $$@ $$<)

$(1)/libvexfs.a: $(CORE_SRC:%.c=$(1)/%.o)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call cmd,AR,$$(AR) rcs $$@ $$^)

$(1)/libvexfs-client.a: $(CLIENT_SRC:%.c=$(1)/%.o)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call cmd,AR,$$(AR) rcs $$@ $$^)

$(1)/libvexfs-fsck.a: $(FSCKLIB_SRC:%.c=$(1)/%.o)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call cmd,AR,$$(AR) rcs $$@ $$^)

$(1)/libvexfs-crash.a: $(CRASHLIB_SRC:%.c=$(1)/%.o)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call cmd,AR,$$(AR) rcs $$@ $$^)

$(1)/tests/unit/test_%: $(1)/tests/unit/test_%.o \
		$(UNITLIB_SRC:%.c=$(1)/%.o) $(1)/libvexfs-crash.a \
		$(1)/libvexfs-fsck.a \
		$(1)/libvexfs-client.a $(1)/libvexfs.a
	$$(call cmd,LD,$$(CC) $$(LDFLAGS) $(2) -o $$@ $$^ $$(LIBS))

DEPS += $(patsubst %.c,$(1)/%.d,$(CORE_SRC) $(CLIENT_SRC) $(MKFS_SRC) \
	$(FSCK_SRC) $(VEXCTL_SRC) $(DUMP_SRC) $(TUNE_SRC) tests/demo/brute.c $(CRASHLIB_SRC) $(UNIT_SRC) $(UNITLIB_SRC))
endef

OBJ		:= $(BUILD)/obj
ASAN		:= $(BUILD)/obj-asan
SANITIZE	:= -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all \
		   -fno-omit-frame-pointer -O1 -g1
# gcc doesn't align vectors of 64 bytes on the stack that this check uses: only
# the files that have them do without it. What the address sanitizer sees as
# well isn't checked twice there: it doubles the minutes that they take to build.
SANITIZE_SIMD	:= -fno-sanitize=object-size,pointer-overflow \
		   $(if $(findstring clang,$(CC)),,--param asan-use-after-return=0)
$(ASAN)/fs/vexfs/simd/%.o: CFLAGS += $(SANITIZE_SIMD)
$(eval $(call variant,$(OBJ),))
$(eval $(call variant,$(ASAN),$(SANITIZE)))

# $(1) program, $(2) its sources.
define program
$(BUILD)/bin/$(1): $(2:%.c=$(OBJ)/%.o) \
		$(OBJ)/libvexfs-client.a $(OBJ)/libvexfs.a
	@mkdir -p $$(@D)
	$$(call cmd,LD,$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS))
endef
$(eval $(call program,mkfs.vexfs,$(MKFS_SRC)))
$(eval $(call program,fsck.vexfs,$(FSCK_SRC)))
$(eval $(call program,vexctl,$(VEXCTL_SRC)))
$(eval $(call program,vexdump,$(DUMP_SRC)))
$(eval $(call program,tune.vexfs,$(TUNE_SRC)))

brute: $(BUILD)/tests/brute
$(BUILD)/tests/brute: $(BRUTE_SRC:%.c=$(OBJ)/%.o) \
		$(OBJ)/libvexfs-client.a $(OBJ)/libvexfs.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# What the demo checks the module against, in the guest; they read the same
# files as vexctl.
DEMO		:= $(patsubst tests/demo/%.c,$(BUILD)/demo/%,\
		   $(wildcard tests/demo/*.c))
$(BUILD)/demo/%: $(OBJ)/tests/demo/%.o \
		$(filter-out %/main.o,$(VEXCTL_SRC:%.c=$(OBJ)/%.o)) \
		$(OBJ)/libvexfs-client.a $(OBJ)/libvexfs.a
	@mkdir -p $(@D)
	$(call cmd,LD,$(CC) $(LDFLAGS) -o $@ $^ $(LIBS))
demo-programs: $(DEMO)

$(OBJ)/bench/%.o: bench/%.c
	@mkdir -p $(@D)
	$(call cmd,CC,$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS) $(CFLAGS_ALL) $(CFLAGS) \
		-O3 -march=native -ffp-contract=off $(BENCH_FLAGS) -c -o $@ $<)
$(OBJ)/bench/%.o: bench/%.cc
	@mkdir -p $(@D)
	$(call cmd,CXX,$(CXX) -std=c++17 -O3 -march=native -fopenmp -w -MMD -MP \
		-c -o $@ $<)
$(BUILD)/bench/bench: $(BENCH_SRC:%.c=$(OBJ)/%.o) \
		$(BENCH_PEERS:%=$(OBJ)/bench/peer_%.o) $(OBJ)/libvexfs.a
	@mkdir -p $(@D)
	$(call cmd,LD,$(CC) $(LDFLAGS) -o $@ $^ $(BENCH_LIBS) $(LIBS))
$(BUILD)/bench/gen: $(OBJ)/bench/gen.o
	@mkdir -p $(@D)
	$(call cmd,LD,$(CC) $(LDFLAGS) -o $@ $^)
$(BUILD)/bench/guest: $(OBJ)/bench/guest.o $(OBJ)/libvexfs-client.a
	@mkdir -p $(@D)
	$(call cmd,LD,$(CC) $(LDFLAGS) -o $@ $^)
bench-programs: $(BUILD)/bench/bench $(BUILD)/bench/gen $(BUILD)/bench/guest
DEPS += $(patsubst %,$(OBJ)/%.d,$(basename $(wildcard bench/*.c bench/*.cc)))

# Runs in a guest that has nothing.
$(BUILD)/bench-files/fileops: bench/files/fileops.c
	@mkdir -p $(@D)
	$(call cmd,LD,$(CC) $(CPPFLAGS_ALL) $(CFLAGS) -std=gnu11 $(WARN) \
		$(if $(WERROR),-Werror) -static -o $@ $<)
bench-files-programs: $(BUILD)/bench-files/fileops

# The crash test: a program for the guest, static, and the checker.
CRASH_GUEST	:= tests/crash/load.c tests/crash/model.c tests/crash/loads.c \
		   tests/selftests/libcoll.c tests/selftests/libfs.c
CRASH_SRC	:= $(filter-out tests/crash/load.c,$(wildcard tests/crash/*.c))
$(BUILD)/crash/crashload: $(CRASH_GUEST) tests/crash/model.h
	@mkdir -p $(@D)
	$(call cmd,LD,$(CC) -std=gnu11 $(WARN) $(if $(WERROR),-Werror) $(CFLAGS) \
		-D_FILE_OFFSET_BITS=64 -Iinclude/uapi -Itests/selftests \
		-Itests/crash -static -o $@ $(CRASH_GUEST) -lm)
$(BUILD)/crash/crashcheck: $(CRASH_SRC:%.c=$(OBJ)/%.o) \
		$(OBJ)/libvexfs-fsck.a $(OBJ)/libvexfs.a
	@mkdir -p $(@D)
	$(call cmd,LD,$(CC) $(LDFLAGS) -o $@ $^ $(LIBS))
crash-programs: $(BUILD)/crash/crashload $(BUILD)/crash/crashcheck
DEPS += $(CRASH_SRC:%.c=$(OBJ)/%.d)

# Loads for the stress test, each a program, static.
STRESS		:= $(patsubst tests/stress/%.c,$(BUILD)/stress/stress%,\
		   $(wildcard tests/stress/*.c))
STRESS_LIB	:= tests/selftests/libcoll.c tests/selftests/libfs.c
$(BUILD)/stress/stress%: tests/stress/%.c $(STRESS_LIB)
	@mkdir -p $(@D)
	$(call cmd,LD,$(CC) -std=gnu11 $(WARN) $(if $(WERROR),-Werror) $(CFLAGS) \
		-D_FILE_OFFSET_BITS=64 -Iinclude/uapi -Itests/selftests \
		-static -pthread -o $@ $^ -lm)
stress-programs: $(STRESS)

# Damage as the tests of fsck do it, on volumes that are mounted in a guest.
FUZZ_SRC	:= $(wildcard tests/fuzz/*.c) tests/unit/core_util.c \
		   tests/unit/fsck_quota.c tests/unit/fsck_random.c \
		   tests/unit/fsck_util.c tests/selftests/libcoll.c \
		   tests/selftests/libfs.c tests/selftests/libvol.c
$(OBJ)/tests/fuzz/%.o: CPPFLAGS += -Itests/unit -Itests/selftests
$(OBJ)/tests/selftests/%.o: CPPFLAGS += -U_GNU_SOURCE
$(BUILD)/fuzz/mountfuzz: $(FUZZ_SRC:%.c=$(OBJ)/%.o) \
		$(OBJ)/libvexfs-fsck.a $(OBJ)/libvexfs.a
	@mkdir -p $(@D)
	$(call cmd,LD,$(CC) $(LDFLAGS) -o $@ $^ $(LIBS))
fuzz-programs: $(BUILD)/fuzz/mountfuzz
DEPS += $(FUZZ_SRC:%.c=$(OBJ)/%.d)

unit-programs: $(UNIT_SRC:%.c=$(OBJ)/%)
unit-asan-programs: $(UNIT_SRC:%.c=$(ASAN)/%)

-include $(wildcard $(sort $(DEPS)))

# ---------------------------------------------------------------- module
# Kbuild writes beside the sources, as for any module out of tree. The
# modules of the guests are built apart, one folder a kernel: tests/module.sh.
ifneq ($(wildcard $(KDIR)/Makefile),)
module: FORCE
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

# Without the key of the kernel's own build there is nothing to sign with.
install-module: module
	$(MAKE) -C $(KDIR) M=$(CURDIR) \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) \
		$(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=) \
		modules_install
	$(DEPMOD) $(if $(DESTDIR),-b $(DESTDIR)) \
		`$(MAKE) -s --no-print-directory -C $(KDIR) kernelrelease`
else
module:
	@echo "Module not built: no kernel headers at $(KDIR)."
	@echo "    apt install linux-headers-$(KVER)   or   make KDIR=..."
	@$(if $(filter module,$(MAKECMDGOALS)),false,true)

install-module: module
endif

# --------------------------------------------------------------- install
install: install-tools install-man install-module

install-tools: tools
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR)
	set -e; for t in $(TOOLS); do case $$t in \
		*.vexfs) d=$(DESTDIR)$(SBINDIR) ;; \
		*) d=$(DESTDIR)$(BINDIR) ;; esac; \
		$(INSTALL) -m 755 $$t $$d/; done

install-man:
	set -e; for p in $(wildcard Documentation/man/*.[1-8]); do \
		d=$(DESTDIR)$(MANDIR)/man$${p##*.}; \
		$(INSTALL) -d $$d; $(INSTALL) -m 644 $$p $$d/; done

# ----------------------------------------------------------------- tests
deps:
	@tests/deps.sh
unit:
	@tests/check.sh unit
unit-asan:
	@tests/check.sh unit-asan
lint:
	@tests/check.sh lint
guest-modules:
	@tests/check.sh modules
selftests:
	@tests/check.sh selftests
check:
	@tests/check.sh
check-variants:
	@JOBS="selftests-768 selftests-8k selftests-quota coll_crash-20 \
		faults" \
		tests/check.sh selftests
check-debug:
	@tests/check.sh debug
check-next:
	@tests/check.sh next
check-crash:
	@tests/crash/run.sh
check-stress:
	@tests/stress/run.sh
check-fuzz: unit-asan-programs
	VEXFS_FUZZ=$${VEXFS_FUZZ:-5000} $(ASAN)/tests/unit/test_fsck_fuzz
	@tests/fuzz/run.sh
check-fuzz-mount:
	@tests/fuzz/run.sh
demo:
	@tests/guest/demo.sh
bench:
	@bench/run.sh
bench-files:
	@bench/files/run.sh

# ----------------------------------------------------------------- clean
# What kbuild left beside the sources goes even when the headers it was built
# with are gone; downloads stay until distclean.
clean:
	@rm -rf $(filter-out $(BUILD)/cache,$(wildcard $(BUILD)/*))
	@find fs -name '*.o' -o -name '*.ko' -o -name '*.mod' -o \
		-name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' \
		-o -name 'modules.order' | xargs -r rm -f
	@rm -f modules.order Module.symvers .modules.order.cmd \
		.Module.symvers.cmd .module-common.o .*.cmd
	@rm -rf .tmp_versions

distclean: clean
	@rm -rf $(BUILD)

help:
	@sed -n '3,14s/^# \{0,1\}//p' Makefile
	@echo "Parts of check, each alone:"
	@echo "    make lint | unit | unit-asan | guest-modules"
	@echo "    make selftests [KERNELS=6.1] [JOBS='name...']"
	@echo "    make check-variants: the selftests on other volumes, more resets, faults"
	@echo "    make check-debug: the selftests on a kernel that looks for faults"
	@echo "    make check-next: the module and the guests' jobs on kernel 7.3"
	@echo "    make check-crash: 3,000 crashes of the module under load"
	@echo "    make check-stress: stress-ng and fio, ten minutes on each kernel"
	@echo "    make check-fuzz: fsck, and mounts, of 5,000 volumes with random damage"
	@echo "Variables: KDIR KVER CC CFLAGS DESTDIR PREFIX VEXFS_CACHE"
	@echo "More: Documentation/testing.rst"
