// SPDX-License-Identifier: GPL-2.0
/*
 * What goes wrong around a volume: a device that takes no more writes, so
 * that the journal aborts; no space while a directory grows; and a frozen
 * volume, on which nothing may change until it is thawed.
 * Environment: VEXFS_MNT, VEXFS_DEV.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "libcoll.h"
#include "libfs.h"

#define KB		1024ull
#define MB		(1024 * KB)
#define DIMS		8
#define LONG		1024
#define BATCH		100

static const char *device(void)
{
	return getenv("VEXFS_DEV");
}

/*
 * A volume on a loop device, whose file lies on a small tmpfs: when that is
 * full, blocks that were never written can't be.
 */
#define SMALL		"/tmp/small"
#define SMALL_MNT	"/tmp/small.mnt"

FIXTURE(small) {
	int loop;
	char dev[32];
};

static int small_loop(char *dev, size_t size)
{
	int control, image, loop, n;

	if (system("modprobe loop 2>/dev/null"))
		fprintf(stderr, "# no module loop\n");
	control = open("/dev/loop-control", O_RDWR);
	if (control < 0)
		return -1;
	n = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	snprintf(dev, size, "/dev/loop%d", n);
	image = open(SMALL "/image", O_CREAT | O_RDWR, 0600);
	if (image < 0 || ftruncate(image, 64 * MB))
		return -1;
	loop = open(dev, O_RDWR);
	if (loop < 0 || ioctl(loop, LOOP_SET_FD, image))
		return -1;
	close(image);
	return loop;
}

FIXTURE_SETUP(small)
{
	char command[64];

	mkdir(SMALL, 0700);
	mkdir(SMALL_MNT, 0700);
	ASSERT_EQ(0, mount("small", SMALL, "tmpfs", 0, "size=24m"));
	self->loop = small_loop(self->dev, sizeof(self->dev));
	ASSERT_LE(0, self->loop);
	snprintf(command, sizeof(command), "mkfs.vexfs -f %s >/dev/null",
		 self->dev);
	ASSERT_EQ(0, system(command));
	ASSERT_EQ(0, mount(self->dev, SMALL_MNT, "vexfs", 0, NULL));
}

FIXTURE_TEARDOWN(small)
{
	umount2(SMALL_MNT, MNT_DETACH);
	ioctl(self->loop, LOOP_CLR_FD);
	close(self->loop);
	EXPECT_EQ(0, umount(SMALL));
}

/* Nothing that isn't there yet can be written to the image. */
static int small_fill(void)
{
	int fd = open(SMALL "/filler", O_CREAT | O_WRONLY, 0600);
	char buf[4096] = { 1 };

	if (fd < 0)
		return -1;
	while (write(fd, buf, sizeof(buf)) == sizeof(buf))
		;
	close(fd);
	return errno == ENOSPC ? 0 : -1;
}

static bool is_read_only(const char *mnt)
{
	struct statvfs st;

	return !statvfs(mnt, &st) && (st.f_flag & ST_RDONLY);
}

/* True for what a volume answers whose journal has aborted. */
static bool refused(int ret)
{
	return ret == -1 && (errno == EIO || errno == EROFS);
}

