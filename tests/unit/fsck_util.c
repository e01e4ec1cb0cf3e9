// SPDX-License-Identifier: GPL-2.0
/*
 * Volumes for the tests of fsck; see fsck_util.h.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "fsck_util.h"

#include <sys/mman.h>
#include <unistd.h>

#include "coll.h"
#include "../../mkfs/mkfs.h"

#define FU_BYTES	(24ull << 20)
#define FU_CREDITS	(1 << 20)
#define FU_NAMES	150
#define FU_ROWS		200

/* ------------------------------------------------------------ the volume */

static void fu_load(struct fu_vol *v)
{
	const char *why = "";

	v->f.fs.dev = v->f.dev;
	CHECK_EQ(vexfs_fs_load(&v->f.fs, &why), 0);
	v->f.loaded = true;
}

static void fu_unload(struct fu_vol *v)
{
	CHECK_EQ(vexfs_dev_commit(v->f.dev), 0);
	vexfs_fs_unload(&v->f.fs);
	v->f.loaded = false;
	CHECK_EQ(vexfs_dev_referenced(v->f.dev), 0);
	vexfs_dev_drop_cache(v->f.dev);
}

void fu_clone_state(struct fu_vol *v)
{
	struct vexfs_dev *dev = v->f.dev;

	memset(&v->f, 0, sizeof(v->f));
	v->f.dev = dev;
	fu_load(v);
}

void fu_reload(struct fu_vol *v)
{
	fu_unload(v);
	fu_load(v);
}

/* As mkfs.vexfs makes it, in a file that goes away. */
static void fu_format(struct fu_vol *v, u32 cluster_size, u32 quota)
{
	struct mkfs_options opt = { .geom = {
		.device_bytes = FU_BYTES, .cluster_size = cluster_size,
		.bytes_per_inode = 65536,
	}, .quota = quota };
	struct mkfs_target target = { .bytes = FU_BYTES };
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_geom geom;
	const char *why;
	u64 bno;
	int fd;

	CHECK_EQ(vexfs_geom_compute(&opt.geom, &geom, &why), 0);
	fd = memfd_create("fsck_util", 0);
	CHECK(fd >= 0 && !ftruncate(fd, FU_BYTES));
	memset(opt.uuid, 0x42, sizeof(opt.uuid));
	target.fd = dup(fd);
	CHECK_EQ(mkfs_format(&opt, &geom, &target), 0);
	v->f.dev = vexfs_dev_mem(FU_BYTES);
	CHECK(!IS_ERR(v->f.dev));
	v->f.dev->quiet = true;
	for (bno = 0; bno < FU_BYTES / VEXFS_BLOCK_SIZE; bno++) {
		CHECK(pread(fd, data, sizeof(data),
			    (off_t)(bno * sizeof(data))) == sizeof(data));
		if (memchr_inv(data, 0, sizeof(data)))
			CHECK_EQ(vexfs_dev_write(v->f.dev, bno, data), 0);
	}
	close(fd);
}

static struct vexfs_trans *fu_begin(struct fu_vol *v)
{
	struct vexfs_trans *t = vexfs_trans_begin(v->f.dev, FU_CREDITS);

	CHECK(!IS_ERR(t));
	return t;
}

static void fu_end(struct fu_vol *v, struct vexfs_trans *t)
{
	CHECK_EQ(vexfs_trans_end(t), 0);
	CHECK_EQ(vexfs_dev_commit(v->f.dev), 0);
}

static void fu_node_put(struct fu_vol *v, struct vexfs_node *n, u64 size)
{
	CHECK_EQ(fsck_node_put(&v->f, n, &size), 0);
}

static void fu_links(struct fu_vol *v, u64 ino, int more)
{
	struct vexfs_inode di;

	fu_inode(v, ino, &di);
	le32_add_cpu(&di.i_nlink, (u32)more);
	fu_put_inode(v, ino, &di);
}

