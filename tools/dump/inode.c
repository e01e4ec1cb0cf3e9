// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes, extent trees, extended attributes.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"

static const struct out_flag inode_flag[] = {
	{ VEXFS_SYNC_FL, "sync" }, { VEXFS_IMMUTABLE_FL, "immutable" },
	{ VEXFS_APPEND_FL, "append" }, { VEXFS_NODUMP_FL, "nodump" },
	{ VEXFS_NOATIME_FL, "noatime" }, { VEXFS_DIRSYNC_FL, "dirsync" },
	{ VEXFS_PROJINHERIT_FL, "projinherit" },
	{ VEXFS_COLLECTION_FL, "collection" }, { VEXFS_FORK_FL, "fork" },
};

static const char *type_name(u16 mode)
{
	static const char * const name[16] = {
		[S_IFREG >> S_DT_SHIFT] = "file",
		[S_IFDIR >> S_DT_SHIFT] = "directory",
		[S_IFLNK >> S_DT_SHIFT] = "symlink",
		[S_IFCHR >> S_DT_SHIFT] = "character device",
		[S_IFBLK >> S_DT_SHIFT] = "block device",
		[S_IFIFO >> S_DT_SHIFT] = "fifo",
		[S_IFSOCK >> S_DT_SHIFT] = "socket",
	};

	return name[(mode & S_IFMT) >> S_DT_SHIFT] ?: "unknown";
}

static void show_mode(u16 mode)
{
	char text[16];

	out_text("type", type_name(mode));
	snprintf(text, sizeof(text), "%04o", mode & 07777);
	out_text("mode", text);
}

void show_inode(struct vexfs_fs *fs, const struct vexfs_inode *di)
{
	u16 mode = le16_to_cpu(di->i_mode);
	struct vexfs_inode copy = *di;

	out_num("number", le64_to_cpu(di->i_ino));
	show_mode(mode);
	out_num("generation", le32_to_cpu(di->i_generation));
	out_num("links", le32_to_cpu(di->i_nlink));
	out_num("uid", le32_to_cpu(di->i_uid));
	out_num("gid", le32_to_cpu(di->i_gid));
	out_num("project", le32_to_cpu(di->i_projid));
	out_flags("flags", le32_to_cpu(di->i_flags), inode_flag,
		  ARRAY_SIZE(inode_flag));
	out_num("size", le64_to_cpu(di->i_size));
	out_num("blocks", le64_to_cpu(di->i_blocks));
	out_signed("atime_ns", (s64)le64_to_cpu(di->i_atime));
	out_signed("mtime_ns", (s64)le64_to_cpu(di->i_mtime));
	out_signed("ctime_ns", (s64)le64_to_cpu(di->i_ctime));
	out_signed("crtime_ns", (s64)le64_to_cpu(di->i_crtime));
	out_num("version", le64_to_cpu(di->i_version));
	out_num("orphan_next", le64_to_cpu(di->i_orphan_next));
	out_num("parent", le64_to_cpu(di->i_parent));
	out_num("xattr_block", le64_to_cpu(di->i_xattr));
	out_num("xattr_inline_bytes", le16_to_cpu(di->i_xattr_len));
	if (S_ISCHR(mode) || S_ISBLK(mode))
		out_hex("rdev", le64_to_cpu(di->i_rdev));
	else
		out_num("collection_block", le64_to_cpu(di->i_coll));
	if (S_ISLNK(mode) && le64_to_cpu(di->i_size) <= VEXFS_FAST_SYMLINK) {
		out_bytes("target", di->i_symlink, le64_to_cpu(di->i_size));
	} else if (dump_has_map(di)) {
		out_num("extent_depth", le16_to_cpu(di->i_root.er_depth));
		out_num("extent_count", le16_to_cpu(di->i_root.er_count));
	}
	out_check(vexfs_verify_inode(fs, &copy, le64_to_cpu(di->i_ino)));
}

void dump_inode(struct vexfs_fs *fs, u64 ino)
{
	struct vexfs_inode di;
	const char *why;

	dump_inode_get(fs, ino, &di);
	out_object("inode");
	show_inode(fs, &di);
	why = vexfs_verify_inode(fs, &di, ino);
	if (why)
		out_text("as_inode", why);
	out_close();
}

void show_extents(const struct vexfs_extent *rec, int count, bool index)
{
	struct vexfs_ext_rec r;
	int i;

	for (i = 0; i < count; i++) {
		vexfs_ext_get(&rec[i], &r);
		out_object(NULL);
		out_num("logical", r.lblk);
		out_num(index ? "node" : "physical", r.pblk);
		if (!index) {
			out_num("length", r.len);
			out_bool("unwritten", r.unwritten);
		}
		out_close();
	}
}