TEST_F(small, aborted_journal_is_told)
{
	int safe, fd, i, last;

	ASSERT_EQ(0, fs_make(SMALL_MNT "/safe", 300 * KB, 1));
	safe = open(SMALL_MNT "/safe", O_RDWR);
	ASSERT_LE(0, safe);
	ASSERT_EQ(0, fsync(safe));
	fd = open(SMALL_MNT "/other", O_CREAT | O_RDWR, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fsync(fd));

	ASSERT_EQ(0, small_fill());
	/* Inodes change, and their transactions go to the journal. */
	for (i = 0, last = 0; !last && i < 100; i++) {
		if (fchmod(fd, 0600 + i % 64))
			break;
		last = fsync(fd);
	}
	ASSERT_TRUE(refused(last));
	TH_LOG("fsync failed after %d", i);
	/* and go on to say so, for every file */
	EXPECT_TRUE(refused(fsync(fd)));
	EXPECT_TRUE(refused(fsync(safe)));
	EXPECT_TRUE(refused(fchmod(fd, 0777)));
	EXPECT_TRUE(refused(mkdir(SMALL_MNT "/dir", 0700)));
	EXPECT_TRUE(refused(unlink(SMALL_MNT "/safe")));
	EXPECT_TRUE(is_read_only(SMALL_MNT));
	EXPECT_EQ(0, fs_verify(safe, 0, 300 * KB, 1));
	close(fd);
	close(safe);

	/* With room again, what was synced is there. */
	ASSERT_EQ(0, umount(SMALL_MNT));
	ASSERT_EQ(0, unlink(SMALL "/filler"));
	ASSERT_EQ(0, mount(self->dev, SMALL_MNT, "vexfs", 0, NULL));
	safe = open(SMALL_MNT "/safe", O_RDONLY);
	ASSERT_LE(0, safe);
	EXPECT_EQ(0, fs_verify(safe, 0, 300 * KB, 1));
	close(safe);
	EXPECT_EQ(0, access(SMALL_MNT "/other", F_OK));
	EXPECT_EQ(0, mkdir(SMALL_MNT "/dir", 0700));
}

/* No space while directories grow. */

/* The harness itself must not keep the volume busy. */
static __attribute__((constructor)) void leave_volume(void)
{
	if (chdir("/"))
		perror("/");
}

FIXTURE(full) {
	char dir[256];
};

FIXTURE_SETUP(full)
{
	if (!fs_is_vexfs() || !device())
		SKIP(return, "would fill somebody's disk");
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
}

FIXTURE_TEARDOWN(full)
{
	EXPECT_EQ(0, fs_leave(self->dir));
}

/* Takes all free blocks, the last ones singly. */
static int fill_volume(const char *name)
{
	static const off_t steps[] = { 64 * MB, 1 * MB, FS_BLOCK };
	int fd = open(name, O_CREAT | O_RDWR, 0600);
	unsigned int i, round;
	off_t end = 0;

	for (round = 0; fd >= 0 && round < 2; round++) {
		for (i = 0; i < 3; i++)
			while (!fallocate(fd, 0, end, steps[i]))
				end += steps[i];
		if (errno != ENOSPC)
			break;
		sync();
	}
	if (fd >= 0)
		close(fd);
	return round == 2 ? 0 : -1;
}

/* Long, so that fifteen fill a block. */
static void long_name(char *buf, const char *dir, unsigned int n)
{
	sprintf(buf, "%s/%0230u", dir, n);
}

static int make_name(const char *dir, unsigned int n)
{
	char name[256];
	int fd;

	long_name(name, dir, n);
	fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
	return fd < 0 ? -1 : close(fd);
}

/* Every name is found by itself and once in the list. */
static bool has_names(const char *dir, unsigned int n)
{
	char name[256];
	struct dirent *de;
	unsigned int i, listed = 0;
	struct stat st;
	DIR *d;

	for (i = 0; i < n; i++) {
		long_name(name, dir, i);
		if (stat(name, &st) || !S_ISREG(st.st_mode))
			return false;
	}
	long_name(name, dir, n);
	if (!stat(name, &st) || errno != ENOENT)
		return false;
	d = opendir(dir);
	while (d && (de = readdir(d)))
		listed += de->d_name[0] != '.';
	if (d)
		closedir(d);
	return listed == n;
}

static int again(void)
{
	if (umount(fs_mnt()))
		return -1;
	return mount(device(), fs_mnt(), "vexfs", 0, NULL);
}

static int links_of(const char *name)
{
	struct stat st;

	return stat(name, &st) ? -1 : (int)st.st_nlink;
}

