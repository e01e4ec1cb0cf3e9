// SPDX-License-Identifier: GPL-2.0
/*
 * The namespace: what names, links and attributes must do, one test each.
 * Needs a mount point in VEXFS_MNT.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "harness.h"
#include "libfs.h"

FIXTURE(fs) {
	char dir[256];
	struct stat st;
};

FIXTURE_SETUP(fs)
{
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
}

FIXTURE_TEARDOWN(fs)
{
	EXPECT_EQ(0, fs_leave(self->dir));
}

static int touch(const char *name)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);

	return fd < 0 ? -1 : close(fd);
}

static ino_t ino_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) ? 0 : st.st_ino;
}

static int links_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) ? -errno : (int)st.st_nlink;
}

TEST_F(fs, mkdir_counts_links)
{
	ASSERT_EQ(0, mkdir("a", 0750));
	ASSERT_EQ(0, stat("a", &self->st));
	EXPECT_TRUE(S_ISDIR(self->st.st_mode));
	EXPECT_EQ(0750, self->st.st_mode & 07777);
	EXPECT_EQ(2, self->st.st_nlink);
	EXPECT_EQ(3, links_of("."));
	ASSERT_EQ(0, mkdir("a/b", 0755));
	EXPECT_EQ(3, links_of("a"));
	EXPECT_EQ(ino_of("a"), ino_of("a/b/.."));
	EXPECT_EQ(-1, mkdir("a", 0755));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(-1, rmdir("a"));
	EXPECT_EQ(ENOTEMPTY, errno);
	ASSERT_EQ(0, rmdir("a/b"));
	EXPECT_EQ(2, links_of("a"));
	ASSERT_EQ(0, rmdir("a"));
	EXPECT_EQ(2, links_of("."));
	EXPECT_EQ(-1, rmdir("a"));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F(fs, removed_directory_is_dead)
{
	int fd;

	ASSERT_EQ(0, mkdir("a", 0755));
	fd = open("a", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rmdir("a"));
	EXPECT_EQ(-1, mkdirat(fd, "b", 0755));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, fstat(fd, &self->st));
	EXPECT_EQ(0, self->st.st_nlink);
	close(fd);
}

TEST_F(fs, create_and_unlink)
{
	ASSERT_EQ(0, touch("f"));
	EXPECT_EQ(-1, touch("f"));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(-1, rmdir("f"));
	EXPECT_EQ(ENOTDIR, errno);
	ASSERT_EQ(0, unlink("f"));
	EXPECT_EQ(-1, unlink("f"));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-1, access("f", F_OK));
}

TEST_F(fs, unlinked_file_stays_usable)
{
	int fd;

	ASSERT_EQ(0, fs_make("f", 3 * FS_BLOCK + 17, 1));
	fd = open("f", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink("f"));
	ASSERT_EQ(0, fstat(fd, &self->st));
	EXPECT_EQ(0, self->st.st_nlink);
	EXPECT_EQ(0, fs_verify(fd, 0, 3 * FS_BLOCK + 17, 1));
	EXPECT_EQ(1, pwrite(fd, "x", 1, 100000));
	EXPECT_EQ(0, fsync(fd));
	close(fd);
}

TEST_F(fs, name_lengths)
{
	char name[258];

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	ASSERT_EQ(0, touch(name));
	EXPECT_EQ(0, access(name, F_OK));
	name[254] = 'm';
	EXPECT_EQ(-1, access(name, F_OK));
	name[255] = 'n';
	name[256] = 0;
	EXPECT_EQ(-1, touch(name));
	EXPECT_EQ(ENAMETOOLONG, errno);
	EXPECT_EQ(-1, mkdir(name, 0755));
	EXPECT_EQ(ENAMETOOLONG, errno);
	EXPECT_EQ(-1, symlink("x", name));
	EXPECT_EQ(ENAMETOOLONG, errno);
}

TEST_F(fs, any_byte_in_a_name)
{
	char name[3] = "ab";
	int c;

	for (c = 1; c < 256; c++) {
		if (c == '/')
			continue;
		name[1] = c;
		ASSERT_EQ(0, touch(name)) TH_LOG("byte %d", c);
	}
	for (c = 1; c < 256; c++) {
		if (c == '/')
			continue;
		name[1] = c;
		ASSERT_EQ(0, unlink(name)) TH_LOG("byte %d", c);
	}
}

TEST_F(fs, rename_replaces)
{
	int fd;

	ASSERT_EQ(0, fs_make("a", 5000, 1));
	ASSERT_EQ(0, fs_make("b", 6000, 2));
	ASSERT_EQ(0, rename("a", "b"));
	EXPECT_EQ(-1, access("a", F_OK));
	fd = open("b", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fs_verify(fd, 0, 5000, 1));
	ASSERT_EQ(0, fstat(fd, &self->st));
	EXPECT_EQ(5000, self->st.st_size);
	EXPECT_EQ(1, self->st.st_nlink);
	close(fd);
}

TEST_F(fs, rename_over_a_link_of_itself)
{
	ASSERT_EQ(0, touch("a"));
	ASSERT_EQ(0, link("a", "b"));
	ASSERT_EQ(0, rename("a", "b"));
	EXPECT_EQ(2, links_of("a"));
	EXPECT_EQ(2, links_of("b"));
}

TEST_F(fs, rename_noreplace)
{
	ASSERT_EQ(0, touch("a"));
	ASSERT_EQ(0, touch("b"));
	EXPECT_EQ(-1, renameat2(AT_FDCWD, "a", AT_FDCWD, "b",
				RENAME_NOREPLACE));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(0, renameat2(AT_FDCWD, "a", AT_FDCWD, "c",
			       RENAME_NOREPLACE));
	EXPECT_EQ(0, access("c", F_OK));
}

TEST_F(fs, rename_unknown_flag)
{
	ASSERT_EQ(0, touch("a"));
	EXPECT_EQ(-1, renameat2(AT_FDCWD, "a", AT_FDCWD, "b", 1 << 7));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(fs, rename_exchange)
{
	ino_t file, dir;

	ASSERT_EQ(0, mkdir("p", 0755));
	ASSERT_EQ(0, mkdir("q", 0755));
	ASSERT_EQ(0, touch("p/file"));
	ASSERT_EQ(0, mkdir("q/dir", 0755));
	file = ino_of("p/file");
	dir = ino_of("q/dir");
	ASSERT_EQ(0, renameat2(AT_FDCWD, "p/file", AT_FDCWD, "q/dir",
			       RENAME_EXCHANGE));
	EXPECT_EQ(dir, ino_of("p/file"));
	EXPECT_EQ(file, ino_of("q/dir"));
	EXPECT_EQ(ino_of("p"), ino_of("p/file/.."));
	EXPECT_EQ(3, links_of("p"));
	EXPECT_EQ(2, links_of("q"));
	EXPECT_EQ(-1, renameat2(AT_FDCWD, "p/file", AT_FDCWD, "none",
				RENAME_EXCHANGE));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F(fs, rename_whiteout)
{
	if (geteuid())
		SKIP(return, "making devices needs root");
	ASSERT_EQ(0, touch("a"));
	if (renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_WHITEOUT)) {
		ASSERT_EQ(EPERM, errno);
		SKIP(return, "not allowed here");
	}
	ASSERT_EQ(0, lstat("a", &self->st));
	EXPECT_TRUE(S_ISCHR(self->st.st_mode));
	EXPECT_EQ(0, self->st.st_rdev);
	EXPECT_EQ(1, self->st.st_nlink);
	EXPECT_EQ(0, access("b", F_OK));
}

TEST_F(fs, rename_moves_directory)
{
	ASSERT_EQ(0, mkdir("p", 0755));
	ASSERT_EQ(0, mkdir("q", 0755));
	ASSERT_EQ(0, mkdir("p/d", 0755));
	ASSERT_EQ(0, touch("p/d/f"));
	ASSERT_EQ(0, rename("p/d", "q/e"));
	EXPECT_EQ(2, links_of("p"));
	EXPECT_EQ(3, links_of("q"));
	EXPECT_EQ(ino_of("q"), ino_of("q/e/.."));
	EXPECT_EQ(0, access("q/e/f", F_OK));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(ino_of("q"), ino_of("q/e/.."));
	EXPECT_EQ(-1, rename("q", "q/e/q"));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(fs, rename_over_directory)
{
	ASSERT_EQ(0, mkdir("a", 0755));
	ASSERT_EQ(0, mkdir("full", 0755));
	ASSERT_EQ(0, mkdir("empty", 0755));
	ASSERT_EQ(0, touch("full/f"));
	ASSERT_EQ(0, touch("file"));
	EXPECT_EQ(-1, rename("a", "full"));
	EXPECT_EQ(ENOTEMPTY, errno);
	EXPECT_EQ(-1, rename("a", "file"));
	EXPECT_EQ(ENOTDIR, errno);
	EXPECT_EQ(-1, rename("file", "empty"));
	EXPECT_EQ(EISDIR, errno);
	EXPECT_EQ(5, links_of("."));
	EXPECT_EQ(0, rename("a", "empty"));
	EXPECT_EQ(4, links_of("."));
}

TEST_F(fs, hard_links)
{
	int fd;

	ASSERT_EQ(0, fs_make("a", 100, 1));
	ASSERT_EQ(0, link("a", "b"));
	EXPECT_EQ(2, links_of("a"));
	EXPECT_EQ(ino_of("a"), ino_of("b"));
	EXPECT_EQ(-1, link("a", "b"));
	EXPECT_EQ(EEXIST, errno);
	ASSERT_EQ(0, unlink("a"));
	EXPECT_EQ(1, links_of("b"));
	fd = open("b", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fs_verify(fd, 0, 100, 1));
	close(fd);
	ASSERT_EQ(0, mkdir("d", 0755));
	EXPECT_EQ(-1, link("d", "e"));
	EXPECT_EQ(EPERM, errno);
}

TEST_F(fs, symlinks_of_all_lengths)
{
	static const int lens[] = { 1, 71, 72, 73, 200, 4063, 4064, 4065,
				    4095 };
	char target[4200], back[4200], name[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		fs_fill(target, lens[i], 0, i);
		target[lens[i]] = 0;
		snprintf(name, sizeof(name), "l%d", lens[i]);
		ASSERT_EQ(0, symlink(target, name));
	}
	ASSERT_EQ(0, fs_drop_caches());
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		fs_fill(target, lens[i], 0, i);
		snprintf(name, sizeof(name), "l%d", lens[i]);
		ASSERT_EQ(lens[i], readlink(name, back, sizeof(back)));
		EXPECT_EQ(0, memcmp(target, back, lens[i]));
		ASSERT_EQ(0, lstat(name, &self->st));
		EXPECT_EQ(lens[i], self->st.st_size);
		EXPECT_TRUE(S_ISLNK(self->st.st_mode));
	}
}

TEST_F(fs, symlinks_are_followed)
{
	char dots[1001];
	int i;

	ASSERT_EQ(0, mkdir("d", 0755));
	ASSERT_EQ(0, touch("d/f"));
	ASSERT_EQ(0, symlink("d", "short"));
	/* the same, said in many letters */
	for (i = 0; i < 499; i++)
		memcpy(dots + 2 * i, "./", 2);
	strcpy(dots + 2 * i, "d");
	ASSERT_EQ(0, symlink(dots, "long"));
	EXPECT_EQ(0, access("short/f", F_OK));
	EXPECT_EQ(0, access("long/f", F_OK));
	ASSERT_EQ(0, symlink("loop", "loop"));
	EXPECT_EQ(-1, access("loop", F_OK));
	EXPECT_EQ(ELOOP, errno);
}

