// SPDX-License-Identifier: GPL-2.0
/*
 * What programs and administrators expect of a filesystem beside files and
 * names: ranges taken out and put in, swap, trim, freezing, id-mapped mounts,
 * handles, locks, leases, projects, limits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "harness.h"
#include "libfs.h"

FIXTURE(posix)
{
	char dir[256];
	/* What ranges are moved by, in bytes. */
	size_t unit;
};

FIXTURE_SETUP(posix)
{
	struct stat st;

	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
	ASSERT_EQ(0, stat(".", &st));
	self->unit = st.st_blksize;
}

FIXTURE_TEARDOWN(posix)
{
	ASSERT_EQ(0, fs_leave(self->dir));
}

static off_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_size;
}

TEST_F(posix, collapse_range)
{
	size_t u = self->unit, len = 40 * u + 123, i;
	int fd;

	ASSERT_EQ(0, fs_make("f", len, 3));
	fd = open("f", O_RDWR);
	ASSERT_LE(0, fd);
	/* Refused: not whole units, and up to the end. */
	EXPECT_EQ(-1, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 1, u));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, u / 2));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, u, 40 * u));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, fs_verify(fd, 0, len, 3));
	/* [4, 10) goes, while its pages are dirty. */
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 4 * u, 6 * u));
	for (i = 0; i < 2; i++) {
		char buf[512], want[512];

		EXPECT_EQ(len - 6 * u, size_of(fd));
		EXPECT_EQ(0, fs_verify(fd, 0, 4 * u, 3));
		ASSERT_EQ(512, pread(fd, buf, 512, 4 * u));
		fs_fill(want, 512, 10 * u, 3);
		EXPECT_EQ(0, memcmp(buf, want, 512));
		ASSERT_EQ(123, pread(fd, buf, 512, 34 * u));
		fs_fill(want, 123, 40 * u, 3);
		EXPECT_EQ(0, memcmp(buf, want, 123));
		EXPECT_EQ(0, fs_drop_caches());
	}
	EXPECT_EQ(0, close(fd));
}

TEST_F(posix, insert_range)
{
	size_t u = self->unit, len = 20 * u + 7, i;
	char buf[512], want[512];
	int fd;

	ASSERT_EQ(0, fs_make("f", len, 4));
	fd = open("f", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, fallocate(fd, FALLOC_FL_INSERT_RANGE, 21 * u, u));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, fallocate(fd, FALLOC_FL_INSERT_RANGE, u, u + 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, fallocate(fd, FALLOC_FL_INSERT_RANGE, u, 1ll << 44));
	EXPECT_EQ(EFBIG, errno);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_INSERT_RANGE, 5 * u, 3 * u));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(len + 3 * u, size_of(fd));
		EXPECT_EQ(0, fs_verify(fd, 0, 5 * u, 4));
		EXPECT_EQ(0, fs_verify_zero(fd, 5 * u, 3 * u));
		ASSERT_EQ(512, pread(fd, buf, 512, 8 * u));
		fs_fill(want, 512, 5 * u, 4);
		EXPECT_EQ(0, memcmp(buf, want, 512));
		EXPECT_EQ(0, fs_drop_caches());
	}
	EXPECT_EQ(5 * u, lseek(fd, 0, SEEK_HOLE));
	EXPECT_EQ(8 * u, lseek(fd, 5 * u, SEEK_DATA));
	/* And out again. */
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 5 * u, 3 * u));
	EXPECT_EQ(len, size_of(fd));
	EXPECT_EQ(0, fs_verify(fd, 0, len, 4));
	EXPECT_EQ(0, close(fd));
}

