// SPDX-License-Identifier: GPL-2.0
/*
 * A directory with very many names: each of them is listed once, found by
 * its name with the inode that was listed, and found again by its cookie.
 *
 *   stressnames create|list|unlink DIR COUNT
 *
 * Copyright (C) 2026 The VexFS authors
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOKUPS		5000
#define COOKIES		64

struct cookie {
	long	pos;
	ino_t	next;			/* what is read from there */
};

static long count;
static ino_t *listed;
static struct cookie cookies[COOKIES];
static int ncookies;

static const char *name_of(long i)
{
	static char name[24];

	snprintf(name, sizeof(name), "%lx", i);
	return name;
}

/* So that nothing prints for minutes. */
static void progress(const char *what, long i)
{
	if (i && i % 100000 == 0) {
		printf("# %s: %ld\n", what, i);
		fflush(stdout);
	}
}

static void create(void)
{
	long i;
	int fd;

	for (i = 0; i < count; i++) {
		fd = open(name_of(i), O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0 || close(fd))
			err(1, "create %s", name_of(i));
		progress("created", i);
	}
}

static void list_one(const struct dirent *de)
{
	char *rest;
	long i = strtol(de->d_name, &rest, 16);

	if (*rest || i < 0 || i >= count || strcmp(de->d_name, name_of(i)))
		errx(1, "nobody made a name %s", de->d_name);
	if (listed[i])
		errx(1, "%s is listed twice", de->d_name);
	if (de->d_type != DT_REG)
		errx(1, "%s is of type %d", de->d_name, de->d_type);
	listed[i] = de->d_ino;
}

/* The names as they come, and some places in between. */
static void list(DIR *dir)
{
	struct dirent *de;
	long n = 0;

	for (;;) {
		bool mark = n % (count / COOKIES + 1) == 0;
		long pos = mark ? telldir(dir) : 0;

		errno = 0;
		de = readdir(dir);
		if (!de)
			break;
		if (mark && ncookies < COOKIES)
			cookies[ncookies++] = (struct cookie){ pos, de->d_ino };
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		list_one(de);
		progress("listed", ++n);
	}
	if (errno)
		err(1, "readdir");
	if (n != count)
		errx(1, "%ld names are listed, there are %ld", n, count);
}

/* In another order than they were read in. */
static void seek(DIR *dir)
{
	struct dirent *de;
	int i;

	for (i = ncookies; i-- > 0;) {
		seekdir(dir, cookies[i].pos);
		de = readdir(dir);
		if (!de || de->d_ino != cookies[i].next)
			errx(1, "cookie %ld leads to %s", cookies[i].pos,
			     de ? de->d_name : "the end");
	}
}

static void look_up(void)
{
	struct stat st;
	long i, n;

	for (n = 0; n < LOOKUPS; n++) {
		i = random() % count;
		if (lstat(name_of(i), &st) || st.st_ino != listed[i])
			err(1, "stat %s", name_of(i));
		if (!lstat(name_of(count + i), &st) || errno != ENOENT)
			err(1, "%s is found", name_of(count + i));
	}
}

static void remove_all(void)
{
	long i;

	/* Half of them in the order of their names, half against it */
	for (i = 0; i < count; i++) {
		long which = i % 2 ? count - 1 - i / 2 : i / 2;

		if (unlink(name_of(which)))
			err(1, "unlink %s", name_of(which));
		progress("unlinked", i);
	}
}

static int list_all(void)
{
	DIR *dir = opendir(".");

	listed = calloc(count, sizeof(*listed));
	if (!dir || !listed)
		err(1, "opendir");
	list(dir);
	seek(dir);
	look_up();
	return closedir(dir);
}

int main(int argc, char **argv)
{
	int dir;

	if (argc != 4)
		errx(2, "see the head of names.c");
	count = atol(argv[3]);
	srandom(time(NULL));
	if (chdir(argv[2]))
		err(1, "%s", argv[2]);
	if (!strcmp(argv[1], "list"))
		return list_all();
	if (!strcmp(argv[1], "create"))
		create();
	else
		remove_all();
	dir = open(".", O_RDONLY | O_DIRECTORY);
	if (dir < 0 || syncfs(dir))
		err(1, "syncfs");
	return close(dir);
}
