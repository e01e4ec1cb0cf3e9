// SPDX-License-Identifier: GPL-2.0
/*
 * What "make bench-files" does to a filesystem besides fio and dbench: many
 * names in one directory, small appends that are synced, and the time that a
 * command takes until what it changed is on the disk. One line a measurement:
 * its name and operations per second. With BENCH_BUSY set, time in which all
 * processors were idle doesn't count.
 *
 *   fileops names DIR COUNT
 *   fileops append DIR COUNT
 *   fileops run NAME DIR COMMAND [ARG]...
 *   fileops mark FILE WORD      adds to FILE: WORD, the time, and idle time
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Such as a line of a log: no power of two, so that it crosses blocks. */
#define APPEND_BYTES	300
#define NAME_FMT	"file-%06ld"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Seconds that the processors have been idle, also for a disk's sake. */
static double idle(void)
{
	FILE *f = fopen("/proc/timer_list", "r");
	unsigned long long ns, sum = 0;
	char line[256];
	int found = 0;

	if (!f)
		err(1, "/proc/timer_list");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " .idle_sleeptime : %llu", &ns) == 1 ||
		    sscanf(line, " .iowait_sleeptime : %llu", &ns) == 1) {
			sum += ns;
			found = 1;
		}
	fclose(f);
	if (!found)
		errx(1, "the kernel doesn't tell idle time");
	return sum / 1e9;
}

static double idle_if_wanted(void)
{
	return getenv("BENCH_BUSY") ? idle() : 0;
}

static double start(void)
{
	double was_idle = idle_if_wanted();

	return now() - was_idle;
}

static void report(const char *name, long count, double begin)
{
	double end = now();

	end -= idle_if_wanted();
	printf("%s %.4f\n", name, count / (end - begin));
	fflush(stdout);
}

static int mark(const char *path, const char *word)
{
	double time = now(), was_idle = idle();
	FILE *f = fopen(path, "a");

	if (!f)
		err(1, "%s", path);
	fprintf(f, "%s %.6f %.6f\n", word, time, was_idle);
	return fclose(f);
}

static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	if (fd < 0 || syncfs(fd))
		err(1, "syncfs %s", dir);
	close(fd);
}

/* The next measurement reads from the disk. */
static void forget_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1)
		err(1, "drop_caches");
	close(fd);
}

static void create_names(const char *dir, long count)
{
	double begin = start();
	char name[32];
	long i;
	int fd;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), NAME_FMT, i);
		fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0 || close(fd))
			err(1, "create %s", name);
	}
	sync_dir(dir);
	report("create", count, begin);
}

static void read_names(long count)
{
	double begin = start();
	struct dirent *de;
	DIR *d = opendir(".");
	long n = 0;

	if (!d)
		err(1, "opendir");
	errno = 0;
	while ((de = readdir(d)))
		n += de->d_name[0] != '.';
	if (errno)
		err(1, "readdir");
	closedir(d);
	if (n != count)
		errx(1, "%ld names of %ld", n, count);
	report("readdir", count, begin);
}

static void stat_names(long count)
{
	double begin = start();
	struct stat st;
	char name[32];
	long i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), NAME_FMT, i);
		if (stat(name, &st) || !S_ISREG(st.st_mode))
			err(1, "stat %s", name);
	}
	report("stat", count, begin);
}

static void unlink_names(const char *dir, long count)
{
	double begin = start();
	char name[32];
	long i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), NAME_FMT, i);
		if (unlink(name))
			err(1, "unlink %s", name);
	}
	sync_dir(dir);
	report("unlink", count, begin);
}

static int names(const char *dir, long count)
{
	if (chdir(dir))
		err(1, "%s", dir);
	create_names(dir, count);
	forget_caches();
	read_names(count);
	forget_caches();
	stat_names(count);
	unlink_names(dir, count);
	return 0;
}

static int append(const char *dir, long count)
{
	char buf[APPEND_BYTES];
	double begin;
	long i;
	int fd;

	if (chdir(dir))
		err(1, "%s", dir);
	fd = open("log", O_CREAT | O_EXCL | O_WRONLY | O_APPEND, 0644);
	if (fd < 0)
		err(1, "log");
	memset(buf, 'a', sizeof(buf));
	begin = start();
	for (i = 0; i < count; i++)
		if (write(fd, buf, sizeof(buf)) != sizeof(buf) || fsync(fd))
			err(1, "append");
	report("append-fsync", count, begin);
	close(fd);
	return unlink("log");
}

static int run(const char *name, const char *dir, char **argv)
{
	double begin = start();
	int status;
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "%s failed", argv[0]);
	sync_dir(dir);
	report(name, 1, begin);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "names"))
		return names(argv[2], atol(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "append"))
		return append(argv[2], atol(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "mark"))
		return mark(argv[2], argv[3]);
	if (argc > 4 && !strcmp(argv[1], "run"))
		return run(argv[2], argv[3], argv + 4);
	errx(2, "see the head of fileops.c");
}
