// SPDX-License-Identifier: GPL-2.0
/*
 * mountfuzz: mounts volumes with random damage, in a guest, looks at all that
 * is on them and changes it. Calls may fail; the kernel may not complain, and
 * each round has to come to an end.
 *
 *   mountfuzz STORE FILE SEED ROUNDS
 *
 * STORE is a disk where the sound volumes are kept, or are put when there are
 * none; FILE is what the loop device VEXFS_DEV is on; volumes are mounted at
 * VEXFS_MNT. A round follows from its seed, SEED and up, and from the volumes.
 * MOUNTFUZZ_SECS: what a round may take.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/* A report of the kernel sets one of these in /proc/sys/kernel/tainted. */
#define TAINT_BAD_PAGE	(1 << 5)
#define TAINT_DIE	(1 << 7)
#define TAINT_WARN	(1 << 9)
#define TAINT_SOFTLOCK	(1 << 14)
#define TAINT_BAD \
	(TAINT_BAD_PAGE | TAINT_DIE | TAINT_WARN | TAINT_SOFTLOCK)

#define FAILURES_MAX	5

struct mf_shared *mf;
const char *mf_dir, *mf_dev;
uint8_t *mf_buf;

static uint64_t state;
static int kmsg = -1;
static unsigned long tainted;

uint64_t mf_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint32_t mf_below(uint32_t n)
{
	return (uint32_t)(mf_random() >> 32) % n;
}

long mf_call(long ret)
{
	mf->calls++;
	if (ret < 0)
		mf->errors++;
	return ret;
}

void mf_bad(const char *fmt, ...)
{
	va_list args;

	printf("# FAIL seed %llu, %s: ", (unsigned long long)mf->seed,
	       mf->what);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	mf->failures++;
}

void mf_step(const char *what)
{
	mf->call = "";
	mf->what = what;
}

/* ---------------------------------------------------------------- a round */

/* The last two for volumes that have quota, which the last one has not. */
static void settings(uint64_t seed, unsigned long *flags, char *options,
		     size_t size)
{
	static const char *const more[] = {
		"", ",discard", ",noacl", ",commit=1", ",usrquota,prjquota",
		",usrquota",
	};
	uint32_t n = seed % MF_BASES == MF_BASES - 1 ? 4 : 6;
	bool norecovery = !mf_below(16);

	*flags = MS_NODEV | MS_NOSUID;
	if (norecovery || !mf_below(8))
		*flags |= MS_RDONLY;
	snprintf(options, size, "errors=%s%s%s",
		 mf_below(3) ? "continue" : "remount-ro",
		 mf_below(2) ? more[mf_below(n)] : "",
		 norecovery ? ",norecovery" : "");
}

static bool read_only(void)
{
	struct statvfs st;

	return !statvfs(".", &st) && (st.f_flag & ST_RDONLY);
}

/* Nothing is open any more, so nothing is in the way. */
static void unmount(void)
{
	mf_step("unmount");
	if (chdir("/") || umount(mf_dir)) {
		mf_bad("umount: %s", strerror(errno));
		/* There is no restoring a volume that is in use. */
		_exit(1);
	}
}

static bool mount_it(unsigned long flags, const char *options)
{
	int err;

	mf_step("mount");
	if (mount(mf_dev, mf_dir, "vexfs", flags, options)) {
		err = errno;
		if (err == EBUSY)
			mf_bad("mount: %s", strerror(err));
		mf->refused++;
		return false;
	}
	mf->mounted++;
	if (!chdir(mf_dir))
		return true;
	unmount();
	return false;
}

static void forget_inodes(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	mf_step("drop caches");
	if (fd < 0 || write(fd, "2", 1) != 1)
		mf_bad("drop_caches: %s", strerror(errno));
	close(fd);
}

static void visit(unsigned long flags, const char *options)
{
	if (!mount_it(flags, options))
		return;
	mf_walk();
	if (!mf_below(4))
		forget_inodes();
	mf_change(20 + mf_below(40));
	if (!(flags & MS_RDONLY) && read_only())
		mf->readonly++;
	unmount();
}