static void fu_name(struct fu_vol *v, u64 dir, const char *name, u64 ino,
		    u16 mode)
{
	struct vexfs_trans *t = fu_begin(v);
	struct vexfs_inode di;
	struct vexfs_node n;
	u64 size;

	CHECK_EQ(fsck_node_get(&v->f, dir, &n, &di), 0);
	size = le64_to_cpu(di.i_size);
	CHECK_EQ(vexfs_dir_add(t, &n, (const u8 *)name, (u32)strlen(name), ino,
			       fsck_mode_type(mode), &size), 0);
	fu_end(v, t);
	fu_node_put(v, &n, size);
	if (S_ISDIR(mode))
		fu_links(v, dir, 1);
}

/* A new inode; with a name, unless that is NULL. */
static u64 fu_new(struct fu_vol *v, u64 dir, const char *name, u16 mode,
		  u32 flags)
{
	struct vexfs_trans *t = fu_begin(v);
	struct vexfs_inode di = { };
	struct vexfs_node n;
	u64 ino, size = 0;
	u32 generation;

	CHECK_EQ(vexfs_ialloc(t, &v->f.fs, dir, S_ISDIR(mode), &ino,
			      &generation), 0);
	vexfs_node_init(&n, &v->f.fs, ino, generation);
	if (S_ISDIR(mode))
		CHECK_EQ(vexfs_dir_init(t, &n, &size), 0);
	fu_end(v, t);
	di.i_magic = cpu_to_le16(VEXFS_INODE_MAGIC);
	di.i_mode = cpu_to_le16(mode);
	di.i_ino = cpu_to_le64(ino);
	di.i_generation = cpu_to_le32(generation);
	di.i_nlink = cpu_to_le32(S_ISDIR(mode) ? 2 : 1);
	di.i_flags = cpu_to_le32(flags);
	di.i_size = cpu_to_le64(size);
	di.i_blocks = cpu_to_le64(n.blocks);
	if (S_ISDIR(mode) || (flags & VEXFS_FORK_FL))
		di.i_parent = cpu_to_le64(dir);
	di.i_root = n.root;
	fu_put_inode(v, ino, &di);
	if (name)
		fu_name(v, dir, name, ino, mode);
	return ino;
}

/* @n blocks from @lblk on; with contents, unless only preallocated. */
static void fu_fill(struct fu_vol *v, u64 ino, u64 lblk, u64 n, bool write)
{
	struct vexfs_trans *t = fu_begin(v);
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	struct vexfs_inode di;
	struct vexfs_node node;
	struct vexfs_map map;
	u64 done, i, end = lblk + n, size;

	CHECK_EQ(fsck_node_get(&v->f, ino, &node, &di), 0);
	size = le64_to_cpu(di.i_size);
	for (; lblk < end; lblk += map.len) {
		CHECK_EQ(vexfs_ext_allocate(t, &node, lblk, end - lblk, 0,
					    &map), 0);
		if (!write)
			continue;
		CHECK_EQ(vexfs_ext_convert(t, &node, lblk, map.len, &done), 0);
		CHECK_EQ(done, map.len);
		for (i = 0; i < map.len; i++) {
			memset(data, (int)(ino + lblk + i), sizeof(data));
			CHECK_EQ(vexfs_dev_write(v->f.dev, map.pblk + i,
						 data), 0);
		}
		size = max(size, (lblk + map.len) << VEXFS_BLOCK_SHIFT);
	}
	fu_end(v, t);
	fu_node_put(v, &node, size);
}

static void fu_symlink(struct fu_vol *v, u64 ino, u32 len)
{
	struct vexfs_trans *t;
	struct vexfs_symlink_block *sl;
	struct vexfs_inode di;
	struct vexfs_node n;
	struct vexfs_map map;
	struct vexfs_buf *buf;
	u64 done;

	fu_inode(v, ino, &di);
	di.i_size = cpu_to_le64(len);
	if (len <= VEXFS_FAST_SYMLINK) {
		memset(di.i_symlink, 'f', len);
		fu_put_inode(v, ino, &di);
		return;
	}
	fu_put_inode(v, ino, &di);
	CHECK_EQ(fsck_node_get(&v->f, ino, &n, &di), 0);
	t = fu_begin(v);
	CHECK_EQ(vexfs_ext_allocate(t, &n, 0, 1, 0, &map), 0);
	CHECK_EQ(vexfs_ext_convert(t, &n, 0, 1, &done), 0);
	buf = vexfs_buf_get(&v->f.fs, map.pblk);
	CHECK(!IS_ERR(buf));
	CHECK_EQ(vexfs_trans_create(t, buf), 0);
	vexfs_meta_init(&v->f.fs, buf, VEXFS_MAGIC_SYMLINK, ino, n.generation);
	sl = vexfs_buf_data(buf);
	memset(sl->sl_target, 's', len);
	vexfs_meta_csum(&v->f.fs, buf);
	CHECK_EQ(vexfs_trans_dirty(t, buf), 0);
	vexfs_buf_put(buf);
	fu_end(v, t);
	fu_node_put(v, &n, len);
}