TEST_F(fs, special_files)
{
	ASSERT_EQ(0, mkfifo("fifo", 0600));
	ASSERT_EQ(0, mknod("sock", S_IFSOCK | 0600, 0));
	if (!geteuid()) {
		ASSERT_EQ(0, mknod("chr", S_IFCHR | 0600, makedev(1, 3)));
		ASSERT_EQ(0, mknod("blk", S_IFBLK | 0600,
				   makedev(259, 70000)));
	}
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(0, lstat("fifo", &self->st));
	EXPECT_TRUE(S_ISFIFO(self->st.st_mode));
	ASSERT_EQ(0, lstat("sock", &self->st));
	EXPECT_TRUE(S_ISSOCK(self->st.st_mode));
	if (geteuid())
		return;
	ASSERT_EQ(0, lstat("chr", &self->st));
	EXPECT_TRUE(S_ISCHR(self->st.st_mode));
	EXPECT_EQ(makedev(1, 3), self->st.st_rdev);
	ASSERT_EQ(0, lstat("blk", &self->st));
	EXPECT_TRUE(S_ISBLK(self->st.st_mode));
	EXPECT_EQ(makedev(259, 70000), self->st.st_rdev);
}

TEST_F(fs, mode_and_owner_last)
{
	ASSERT_EQ(0, touch("f"));
	ASSERT_EQ(0, chmod("f", 04751));
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(0, stat("f", &self->st));
	EXPECT_EQ(04751, self->st.st_mode & 07777);
	if (geteuid())
		SKIP(return, "changing owners needs root");
	ASSERT_EQ(0, chown("f", 70001, 4000000000u));
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(0, stat("f", &self->st));
	EXPECT_EQ(70001, self->st.st_uid);
	EXPECT_EQ(4000000000u, self->st.st_gid);
	/* and the set-user-id bit is gone */
	EXPECT_EQ(0751, self->st.st_mode & 07777);
}

