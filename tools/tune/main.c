// SPDX-License-Identifier: GPL-2.0
/*
 * tune.vexfs: changes label, UUID and reserved blocks of a volume that is not
 * mounted.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <fcntl.h>
#include <getopt.h>
#include <uuid/uuid.h>

#include "busy.h"
#include "jbd2.h"
#include "libvexfs.h"

#define VEXFS_VERSION	"1.0"

static const char tune_usage[] =
"Usage: tune.vexfs [options] device\n"
"Changes a VexFS volume that is not mounted; without options, shows it.\n"
"\n"
"  -L label      volume label, at most 64 bytes\n"
"  -U uuid       UUID: one, or \"random\"\n"
"  -r blocks     blocks that only CAP_SYS_RESOURCE may use\n"
"  -m percent    the same, as a part of the data blocks, 0 to 50\n"
"  -h, --help    this text; --version: the version\n";

struct tune {
	const char *device;
	const char *label;
	const char *uuid;
	u64	reserved;
	double	percent;
	bool	set_reserved;
	bool	set_percent;
};

static void __attribute__((__noreturn__, __format__(printf, 2, 3)))
tune_fail(int status, const char *fmt, ...)
{
	va_list ap;

	fputs("tune.vexfs: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

static bool tune_changes(const struct tune *t)
{
	return t->label || t->uuid || t->set_reserved || t->set_percent;
}

static struct vexfs_dev *tune_open(const struct tune *t)
{
	int flags = tune_changes(t) ? O_RDWR : O_RDONLY;
	struct vexfs_dev *dev;
	const char *use;
	struct stat st;

	if (stat(t->device, &st))
		tune_fail(1, "can't open %s: %s", t->device, strerror(errno));
	use = tune_changes(t) ? vexfs_busy(t->device, &st) : NULL;
	if (use)
		tune_fail(1, "%s is %s", t->device, use);
	if (S_ISBLK(st.st_mode) && tune_changes(t))
		flags |= O_EXCL;
	dev = vexfs_dev_open(t->device, flags);
	if (IS_ERR(dev))
		tune_fail(1, "can't open %s: %s", t->device,
			  strerror(-(int)PTR_ERR(dev)));
	dev->quiet = true;
	return dev;
}

static void tune_set_label(struct vexfs_super_block *sb, const char *label)
{
	size_t len = strlen(label);

	if (len > sizeof(sb->s_label))
		tune_fail(2, "label is longer than %zu bytes: '%s'",
			  sizeof(sb->s_label), label);
	memset(sb->s_label, 0, sizeof(sb->s_label));
	memcpy(sb->s_label, label, len);
}

/* Checksums go on with their seed, which came from the first UUID. */
static void tune_set_uuid(struct vexfs_super_block *sb, const char *text)
{
	uuid_t uuid;

	if (!strcmp(text, "random"))
		uuid_generate(uuid);
	else if (uuid_parse(text, uuid))
		tune_fail(2, "not a UUID: '%s'", text);
	memcpy(sb->s_uuid, uuid, sizeof(sb->s_uuid));
}

static void tune_set_reserved(struct vexfs_super_block *sb,
			      const struct vexfs_geom *g, const struct tune *t)
{
	u64 n = t->reserved;

	if (t->set_percent)
		n = (u64)((double)g->data_clusters * t->percent / 100);
	if (n > g->data_clusters / 2)
		tune_fail(2, "%llu is more than half of the %llu data blocks",
			  n, g->data_clusters);
	sb->s_reserved_clusters = cpu_to_le64(n);
}

static int tune_write_super(struct vexfs_dev *dev, u64 bno,
			    const struct vexfs_super_block *sb, u32 nr)
{
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_super_block *to = (void *)(block + VEXFS_SUPER_OFFSET);
	int err = vexfs_dev_read(dev, bno, block);

	if (err)
		return err;
	*to = *sb;
	to->s_backup_nr = cpu_to_le32(nr);
	to->s_checksum = cpu_to_le32(vexfs_super_csum(to));
	return vexfs_dev_write(dev, bno, block);
}