TEST_F(full, directory_grows_without_space)
{
	unsigned int n = 0, more;
	char name[256];
	int links;

	ASSERT_EQ(0, mkdir("d", 0700));
	ASSERT_EQ(0, mkdir("e", 0700));
	ASSERT_EQ(0, fs_make("file", 1000, 1));
	for (; n < 400; n++)
		ASSERT_EQ(0, make_name("d", n));
	ASSERT_EQ(0, fill_volume("fill"));
	links = links_of("d");
	while (n < 20000 && !make_name("d", n))
		n++;
	EXPECT_EQ(ENOSPC, errno);
	TH_LOG("no space for name %u", n);
	EXPECT_TRUE(has_names("d", n));

	/* The same place is wanted by other operations; nothing is half done */
	long_name(name, "d", n);
	EXPECT_EQ(-1, mkdir(name, 0700));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, rename("file", name));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, link("file", name));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, symlink("file", name));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(links, links_of("d"));
	EXPECT_EQ(1, links_of("file"));
	EXPECT_TRUE(has_names("d", n));
	EXPECT_EQ(0, rename("file", "e/file"));

	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, again());
	ASSERT_EQ(0, chdir(self->dir));
	EXPECT_TRUE(has_names("d", n));
	EXPECT_EQ(1, links_of("e/file"));
	EXPECT_EQ(-1, make_name("d", n));
	EXPECT_EQ(ENOSPC, errno);

	/* Space again */
	ASSERT_EQ(0, unlink("fill"));
	for (more = n + 300; n < more; n++)
		ASSERT_EQ(0, make_name("d", n));
	EXPECT_TRUE(has_names("d", n));
	EXPECT_EQ(links, links_of("d"));
	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, again());
	ASSERT_EQ(0, chdir(self->dir));
	EXPECT_TRUE(has_names("d", n));
}

/* Nothing of a batch that fails is left, also not behind the last row. */
TEST_F(full, batch_without_space)
{
	static float rows[BATCH * LONG];
	struct vexfs_info info = { 0 }, now = { 0 };
	struct vexfs_hit hit;
	struct stat st;
	int fd, i, err = 0;

	fd = coll_create("c", LONG, VEXFS_L2, VEXFS_FLAT);
	ASSERT_LE(0, fd);
	for (i = 0; i < BATCH; i++)
		coll_fill_ints(rows + i * LONG, LONG, i);
	ASSERT_EQ(0, coll_insert(fd, NULL, rows, BATCH, 0, NULL));
	ASSERT_EQ(0, fill_volume("fill"));
	for (i = 0; !err && i < 1000; i++) {
		ASSERT_EQ(0, coll_info(fd, &info));
		err = coll_insert(fd, NULL, rows, BATCH, 0, NULL);
	}
	EXPECT_EQ(-ENOSPC, err);
	ASSERT_EQ(0, coll_info(fd, &now));
	EXPECT_EQ(info.count, now.count);
	EXPECT_EQ(info.slots, now.slots);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(now.slots * LONG * 4, st.st_size);
	EXPECT_EQ(1, coll_search(fd, rows, 1, 0, 0, &hit));
	EXPECT_EQ(0, hit.distance);
	ASSERT_EQ(0, unlink("fill"));
	EXPECT_EQ(0, coll_insert(fd, NULL, rows, BATCH, 0, NULL));
	EXPECT_EQ(0, fsync(fd));
	close(fd);
}

/* A frozen volume */

enum { OP_WRITE, OP_MKDIR, OP_STORE, OP_CHMOD, OP_INSERT, OPS };

static const char *const op_name[OPS] = {
	"write", "mkdir", "store to a mapping", "chmod", "insert",
};

FIXTURE(frozen) {
	char dir[256];
	int root;
	int coll;
	char *map;
	/* shared with the children: 1 started, 2 done, 3 failed */
	int *state;
	pid_t child[OPS];
};

FIXTURE_SETUP(frozen)
{
	int fd;

	if (geteuid() || !fs_is_vexfs())
		SKIP(return, "needs root and a volume of its own");
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
	self->root = open(fs_mnt(), O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, fs_make("file", 64 * KB, 1));
	ASSERT_EQ(0, fs_make("mapped", 64 * KB, 2));
	fd = open("mapped", O_RDWR);
	self->map = mmap(NULL, 64 * KB, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	close(fd);
	self->coll = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW);
	ASSERT_LE(0, self->coll);
	self->state = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->state);
}