/* Many extents, moved again and again, beside a copy in memory. */
TEST_F(posix, ranges_of_a_scattered_file)
{
	size_t u = self->unit, n = 200, i, from, count;
	unsigned char *tags = calloc(4 * n, 1), *p = malloc(u);
	uint64_t state = 17;
	int fd = open("f", O_CREAT | O_RDWR, 0644), round;

	ASSERT_TRUE(tags && p && fd >= 0);
	for (i = 0; i < n; i++) {
		if (i % 3 == 2)
			continue;
		tags[i] = 1 + i % 250;
		memset(p, tags[i], u);
		ASSERT_EQ(u, pwrite(fd, p, u, i * u));
	}
	ASSERT_EQ(0, ftruncate(fd, n * u));
	for (round = 0; round < 30; round++) {
		from = fs_random(&state) % (n - 20);
		count = 1 + fs_random(&state) % 10;
		if (round % 2) {
			ASSERT_EQ(0, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE,
					       from * u, count * u));
			n -= count;
			memmove(tags + from, tags + from + count, n - from);
		} else {
			ASSERT_EQ(0, fallocate(fd, FALLOC_FL_INSERT_RANGE,
					       from * u, count * u));
			memmove(tags + from + count, tags + from, n - from);
			memset(tags + from, 0, count);
			n += count;
		}
		ASSERT_EQ(n * u, size_of(fd));
	}
	ASSERT_EQ(0, fs_drop_caches());
	for (i = 0; i < n; i++) {
		ASSERT_EQ(u, pread(fd, p, u, i * u));
		EXPECT_EQ(tags[i], p[0]);
		EXPECT_EQ(tags[i], p[u - 1]);
	}
	EXPECT_EQ(0, close(fd));
	free(tags);
	free(p);
}

/* The header of a swap space, as mkswap writes it. */
static int make_swap(const char *name, unsigned int pages)
{
	static unsigned char page[4096];
	uint32_t head[3] = { 1, pages - 1, 0 };
	int fd = open(name, O_CREAT | O_RDWR, 0600);
	unsigned int i;

	if (fd < 0)
		return -1;
	memset(page, 0, sizeof(page));
	for (i = 0; i < pages; i++)
		if (pwrite(fd, page, 4096, i * 4096l) != 4096)
			return -1;
	memcpy(page + 1024, head, sizeof(head));
	memcpy(page + 4086, "SWAPSPACE2", 10);
	if (pwrite(fd, page, 4096, 0) != 4096 || fsync(fd))
		return -1;
	return fd;
}

TEST_F(posix, swap_file)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/swap", self->dir);
	fd = make_swap("swap", 256);
	ASSERT_LE(0, fd);
	if (swapon(path, 0)) {
		if (errno == EPERM)
			SKIP(return, "no swapping here");
		ASSERT_EQ(0, errno);
	}
	EXPECT_EQ(-1, pwrite(fd, "x", 1, 5000));
	EXPECT_EQ(ETXTBSY, errno);
	EXPECT_EQ(-1, ftruncate(fd, 4096));
	EXPECT_EQ(ETXTBSY, errno);
	EXPECT_EQ(-1, fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				FALLOC_FL_KEEP_SIZE, 0, 65536));
	EXPECT_EQ(ETXTBSY, errno);
	EXPECT_EQ(0, swapoff(path));
	EXPECT_EQ(1, pwrite(fd, "x", 1, 5000));
	/* Not with a hole in it. */
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       5 * 65536, 65536));
	ASSERT_EQ(0, fsync(fd));
	EXPECT_EQ(-1, swapon(path, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, close(fd));
}

TEST_F(posix, trim)
{
	struct fstrim_range range = { .len = ~0ull };
	uint64_t free_bytes;
	int fd, i;
	char name[16];

	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, fs_make(name, 300000, i));
	}
	for (i = 0; i < 40; i += 2) {
		snprintf(name, sizeof(name), "%d", i);
		ASSERT_EQ(0, unlink(name));
	}
	sync();
	free_bytes = fs_free_bytes();
	fd = open(".", O_RDONLY);
	ASSERT_LE(0, fd);
	if (ioctl(fd, FITRIM, &range) && errno == EOPNOTSUPP)
		SKIP(goto out, "the device discards nothing");
	EXPECT_LT(free_bytes / 2, range.len);
	EXPECT_GE(free_bytes, range.len);
	range.start = 1ull << 62;
	range.len = ~0ull;
	EXPECT_EQ(-1, ioctl(fd, FITRIM, &range));
	EXPECT_EQ(EINVAL, errno);
	/* Runs as long as the volume there are none. */
	range.start = 0;
	range.minlen = 1ull << 40;
	EXPECT_EQ(-1, ioctl(fd, FITRIM, &range));
	EXPECT_EQ(EINVAL, errno);
	range.minlen = ~0ull;
	EXPECT_EQ(-1, ioctl(fd, FITRIM, &range));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, fs_drop_caches());
	for (i = 1; i < 40; i += 2) {
		int f;

		snprintf(name, sizeof(name), "%d", i);
		f = open(name, O_RDONLY);
		ASSERT_LE(0, f);
		EXPECT_EQ(0, fs_verify(f, 0, 300000, i));
		close(f);
	}
