// SPDX-License-Identifier: GPL-2.0
/*
 * Is a device, or a file, in use: mounted, swap, under a loop device?
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "busy.h"

#include <dirent.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char busy_why[PATH_MAX + 64];

/* The same device, or the same file? */
static bool busy_same(const struct stat *a, const char *path)
{
	struct stat b;

	if (stat(path, &b) || (a->st_mode & S_IFMT) != (b.st_mode & S_IFMT))
		return false;
	if (S_ISBLK(a->st_mode))
		return a->st_rdev == b.st_rdev;
	return a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* Is block device @dev one of the partitions of @disk? */
static bool busy_is_partition(dev_t dev, dev_t disk)
{
	unsigned int maj, min;
	char path[64];
	bool yes;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev",
		 major(dev), minor(dev));
	f = fopen(path, "r");
	if (!f)
		return false;
	yes = fscanf(f, "%u:%u", &maj, &min) == 2 && makedev(maj, min) == disk;
	fclose(f);
	return yes;
}

/* mountinfo writes white space and backslashes as three octal digits. */
static void busy_unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				       (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

/* One line of mountinfo: does it mount our device, or a part of it? */
static bool busy_mount_uses(const struct stat *st, char *line, char **where)
{
	unsigned int maj, min;
	char *sep, *source;
	int at = 0, len = 0;
	dev_t dev;

	if (sscanf(line, "%*d %*d %u:%u %*s %n%*s%n", &maj, &min, &at,
		   &len) != 2 || len <= at)
		return false;
	sep = strstr(line + len, " - ");
	line[len] = 0;
	*where = line + at;
	busy_unescape(*where);
	dev = makedev(maj, min);
	if (S_ISBLK(st->st_mode) &&
	    (dev == st->st_rdev || busy_is_partition(dev, st->st_rdev)))
		return true;
	/* Some filesystems show a device number that isn't the disk's. */
	if (!sep || !strtok(sep + 3, " "))
		return false;
	source = strtok(NULL, " ");
	if (!source || source[0] != '/' || !S_ISBLK(st->st_mode))
		return false;
	busy_unescape(source);
	return busy_same(st, source);
}

static bool busy_mounted(const struct stat *st)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char *line = NULL, *where;
	size_t room = 0;
	bool yes = false;

	if (!f)
		return false;
	while (!yes && getline(&line, &room, f) > 0) {
		yes = busy_mount_uses(st, line, &where);
		if (yes)
			snprintf(busy_why, sizeof(busy_why), "mounted on %s",
				 where);
	}
	free(line);
	fclose(f);
	return yes;
}

static bool busy_is_swap(const struct stat *st)
{
	FILE *f = fopen("/proc/swaps", "r");
	char *line = NULL, *path;
	size_t room = 0;
	bool yes = false;

	if (!f)
		return false;
	while (!yes && getline(&line, &room, f) > 0) {
		path = strtok(line, " \t");
		if (!path || path[0] != '/')
			continue;
		busy_unescape(path);
		yes = busy_same(st, path);
	}
	free(line);
	fclose(f);
	if (yes)
		strcpy(busy_why, "used as swap");
	return yes;
}

/* A file under a loop device may be mounted through that. */
static bool busy_is_looped(const struct stat *st)
{
	DIR *dir = opendir("/sys/block");
	char path[512], file[PATH_MAX];
	struct dirent *de;
	bool yes = false;
	FILE *f;

	while (dir && !yes && (de = readdir(dir))) {
		if (strncmp(de->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file",
			 de->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(file, sizeof(file), f)) {
			file[strcspn(file, "\n")] = 0;
			yes = busy_same(st, file);
		}
		fclose(f);
		if (yes)
			snprintf(busy_why, sizeof(busy_why), "used by /dev/%s",
				 de->d_name);
	}
	if (dir)
		closedir(dir);
	return yes;
}

const char *vexfs_busy(const char *path, const struct stat *st)
{
	if (busy_mounted(st) || busy_is_swap(st))
		return busy_why;
	if (S_ISREG(st->st_mode) && busy_is_looped(st))
		return busy_why;
	return NULL;
}
