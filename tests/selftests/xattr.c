// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes and ACLs as programs see them: namespaces, sizes,
 * errors, what is inherited, what is left after a remount or a deletion.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "harness.h"
#include "libfs.h"

#define ACL_ACCESS	"system.posix_acl_access"
#define ACL_DEFAULT	"system.posix_acl_default"
#define MAX_VALUE	65536
#define SOMEBODY	1234

FIXTURE(xattr)
{
	char dir[256];
	char *big;
	char *got;
};

FIXTURE_SETUP(xattr)
{
	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
	self->big = malloc(MAX_VALUE + 1);
	self->got = malloc(MAX_VALUE + 1);
	ASSERT_TRUE(self->big && self->got);
	fs_fill(self->big, MAX_VALUE + 1, 0, 5);
	ASSERT_EQ(0, fs_make("f", 10, 1));
}

FIXTURE_TEARDOWN(xattr)
{
	free(self->big);
	free(self->got);
	ASSERT_EQ(0, fs_leave(self->dir));
}

/* True if the list of @path has @name. */
static bool listed(const char *path, const char *name)
{
	static char list[65536];
	ssize_t len = llistxattr(path, list, sizeof(list)), i;

	for (i = 0; i < len; i += strlen(list + i) + 1)
		if (!strcmp(list + i, name))
			return true;
	return false;
}

TEST_F(xattr, set_get_list_remove)
{
	EXPECT_EQ(0, listxattr("f", NULL, 0));
	EXPECT_EQ(-1, getxattr("f", "user.a", self->got, 10));
	EXPECT_EQ(ENODATA, errno);
	ASSERT_EQ(0, setxattr("f", "user.a", "one", 3, 0));
	EXPECT_EQ(3, getxattr("f", "user.a", NULL, 0));
	EXPECT_EQ(3, getxattr("f", "user.a", self->got, 10));
	EXPECT_EQ(0, memcmp(self->got, "one", 3));
	EXPECT_EQ(-1, getxattr("f", "user.a", self->got, 2));
	EXPECT_EQ(ERANGE, errno);
	EXPECT_EQ(-1, setxattr("f", "user.a", "x", 1, XATTR_CREATE));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(-1, setxattr("f", "user.b", "x", 1, XATTR_REPLACE));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(0, setxattr("f", "user.a", "", 0, XATTR_REPLACE));
	EXPECT_EQ(0, getxattr("f", "user.a", self->got, 10));
	EXPECT_EQ(7, listxattr("f", self->got, 100));
	EXPECT_EQ(0, strcmp(self->got, "user.a"));
	EXPECT_EQ(-1, listxattr("f", self->got, 6));
	EXPECT_EQ(ERANGE, errno);
	EXPECT_EQ(0, removexattr("f", "user.a"));
	EXPECT_EQ(-1, removexattr("f", "user.a"));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(0, listxattr("f", self->got, 100));
	EXPECT_EQ(-1, setxattr("f", "nothing.a", "x", 1, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

TEST_F(xattr, sizes)
{
	static const size_t sizes[] = { 1, 30, 40, 47, 48, 49, 1000, 1024, 1025,
					4000, 4064, 4065, 8128, 8129, 40000,
					65535, 65536 };
	char name[32];
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "user.%zu", sizes[i]);
		ASSERT_EQ(0, setxattr("f", name, self->big, sizes[i], 0));
	}
	ASSERT_EQ(0, fs_drop_caches());
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "user.%zu", sizes[i]);
		ASSERT_EQ(sizes[i], getxattr("f", name, self->got, MAX_VALUE));
		EXPECT_EQ(0, memcmp(self->got, self->big, sizes[i]));
		EXPECT_TRUE(listed("f", name));
	}
	EXPECT_EQ(-1, setxattr("f", "user.x", self->big, MAX_VALUE + 1, 0));
	EXPECT_EQ(E2BIG, errno);
	memset(self->got, 'n', 300);
	memcpy(self->got, "user.", 5);
	self->got[255] = 0;
	EXPECT_EQ(0, setxattr("f", self->got, "x", 1, 0));
	self->got[255] = 'n';
	self->got[256] = 0;
	EXPECT_EQ(-1, setxattr("f", self->got, "x", 1, 0));
	EXPECT_EQ(ERANGE, errno);
}

