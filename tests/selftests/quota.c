// SPDX-License-Identifier: GPL-2.0
/*
 * Quota of users, groups and projects: what is counted is what there is, by
 * adding it up; limits hold, and leave nothing behind when they do; owners and
 * projects change; and all of it outlives remounts and crashes, after which
 * fsck.vexfs must find nothing. Environment: VEXFS_MNT, VEXFS_DEV.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "harness.h"
#include "libcoll.h"
#include "libfs.h"
#include "libvol.h"

#define KB		1024ull
#define MB		(1024 * KB)
#define UID		1000u
#define GID		2000u
#define PROJ		3000u
#define OTHER		1u		/* added to make it another's */
#define QFMT_V1		4		/* QFMT_VFS_V1 */
#define ALL_TYPES	"usrquota,grpquota,prjquota"

/* Where the harness is, nothing could be unmounted. */
__attribute__((constructor)) static void stand_aside(void)
{
	if (chdir("/"))
		perror("chdir");
}

static long quota(int cmd, int type, uint32_t id, void *arg)
{
	return syscall(SYS_quotactl, QCMD(cmd, type), vol_dev(), id, arg) ?
	       -errno : 0;
}

struct use {
	uint64_t space, inodes;
};

static struct use used(int type, uint32_t id)
{
	struct if_dqblk dq = { };
	struct use use = { ~0ull, ~0ull };

	if (!quota(Q_GETQUOTA, type, id, &dq)) {
		use.space = dq.dqb_curspace;
		use.inodes = dq.dqb_curinodes;
	}
	return use;
}

static long limit(int type, uint32_t id, uint64_t bytes, uint64_t inodes)
{
	struct if_dqblk dq = {
		.dqb_bhardlimit = bytes / KB,
		.dqb_ihardlimit = inodes,
		.dqb_valid = QIF_LIMITS,
	};

	return quota(Q_SETQUOTA, type, id, &dq);
}

/* ---------------------------------------------------------- adding it up */

static int sum_type;
static uint32_t sum_id;
static struct use sum;

static uint32_t project_of(const char *path, const struct stat *st)
{
	struct fsxattr fa = { };
	int fd;

	/* Others can't be asked: they are what their directory is. */
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return strstr(path, "/project/") ? PROJ : 0;
	fd = open(path, O_RDONLY);
	if (fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &fa))
		fprintf(stderr, "# %s: %s\n", path, strerror(errno));
	close(fd);
	return fa.fsx_projid;
}

/* Files with several names count once. */
static ino_t linked[64];
static int nlinked;

static int counted(const struct stat *st)
{
	int i;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return 0;
	for (i = 0; i < nlinked; i++)
		if (linked[i] == st->st_ino)
			return 1;
	if (nlinked < 64)
		linked[nlinked++] = st->st_ino;
	return 0;
}

static int add_up(const char *path, const struct stat *st, int flag,
		  struct FTW *ftw)
{
	uint32_t id = sum_type == USRQUOTA ? st->st_uid :
		      sum_type == GRPQUOTA ? st->st_gid : project_of(path, st);

	if (id == sum_id && !counted(st)) {
		sum.inodes++;
		sum.space += st->st_blocks * 512ull;
	}
	return 0;
}

/* By the names there are: 1 when the quota says the same. */
static int adds_up(int type, uint32_t id)
{
	struct use u = used(type, id);

	sum_type = type;
	sum_id = id;
	sum.space = 0;
	sum.inodes = 0;
	nlinked = 0;
	nftw(fs_mnt(), add_up, 20, FTW_PHYS);
	if (u.space == sum.space && u.inodes == sum.inodes)
		return 1;
	fprintf(stderr, "# type %d, id %u: quota %llu, %llu; there are %llu bytes, %llu inodes\n",
		type, id, (unsigned long long)u.space,
		(unsigned long long)u.inodes, (unsigned long long)sum.space,
		(unsigned long long)sum.inodes);
	return 0;
}