TEST_F(fs, times_have_nanoseconds)
{
	static const time_t secs[] = { -1000000000, 0, 1700000000,
				       7000000000 };
	struct timespec ts[2];
	size_t i;

	ASSERT_EQ(0, touch("f"));
	for (i = 0; i < ARRAY_SIZE(secs); i++) {
		ts[0] = (struct timespec){ secs[i], 123456789 };
		ts[1] = (struct timespec){ secs[i] + 1, 987654321 };
		ASSERT_EQ(0, utimensat(AT_FDCWD, "f", ts, 0));
		ASSERT_EQ(0, fs_drop_caches());
		ASSERT_EQ(0, stat("f", &self->st));
		EXPECT_EQ(secs[i], self->st.st_atim.tv_sec);
		EXPECT_EQ(123456789, self->st.st_atim.tv_nsec);
		EXPECT_EQ(secs[i] + 1, self->st.st_mtim.tv_sec);
		EXPECT_EQ(987654321, self->st.st_mtim.tv_nsec);
	}
}

static bool later(const struct timespec *a, const struct timespec *b)
{
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec > b->tv_sec;
	return a->tv_nsec > b->tv_nsec;
}

TEST_F(fs, changes_move_times)
{
	struct stat before, after;

	ASSERT_EQ(0, touch("f"));
	ASSERT_EQ(0, stat(".", &before));
	usleep(30000);
	ASSERT_EQ(0, touch("g"));
	ASSERT_EQ(0, stat(".", &after));
	EXPECT_TRUE(later(&after.st_mtim, &before.st_mtim));
	EXPECT_TRUE(later(&after.st_ctim, &before.st_ctim));
	ASSERT_EQ(0, stat("f", &before));
	usleep(30000);
	ASSERT_EQ(0, fs_make("f", 10, 1));
	ASSERT_EQ(0, stat("f", &after));
	EXPECT_TRUE(later(&after.st_mtim, &before.st_mtim));
	usleep(30000);
	ASSERT_EQ(0, link("f", "h"));
	ASSERT_EQ(0, stat("f", &before));
	EXPECT_TRUE(later(&before.st_ctim, &after.st_ctim));
	EXPECT_FALSE(later(&before.st_mtim, &after.st_mtim));
}