FIXTURE_TEARDOWN(frozen)
{
	int op;

	ioctl(self->root, FITHAW, 0);
	for (op = 0; op < OPS; op++) {
		if (self->child[op] > 0) {
			kill(self->child[op], SIGKILL);
			waitpid(self->child[op], NULL, 0);
		}
	}
	munmap(self->map, 64 * KB);
	close(self->root);
	close(self->coll);
	EXPECT_EQ(0, fs_leave(self->dir));
}

static int change(int op, int coll, char *map)
{
	float vector[DIMS];
	char byte = 'x';
	int fd, ret = 0;

	switch (op) {
	case OP_WRITE:
		fd = open("file", O_WRONLY);
		ret = pwrite(fd, &byte, 1, 100) == 1 ? 0 : -1;
		close(fd);
		break;
	case OP_MKDIR:
		ret = mkdir("dir", 0700);
		break;
	case OP_STORE:
		map[5000] = 'x';
		break;
	case OP_CHMOD:
		ret = chmod("file", 0640);
		break;
	case OP_INSERT:
		coll_fill_ints(vector, DIMS, 7);
		ret = coll_insert(coll, NULL, vector, 1, 0, NULL);
		break;
	}
	return ret;
}

/* Writes and flushes that the device has seen. */
static long device_writes(void)
{
	const char *dev = device();
	char path[128], line[512];
	long writes = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/block/%s/stat",
		 strrchr(dev, '/') + 1);
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (fgets(line, sizeof(line), f))
		sscanf(line, "%*s %*s %*s %*s %ld", &writes);
	fclose(f);
	return writes;
}

static int count_state(const int *state, int value)
{
	int op, n = 0;

	for (op = 0; op < OPS; op++)
		n += __atomic_load_n(&state[op], __ATOMIC_ACQUIRE) == value;
	return n;
}

TEST_F(frozen, changes_wait_for_the_thaw)
{
	struct vexfs_hit hits[4];
	float vectors[8 * DIMS];
	long writes;
	int op, i;

	for (i = 0; i < 8; i++)
		coll_fill_ints(vectors + i * DIMS, DIMS, i);
	ASSERT_EQ(0, coll_insert(self->coll, NULL, vectors, 8, 0, NULL));
	ASSERT_EQ(1, coll_delete(self->coll, &(uint64_t){ 3 }, 1, 0));

	ASSERT_EQ(0, ioctl(self->root, FIFREEZE, 0));
	EXPECT_EQ(-1, ioctl(self->root, FIFREEZE, 0));
	EXPECT_EQ(EBUSY, errno);
	writes = device_writes();
	for (op = 0; op < OPS; op++) {
		self->child[op] = fork();
		if (!self->child[op]) {
			__atomic_store_n(&self->state[op], 1, __ATOMIC_RELEASE);
			i = change(op, self->coll, self->map) ? 3 : 2;
			__atomic_store_n(&self->state[op], i, __ATOMIC_RELEASE);
			_exit(0);
		}
	}
	/* Longer than the journal and the collection wait with a commit. */
	sleep(8);
	for (op = 0; op < OPS; op++) {
		i = __atomic_load_n(&self->state[op], __ATOMIC_ACQUIRE);
		EXPECT_EQ(1, i)
			TH_LOG("%s did not wait", op_name[op]);
	}
	EXPECT_LE(0, writes);
	EXPECT_EQ(writes, device_writes());
	/* What reads goes on. */
	EXPECT_EQ(0, access("file", R_OK));
	EXPECT_EQ(4, coll_search(self->coll, vectors, 4, 0, 0, hits));
	EXPECT_EQ(writes, device_writes());

	ASSERT_EQ(0, ioctl(self->root, FITHAW, 0));
	for (i = 0; i < 200 && count_state(self->state, 2) < OPS; i++)
		usleep(100000);
	for (op = 0; op < OPS; op++) {
		EXPECT_EQ(2, self->state[op])
			TH_LOG("%s: after the thaw", op_name[op]);
	}
	EXPECT_EQ(0, access("dir", F_OK));
	EXPECT_EQ('x', self->map[5000]);
	EXPECT_EQ(-1, ioctl(self->root, FITHAW, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, fsync(self->coll));
}

TEST_HARNESS_MAIN