static int all_adds_up(void)
{
	return adds_up(USRQUOTA, 0) && adds_up(USRQUOTA, UID) &&
	       adds_up(USRQUOTA, UID + OTHER) && adds_up(GRPQUOTA, 0) &&
	       adds_up(GRPQUOTA, GID) && adds_up(GRPQUOTA, GID + OTHER) &&
	       adds_up(PRJQUOTA, 0) && adds_up(PRJQUOTA, PROJ) &&
	       adds_up(PRJQUOTA, PROJ + OTHER);
}

/* ------------------------------------------------------------- a volume */

static int make(const char *types)
{
	int err = vol_leave();

	if (err && err != -EINVAL)
		return err;
	return vol_shell("mkfs.vexfs -f -Q %s %s >/dev/null", types,
			 vol_dev());
}

/* Directories of the user, the group and the project, to work in. */
static int make_dirs(void)
{
	struct fsxattr fa = { };
	int fd, err;

	err = mkdir("user", 0777) || chown("user", UID, 0) ||
	      mkdir("group", 0777) || chown("group", 0, GID) ||
	      chmod("group", 02777) || mkdir("project", 0777) ||
	      chmod("project", 0777);
	fd = open("project", O_RDONLY);
	if (err || fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &fa))
		return -1;
	fa.fsx_projid = PROJ;
	fa.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	err = ioctl(fd, FS_IOC_FSSETXATTR, &fa);
	close(fd);
	return err;
}

static const char *const dir_of[] = { "user", "group", "project" };
static const uint32_t id_of[] = { UID, GID, PROJ };

FIXTURE(quota) {
	int made;
};

FIXTURE_SETUP(quota)
{
	ASSERT_EQ(make("usr,grp,prj"), 0);
	ASSERT_EQ(vol_enter(ALL_TYPES), 0);
	umask(0);
	ASSERT_EQ(make_dirs(), 0);
}

FIXTURE_TEARDOWN(quota)
{
	EXPECT_EQ(vol_leave(), 0);
	EXPECT_EQ(vol_check(), 0);
	EXPECT_EQ(vol_enter(""), 0);
}

/* Runs @fn as the user, who is in both groups; what it returned. */
static int as_user(int (*fn)(const void *arg), const void *arg)
{
	const gid_t groups[] = { GID, GID + OTHER };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (setgroups(2, groups) || setgid(UID) || setuid(UID))
			_exit(200);
		_exit(fn(arg));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* ---------------------------------------------------------------- usage */

static int many_things(const void *arg)
{
	static char value[20000], target[3000];
	char name[64];
	int fd, i, j;

	memset(target, 't', sizeof(target) - 1);
	for (i = 0; i < 3; i++) {
		if (chdir(fs_mnt()) || chdir(dir_of[i]))
			return 1;
		if (mkdir("d", 0755) || symlink("short", "s") ||
		    symlink(target, "long") || mkfifo("p", 0644) ||
		    fs_make("a", 300 * KB + 17, 1) || fs_make("b", 5000, 2) ||
		    link("b", "c"))
			return 2;
		fd = open("a", O_RDWR);
		if (fallocate(fd, 0, 1 * MB, 100 * KB) ||
		    fallocate(fd, FALLOC_FL_PUNCH_HOLE |
			      FALLOC_FL_KEEP_SIZE, 8192, 50000) ||
		    fsync(fd) ||
		    fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 8192) ||
		    fallocate(fd, FALLOC_FL_INSERT_RANGE, 4096, 16384) ||
		    ftruncate(fd, 200 * KB))
			return 3;
		if (fsetxattr(fd, "user.small", value, 30, 0) ||
		    fsetxattr(fd, "user.block", value, 900, 0) ||
		    fsetxattr(fd, "user.large", value, sizeof(value), 0))
			return 4;
		close(fd);
		for (j = 0; j < 200; j++) {
			snprintf(name, sizeof(name), "d/%040d", j);
			if (symlink("x", name))
				return 5;
		}
	}
	return 0;
}