TEST_F(fs, setgid_directory_gives_its_group)
{
	if (geteuid())
		SKIP(return, "changing groups needs root");
	ASSERT_EQ(0, mkdir("d", 0755));
	ASSERT_EQ(0, chown("d", 0, 4321));
	ASSERT_EQ(0, chmod("d", 02755));
	ASSERT_EQ(0, touch("d/f"));
	ASSERT_EQ(0, mkdir("d/e", 0755));
	ASSERT_EQ(0, stat("d/f", &self->st));
	EXPECT_EQ(4321, self->st.st_gid);
	ASSERT_EQ(0, stat("d/e", &self->st));
	EXPECT_EQ(4321, self->st.st_gid);
	EXPECT_TRUE(self->st.st_mode & S_ISGID);
}

TEST_F(fs, temporary_file)
{
	char proc[64];
	int fd;

	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(4, write(fd, "data", 4));
	ASSERT_EQ(0, fstat(fd, &self->st));
	EXPECT_EQ(0, self->st.st_nlink);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	ASSERT_EQ(0, linkat(AT_FDCWD, proc, AT_FDCWD, "named",
			    AT_SYMLINK_FOLLOW));
	EXPECT_EQ(1, links_of("named"));
	close(fd);
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(0, stat("named", &self->st));
	EXPECT_EQ(4, self->st.st_size);

	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	ASSERT_LE(0, fd);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	EXPECT_EQ(-1, linkat(AT_FDCWD, proc, AT_FDCWD, "never",
			     AT_SYMLINK_FOLLOW));
	close(fd);
}

