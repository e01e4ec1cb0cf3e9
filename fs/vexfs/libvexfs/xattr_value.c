// SPDX-License-Identifier: GPL-2.0
/*
 * Values of extended attributes that are too long for a block of entries:
 * runs of blocks of their own. They are never changed in place.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "xattr.h"

u32 vexfs_xvalue_clusters(struct vexfs_fs *fs, u32 blocks)
{
	return DIV_ROUND_UP(blocks, fs->geom.cluster_blocks);
}

static u64 vexfs_xvalue_goal(struct vexfs_node *n)
{
	return n->goal ?: vexfs_ino_group_goal(n->fs, n->ino);
}

static int vexfs_xvalue_corrupted(struct vexfs_node *n, u64 bno)
{
	return VEXFS_CORRUPTED(n->fs, n->ino, bno, "bad run of an xattr value");
}

/* The run's blocks are data blocks and begin a cluster. */
static bool vexfs_xvalue_run_valid(struct vexfs_fs *fs,
				   const struct vexfs_xattr_remote *run)
{
	u64 bno = le64_to_cpu(run->xr_block);
	u32 blocks = le32_to_cpu(run->xr_blocks);

	return !(bno & (fs->geom.cluster_blocks - 1)) &&
	       vexfs_block_valid(fs, bno, blocks);
}

static int vexfs_xvalue_read_block(struct vexfs_node *n, u64 bno, u8 *to,
				   u32 len, u32 *crc)
{
	const struct vexfs_xvalue_block *xv;
	struct vexfs_buf *buf;

	buf = vexfs_meta_read(n->fs, bno, VEXFS_MAGIC_XVALUE, n->ino,
			      n->generation);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	xv = vexfs_buf_data(buf);
	memcpy(to, xv->xv_data, len);
	*crc = vexfs_crc32c(*crc, to, len);
	vexfs_buf_put(buf);
	return 0;
}

/* Copies up to @left bytes from the run; *done says how many. */
static int vexfs_xvalue_read_run(struct vexfs_node *n,
				 const struct vexfs_xattr_remote *run, u8 *to,
				 u32 left, u32 *done)
{
	u64 bno = le64_to_cpu(run->xr_block);
	u32 i, part, crc = n->fs->csum_seed;
	int err;

	*done = 0;
	for (i = 0; i < le32_to_cpu(run->xr_blocks) && *done < left; i++) {
		part = min_t(u32, left - *done, VEXFS_XVALUE_SPACE);
		err = vexfs_xvalue_read_block(n, bno + i, to + *done, part,
					      &crc);
		if (err)
			return err;
		*done += part;
	}
	if (crc == le32_to_cpu(run->xr_checksum))
		return 0;
	VEXFS_CORRUPTED(n->fs, n->ino, bno, "xattr value checksum is wrong");
	return -EFSBADCRC;
}

int vexfs_xvalue_read(struct vexfs_node *n, const struct vexfs_xattr_ent *ent,
		      u8 *to)
{
	struct vexfs_xattr_value val;
	u32 i, part, at = 0;
	int err;

	vexfs_xattr_runs(ent, &val);
	for (i = 0; i < val.nruns; i++) {
		err = vexfs_xvalue_read_run(n, &val.run[i], to + at,
					    ent->value_len - at, &part);
		if (err)
			return err;
		at += part;
	}
	return 0;
}

static int vexfs_xvalue_write_block(struct vexfs_trans *t,
				    struct vexfs_node *n, u64 bno,
				    const u8 *from, u32 len)
{
	struct vexfs_buf *buf = vexfs_buf_get(n->fs, bno);
	struct vexfs_xvalue_block *xv;
	int err;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	err = vexfs_trans_create(t, buf);
	if (!err) {
		vexfs_meta_init(n->fs, buf, VEXFS_MAGIC_XVALUE, n->ino,
				n->generation);
		xv = vexfs_buf_data(buf);
		memcpy(xv->xv_data, from, len);
		vexfs_meta_csum(n->fs, buf);
		err = vexfs_trans_dirty(t, buf);
	}
	vexfs_buf_put(buf);
	return err;
}