TEST_F(quota, usage)
{
	struct if_dqinfo info;
	int fmt = 0, i;

	EXPECT_EQ(quota(Q_GETFMT, USRQUOTA, 0, &fmt), 0);
	EXPECT_EQ(fmt, QFMT_V1);
	EXPECT_EQ(quota(Q_GETINFO, GRPQUOTA, 0, &info), 0);
	EXPECT_EQ(info.dqi_bgrace, 7 * 24 * 3600);
	EXPECT_TRUE(all_adds_up());
	ASSERT_EQ(as_user(many_things, NULL), 0);
	sync();
	EXPECT_TRUE(all_adds_up());
	EXPECT_GT(used(USRQUOTA, UID).inodes, 600);
	ASSERT_EQ(vol_again(ALL_TYPES), 0);
	EXPECT_TRUE(all_adds_up());
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(chdir(dir_of[i]), 0);
		EXPECT_EQ(removexattr("a", "user.large"), 0);
		EXPECT_EQ(truncate("a", 100), 0);
		EXPECT_EQ(unlink("long"), 0);
		ASSERT_EQ(chdir(".."), 0);
		EXPECT_TRUE(all_adds_up());
	}
	ASSERT_EQ(vol_shell("rm -r user/* group/* project/*"), 0);
	EXPECT_TRUE(all_adds_up());
	EXPECT_EQ(used(USRQUOTA, UID).inodes, 1);
	EXPECT_EQ(used(PRJQUOTA, PROJ).inodes, 1);
}

/* ---------------------------------------------------------------- limits */

/* Writes until it can't: EDQUOT it must be; what was written is there. */
static int write_on(const void *arg)
{
	const char *dir = arg;
	static char buf[64 * 1024];
	off_t pos = 0;
	ssize_t n;
	int fd;

	if (chdir(dir))
		return 1;
	fd = open("big", O_CREAT | O_RDWR, 0644);
	if (fd < 0)
		return 2;
	for (;;) {
		fs_fill(buf, sizeof(buf), pos, 5);
		n = pwrite(fd, buf, sizeof(buf), pos);
		if (n < 0)
			break;
		pos += n;
		if (pos > (off_t)(8 * MB))
			return 3;
	}
	if (errno != EDQUOT)
		return 4;
	if (fallocate(fd, 0, pos + MB, MB) != -1 || errno != EDQUOT)
		return 5;
	if (fsync(fd) || fs_verify(fd, 0, pos, 5))
		return 6;
	close(fd);
	return 0;
}

static int write_some(const void *arg)
{
	return chdir(arg) || fs_make("small", 100 * KB, 6);
}

TEST_F(quota, blocks)
{
	char path[64];
	int type;

	for (type = 0; type < 3; type++) {
		ASSERT_EQ(limit(type, id_of[type], MB, 0), 0);
		EXPECT_EQ(as_user(write_on, dir_of[type]), 0);
		/* To the very limit, but for the file's extent tree. */
		EXPECT_LE(used(type, id_of[type]).space, MB);
		EXPECT_GE(used(type, id_of[type]).space, MB - 16 * KB);
		EXPECT_TRUE(all_adds_up());
		snprintf(path, sizeof(path), "%s/big", dir_of[type]);
		ASSERT_EQ(unlink(path), 0);
		EXPECT_EQ(as_user(write_some, dir_of[type]), 0);
		EXPECT_TRUE(all_adds_up());
		ASSERT_EQ(limit(type, id_of[type], 0, 0), 0);
	}
	/* Who may pass limits does. */
	ASSERT_EQ(limit(PRJQUOTA, PROJ, 64 * KB, 0), 0);
	EXPECT_EQ(fs_make("project/root", 256 * KB, 1), 0);
	EXPECT_TRUE(all_adds_up());
}

/* Inodes until there are no more, then every way to make one. */
static int make_on(const void *arg)
{
	char name[32];
	int i, fd;

	if (chdir(arg))
		return 1;
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0)
			break;
		close(fd);
	}
	if (i != 5 || errno != EDQUOT)
		return 2;
	if (!mkdir("d", 0755) || errno != EDQUOT ||
	    !symlink("x", "s") || errno != EDQUOT ||
	    !mkfifo("p", 0644) || errno != EDQUOT ||
	    open(".", O_TMPFILE | O_RDWR, 0644) >= 0 || errno != EDQUOT)
		return 3;
	return link("f0", "l") || rename("f1", "f9") || unlink("f9") ||
	       symlink("x", "s") ? 4 : 0;
}