TEST_F(fs, readdir_lists_what_is_there)
{
	bool dot = false, dotdot = false, file = false, dir = false;
	struct dirent *de;
	DIR *d;

	ASSERT_EQ(0, touch("file"));
	ASSERT_EQ(0, mkdir("dir", 0755));
	d = opendir(".");
	ASSERT_NE(NULL, d);
	while ((de = readdir(d))) {
		if (!strcmp(de->d_name, ".")) {
			dot = de->d_ino == ino_of(".");
		} else if (!strcmp(de->d_name, "..")) {
			dotdot = de->d_ino == ino_of("..");
		} else if (!strcmp(de->d_name, "file")) {
			EXPECT_FALSE(file);
			file = de->d_ino == ino_of("file") &&
			       de->d_type == DT_REG;
		} else if (!strcmp(de->d_name, "dir")) {
			EXPECT_FALSE(dir);
			dir = de->d_ino == ino_of("dir") &&
			      de->d_type == DT_DIR;
		} else {
			EXPECT_TRUE(false) TH_LOG("entry %s", de->d_name);
		}
	}
	closedir(d);
	EXPECT_TRUE(dot && dotdot && file && dir);
}

#define STABLE	400

/* Counts each stable entry from where @d is; the rest may come or go. */
static int count_stable(DIR *d, unsigned char *seen)
{
	struct dirent *de;
	int n = 0, i;

	while ((de = readdir(d)))
		if (sscanf(de->d_name, "stable%d", &i) == 1) {
			seen[i]++;
			n++;
		}
	return n;
}

TEST_F(fs, readdir_while_changing)
{
	unsigned char seen[STABLE] = { 0 };
	struct dirent *de;
	char name[32];
	int i, n = 0;
	DIR *d;

	for (i = 0; i < STABLE; i++) {
		snprintf(name, sizeof(name), "stable%d", i);
		ASSERT_EQ(0, touch(name));
		snprintf(name, sizeof(name), "goes%d", i);
		ASSERT_EQ(0, touch(name));
	}
	d = opendir(".");
	ASSERT_NE(NULL, d);
	while (n < STABLE && (de = readdir(d))) {
		n++;
		if (sscanf(de->d_name, "stable%d", &i) == 1)
			seen[i]++;
	}
	for (i = 0; i < STABLE; i++) {
		snprintf(name, sizeof(name), "goes%d", i);
		ASSERT_EQ(0, unlink(name));
		snprintf(name, sizeof(name), "comes%d", i);
		ASSERT_EQ(0, touch(name));
	}
	count_stable(d, seen);
	closedir(d);
	for (i = 0; i < STABLE; i++)
		EXPECT_EQ(1, seen[i]) TH_LOG("entry %d", i);
}

TEST_F(fs, seekdir_cookies_stay_good)
{
	unsigned char first[STABLE] = { 0 }, again[STABLE] = { 0 };
	char name[32];
	long where;
	int i, n;
	DIR *d;

	for (i = 0; i < STABLE; i++) {
		snprintf(name, sizeof(name), "stable%d", i);
		ASSERT_EQ(0, touch(name));
	}
	d = opendir(".");
	ASSERT_NE(NULL, d);
	for (i = 0; i < STABLE / 2; i++)
		ASSERT_NE(NULL, readdir(d));
	where = telldir(d);
	n = count_stable(d, first);
	for (i = 0; i < STABLE; i++) {
		snprintf(name, sizeof(name), "later%d", i);
		ASSERT_EQ(0, touch(name));
	}
	seekdir(d, where);
	EXPECT_EQ(n, count_stable(d, again));
	EXPECT_EQ(0, memcmp(first, again, sizeof(first)));
	rewinddir(d);
	memset(again, 0, sizeof(again));
	EXPECT_EQ(STABLE, count_stable(d, again));
	closedir(d);
}

#define MANY	10000