static unsigned long taint(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		mf_bad("tainted: %s", strerror(errno));
	close(fd);
	return strtoul(text, NULL, 10);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* The log says between which seeds the kernel said something. */
static void round_begin(uint64_t seed)
{
	char text[64];
	int len = sprintf(text, "mountfuzz: seed %llu",
			  (unsigned long long)seed);

	if (kmsg >= 0 && write(kmsg, text, (size_t)len) < 0)
		kmsg = -1;
	mf->seed = seed;
	mf->since = (long)time(NULL);
	mf_step("damage");
}

static void one_round(uint64_t seed)
{
	uint64_t begin = now_ms(), took;
	unsigned long flags, bad;
	char options[100];

	round_begin(seed);
	mf_image_damage((unsigned int)(seed % MF_BASES), seed);
	state = seed ^ 0x6d6f756e74ull;
	settings(seed, &flags, options, sizeof(options));
	visit(flags, options);
	/* What it left behind is to be met as well. */
	if (!mf_below(4))
		visit(flags, options);
	bad = taint() & ~tainted & TAINT_BAD;
	tainted |= bad;
	if (bad)
		mf_bad("the kernel has complained, taint %lu", bad);
	mf->rounds++;
	took = now_ms() - begin;
	if (took > mf->slowest_ms)
		mf->slowest_ms = took;
}

static void work(uint64_t seed, uint64_t rounds)
{
	uint64_t i;

	for (i = 0; i < rounds && mf->failures < FAILURES_MAX; i++) {
		one_round(seed + i);
		if ((i + 1) % 100 == 0) {
			printf("# %llu rounds, %llu mounted\n",
			       (unsigned long long)i + 1,
			       (unsigned long long)mf->mounted);
			fflush(stdout);
		}
	}
	mf->over = true;
}

/* --------------------------------------------------------------- the watch */

static void ask_kernel(char key)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd < 0 || write(fd, &key, 1) != 1)
		printf("# no sysrq\n");
	close(fd);
}

/* Only a round that ends in time is a good one; this one may never end. */
static bool watch(pid_t worker, long limit)
{
	int status;

	while (!waitpid(worker, &status, WNOHANG)) {
		if ((long)time(NULL) - mf->since > limit) {
			mf_bad("not over after %ld s, in %s", limit,
			       mf->call);
			ask_kernel('w');
			ask_kernel('l');
			sleep(2);
			return false;
		}
		usleep(100000);
	}
	if (WIFSIGNALED(status))
		mf_bad("ended by signal %d in %s", WTERMSIG(status), mf->call);
	else if (!mf->over && !mf->failures)
		mf_bad("ended with status %d", WEXITSTATUS(status));
	return mf->over;
}

static void report(void)
{
	printf("# %llu rounds: %llu mounts, ", (unsigned long long)mf->rounds,
	       (unsigned long long)mf->mounted);
	printf("%llu read-only in the end, %llu refused\n",
	       (unsigned long long)mf->readonly,
	       (unsigned long long)mf->refused);
	printf("# %llu calls, of which %llu failed; slowest round %llu ms\n",
	       (unsigned long long)mf->calls, (unsigned long long)mf->errors,
	       (unsigned long long)mf->slowest_ms);
}

static void setup(void)
{
	const char *dir = getenv("VEXFS_MNT"), *dev = getenv("VEXFS_DEV");
	uint32_t i;

	mf_dir = dir ? dir : "/mnt/vexfs";
	mf_dev = dev ? dev : "/dev/loop0";
	mf = mmap(NULL, sizeof(*mf), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mf_buf = mmap(NULL, MF_BUF, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mf == MAP_FAILED || mf_buf == MAP_FAILED)
		exit(2);
	for (i = 0; i < MF_BUF; i++)
		mf_buf[i] = (uint8_t)mf_random();
	mf_step("setup");
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	tainted = taint();
}

int main(int argc, char **argv)
{
	const char *secs = getenv("MOUNTFUZZ_SECS");
	bool good;
	pid_t pid;

	if (argc != 5) {
		fprintf(stderr, "usage: mountfuzz STORE FILE SEED ROUNDS\n");
		return 2;
	}
	setup();
	if (mf_image_setup(argv[1], argv[2])) {
		printf("# no volumes: %s\n", strerror(errno));
		return 1;
	}
	fflush(stdout);
	mf->since = (long)time(NULL);
	pid = fork();
	if (!pid) {
		work(strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
		_exit(0);
	}
	good = watch(pid, secs ? atol(secs) : 60) && !mf->failures;
	report();
	return !good;
}