/* ------------------------------------------------------------ collection */

struct fu_coll {
	struct fsck_coll c;
	struct fu_vol *v;
	float	*rows;			/* all of them, in memory */
};

static int fu_pin_rows(void *priv, const u32 *slots, unsigned int n,
		       struct vexfs_row_pins *pins)
{
	struct fu_coll *fc = priv;
	unsigned int i;

	for (i = 0; i < n; i++)
		pins->row[i] = (u8 *)fc->rows +
			       (size_t)slots[i] * fc->c.cfg.stride;
	pins->n = n;
	return 0;
}

static void fu_unpin_rows(void *priv, struct vexfs_row_pins *pins)
{
}

static int fu_write_rows(void *priv, u32 slot, u32 n, const void *rows)
{
	struct fu_coll *fc = priv;
	size_t stride = fc->c.cfg.stride;

	memcpy((u8 *)fc->rows + slot * stride, rows, n * stride);
	return 0;
}

static int fu_fork_read(void *priv, enum vexfs_fork fork, u64 pos, void *buf,
			size_t len)
{
	return fsck_coll_io.fork_read(priv, fork, pos, buf, len);
}

static int fu_fork_write(void *priv, enum vexfs_fork fork, u64 pos,
			 const void *buf, size_t len)
{
	return fsck_coll_io.fork_write(priv, fork, pos, buf, len);
}

static void fu_kick(void *priv)
{
}

static bool fu_killed(void *priv)
{
	return false;
}

static const struct vexfs_coll_io fu_coll_io = {
	.pin_rows	= fu_pin_rows,
	.unpin_rows	= fu_unpin_rows,
	.write_rows	= fu_write_rows,
	.fork_read	= fu_fork_read,
	.fork_write	= fu_fork_write,
	.kick		= fu_kick,
	.killed		= fu_killed,
};

static void fu_coll_header(struct fu_vol *v, struct fu_coll *fc)
{
	struct fsck_coll *c = &fc->c;
	struct vexfs_trans *t = fu_begin(v);
	struct vexfs_coll_header *ch = c->ch;
	u64 cluster, fork[2];
	u32 len = 1;
	int i;

	CHECK_EQ(vexfs_balloc(t, &v->f.fs, 0, 0, &cluster, &len), 0);
	fu_end(v, t);
	c->bno = vexfs_cluster_to_block(&v->f.fs.geom, cluster);
	memset(ch, 0, VEXFS_BLOCK_SIZE);
	ch->ch_hdr.bh_magic = cpu_to_le32(VEXFS_MAGIC_COLL);
	ch->ch_hdr.bh_blocknr = cpu_to_le64(c->bno);
	ch->ch_hdr.bh_owner = cpu_to_le64(c->ino);
	fu_inode(v, c->ino, &c->di);
	ch->ch_hdr.bh_generation = c->di.i_generation;
	vexfs_coll_config_to_header(&c->cfg, ch);
	for (i = 0; i < 2; i++) {
		fork[i] = fu_new(v, c->ino, NULL, S_IFREG | 0600,
				 VEXFS_FORK_FL);
		ch->ch_fork_ino[i] = cpu_to_le64(fork[i]);
	}
	CHECK_EQ(fsck_coll_store(c), 0);
	c->di.i_coll = cpu_to_le64(c->bno);
	c->di.i_flags = cpu_to_le32(VEXFS_COLLECTION_FL);
	c->di.i_blocks = cpu_to_le64(le64_to_cpu(c->di.i_blocks) +
				     v->f.fs.geom.cluster_blocks);
	fu_put_inode(v, c->ino, &c->di);
	for (i = 0; i < 2; i++) {
		struct vexfs_inode di;

		CHECK_EQ(fsck_node_get(&v->f, fork[i], &c->fork[i], &di), 0);
	}
}

