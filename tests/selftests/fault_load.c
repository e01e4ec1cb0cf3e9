// SPDX-License-Identifier: GPL-2.0
/*
 * A load of files on a device that fails, and what has to be there after it.
 *
 *   fault_load files DIR ACKS SECONDS	until the first error
 *   fault_load again DIR ACKS SECONDS	goes on after errors
 *   fault_load read FILE SECONDS	past the page cache
 *   fault_load sync FILE BREAK		what is told to be durable after the
 *					command BREAK and a sync
 *   fault_load verify DIR ACKS
 *
 * A load ends with 0 after its time, with 3 after EIO or EROFS. ACKS is a file
 * elsewhere that says what an fsync promised. Run by tests/guest/faults.sh; as
 * a selftest, without arguments, it checks that verification sees what it has
 * to see.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "libfs.h"

/* Files that there are at a time; the oldest goes for the newest. */
#define KEEP		30
#define MAX_OPS		20000
#define MAX_LEN		50000
/* Bytes of ACKS, one an operation */
#define BEGUN		1
#define PROMISED	2

static size_t length(int op)
{
	return 1 + op * 7919u % MAX_LEN;
}

static int sync_dir(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY), ret;

	if (fd < 0)
		return -1;
	ret = fsync(fd);
	close(fd);
	return ret;
}

static int sync_file(const char *name)
{
	int fd = open(name, O_RDWR), ret;

	if (fd < 0)
		return -1;
	ret = fsync(fd);
	close(fd);
	return ret;
}

/* One that nobody waits for, so that writeback has something to fail on. */
static int scribble(int op)
{
	char name[32];

	sprintf(name, "s%d", op % 7);
	if (op % 3 == 2)
		return unlink(name) && errno != ENOENT ? -1 : 0;
	return fs_make(name, length(op), op);
}

/* A file by the name of the operation, all of it and durable. */
static int operation(int op)
{
	char name[32];
	int ret;

	sprintf(name, "f%d", op - KEEP);
	if (op >= KEEP && unlink(name) && errno != ENOENT)
		return -1;
	ret = scribble(op);
	if (!ret)
		ret = fs_make("new", length(op), op);
	if (!ret)
		ret = sync_file("new");
	sprintf(name, "f%d", op);
	if (!ret)
		ret = rename("new", name);
	return ret ? ret : sync_dir();
}

static int ack(int fd, int op, char what)
{
	return pwrite(fd, &what, 1, op) == 1 ? 0 : -1;
}

/* What an operation ended with is what a load ends with. */
static int ending(const char *what, int op)
{
	int err = errno;

	printf("# %s %d: %s\n", what, op, strerror(err));
	return err == EIO || err == EROFS ? 3 : 1;
}

static int load(int acks, int seconds, bool again)
{
	time_t end = time(NULL) + seconds;
	int op = 0, errors = 0;

	while (op < MAX_OPS && time(NULL) < end) {
		if (ack(acks, op, BEGUN))
			return 2;
		if (!operation(op)) {
			if (ack(acks, op++, PROMISED))
				return 2;
			continue;
		}
		if (!again)
			return ending("operation", op);
		if (!errors++)
			ending("operation", op);
		usleep(20000);
	}
	printf("# %d operations done, %d times one failed\n", op, errors);
	return 0;
}

static int read_on(const char *file, int seconds)
{
	time_t end = time(NULL) + seconds;
	int fd = open(file, O_RDONLY | O_DIRECT), i = 0;
	void *buf = fs_aligned(FS_BLOCK);
	ssize_t n = FS_BLOCK;

	if (fd < 0)
		return ending(file, 0);
	for (; time(NULL) < end; i++) {
		n = pread(fd, buf, FS_BLOCK, 0);
		if (n < 0)
			return ending("read", i);
	}
	return n == FS_BLOCK ? 0 : 1;
}

/* True for what a device that fails has to end with. */
static bool refused(const char *what, bool failed)
{
	printf("# %s: %s\n", what, failed ? strerror(errno) : "success");
	return failed && (errno == EIO || errno == EROFS);
}