TEST_F(quota, inodes)
{
	int type;

	for (type = 0; type < 3; type++) {
		ASSERT_EQ(limit(type, id_of[type], 0,
				used(type, id_of[type]).inodes + 5), 0);
		EXPECT_EQ(as_user(make_on, dir_of[type]), 0);
		EXPECT_TRUE(all_adds_up());
		ASSERT_EQ(limit(type, id_of[type], 0, 0), 0);
	}
}

TEST_F(quota, soft_limit)
{
	struct if_dqinfo info = {
		.dqi_bgrace = 1, .dqi_igrace = 1,
		.dqi_valid = IIF_BGRACE | IIF_IGRACE,
	};
	struct if_dqblk dq = {
		.dqb_bsoftlimit = 64, .dqb_valid = QIF_BLIMITS,
	};

	ASSERT_EQ(quota(Q_SETINFO, USRQUOTA, 0, &info), 0);
	ASSERT_EQ(quota(Q_SETQUOTA, USRQUOTA, UID, &dq), 0);
	EXPECT_EQ(as_user(write_some, "user"), 0);
	sleep(3);
	EXPECT_EQ(as_user(write_on, "user"), 0);
	EXPECT_TRUE(all_adds_up());
	ASSERT_EQ(vol_again(ALL_TYPES), 0);
	ASSERT_EQ(quota(Q_GETQUOTA, USRQUOTA, UID, &dq), 0);
	EXPECT_EQ(dq.dqb_bsoftlimit, 64);
	EXPECT_NE(dq.dqb_btime, 0);
	ASSERT_EQ(quota(Q_GETINFO, USRQUOTA, 0, &info), 0);
	EXPECT_EQ(info.dqi_bgrace, 1);
}

/* ---------------------------------------------------------------- owners */

static int change_group(const void *arg)
{
	if (chown("user/small", -1, GID + OTHER) != -1 || errno != EDQUOT)
		return 1;
	return chown("user/small", -1, GID) ? 2 : 0;
}

TEST_F(quota, chown)
{
	struct use before = used(USRQUOTA, UID);
	struct use group = used(GRPQUOTA, GID + OTHER);

	ASSERT_EQ(as_user(write_some, "user"), 0);
	EXPECT_EQ(used(USRQUOTA, UID).space, before.space + 100 * KB);
	ASSERT_EQ(limit(GRPQUOTA, GID + OTHER, 50 * KB, 0), 0);
	/* The owner may move it to a group of his, if that has room. */
	EXPECT_EQ(as_user(change_group, NULL), 0);
	EXPECT_EQ(used(GRPQUOTA, GID + OTHER).space, group.space);
	EXPECT_TRUE(all_adds_up());
	ASSERT_EQ(chown("user/small", UID + OTHER, GID + OTHER), 0);
	EXPECT_EQ(used(USRQUOTA, UID).space, before.space);
	EXPECT_EQ(used(USRQUOTA, UID + OTHER).inodes, 1);
	EXPECT_TRUE(all_adds_up());
	/* Open and without a name: still somebody's, until it is closed. */
	before = used(USRQUOTA, UID + OTHER);
	{
		int fd = open("user/small", O_RDWR);

		ASSERT_EQ(unlink("user/small"), 0);
		EXPECT_EQ(used(USRQUOTA, UID + OTHER).space, before.space);
		ASSERT_EQ(fchown(fd, UID, GID), 0);
		EXPECT_EQ(used(USRQUOTA, UID + OTHER).inodes, 0);
		close(fd);
	}
	EXPECT_EQ(used(USRQUOTA, UID).inodes, 1);
	EXPECT_TRUE(all_adds_up());
}

static int set_project(const char *path, uint32_t projid)
{
	struct fsxattr fa = { };
	int fd = open(path, O_RDONLY), ret;

	ret = fd < 0 ? -1 : ioctl(fd, FS_IOC_FSGETXATTR, &fa);
	fa.fsx_projid = projid;
	if (!ret)
		ret = ioctl(fd, FS_IOC_FSSETXATTR, &fa);
	ret = ret ? -errno : 0;
	close(fd);
	return ret;
}