static void fu_insert(struct fu_coll *fc, struct vexfs_coll *coll, u64 first,
		      u32 n)
{
	struct vexfs_coll_insert ins;
	float row[8];
	u64 ids[FU_ROWS];
	u32 i, j;

	for (i = 0; i < n; i++)
		ids[i] = first + i;
	CHECK_EQ(vexfs_coll_insert_begin(coll, ids, n, 0, &ins), 0);
	for (i = 0; i < n; i++) {
		for (j = 0; j < 8; j++)
			row[j] = (float)cu_below(100);
		CHECK_EQ(vexfs_coll_insert_rows(&ins, row, 1, sizeof(row)), 0);
	}
	CHECK_EQ(vexfs_coll_insert_end(&ins), 0);
}

static void fu_coll_make(struct fu_vol *v, u64 ino)
{
	struct fu_coll fc = { .v = v };
	struct fsck_coll *c = &fc.c;
	struct vexfs_super_block sb;
	struct vexfs_coll_checkpoint ckpt;
	struct vexfs_coll_commit commit;
	struct vexfs_coll *coll;

	c->f = &v->f;
	c->ino = ino;
	c->last_fork = -1;
	c->ch = calloc(1, VEXFS_BLOCK_SIZE);
	fc.rows = calloc(2 * FU_ROWS, 32);
	c->cfg = (struct vexfs_coll_config) {
		.dims = 8, .elem = VEXFS_ELEM_F32, .metric = VEXFS_METRIC_L2,
		.index = VEXFS_INDEX_HNSW, .m = 8, .ef_construction = 20,
		.owner = ino, .csum_seed = v->f.fs.csum_seed,
	};
	CHECK_EQ(vexfs_coll_config_check(&c->cfg), 0);
	fu_coll_header(v, &fc);
	coll = vexfs_coll_open(&c->cfg, c->ch, &fu_coll_io, &fc);
	CHECK(!IS_ERR(coll));
	fu_insert(&fc, coll, 100, FU_ROWS);
	while (vexfs_coll_index(coll, 1000) > 0)
		;
	CHECK_EQ(vexfs_coll_checkpoint_begin(coll, &ckpt), 0);
	vexfs_coll_checkpoint_header(&ckpt, c->ch);
	vexfs_coll_checkpoint_done(coll, &ckpt, 0);
	fu_insert(&fc, coll, 1000, 30);
	fu_insert(&fc, coll, 2000, 30);
	CHECK(vexfs_coll_commit_begin(coll, &commit));
	vexfs_coll_commit_header(&commit, c->ch);
	vexfs_coll_commit_end(coll, &commit, 0);
	CHECK_EQ(fsck_coll_store(c), 0);
	vexfs_coll_free(coll);
	free(fc.rows);
	fu_fill(v, ino, 0, DIV_ROUND_UP((FU_ROWS + 60) * 32, 4096), true);
	free(c->ch);
	fu_super(v, &sb);
	sb.s_feature_incompat = cpu_to_le32(VEXFS_INCOMPAT_COLLECTIONS);
	fu_put_super(v, &sb, true);
	fu_reload(v);
}

/* --------------------------------------------------------------- making */

static void fu_orphans(struct fu_vol *v)
{
	struct vexfs_inode di;
	struct vexfs_trans *t;

	v->n.deleted = fu_new(v, VEXFS_ROOT_INO, NULL, S_IFREG | 0644, 0);
	fu_fill(v, v->n.deleted, 0, 5, true);
	fu_links(v, v->n.deleted, -1);
	v->n.truncated = fu_new(v, VEXFS_ROOT_INO, "truncated",
				S_IFREG | 0644, 0);
	fu_fill(v, v->n.truncated, 0, 40, true);
	fu_inode(v, v->n.truncated, &di);
	di.i_size = cpu_to_le64(10000);
	fu_put_inode(v, v->n.truncated, &di);
	t = fu_begin(v);
	CHECK_EQ(vexfs_orphan_add(t, &v->f.fs, v->n.deleted), 0);
	CHECK_EQ(vexfs_orphan_add(t, &v->f.fs, v->n.truncated), 0);
	fu_end(v, t);
}

