// SPDX-License-Identifier: GPL-2.0
/*
 * Tries the crashes of a recorded run: crashcheck [options] IMAGE LOG, where
 * IMAGE is the volume before the run and LOG the disk's writes after that.
 * Each state is recovered, checked, and compared with what had been promised.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include "crash.h"
#include "simd.h"

struct cc_load {
	const char *dir;		/* of the volume's root */
	cm_check_fn check;
	void	*arg;
	size_t	*mark;			/* its entries in the log */
	size_t	marks;
};

struct crash {
	struct cl_log log;
	struct cs_disk disk;
	struct cc_load load[CM_LOADS];
	u64	volume_bytes;
	u32	points, bad, shown;
	u64	seed;
	bool	verbose;
	const char *save;		/* folder for images */
	u32	saves;
};

static void __attribute__((__noreturn__, __format__(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("crashcheck: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

/* ------------------------------------------------------------- the image */

static u64 volume_bytes(const char *path)
{
	struct vexfs_super_block sb;
	struct vexfs_geom g;
	const char *why;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || pread(fd, &sb, sizeof(sb), VEXFS_SUPER_OFFSET) !=
	    sizeof(sb))
		die("%s can't be read", path);
	close(fd);
	if (vexfs_verify_super(&sb) || vexfs_geom_from_super(&sb, &g, &why))
		die("%s is not a volume", path);
	return vexfs_cluster_to_block(&g, g.clusters) << VEXFS_BLOCK_SHIFT;
}

static void load_image(struct crash *c, const char *path)
{
	struct vexfs_dev *file = vexfs_dev_open(path, O_RDONLY);
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	u64 bno;

	if (IS_ERR(file))
		die("%s can't be opened", path);
	c->disk.dev = vexfs_dev_mem(c->volume_bytes);
	c->disk.dev->paranoid = false;
	for (bno = 0; bno < c->disk.dev->blocks; bno++) {
		if (vexfs_dev_read(file, bno, data))
			die("%s can't be read", path);
		if (memchr_inv(data, 0, sizeof(data)))
			vexfs_image_write(c->disk.dev, bno, data);
	}
	vexfs_dev_close(file);
}

static void find_journal(struct crash *c)
{
	struct vexfs_fs fs = { .dev = c->disk.dev };
	const u64 per = VEXFS_BLOCK_SIZE / CM_SECTOR;
	const char *why;

	if (vexfs_fs_load(&fs, &why))
		die("the volume can't be loaded: %s", why);
	c->disk.journal = vexfs_journal_block(&fs.geom, 0) * per;
	c->disk.journal_end = c->disk.journal +
			      vexfs_journal_blocks(&fs.geom) * per;
	vexfs_fs_unload(&fs);
	vexfs_dev_drop_cache(c->disk.dev);
}

/* ----------------------------------------------------------------- marks */

static const struct cm_mark *mark_of(const struct crash *c, size_t entry)
{
	return (const void *)c->log.entry[entry].data;
}

static void find_marks(struct crash *c)
{
	const struct cm_mark *m;
	struct cc_load *l;
	size_t i;

	for (i = 0; i < c->log.count; i++) {
		if (c->log.entry[i].kind != CL_MARK)
			continue;
		m = mark_of(c, i);
		if (m->magic != CM_MARK_MAGIC || m->load >= CM_LOADS)
			die("entry %zu is no mark", i);
		l = &c->load[m->load];
		if (!l->marks)
			l->mark = calloc(c->log.marks, sizeof(*l->mark));
		l->mark[l->marks++] = i;
	}
}

/* At @pos: the last mark before it, and the next one, or the last again. */
static void promise_at(struct crash *c, const struct cc_load *l, size_t pos,
		       struct cm_promise *p)
{
	size_t i = 0;

	while (i < l->marks && l->mark[i] < pos)
		i++;
	p->any = i > 0;
	if (i)
		p->was = *mark_of(c, l->mark[i - 1]);
	p->next = *mark_of(c, l->mark[i < l->marks ? i : l->marks - 1]);
	/* What began after the last mark isn't known. */
	if (i == l->marks)
		p->next.begun += 1000;
}

static void setup_loads(struct crash *c)
{
	static const struct cc_load kind[CM_LOADS] = {
		[CM_LOAD_FILES0] = { .dir = "f0", .check = cm_files_check },
		[CM_LOAD_FILES1] = { .dir = "f1", .check = cm_files_check },
		[CM_LOAD_DB]	 = { .dir = "db", .check = cm_db_check },
		[CM_LOAD_COLL]	 = { .dir = "c", .check = cm_coll_check },
	};
	const struct cm_mark *last;
	u32 i;

	memcpy(c->load, kind, sizeof(kind));
	find_marks(c);
	for (i = 0; i < CM_LOADS; i++) {
		struct cc_load *l = &c->load[i];

		if (!l->marks)
			continue;
		last = mark_of(c, l->mark[l->marks - 1]);
		printf("# load %s: %zu marks, %llu done\n", l->dir, l->marks,
		       i == CM_LOAD_DB ? last->pages : last->done);
		if (l->check == cm_files_check)
			l->arg = cm_files_new(last->seed,
					      (u32)last->begun + 1000);
	}
}

/* ----------------------------------------------------------------- trying */

static const char *check_loads(struct crash *c, struct fsck *f, size_t pos)
{
	struct cm_promise p;
	const char *why;
	u64 dir;
	u32 i;

	for (i = 0; i < CM_LOADS; i++) {
		if (!c->load[i].marks)
			continue;
		promise_at(c, &c->load[i], pos, &p);
		if (!p.any)
			continue;
		why = cv_lookup(f, VEXFS_ROOT_INO, c->load[i].dir, &dir) ?
		      "the directory is gone" :
		      c->load[i].check(c->load[i].arg, f, dir, &p);
		if (why)
			return cm_why("%s: %s", c->load[i].dir, why);
	}
	return NULL;
}

/* NULL, or what is wrong with the state on the disk. */
static const char *check_state(struct crash *c, size_t pos, bool tell)
{
	static struct fsck f;
	int status = cv_open(&f, c->disk.dev, tell);
	const char *why = NULL;

	if (status != FSCK_OK)
		why = cm_why("fsck.vexfs -n ends with status %d", status);
	else
		why = check_loads(c, &f, pos);
	cv_close(&f);
	return why;
}

static void show_bad(struct crash *c, const struct cs_point *p,
		     const char *why)
{
	if (c->shown++ >= 5 && !c->verbose)
		return;
	printf("# bad: entry %zu, %s what follows entry %zu (seed %u): %s\n",
	       p->pos, cs_how_name(p->how), c->disk.flushed, p->seed, why);
	if (!strncmp(why, "fsck", 4)) {
		check_state(c, p->pos, true);
		fflush(stdout);
	}
}

/* For a guest to mount: the state as it is, in a sparse file. */
static void save_state(struct crash *c, const struct cs_point *p, u32 nr)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	char path[512];
	u64 bno;
	int fd;

	snprintf(path, sizeof(path), "%s/%u-%zu.img", c->save, nr, p->pos);
	fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)c->volume_bytes))
		die("%s can't be made", path);
	for (bno = 0; bno < c->disk.dev->blocks; bno++) {
		vexfs_dev_read_below(c->disk.dev, bno, data);
		if (memchr_inv(data, 0, sizeof(data)) &&
		    pwrite(fd, data, sizeof(data),
			   (off_t)(bno * sizeof(data))) != sizeof(data))
			die("%s can't be written", path);
	}
	close(fd);
}