static int count_entries(void)
{
	DIR *d = opendir(".");
	int n = 0;

	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

TEST_F(fs, ten_thousand_entries)
{
	char name[32];
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "entry-%d", i);
		ASSERT_EQ(0, touch(name)) TH_LOG("%s", name);
	}
	EXPECT_EQ(MANY, count_entries());
	ASSERT_EQ(0, fs_drop_caches());
	for (i = 0; i < MANY; i += 7) {
		snprintf(name, sizeof(name), "entry-%d", i);
		ASSERT_EQ(0, access(name, F_OK)) TH_LOG("%s", name);
	}
	EXPECT_EQ(-1, access("entry-10000", F_OK));
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "entry-%d", i);
		ASSERT_EQ(0, unlink(name)) TH_LOG("%s", name);
		if (i == MANY / 2) {
			EXPECT_EQ(MANY - i - 1, count_entries());
		}
	}
	EXPECT_EQ(0, count_entries());
}

TEST_F(fs, deep_directories)
{
	int i;

	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, mkdir("deep", 0755));
		ASSERT_EQ(0, chdir("deep"));
	}
	ASSERT_EQ(0, fs_drop_caches());
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, chdir(".."));
	EXPECT_EQ(ino_of("."), ino_of(self->dir));
}

TEST_F(fs, statfs_counts)
{
	uint64_t before, during;
	struct statvfs st;
	ino_t free_inodes;
	int fd;

	if (!fs_is_vexfs())
		SKIP(return, "others use the volume too");
	ASSERT_EQ(0, statvfs(fs_mnt(), &st));
	EXPECT_EQ(255, st.f_namemax);
	EXPECT_LE(st.f_bavail, st.f_bfree);
	EXPECT_LT(st.f_bfree, st.f_blocks);
	free_inodes = st.f_ffree;
	sync();
	before = fs_free_bytes();
	ASSERT_EQ(0, fs_make("f", 1 << 20, 1));
	fd = open("f", O_RDWR);
	ASSERT_EQ(0, fsync(fd));
	close(fd);
	during = fs_free_bytes();
	EXPECT_LE(1 << 20, before - during);
	EXPECT_GE((1 << 20) + (256 << 10), before - during);
	ASSERT_EQ(0, statvfs(fs_mnt(), &st));
	EXPECT_EQ(free_inodes - 1, st.f_ffree);
	ASSERT_EQ(0, unlink("f"));
	sync();
	EXPECT_EQ(before, fs_free_bytes());
	ASSERT_EQ(0, statvfs(fs_mnt(), &st));
	EXPECT_EQ(free_inodes, st.f_ffree);
}

static int set_flags(const char *name, int flags)
{
	int fd = open(name, O_RDONLY), ret;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	close(fd);
	return ret;
}

TEST_F(fs, immutable_and_append_only)
{
	int fd;

	if (geteuid() || !fs_is_vexfs())
		SKIP(return, "needs root");
	ASSERT_EQ(0, fs_make("f", 100, 1));
	ASSERT_EQ(0, set_flags("f", FS_IMMUTABLE_FL));
	EXPECT_EQ(-1, open("f", O_WRONLY));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, unlink("f"));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, link("f", "g"));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, truncate("f", 0));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, set_flags("f", FS_APPEND_FL));
	EXPECT_EQ(-1, open("f", O_WRONLY));
	EXPECT_EQ(EPERM, errno);
	fd = open("f", O_WRONLY | O_APPEND);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, write(fd, "x", 1));
	close(fd);
	EXPECT_EQ(-1, truncate("f", 0));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, set_flags("f", 0));
	EXPECT_EQ(0, unlink("f"));
}

TEST_F(fs, permissions_hold)
{
	pid_t pid;
	int status;

	if (geteuid())
		SKIP(return, "needs root to become somebody else");
	ASSERT_EQ(0, chmod(".", 0755));
	ASSERT_EQ(0, touch("f"));
	ASSERT_EQ(0, chmod("f", 0600));
	pid = fork();
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		if (open("f", O_RDONLY) != -1 || errno != EACCES)
			_exit(2);
		if (touch("g") != -1 || errno != EACCES)
			_exit(3);
		if (unlink("f") != -1 || errno != EACCES)
			_exit(4);
		if (chmod("f", 0644) != -1 || errno != EPERM)
			_exit(5);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