out:
	close(fd);
}

/* With the mount option: what is kept is not what is discarded. */
TEST_F(posix, discard)
{
	char name[16];
	int fd, i, round;

	if (!fs_is_vexfs())
		SKIP(return, "not VexFS");
	ASSERT_EQ(0, mount(NULL, fs_mnt(), NULL, MS_REMOUNT, "discard"));
	for (round = 0; round < 4; round++) {
		for (i = 0; i < 24; i++) {
			snprintf(name, sizeof(name), "%d", i);
			if ((i + round) % 2)
				unlink(name);
			else
				ASSERT_EQ(0, fs_make(name, 100000, i));
		}
		sync();
	}
	ASSERT_EQ(0, mount(NULL, fs_mnt(), NULL, MS_REMOUNT, "nodiscard"));
	ASSERT_EQ(0, fs_drop_caches());
	for (i = 1; i < 24; i += 2) {
		snprintf(name, sizeof(name), "%d", i);
		fd = open(name, O_RDONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, fs_verify(fd, 0, 100000, i));
		close(fd);
	}
}

/* Frozen, writers wait; thawed, they go on. */
TEST_F(posix, freeze_and_thaw)
{
	int fd = open(fs_mnt(), O_RDONLY), status;
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fs_make("before", 5000, 1));
	ASSERT_EQ(0, ioctl(fd, FIFREEZE, 0));
	pid = fork();
	if (!pid)
		_exit(fs_make("during", 5000, 2) ? 1 : 0);
	usleep(300000);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	EXPECT_EQ(-1, ioctl(fd, FIFREEZE, 0));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, ioctl(fd, FITHAW, 0));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-1, ioctl(fd, FITHAW, 0));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

/* A process in a user namespace that maps @base.. to 0.. */
static int make_userns(unsigned int base, pid_t *pid)
{
	char path[64], map[64];
	int fd, sync[2];
	ssize_t n;

	if (pipe(sync))
		return -1;
	*pid = fork();
	if (!*pid) {
		/* A test that fails must not leave it behind in the volume. */
		n = unshare(CLONE_NEWUSER) ||
		    prctl(PR_SET_PDEATHSIG, SIGKILL) ||
		    write(sync[1], "x", 1) != 1;
		if (!n)
			pause();
		_exit(1);
	}
	close(sync[1]);
	n = read(sync[0], map, 1);
	close(sync[0]);
	if (n != 1)
		return -1;
	snprintf(map, sizeof(map), "0 %u 65536", base);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", *pid);
	fd = open(path, O_WRONLY);
	n = write(fd, map, strlen(map));
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", *pid);
	fd = open(path, O_WRONLY);
	n = write(fd, map, strlen(map));
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", *pid);
	return n > 0 ? open(path, O_RDONLY) : -1;
}