static uint64_t blocks_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? ~0ull : st.st_blocks;
}

/* What attributes take is counted, and comes back when the file goes. */
TEST_F(xattr, space)
{
	uint64_t before, with;
	char name[32];
	int i, fd;

	sync();
	before = fs_free_bytes();
	with = blocks_of("f");
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "user.%d", i);
		ASSERT_EQ(0, setxattr("f", name, self->big, MAX_VALUE, 0));
	}
	EXPECT_LE(with + 20 * 2 * 64, blocks_of("f"));
	EXPECT_LE(20 * MAX_VALUE, before - fs_free_bytes());
	for (i = 0; i < 20; i += 2) {
		snprintf(name, sizeof(name), "user.%d", i);
		EXPECT_EQ(0, setxattr("f", name, "x", 1, 0));
	}
	fd = open("f", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, unlink("f"));
	EXPECT_EQ(MAX_VALUE, fgetxattr(fd, "user.1", self->got, MAX_VALUE));
	EXPECT_EQ(0, close(fd));
	sync();
	EXPECT_LE(before, fs_free_bytes() + FS_BLOCK);
	ASSERT_EQ(0, fs_make("f", 10, 1));
	EXPECT_EQ(0, listxattr("f", NULL, 0));
}

TEST_F(xattr, every_kind_of_file)
{
	char path[300] = "", target[200];

	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = 0;
	ASSERT_EQ(0, mkdir("d", 0755));
	ASSERT_EQ(0, symlink("short", "s"));
	ASSERT_EQ(0, symlink(target, "l"));
	ASSERT_EQ(0, mknod("p", S_IFIFO | 0644, 0));
	EXPECT_EQ(0, setxattr("d", "user.a", self->big, 5000, 0));
	EXPECT_EQ(0, lsetxattr("s", "trusted.a", "on a link", 9, 0));
	EXPECT_EQ(0, lsetxattr("l", "trusted.a", self->big, 60000, 0));
	EXPECT_EQ(0, setxattr("p", "trusted.a", "x", 1, 0));
	EXPECT_EQ(-1, lsetxattr("s", "user.a", "x", 1, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, setxattr("p", "user.a", "x", 1, 0));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(9, lgetxattr("s", "trusted.a", self->got, 100));
	EXPECT_EQ(60000, lgetxattr("l", "trusted.a", self->got, MAX_VALUE));
	EXPECT_EQ(sizeof(target) - 1, readlink("l", path, sizeof(path)));
	EXPECT_EQ(0, memcmp(path, target, sizeof(target) - 1));
	EXPECT_EQ(5000, getxattr("d", "user.a", self->got, MAX_VALUE));
	EXPECT_TRUE(listed("p", "trusted.a"));
}

/* Runs @fn as another user; its exit status. */
static int as_somebody(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setgid(SOMEBODY) || setuid(SOMEBODY))
			_exit(100);
		_exit(fn());
	}
	return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : -1;
}

static int try_trusted(void)
{
	char buf[100];

	if (!setxattr("f", "trusted.b", "x", 1, 0) || errno != EPERM)
		return 1;
	if (getxattr("f", "trusted.a", buf, 10) >= 0 || errno != ENODATA)
		return 2;
	if (listed("f", "trusted.a") || !listed("f", "user.a"))
		return 3;
	if (!setxattr("f", "security.a", "x", 1, 0) || errno != EPERM)
		return 4;
	return setxattr("f", "user.a", "y", 1, 0) || errno != EACCES ? 0 : 5;
}

TEST_F(xattr, permissions)
{
	ASSERT_EQ(0, chmod(self->dir, 0755));
	ASSERT_EQ(0, setxattr("f", "trusted.a", "x", 1, 0));
	ASSERT_EQ(0, setxattr("f", "user.a", "x", 1, 0));
	ASSERT_EQ(0, setxattr("f", "security.a", "x", 1, 0));
	EXPECT_TRUE(listed("f", "trusted.a"));
	EXPECT_TRUE(listed("f", "security.a"));
	EXPECT_EQ(0, as_somebody(try_trusted));
}