/* A log that is empty can take another UUID, and with it another seed. */
static int tune_journal_uuid(struct vexfs_dev *dev, const struct vexfs_geom *g,
			     const u8 *uuid)
{
	u64 bno = vexfs_journal_block(g, 0);
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vj_super *s = (void *)block;
	struct vj_journal j;
	const char *why;
	int err = vj_open(&j, dev, g, &why);

	if (!err)
		err = vexfs_dev_read(dev, bno, block);
	if (err)
		return err;
	memcpy(s->s_uuid, uuid, sizeof(s->s_uuid));
	err = vexfs_dev_write(dev, bno, block);
	return err ? err : vj_reset(&j, j.sequence);
}

static void tune_apply(struct vexfs_dev *dev, const struct vexfs_geom *g,
		       struct vexfs_super_block *sb, const struct tune *t)
{
	struct vj_journal j;
	const char *why;
	int err;

	if (le32_to_cpu(sb->s_state) != VEXFS_STATE_CLEAN ||
	    vj_open(&j, dev, g, &why) || !vj_empty(&j))
		tune_fail(1, "%s was not unmounted cleanly: run fsck.vexfs first",
			  t->device);
	if (t->label)
		tune_set_label(sb, t->label);
	if (t->uuid)
		tune_set_uuid(sb, t->uuid);
	if (t->set_reserved || t->set_percent)
		tune_set_reserved(sb, g, t);
	err = t->uuid ? tune_journal_uuid(dev, g, sb->s_uuid) : 0;
	if (!err)
		err = tune_write_super(dev, vexfs_backup_block(g, 0), sb, 1);
	if (!err)
		err = vexfs_dev_sync(dev);
	if (!err)
		err = tune_write_super(dev, 0, sb, 0);
	if (!err)
		err = vexfs_dev_sync(dev);
	if (err)
		tune_fail(1, "can't write %s: %s", t->device, strerror(-err));
}

static void tune_show(const struct vexfs_super_block *sb,
		      const struct vexfs_geom *g)
{
	char uuid[UUID_STR_LEN];

	uuid_unparse(sb->s_uuid, uuid);
	printf("Label: %.*s\n", (int)sizeof(sb->s_label), sb->s_label);
	printf("UUID: %s\n", uuid);
	printf("Reserved blocks: %llu of %llu data blocks\n",
	       le64_to_cpu(sb->s_reserved_clusters), g->data_clusters);
}

static void tune_option(struct tune *t, int c)
{
	char *end = NULL;

	switch (c) {
	case 'L':
		t->label = optarg;
		return;
	case 'U':
		t->uuid = optarg;
		return;
	case 'r':
		t->reserved = strtoull(optarg, &end, 10);
		t->set_reserved = true;
		break;
	case 'm':
		t->percent = strtod(optarg, &end);
		t->set_percent = true;
		break;
	case 'h':
		fputs(tune_usage, stdout);
		exit(0);
	case 'V':
		puts("tune.vexfs (VexFS) " VEXFS_VERSION);
		exit(0);
	default:
		tune_fail(2, "wrong usage; see tune.vexfs --help");
	}
	if (optarg[0] < '0' || optarg[0] > '9' || *end || t->percent > 50)
		tune_fail(2, "bad number: '%s'", optarg);
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help",    no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ }
	};
	struct tune t = { };
	u8 block[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_super_block *sb = (void *)(block + VEXFS_SUPER_OFFSET);
	struct vexfs_dev *dev;
	struct vexfs_geom g;
	const char *why;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "L:U:r:m:h", longopts, NULL)) != -1)
		tune_option(&t, c);
	if (optind != argc - 1)
		tune_fail(2, "one device is needed; see tune.vexfs --help");
	t.device = argv[optind];
	dev = tune_open(&t);
	if (vexfs_dev_read(dev, 0, block))
		tune_fail(1, "%s can't be read", t.device);
	why = vexfs_verify_super(sb);
	if (why || vexfs_geom_from_super(sb, &g, &why))
		tune_fail(1, "%s: %s", t.device, why);
	if (tune_changes(&t))
		tune_apply(dev, &g, sb, &t);
	tune_show(sb, &g);
	return vexfs_dev_close(dev) ? 1 : 0;
}