/*
 * A block that the journal doesn't have yet: after the command it never will,
 * and nobody may be told that the file is safe.
 */
static int sync_refused(const char *file, const char *command)
{
	int fd = open(file, O_RDWR | O_CREAT | O_DIRECT, 0600);
	int dsync = open(file, O_RDWR | O_DIRECT | O_DSYNC);
	void *buf = fs_aligned(FS_BLOCK);
	bool ok;

	memset(buf, 'x', FS_BLOCK);
	if (fd < 0 || dsync < 0 || pwrite(fd, buf, FS_BLOCK, 0) != FS_BLOCK ||
	    system(command))
		return 1;
	sync();
	ok = refused("write with O_DSYNC",
		     pwrite(dsync, buf, FS_BLOCK, 0) != FS_BLOCK);
	ok &= refused("fdatasync", fdatasync(fd));
	ok &= refused("syncfs", syncfs(fd));
	return ok ? 0 : 1;
}

/* How many of the promised files are not there as they should be. */
static int verify(int acks, bool tell)
{
	char state[MAX_OPS], name[32];
	int n = pread(acks, state, sizeof(state), 0), op, fd, bad = 0;
	struct stat st;

	for (op = n > KEEP ? n - KEEP : 0; op < n; op++) {
		if (state[op] != PROMISED)
			continue;
		sprintf(name, "f%d", op);
		fd = open(name, O_RDONLY);
		if (fd < 0 || fstat(fd, &st) ||
		    st.st_size != (off_t)length(op) ||
		    fs_verify(fd, 0, length(op), op)) {
			bad++;
			if (tell)
				printf("# %s is not as it was promised\n",
				       name);
		}
		if (fd >= 0)
			close(fd);
	}
	if (tell)
		printf("# %d begun, %d bad\n", n, bad);
	/* Nothing to look at is nothing shown. */
	return n > 0 ? bad : -1;
}

static int run(int argc, char **argv)
{
	int acks;

	if (argc < 4)
		return 2;
	if (!strcmp(argv[1], "read"))
		return read_on(argv[2], atoi(argv[3]));
	if (!strcmp(argv[1], "sync"))
		return sync_refused(argv[2], argv[3]);
	acks = open(argv[3], O_RDWR | O_CREAT, 0600);
	if (acks < 0 || chdir(argv[2])) {
		perror(argv[acks < 0 ? 3 : 2]);
		return 2;
	}
	if (!strcmp(argv[1], "verify"))
		return verify(acks, true) != 0;
	if (argc < 5)
		return 2;
	return load(acks, atoi(argv[4]), !strcmp(argv[1], "again"));
}

TEST(verification_has_teeth)
{
	char dir[256];
	int acks, op;

	ASSERT_EQ(0, fs_enter(dir, sizeof(dir)));
	acks = open("/tmp/acks", O_CREAT | O_TRUNC | O_RDWR, 0600);
	ASSERT_LE(0, acks);
	EXPECT_EQ(-1, verify(acks, false));
	for (op = 0; op < KEEP + 5; op++) {
		ASSERT_EQ(0, operation(op));
		ASSERT_EQ(0, ack(acks, op, PROMISED));
	}
	EXPECT_EQ(0, verify(acks, false));
	/* What was only begun is not asked for, and one more is no longer. */
	ASSERT_EQ(0, ack(acks, op, BEGUN));
	ASSERT_EQ(0, unlink("f5"));
	EXPECT_EQ(0, verify(acks, false));
	/* Too short, of another, gone */
	ASSERT_EQ(0, truncate("f20", length(20) - 1));
	EXPECT_EQ(1, verify(acks, false));
	ASSERT_EQ(0, fs_make("f21", length(21), 7));
	EXPECT_EQ(2, verify(acks, false));
	ASSERT_EQ(0, unlink("f22"));
	EXPECT_EQ(3, verify(acks, false));
	close(acks);
	unlink("/tmp/acks");
	EXPECT_EQ(0, fs_leave(dir));
}

int main(int argc, char **argv)
{
	return argc > 2 ? run(argc, argv) : test_harness_run(argc, argv);
}