TEST_F(quota, project)
{
	struct statvfs st;

	ASSERT_EQ(as_user(write_some, "project"), 0);
	EXPECT_EQ(used(PRJQUOTA, PROJ).inodes, 2);
	ASSERT_EQ(set_project("project/small", PROJ + OTHER), 0);
	EXPECT_EQ(used(PRJQUOTA, PROJ).inodes, 1);
	EXPECT_EQ(used(PRJQUOTA, PROJ + OTHER).space, 100 * KB);
	EXPECT_TRUE(all_adds_up());
	EXPECT_EQ(rename("project/small", "user/small"), 0);
	EXPECT_EQ(rename("user/small", "project/small"), -1);
	EXPECT_EQ(errno, EXDEV);
	/* The directory looks like a volume of its own. */
	ASSERT_EQ(limit(PRJQUOTA, PROJ, 2 * MB, 10), 0);
	ASSERT_EQ(fs_make("project/half", MB, 1), 0);
	ASSERT_EQ(statvfs("project", &st), 0);
	EXPECT_EQ(st.f_blocks * st.f_frsize, 2 * MB);
	EXPECT_EQ(st.f_bavail * st.f_frsize, MB - 4 * KB);
	EXPECT_EQ(st.f_files, 10);
	EXPECT_EQ(st.f_ffree, 8);
	ASSERT_EQ(statvfs("user", &st), 0);
	EXPECT_GT(st.f_blocks * st.f_frsize, 2 * MB);
}

/* ------------------------------------------------------------ collections */

#define DIMS		64
#define BATCH		500

static int insert_on(const void *arg)
{
	static float rows[BATCH * DIMS];
	int fd, i, ret = 0;

	for (i = 0; i < BATCH; i++)
		coll_fill_ints(rows + i * DIMS, DIMS, i);
	fd = coll_create("user/coll", DIMS, VEXFS_L2, VEXFS_FLAT);
	if (fd < 0)
		return 1;
	for (i = 0; !ret && i < 100; i++)
		ret = coll_insert(fd, NULL, rows, BATCH, 0, NULL);
	close(fd);
	if (!arg)
		return ret ? 2 : 0;
	return ret != -EDQUOT ? 3 : i < 2 ? 4 : 0;
}

TEST_F(quota, collection)
{
	struct use before = used(USRQUOTA, UID), full;
	struct vexfs_info info = { };
	int fd;

	ASSERT_EQ(limit(USRQUOTA, UID, 4 * MB, 0), 0);
	EXPECT_EQ(as_user(insert_on, "limited"), 0);
	EXPECT_LE(used(USRQUOTA, UID).space, 4 * MB);
	EXPECT_EQ(used(USRQUOTA, UID).inodes, before.inodes + 3);
	fd = open("user/coll", O_RDWR);
	EXPECT_EQ(coll_info(fd, &info), 0);
	EXPECT_GE(info.count, BATCH);
	EXPECT_EQ(info.count % BATCH, 0);
	close(fd);
	ASSERT_EQ(vol_again(ALL_TYPES), 0);
	/* With its forks to another, and back. */
	full = used(USRQUOTA, UID);
	ASSERT_EQ(chown("user/coll", UID + OTHER, GID), 0);
	EXPECT_EQ(used(USRQUOTA, UID).space, before.space);
	EXPECT_EQ(used(USRQUOTA, UID).inodes, before.inodes);
	EXPECT_EQ(used(USRQUOTA, UID + OTHER).space,
		  full.space - before.space);
	ASSERT_EQ(set_project("user/coll", PROJ + OTHER), 0);
	EXPECT_EQ(used(PRJQUOTA, PROJ + OTHER).inodes, 3);
	ASSERT_EQ(vol_again(ALL_TYPES), 0);
	ASSERT_EQ(unlink("user/coll"), 0);
	EXPECT_EQ(used(USRQUOTA, UID + OTHER).inodes, 0);
	EXPECT_EQ(used(USRQUOTA, UID + OTHER).space, 0);
	EXPECT_EQ(used(PRJQUOTA, PROJ + OTHER).inodes, 0);
	EXPECT_TRUE(all_adds_up());
}