static void fu_files(struct fu_vol *v)
{
	struct fu_names *n = &v->n;
	char name[64];
	u64 ino;
	u32 i;

	n->file = fu_new(v, VEXFS_ROOT_INO, "file", S_IFREG | 0644, 0);
	n->other = fu_new(v, VEXFS_ROOT_INO, "other", S_IFREG | 0644, 0);
	fu_fill(v, n->file, 0, 20, true);
	fu_fill(v, n->other, 0, 20, true);
	n->extents = fu_new(v, VEXFS_ROOT_INO, "extents", S_IFREG | 0644, 0);
	/* Holes keep the extents apart. */
	for (i = 0; i < 300; i++)
		fu_fill(v, n->extents, 32 * i, 1, true);
	n->sparse = fu_new(v, VEXFS_ROOT_INO, "sparse", S_IFREG | 0644, 0);
	fu_fill(v, n->sparse, 1000, 3, true);
	fu_fill(v, n->sparse, 2000, 50, false);
	n->dir = fu_new(v, VEXFS_ROOT_INO, "dir", S_IFDIR | 0755, 0);
	for (i = 0; i < FU_NAMES; i++) {
		snprintf(name, sizeof(name), "a file with a name of some length %u",
			 i);
		ino = fu_new(v, n->dir, name, S_IFREG | 0644, 0);
		if (i == 77)
			n->file_in_dir = ino;
	}
	n->sub = fu_new(v, n->dir, "sub", S_IFDIR | 0755, 0);
	n->subsub = fu_new(v, n->sub, "subsub", S_IFDIR | 0755, 0);
	fu_name(v, n->sub, "link to file", n->file, S_IFREG);
	fu_links(v, n->file, 1);
	n->empty = fu_new(v, VEXFS_ROOT_INO, "empty", S_IFDIR | 0755, 0);
	n->fast = fu_new(v, VEXFS_ROOT_INO, "fast", S_IFLNK | 0777, 0);
	fu_symlink(v, n->fast, 20);
	n->slow = fu_new(v, VEXFS_ROOT_INO, "slow", S_IFLNK | 0777, 0);
	fu_symlink(v, n->slow, 200);
	n->dev = fu_new(v, VEXFS_ROOT_INO, "dev", S_IFCHR | 0600, 0);
	n->coll = fu_new(v, VEXFS_ROOT_INO, "coll", S_IFREG | 0644, 0);
	fu_coll_make(v, n->coll);
}

void fu_make(struct fu_vol *v, u32 cluster_size, bool orphans)
{
	memset(v, 0, sizeof(*v));
	fu_format(v, cluster_size, 7);
	fu_load(v);
	fu_files(v);
	if (orphans)
		fu_orphans(v);
	fu_quota(v);
	fu_reload(v);
}

void fu_make_plain(struct fu_vol *v)
{
	memset(v, 0, sizeof(*v));
	fu_format(v, 4096, 0);
	fu_load(v);
	fu_files(v);
	fu_reload(v);
}

void fu_clone(struct fu_vol *v, const struct fu_vol *src)
{
	memset(v, 0, sizeof(*v));
	v->n = src->n;
	v->f.dev = vexfs_dev_clone(src->f.dev);
	CHECK(!IS_ERR(v->f.dev));
	v->f.dev->quiet = true;
	fu_load(v);
}

void fu_close(struct fu_vol *v)
{
	if (v->f.loaded)
		fu_unload(v);
	CHECK_EQ(vexfs_dev_close(v->f.dev), 0);
}

/* -------------------------------------------------------------- damaging */