/* The volume a second time, with ids shifted by 10000. */
TEST_F(posix, idmapped_mount)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int tree, userns, fd;
	struct stat st;
	pid_t pid;

	userns = make_userns(10000, &pid);
	if (userns < 0)
		SKIP(return, "no user namespaces");
	ASSERT_EQ(0, chmod(".", 0777));
	tree = syscall(SYS_open_tree, AT_FDCWD, self->dir, 1 | O_CLOEXEC);
	ASSERT_LE(0, tree);
	attr.userns_fd = userns;
	ASSERT_EQ(0, syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH,
			     &attr, sizeof(attr)));
	/* On disk 5, through the mount 10005. */
	ASSERT_EQ(0, fs_make("f", 10, 1));
	ASSERT_EQ(0, chown("f", 5, 6));
	ASSERT_EQ(0, fstatat(tree, "f", &st, 0));
	EXPECT_EQ(10005, st.st_uid);
	EXPECT_EQ(10006, st.st_gid);
	ASSERT_EQ(0, fchownat(tree, "f", 10007, 10008, 0));
	ASSERT_EQ(0, stat("f", &st));
	EXPECT_EQ(7, st.st_uid);
	EXPECT_EQ(8, st.st_gid);
	/* An id that the mapping does not have makes nothing. */
	EXPECT_EQ(-1, openat(tree, "g", O_CREAT | O_WRONLY, 0644));
	EXPECT_EQ(EOVERFLOW, errno);
	ASSERT_EQ(0, setegid(10009));
	ASSERT_EQ(0, seteuid(10009));
	fd = openat(tree, "g", O_CREAT | O_WRONLY, 0644);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, mkdirat(tree, "d", 0755));
	EXPECT_EQ(0, symlinkat("x", tree, "l"));
	EXPECT_EQ(0, fchmodat(tree, "g", 0600, 0));
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, setegid(0));
	ASSERT_EQ(0, stat("g", &st));
	EXPECT_EQ(9, st.st_uid);
	EXPECT_EQ(0600, st.st_mode & 07777);
	ASSERT_EQ(0, stat("d", &st));
	EXPECT_EQ(9, st.st_uid);
	ASSERT_EQ(0, lstat("l", &st));
	EXPECT_EQ(9, st.st_uid);
	close(fd);
	close(tree);
	close(userns);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_F(posix, file_handles)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .h.handle_bytes = MAX_HANDLE_SZ }, d = u;
	int mnt = open(fs_mnt(), O_RDONLY), id, fd;

	ASSERT_LE(0, mnt);
	ASSERT_EQ(0, mkdir("d", 0755));
	ASSERT_EQ(0, fs_make("d/f", 9000, 6));
	ASSERT_EQ(0, name_to_handle_at(AT_FDCWD, "d/f", &u.h, &id, 0));
	ASSERT_EQ(0, name_to_handle_at(AT_FDCWD, "d", &d.h, &id, 0));
	ASSERT_EQ(0, fs_drop_caches());
	fd = open_by_handle_at(mnt, &u.h, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fs_verify(fd, 0, 9000, 6));
	close(fd);
	ASSERT_EQ(0, rename("d/f", "g"));
	fd = open_by_handle_at(mnt, &u.h, O_RDONLY);
	EXPECT_LE(0, fd);
	close(fd);
	fd = open_by_handle_at(mnt, &d.h, O_RDONLY | O_DIRECTORY);
	EXPECT_LE(0, fd);
	close(fd);
	/* Gone is gone, also when the number lives again. */
	ASSERT_EQ(0, unlink("g"));
	ASSERT_EQ(0, fs_make("h", 1, 1));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(-1, open_by_handle_at(mnt, &u.h, O_RDONLY));
	EXPECT_EQ(ESTALE, errno);
	close(mnt);
}

static int try_lock(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_len = 10 };
	int fd = open("f", O_RDWR);

	if (fcntl(fd, F_SETLK, &fl) == 0 || errno != EAGAIN)
		return 1;
	fl.l_start = 50;
	if (fcntl(fd, F_SETLK, &fl))
		return 2;
	return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK ?
		3 : 0;
}