static void try_points(struct crash *c, size_t from)
{
	struct cs_point *p = cs_choose(&c->log, from, c->points, c->seed);
	u32 i, every = c->saves ? c->points / c->saves : 0;
	const char *why;

	for (i = 0; i < c->points; i++) {
		cs_make(&c->disk, &p[i]);
		why = check_state(c, p[i].pos, false);
		if (why) {
			c->bad++;
			show_bad(c, &p[i], why);
		} else if (every && i % every == every / 2) {
			save_state(c, &p[i], i / every);
		}
		cs_undo(&c->disk);
	}
	free(p);
}

/* An image that was saved, mounted and unmounted: as good as before. */
static int check_image(struct crash *c, const char *path)
{
	const char *slash = strrchr(path, '/') ?: path, *dash, *why;
	size_t pos;

	dash = strchr(slash, '-');
	if (!dash)
		die("%s: no position in the name", path);
	pos = strtoul(dash + 1, NULL, 10);
	vexfs_dev_close(c->disk.dev);
	load_image(c, path);
	why = check_state(c, pos, false);
	if (!why)
		return 0;
	printf("# %s: %s\n", path, why);
	if (!strncmp(why, "fsck", 4))
		check_state(c, pos, true);
	return 1;
}

static const char usage[] =
"Usage: crashcheck [options] image log [saved image]...\n"
"Tries crashes of a recorded run, or with saved images these.\n"
"  -n count   crash points (1000)         -s seed   of the random choices (1)\n"
"  -S folder  save states there           -c count  so many of them (8)\n"
"  -F         as if the disk ignored flushes: has to find bad states\n"
"  -v         show all that is bad\n";

static void options(struct crash *c, int argc, char **argv)
{
	int opt;

	c->points = 1000;
	c->seed = 1;
	while ((opt = getopt(argc, argv, "n:s:S:c:Fv")) != -1) {
		switch (opt) {
		case 'n':
			c->points = (u32)strtoul(optarg, NULL, 10);
			break;
		case 's':
			c->seed = strtoull(optarg, NULL, 10);
			break;
		case 'S':
			c->save = optarg;
			c->saves = c->saves ?: 8;
			break;
		case 'c':
			c->saves = (u32)strtoul(optarg, NULL, 10);
			break;
		case 'F':
			c->disk.no_flush = true;
			break;
		case 'v':
			c->verbose = true;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (argc - optind < 2) {
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static struct crash c;
	const char *why;
	int i, bad = 0;

	options(&c, argc, argv);
	if (vexfs_simd_init(NULL))
		die("no instruction set to compute distances with");
	c.volume_bytes = volume_bytes(argv[optind]);
	why = cl_open(&c.log, argv[optind + 1], c.volume_bytes);
	if (why)
		die("%s: %s", argv[optind + 1], why);
	load_image(&c, argv[optind]);
	c.disk.log = &c.log;
	find_journal(&c);
	printf("# %zu entries, %zu flushes, %zu marks\n", c.log.count,
	       c.log.flushes, c.log.marks);
	setup_loads(&c);
	if (optind + 2 < argc) {
		for (i = optind + 2; i < argc; i++)
			bad += check_image(&c, argv[i]);
		printf("%d saved images, %d bad\n", argc - optind - 2, bad);
		return bad != 0;
	}
	try_points(&c, 0);
	printf("%u crash points, %u bad\n", c.points, c.bad);
	return c.bad != 0;
}