void fu_read(struct fu_vol *v, u64 bno, void *data)
{
	CHECK_EQ(fsck_read(&v->f, bno, data), 0);
}

void fu_write(struct fu_vol *v, u64 bno, const void *data)
{
	CHECK_EQ(fsck_write(&v->f, bno, data), 0);
}

void fu_write_sealed(struct fu_vol *v, u64 bno, void *data)
{
	fsck_meta_seal(&v->f, data);
	fu_write(v, bno, data);
}

void fu_flip(struct fu_vol *v, u64 bno, u32 off)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	fu_read(v, bno, data);
	data[off] ^= 0x40;
	fu_write(v, bno, data);
}

void fu_inode(struct fu_vol *v, u64 ino, struct vexfs_inode *di)
{
	CHECK_EQ(fsck_inode_get(&v->f, ino, di), 0);
}

void fu_put_inode(struct fu_vol *v, u64 ino, struct vexfs_inode *di)
{
	CHECK_EQ(fsck_inode_put(&v->f, ino, di), 0);
}

void fu_put_raw_inode(struct fu_vol *v, u64 ino, const struct vexfs_inode *di)
{
	u32 ipg = v->f.fs.geom.inodes_per_group, index = (ino - 1) % ipg;
	struct vexfs_inode table[VEXFS_INODES_PER_BLOCK];
	u64 bno = vexfs_itable_block(&v->f.fs.geom, (ino - 1) / ipg) +
		  index / VEXFS_INODES_PER_BLOCK;

	fu_read(v, bno, table);
	table[index % VEXFS_INODES_PER_BLOCK] = *di;
	fu_write(v, bno, table);
}

void fu_super(struct fu_vol *v, struct vexfs_super_block *sb)
{
	*sb = *vexfs_super(&v->f.fs);
}

void fu_put_super(struct fu_vol *v, struct vexfs_super_block *sb, bool sealed)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);

	fu_read(v, 0, data);
	if (sealed)
		sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
	memcpy(data + VEXFS_SUPER_OFFSET, sb, sizeof(*sb));
	fu_write(v, 0, data);
}

void fu_desc(struct fu_vol *v, u32 group, struct vexfs_group_desc *gd)
{
	*gd = *vexfs_group_desc(&v->f.fs, group, NULL);
}

void fu_put_desc(struct fu_vol *v, u32 group, struct vexfs_group_desc *gd,
		 bool sealed)
{
	struct vexfs_group_desc table[VEXFS_DESC_PER_BLOCK];
	u64 bno = vexfs_gdt_block(&v->f.fs.geom,
				  group / VEXFS_DESC_PER_BLOCK);

	if (sealed)
		gd->bg_checksum = cpu_to_le32(vexfs_group_desc_csum(&v->f.fs,
								    group, gd));
	fu_read(v, bno, table);
	table[group % VEXFS_DESC_PER_BLOCK] = *gd;
	fu_write(v, bno, table);
}

u64 fu_block(struct fu_vol *v, u64 ino, u64 lblk)
{
	struct vexfs_inode di;
	struct vexfs_node n;
	struct vexfs_map map;

	CHECK_EQ(fsck_node_get(&v->f, ino, &n, &di), 0);
	CHECK_EQ(vexfs_ext_lookup(&n, lblk, 1, &map), 0);
	CHECK(map.pblk);
	return map.pblk;
}

/* -------------------------------------------------------------- checking */

static void fu_drop(struct fu_vol *v)
{
	if (v->f.loaded)
		fu_unload(v);
	vexfs_dev_drop_cache(v->f.dev);
}

int fu_fsck(struct fu_vol *v, enum fsck_mode mode)
{
	struct vexfs_dev *dev = v->f.dev;
	int status;

	fu_drop(v);
	memset(&v->f, 0, sizeof(v->f));
	v->f.dev = dev;
	v->f.opt = (struct fsck_options) {
		.mode = mode, .force = true, .quiet = !getenv("FSCK_TELL"),
		.progress = -1, .device = "volume",
	};
	status = fsck_run(&v->f);
	fsck_free(&v->f);
	vexfs_dev_drop_cache(dev);
	vexfs_dev_discard(dev);
	return status;
}