TEST_F(posix, locks_and_leases)
{
	struct flock fl = { .l_type = F_WRLCK, .l_len = 10 };
	int fd, fd2, status;
	pid_t pid;

	ASSERT_EQ(0, fs_make("f", 100, 1));
	fd = open("f", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_SETLK, &fl));
	EXPECT_EQ(0, flock(fd, LOCK_EX));
	pid = fork();
	if (!pid)
		_exit(try_lock());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* Of the open file, not of the process. */
	fd2 = open("f", O_RDWR);
	fl.l_start = 30;
	EXPECT_EQ(0, fcntl(fd, F_OFD_SETLK, &fl));
	EXPECT_EQ(-1, fcntl(fd2, F_OFD_SETLK, &fl));
	EXPECT_EQ(EAGAIN, errno);
	close(fd2);
	EXPECT_EQ(0, fcntl(fd, F_SETLEASE, F_WRLCK));
	EXPECT_EQ(F_WRLCK, fcntl(fd, F_GETLEASE));
	signal(SIGIO, SIG_IGN);
	EXPECT_EQ(-1, open("f", O_RDONLY | O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	EXPECT_EQ(0, fcntl(fd, F_SETLEASE, F_UNLCK));
	close(fd);
}

/* Projects: inherited, and a border for links and renames. */
TEST_F(posix, projects)
{
	struct fsxattr fsx = { 0 }, got = { 0 };
	int fd;

	ASSERT_EQ(0, mkdir("p", 0755));
	ASSERT_EQ(0, mkdir("q", 0755));
	fd = open("p", O_RDONLY);
	ASSERT_LE(0, fd);
	fsx.fsx_xflags = FS_XFLAG_PROJINHERIT;
	fsx.fsx_projid = 42;
	ASSERT_EQ(0, ioctl(fd, FS_IOC_FSSETXATTR, &fsx));
	close(fd);
	ASSERT_EQ(0, mkdir("p/sub", 0755));
	ASSERT_EQ(0, fs_make("p/f", 10, 1));
	ASSERT_EQ(0, fs_make("q/g", 10, 1));
	ASSERT_EQ(0, fs_drop_caches());
	fd = open("p/sub", O_RDONLY);
	ASSERT_EQ(0, ioctl(fd, FS_IOC_FSGETXATTR, &got));
	EXPECT_EQ(42, got.fsx_projid);
	EXPECT_TRUE(got.fsx_xflags & FS_XFLAG_PROJINHERIT);
	close(fd);
	fd = open("p/f", O_RDONLY);
	ASSERT_EQ(0, ioctl(fd, FS_IOC_FSGETXATTR, &got));
	EXPECT_EQ(42, got.fsx_projid);
	close(fd);
	EXPECT_EQ(-1, link("q/g", "p/g"));
	EXPECT_EQ(EXDEV, errno);
	EXPECT_EQ(-1, rename("q/g", "p/g"));
	EXPECT_EQ(EXDEV, errno);
	EXPECT_EQ(-1, syscall(SYS_renameat2, AT_FDCWD, "p/f", AT_FDCWD, "q/g",
			      RENAME_EXCHANGE));
	EXPECT_EQ(EXDEV, errno);
	EXPECT_EQ(0, rename("p/f", "p/sub/f"));
	EXPECT_EQ(0, rename("p/sub/f", "q/f"));
}

TEST_F(posix, statx_attributes)
{
	struct statx stx, later;
	unsigned int flags = FS_NODUMP_FL | FS_APPEND_FL;
	int fd;

	ASSERT_EQ(0, fs_make("f", 10, 1));
	ASSERT_EQ(0, statx(AT_FDCWD, "f", 0, STATX_ALL, &stx));
	EXPECT_TRUE(stx.stx_mask & STATX_BTIME);
	EXPECT_EQ(0, stx.stx_attributes & STATX_ATTR_APPEND);
	usleep(20000);
	fd = open("f", O_RDONLY);
	ASSERT_EQ(0, ioctl(fd, FS_IOC_SETFLAGS, &flags));
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(0, statx(AT_FDCWD, "f", 0, STATX_ALL, &later));
	EXPECT_TRUE(later.stx_attributes & STATX_ATTR_APPEND);
	EXPECT_TRUE(later.stx_attributes & STATX_ATTR_NODUMP);
	EXPECT_EQ(stx.stx_btime.tv_sec, later.stx_btime.tv_sec);
	EXPECT_EQ(stx.stx_btime.tv_nsec, later.stx_btime.tv_nsec);
	EXPECT_NE(stx.stx_ctime.tv_nsec, later.stx_ctime.tv_nsec);
	flags = 0;
	ASSERT_EQ(0, ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
}

TEST_F(posix, times_after_2038)
{
	struct timespec ts[2] = { { 5000000000ll, 123456789 },
				  { 9223372035ll, 999999999 } };
	struct stat st;

	ASSERT_EQ(0, fs_make("f", 10, 1));
	ASSERT_EQ(0, utimensat(AT_FDCWD, "f", ts, 0));
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(0, stat("f", &st));
	EXPECT_EQ(5000000000ll, st.st_atim.tv_sec);
	EXPECT_EQ(123456789, st.st_atim.tv_nsec);
	EXPECT_EQ(9223372035ll, st.st_mtim.tv_sec);
	/* Farther than the format goes: the last time it has. */
	ts[0].tv_sec = 1ll << 40;
	ts[1].tv_sec = -(1ll << 40);
	ASSERT_EQ(0, utimensat(AT_FDCWD, "f", ts, 0));
	ASSERT_EQ(0, stat("f", &st));
	EXPECT_EQ(9223372035ll, st.st_atim.tv_sec);
	EXPECT_EQ(-9223372035ll, st.st_mtim.tv_sec);
}

/* A lazy time reaches the disk when the inode leaves memory. */
TEST_F(posix, lazytime)
{
	struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat before, after;
	char c;
	int fd;

	ASSERT_EQ(0, mount(NULL, fs_mnt(), NULL,
			   MS_REMOUNT | MS_LAZYTIME | MS_STRICTATIME, ""));
	ASSERT_EQ(0, fs_make("f", 10, 1));
	ASSERT_EQ(0, utimensat(AT_FDCWD, "f", old, 0));
	fd = open("f", O_RDONLY);
	ASSERT_EQ(1, read(fd, &c, 1));
	ASSERT_EQ(0, fstat(fd, &before));
	close(fd);
	EXPECT_NE(1000, before.st_atim.tv_sec);
	EXPECT_EQ(2000, before.st_mtim.tv_sec);
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(0, stat("f", &after));
	EXPECT_EQ(before.st_atim.tv_sec, after.st_atim.tv_sec);
	EXPECT_EQ(before.st_atim.tv_nsec, after.st_atim.tv_nsec);
	ASSERT_EQ(0, mount(NULL, fs_mnt(), NULL, MS_REMOUNT | MS_RELATIME, ""));
}

/* A name so long that few fit into a block of a directory. */
static void long_name(char *name, int i)
{
	sprintf(name, "d/%0240d", i);
}

/* As many names as take a thousand blocks: an index of two levels. */
TEST_F(posix, large_directory)
{
	struct stat st;
	char name[256];
	int i, n = 12000;

	ASSERT_EQ(0, mkdir("d", 0755));
	ASSERT_EQ(0, fs_make("a", 1, 1));
	ASSERT_EQ(0, fs_make("b", 1, 1));
	for (i = 0; i < n; i++) {
		long_name(name, i);
		ASSERT_EQ(0, link(i % 2 ? "a" : "b", name));
	}
	ASSERT_EQ(0, stat("a", &st));
	EXPECT_EQ(n / 2 + 1, st.st_nlink);
	ASSERT_EQ(0, stat("d", &st));
	EXPECT_LT(600 * FS_BLOCK, st.st_size);
	ASSERT_EQ(0, fs_drop_caches());
	for (i = 0; i < n; i += 31) {
		long_name(name, i);
		ASSERT_EQ(0, stat(name, &st));
	}
	long_name(name, n);
	EXPECT_EQ(-1, stat(name, &st));
	EXPECT_EQ(ENOENT, errno);
	for (i = 0; i < n; i++) {
		long_name(name, i);
		ASSERT_EQ(0, unlink(name));
	}
	EXPECT_EQ(0, rmdir("d"));
}

TEST_F(posix, paths)
{
	char *path = malloc(5000);
	int i;

	ASSERT_NE(NULL, path);
	/* PATH_MAX with its NUL, and one more. */
	for (i = 0; i < 4095; i++)
		path[i] = i % 2 ? '/' : '.';
	path[4094] = '.';
	path[4095] = 0;
	EXPECT_EQ(0, access(path, F_OK));
	path[4095] = '/';
	path[4096] = 0;
	EXPECT_EQ(-1, access(path, F_OK));
	EXPECT_EQ(ENAMETOOLONG, errno);
	free(path);
}

/* Many files that are open and have no name, closed in any order. */
TEST_F(posix, orphans_in_any_order)
{
	int fd[300], i, j;
	uint64_t state = 5;
	char name[16];

	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%d", i);
		fd[i] = open(name, O_CREAT | O_RDWR, 0644);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(1, write(fd[i], "x", 1));
		ASSERT_EQ(0, unlink(name));
	}
	for (i = 299; i > 0; i--) {
		j = fs_random(&state) % (i + 1);
		EXPECT_EQ(0, close(fd[j]));
		fd[j] = fd[i];
	}
	EXPECT_EQ(0, close(fd[0]));
}

TEST_HARNESS_MAIN