/* ------------------------------------------------- mounts, crashes, options */

static void churn(uint64_t *state, int rounds)
{
	char name[32], to[32];
	int i;

	for (i = 0; i < rounds; i++) {
		snprintf(name, sizeof(name), "%s/c%u", dir_of[i % 3],
			 fs_random(state) % 20);
		snprintf(to, sizeof(to), "%s/c%u", dir_of[i % 3],
			 fs_random(state) % 20);
		switch (fs_random(state) % 6) {
		case 0:
			unlink(name);
			break;
		case 1:
			rename(name, to);
			break;
		case 2:
			chown(name, UID + fs_random(state) % 2,
			      GID + fs_random(state) % 2);
			break;
		case 3:
			truncate(name, fs_random(state) % (200 * KB));
			break;
		default:
			fs_make(name, fs_random(state) % (300 * KB), i);
		}
	}
}

TEST_F(quota, crash)
{
	uint32_t how = SHUTDOWN_NOLOGFLUSH;
	uint64_t state = 4711;
	int round, fd, gone;

	/* The directories are to be there afterwards. */
	sync();
	for (round = 0; round < 6; round++) {
		churn(&state, 150);
		if (round & 1)
			sync();
		churn(&state, 40);
		/* Open when it crashes: an orphan, if that is on disk. */
		unlink("user/open");
		ASSERT_EQ(fs_make("user/open", 100 * KB, 1), 0);
		gone = open("user/open", O_RDONLY);
		ASSERT_EQ(unlink("user/open"), 0);
		fd = open(".", O_RDONLY);
		if (round & 2)
			fsync(fd);
		ASSERT_EQ(ioctl(fd, FS_IOC_SHUTDOWN, &how), 0);
		close(fd);
		close(gone);
		/* fsck replays in memory; the mount does on the device. */
		ASSERT_EQ(vol_again(ALL_TYPES), 0);
		EXPECT_TRUE(all_adds_up());
	}
}

TEST_F(quota, options)
{
	ASSERT_EQ(vol_leave(), 0);
	/* Counted all the same; limits don't hold. */
	ASSERT_EQ(vol_enter("noquota"), 0);
	ASSERT_EQ(limit(USRQUOTA, UID, 64 * KB, 0), 0);
	EXPECT_EQ(as_user(write_some, "user"), 0);
	EXPECT_TRUE(all_adds_up());
	EXPECT_EQ(vol_remount(0, "usrquota"), 0);
	EXPECT_EQ(as_user(write_on, "user"), 0);
	ASSERT_EQ(unlink("user/big"), 0);
	EXPECT_EQ(vol_remount(MS_RDONLY, ""), 0);
	EXPECT_EQ(vol_remount(0, ""), 0);
	EXPECT_EQ(as_user(write_on, "user"), 0);
	EXPECT_TRUE(all_adds_up());
	EXPECT_EQ(vol_remount(0, "noquota"), 0);
	EXPECT_EQ(as_user(write_some, "user"), 0);
	/* As quotaon(8) and quotaoff(8) */
	EXPECT_EQ(quota(Q_QUOTAON, USRQUOTA, QFMT_V1, "/none"), 0);
	EXPECT_EQ(as_user(write_on, "user"), 0);
	EXPECT_EQ(quota(Q_QUOTAOFF, USRQUOTA, 0, NULL), 0);
	EXPECT_TRUE(all_adds_up());
	/* A volume that has one of them. */
	ASSERT_EQ(make("grp"), 0);
	EXPECT_EQ(vol_enter("usrquota"), -EINVAL);
	EXPECT_EQ(vol_enter("grpquota,prjquota"), -EINVAL);
	ASSERT_EQ(vol_enter("grpquota"), 0);
	EXPECT_EQ(vol_remount(0, "usrquota"), -EINVAL);
	EXPECT_EQ(used(USRQUOTA, 0).inodes, ~0ull);
	EXPECT_TRUE(adds_up(GRPQUOTA, 0));
}

TEST_HARNESS_MAIN