/* A capability is a security attribute, and goes when the file is written. */
TEST_F(xattr, capability_is_dropped_by_write)
{
	/* struct vfs_cap_data, version 2, no capability */
	static const unsigned char cap[20] = { 0, 0, 0, 2 };
	int fd;

	ASSERT_EQ(0, setxattr("f", "security.capability", cap, 20, 0));
	fd = open("f", O_WRONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, write(fd, "x", 1));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(-1, getxattr("f", "security.capability", self->got, 20));
	EXPECT_EQ(ENODATA, errno);
}

TEST_F(xattr, ctime_moves)
{
	struct stat before, after;

	ASSERT_EQ(0, stat("f", &before));
	usleep(20000);
	ASSERT_EQ(0, setxattr("f", "user.a", "x", 1, 0));
	ASSERT_EQ(0, stat("f", &after));
	EXPECT_NE(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

/* Names without end: ENOSPC, and everything set before is still there. */
TEST_F(xattr, many)
{
	char name[32];
	int i, n;

	for (n = 0; n < 10000; n++) {
		snprintf(name, sizeof(name), "user.n%d", n);
		if (setxattr("f", name, name, strlen(name), 0))
			break;
	}
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_LT(1500, n);
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_LT(n * 7, listxattr("f", self->got, 65536));
	for (i = 0; i < n; i += 97) {
		snprintf(name, sizeof(name), "user.n%d", i);
		ASSERT_EQ(strlen(name), getxattr("f", name, self->got, 40));
		EXPECT_EQ(0, memcmp(self->got, name, strlen(name)));
	}
}

/* An ACL as posix_acl_xattr.h has it. */
struct acl {
	uint32_t version;
	struct {
		uint16_t tag;
		uint16_t perm;
		uint32_t id;
	} entry[5];
};

static void make_acl(struct acl *acl, uint16_t mask)
{
	const struct acl a = { 2, {
		{ 0x01, 6, ~0u },		/* owner rw */
		{ 0x02, 4, SOMEBODY },		/* somebody r */
		{ 0x04, 0, ~0u },		/* group none */
		{ 0x10, mask, ~0u },		/* mask */
		{ 0x20, 0, ~0u },		/* others none */
	} };

	*acl = a;
}

static int try_read(void)
{
	int fd = open("f", O_RDONLY);

	return fd < 0 ? errno : 0;
}

TEST_F(xattr, acl)
{
	struct acl acl, got;
	struct stat st;

	ASSERT_EQ(0, chmod(self->dir, 0755));
	ASSERT_EQ(0, chmod("f", 0600));
	EXPECT_EQ(EACCES, as_somebody(try_read));
	make_acl(&acl, 4);
	ASSERT_EQ(0, setxattr("f", ACL_ACCESS, &acl, sizeof(acl), 0));
	EXPECT_EQ(0, as_somebody(try_read));
	ASSERT_EQ(0, fs_drop_caches());
	EXPECT_EQ(0, as_somebody(try_read));
	EXPECT_TRUE(listed("f", ACL_ACCESS));
	ASSERT_EQ(sizeof(got), getxattr("f", ACL_ACCESS, &got, sizeof(got)));
	EXPECT_EQ(0, memcmp(&acl, &got, sizeof(got)));
	/* The group's bits of the mode are the mask. */
	ASSERT_EQ(0, stat("f", &st));
	EXPECT_EQ(0640, st.st_mode & 07777);
	ASSERT_EQ(0, chmod("f", 0600));
	EXPECT_EQ(EACCES, as_somebody(try_read));
	ASSERT_EQ(sizeof(got), getxattr("f", ACL_ACCESS, &got, sizeof(got)));
	EXPECT_EQ(0, got.entry[3].perm);
	ASSERT_EQ(0, removexattr("f", ACL_ACCESS));
	EXPECT_FALSE(listed("f", ACL_ACCESS));
	acl.version = 3;
	EXPECT_EQ(-1, setxattr("f", ACL_ACCESS, &acl, sizeof(acl), 0));
	make_acl(&acl, 4);
	EXPECT_EQ(-1, setxattr("f", ACL_DEFAULT, &acl, sizeof(acl), 0));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(xattr, acl_is_inherited)
{
	struct acl acl, got;
	struct stat st;
	mode_t mask = umask(077);
	int fd;

	make_acl(&acl, 6);
	ASSERT_EQ(0, mkdir("d", 0755));
	ASSERT_EQ(0, setxattr("d", ACL_DEFAULT, &acl, sizeof(acl), 0));
	ASSERT_EQ(0, mkdir("d/sub", 0777));
	ASSERT_EQ(0, symlink("x", "d/link"));
	fd = open("d/file", O_CREAT | O_EXCL | O_WRONLY, 0666);
	EXPECT_EQ(0, close(fd));
	fd = open("d", O_TMPFILE | O_RDWR, 0640);
	ASSERT_LE(0, fd);
	EXPECT_EQ(sizeof(got), fgetxattr(fd, ACL_ACCESS, &got, sizeof(got)));
	EXPECT_EQ(4, got.entry[3].perm);
	EXPECT_EQ(0, close(fd));
	ASSERT_EQ(0, fs_drop_caches());
	ASSERT_EQ(sizeof(got),
		  getxattr("d/sub", ACL_DEFAULT, &got, sizeof(got)));
	EXPECT_EQ(0, memcmp(&acl, &got, sizeof(got)));
	ASSERT_EQ(sizeof(got),
		  getxattr("d/file", ACL_ACCESS, &got, sizeof(got)));
	EXPECT_EQ(SOMEBODY, got.entry[1].id);
	EXPECT_EQ(-1, getxattr("d/file", ACL_DEFAULT, &got, sizeof(got)));
	EXPECT_EQ(ENODATA, errno);
	/* The default ACL counts, not the umask. */
	ASSERT_EQ(0, stat("d/file", &st));
	EXPECT_EQ(0660, st.st_mode & 07777);
	/* Without one the umask does. */
	fd = open("plain", O_CREAT | O_EXCL | O_WRONLY, 0666);
	EXPECT_EQ(0, close(fd));
	ASSERT_EQ(0, stat("plain", &st));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(-1, getxattr("plain", ACL_ACCESS, &got, sizeof(got)));
	umask(mask);
}

/* noacl: not to be seen, and the mode alone counts. */
TEST_F(xattr, noacl)
{
	struct acl acl;

	if (!fs_is_vexfs())
		SKIP(return, "not VexFS");
	make_acl(&acl, 4);
	ASSERT_EQ(0, setxattr("f", ACL_ACCESS, &acl, sizeof(acl), 0));
	ASSERT_EQ(0, mount(NULL, fs_mnt(), NULL, MS_REMOUNT, "noacl"));
	EXPECT_FALSE(listed("f", ACL_ACCESS));
	EXPECT_EQ(-1, setxattr("f", ACL_ACCESS, &acl, sizeof(acl), 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(0, mount(NULL, fs_mnt(), NULL, MS_REMOUNT, "acl"));
	EXPECT_TRUE(listed("f", ACL_ACCESS));
}

/* Attributes that fill the volume fail with ENOSPC and spoil nothing. */
TEST_F(xattr, full_volume)
{
	char name[32];
	int i, n, fd = open("fill", O_CREAT | O_WRONLY, 0644);
	struct statvfs st;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, statvfs(fs_mnt(), &st));
	/* Without the vector area; up to 16 MiB more are kept for root. */
	ASSERT_EQ(0, posix_fallocate(fd, 0, (off_t)st.f_bavail * st.f_frsize -
				     (4 << 20)));
	for (n = 0; n < 400; n++) {
		snprintf(name, sizeof(name), "user.%d", n);
		if (setxattr("f", name, self->big, MAX_VALUE, 0))
			break;
	}
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_LT(10, n);
	EXPECT_GT(400, n);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "user.%d", i);
		ASSERT_EQ(MAX_VALUE, getxattr("f", name, self->got, MAX_VALUE));
		ASSERT_EQ(0, memcmp(self->got, self->big, MAX_VALUE));
	}
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, unlink("fill"));
	EXPECT_EQ(0, setxattr("f", name, self->big, MAX_VALUE, 0));
}

TEST_HARNESS_MAIN
