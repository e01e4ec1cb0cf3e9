# SPDX-License-Identifier: GPL-2.0
#
# Where the kernel's kselftest framework is: unpacked from Debian's
# linux-source package by tests/fetch.sh, or given as KSELFTEST=DIR (the
# tools/testing/selftests of a kernel tree). TOP is this repository.

CACHE		:= $(or $(VEXFS_CACHE),$(TOP)/build/cache)
KSELFTEST	?= $(CACHE)/source/tools/testing/selftests

ifeq ($(wildcard $(KSELFTEST)/lib.mk),)
  ifneq ($(shell $(TOP)/tests/fetch.sh source >&2 && echo done),done)
    $(error kselftest is missing: run tests/fetch.sh source, or set KSELFTEST)
  endif
endif