/* One more run of up to @blocks. */
static int vexfs_xvalue_alloc_run(struct vexfs_trans *t, struct vexfs_node *n,
				  u32 blocks, struct vexfs_xattr_value *val)
{
	struct vexfs_geom *g = &n->fs->geom;
	u32 len = vexfs_xvalue_clusters(n->fs, blocks);
	struct vexfs_xattr_remote *run;
	u64 cluster;
	int err;

	if (val->nruns == VEXFS_XATTR_RUNS)
		return -ENOSPC;
	err = vexfs_node_alloc(t, n, vexfs_xvalue_goal(n), VEXFS_ALLOC_WHOLE,
			       &cluster, &len);
	if (err)
		return err;
	run = &val->run[val->nruns++];
	blocks = min(blocks, len << g->cluster_shift);
	run->xr_block = cpu_to_le64(vexfs_cluster_to_block(g, cluster));
	run->xr_blocks = cpu_to_le32(blocks);
	run->xr_checksum = 0;
	return 0;
}

static int vexfs_xvalue_write_run(struct vexfs_trans *t, struct vexfs_node *n,
				  struct vexfs_xattr_remote *run,
				  const u8 *from, u32 len)
{
	u64 bno = le64_to_cpu(run->xr_block);
	u32 at, part;
	int err;

	run->xr_checksum = cpu_to_le32(vexfs_crc32c(n->fs->csum_seed, from,
						    len));
	for (at = 0; at < len; at += part) {
		part = min_t(u32, len - at, VEXFS_XVALUE_SPACE);
		err = vexfs_xvalue_write_block(t, n, bno++, from + at, part);
		if (err)
			return err;
	}
	return 0;
}

int vexfs_xvalue_write(struct vexfs_trans *t, struct vexfs_node *n,
		       const u8 *from, u32 len, struct vexfs_xattr_value *val)
{
	u32 blocks = DIV_ROUND_UP(len, VEXFS_XVALUE_SPACE);
	struct vexfs_xattr_remote *run;
	u32 at = 0, part;
	int err = 0;

	val->nruns = 0;
	while (!err && at < len) {
		err = vexfs_xvalue_alloc_run(t, n, blocks, val);
		if (err)
			break;
		run = &val->run[val->nruns - 1];
		blocks -= le32_to_cpu(run->xr_blocks);
		part = min_t(u32, len - at,
			     le32_to_cpu(run->xr_blocks) * VEXFS_XVALUE_SPACE);
		err = vexfs_xvalue_write_run(t, n, run, from + at, part);
		at += part;
	}
	if (err)
		vexfs_xvalue_free(t, n, val);
	return err;
}

/* First what can fail: the blocks are forgotten once they are free. */
static int vexfs_xvalue_free_run(struct vexfs_trans *t, struct vexfs_node *n,
				 const struct vexfs_xattr_remote *run)
{
	struct vexfs_geom *g = &n->fs->geom;
	u64 bno = le64_to_cpu(run->xr_block);
	u32 blocks = le32_to_cpu(run->xr_blocks), i, clusters;
	int err;

	if (!vexfs_xvalue_run_valid(n->fs, run))
		return vexfs_xvalue_corrupted(n, bno);
	clusters = vexfs_xvalue_clusters(n->fs, blocks);
	err = vexfs_node_free(t, n, vexfs_block_to_cluster(g, bno), clusters);
	if (err)
		return err;
	for (i = 0; i < blocks && !err; i++)
		err = vexfs_trans_forget(t, n->fs, NULL, bno + i);
	return err;
}

int vexfs_xvalue_free(struct vexfs_trans *t, struct vexfs_node *n,
		      const struct vexfs_xattr_value *val)
{
	u32 i;
	int err;

	for (i = 0; i < val->nruns; i++) {
		err = vexfs_xvalue_free_run(t, n, &val->run[i]);
		/* Not to be freed twice: what is left is lost to fsck. */
		if (err)
			return i ? 0 : err;
	}
	return 0;
}