/* Nodes by depth, each as a list of its records. */
static void dump_node(struct vexfs_fs *fs, const struct vexfs_node *n, u64 bno,
		      int depth)
{
	struct vexfs_extent_node node;
	const char *why;
	int i, count;

	if (depth < 0 || !vexfs_block_valid(fs, bno, 1))
		return;
	dump_read(fs, bno, &node);
	why = vexfs_verify_meta(fs, &node, bno, VEXFS_MAGIC_EXTENT, n->ino,
				n->generation);
	out_object(NULL);
	out_num("block", bno);
	out_num("depth", le16_to_cpu(node.en_depth));
	out_check(why);
	count = why ? 0 : le16_to_cpu(node.en_count);
	out_list("records");
	show_extents(node.en_rec, count, node.en_depth);
	out_close();
	out_close();
	for (i = 0; node.en_depth && i < count; i++)
		dump_node(fs, n, le64_to_cpu(node.en_rec[i].ee_pblk),
			  depth - 1);
}

void dump_extents(struct vexfs_fs *fs, u64 ino)
{
	struct vexfs_inode di;
	struct vexfs_node n;
	int i, depth, count;

	dump_node_get(fs, ino, &n, &di);
	if (!dump_has_map(&di))
		dump_fail("inode %llu has no extents", ino);
	depth = le16_to_cpu(n.root.er_depth);
	count = le16_to_cpu(n.root.er_count);
	out_object("extents");
	out_num("inode", ino);
	out_num("depth", depth);
	out_list("root");
	show_extents(n.root.er_rec, count, depth);
	out_close();
	out_list("nodes");
	for (i = 0; depth && i < count; i++)
		dump_node(fs, &n, le64_to_cpu(n.root.er_rec[i].ee_pblk),
			  depth - 1);
	out_close();
	out_close();
}

/* Entries one behind the other, as far as they make sense. */
void show_xattrs(const u8 *data, u32 used)
{
	static const char * const space[] = {
		[1] = "user", [2] = "acl_access", [3] = "acl_default",
		[4] = "trusted", [6] = "security",
	};
	const struct vexfs_xattr_entry *xe;
	u32 at = 0, len;

	while (at + sizeof(*xe) <= used) {
		xe = (const void *)(data + at);
		len = le32_to_cpu(xe->xe_value_len);
		if (xe->xe_name_len > used - at - sizeof(*xe))
			break;
		out_object(NULL);
		out_text("namespace", xe->xe_index < ARRAY_SIZE(space) &&
			 space[xe->xe_index] ? space[xe->xe_index] : "unknown");
		out_bytes("name", xe->xe_data, xe->xe_name_len);
		out_num("value_length", len);
		out_bool("remote", xe->xe_flags &
			 cpu_to_le16(VEXFS_XATTR_REMOTE));
		out_close();
		/* Where a remote value's list of runs ends isn't said. */
		if (xe->xe_flags)
			len = sizeof(struct vexfs_xattr_remote);
		at += round_up((u32)sizeof(*xe) + xe->xe_name_len + len, 4u);
	}
}

void dump_xattrs(struct vexfs_fs *fs, u64 ino)
{
	u8 data[VEXFS_BLOCK_SIZE] __aligned(8);
	const struct vexfs_xattr_block *xb = (const void *)data;
	struct vexfs_inode di;
	u64 bno;
	int n;

	dump_inode_get(fs, ino, &di);
	out_object("xattrs");
	out_num("inode", ino);
	out_list("inline");
	show_xattrs(di.i_xattr_inline, min_t(u32, le16_to_cpu(di.i_xattr_len),
					     VEXFS_INLINE_XATTR));
	out_close();
	out_list("blocks");
	for (bno = le64_to_cpu(di.i_xattr), n = 0; bno && n < 64;
	     bno = le64_to_cpu(xb->xb_next), n++) {
		dump_read(fs, bno, data);
		out_object(NULL);
		out_num("block", bno);
		out_num("used", le32_to_cpu(xb->xb_used));
		out_check(vexfs_verify_meta(fs, data, bno, VEXFS_MAGIC_XATTR,
					    ino, le32_to_cpu(di.i_generation)));
		out_list("entries");
		show_xattrs(xb->xb_data, min_t(u32, le32_to_cpu(xb->xb_used),
					       sizeof(xb->xb_data)));
		out_close();
		out_close();
	}
	out_close();
	out_close();
}
