/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every kind of problem that fsck.vexfs knows: its name (for --json and
 * tests), what it says, what the repair is, and whether -p may do it.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_FSCK_PROBLEM_H
#define _VEXFS_FSCK_PROBLEM_H

#define FSCK_SAFE	true
#define FSCK_UNSAFE	false

#define FSCK_PROBLEMS(P)						\
P(SUPER_BAD, UNSAFE, "superblock can't be used", "take the backup")	\
P(SUPER_CSUM, SAFE, "superblock checksum is wrong", "correct it")	\
P(SUPER_FIELD, SAFE, "bad field in the superblock", "reset it")		\
P(SUPER_FEATURE, SAFE, "feature of a collection is not announced",	\
  "announce it")							\
P(SUPER_BACKUP, SAFE, "backup of the superblock is damaged",		\
  "write it again")							\
P(JOURNAL_SUPER, UNSAFE, "journal can't be used", "make an empty one")	\
P(JOURNAL_TORN, SAFE, "journal ends in a damaged transaction",		\
  "leave it out")							\
P(JOURNAL_BLOCK, UNSAFE, "block in the journal is damaged",		\
  "leave it out")							\
P(JOURNAL_ERROR, SAFE, "journal was aborted by an error",		\
  "clear that mark")							\
P(GROUP_CSUM, UNSAFE, "group descriptor is damaged", "make it anew")	\
P(GROUP_FIELD, SAFE, "bad field in a group descriptor", "correct it")	\
P(GROUP_COUNT, SAFE, "bad count in a group descriptor", "correct it")	\
P(BITMAP_CSUM, SAFE, "block bitmap is damaged", "make it anew")		\
P(BITMAP_LOST, SAFE, "blocks marked used belong to nobody",		\
  "mark them free")							\
P(BITMAP_FREE, UNSAFE, "blocks in use are marked free",			\
  "mark them used")							\
P(BITMAP_FIXED, UNSAFE, "metadata or journal is marked free",		\
  "mark it used")							\
P(IBITMAP_CSUM, SAFE, "inode bitmap is damaged", "make it anew")	\
P(IBITMAP_LOST, SAFE, "inodes marked used are not in use",		\
  "mark them free")							\
P(IBITMAP_FREE, UNSAFE, "inodes in use are marked free",		\
  "mark them used")							\
P(IBITMAP_FIXED, UNSAFE, "reserved inodes are marked free",		\
  "mark them used")							\
P(INODE_BAD, UNSAFE, "inode is damaged beyond repair", "clear it")	\
P(INODE_CSUM, UNSAFE, "inode checksum is wrong", "correct it")		\
P(INODE_NUMBER, UNSAFE, "inode has another number", "correct it")	\
P(INODE_FLAGS, UNSAFE, "inode has bad flags", "clear them")		\
P(INODE_SIZE, UNSAFE, "inode size is wrong", "correct it")		\
P(INODE_BLOCKS, SAFE, "inode counts its blocks wrong", "correct it")	\
P(INODE_FIELD, SAFE, "bad field in an inode", "reset it")		\
P(INODE_UNUSED, SAFE, "inode without links is not an orphan",		\
  "clear it")								\
P(INODE_PARENT, UNSAFE, "inode names a bad parent", "correct it")	\
P(INODE_ROOT, UNSAFE, "root directory is missing", "make a new one")	\
P(INODE_RESERVED, UNSAFE, "reserved inode is in use", "clear it")	\
P(SYMLINK, UNSAFE, "target of a symlink is damaged", "clear the inode")	\
P(SYMLINK_CSUM, UNSAFE, "checksum of a symlink's block is wrong",	\
  "correct it")								\
P(MAP_ROOT, UNSAFE, "root of the extent tree is damaged",		\
  "keep the extents that can be read")					\
P(MAP_CSUM, UNSAFE, "checksum of an extent tree node is wrong",		\
  "correct it")								\
P(MAP_ALIEN, UNSAFE, "extent tree points at what is no node of it",	\
  "leave it out")							\
P(MAP_NODE, UNSAFE, "extent tree node is damaged",			\
  "keep the extents that can be read")					\
P(MAP_PLACE, UNSAFE, "extent tree node is in the wrong place",		\
  "make the tree anew")							\
P(MAP_BEHIND, UNSAFE, "written blocks behind the end of a file",	\
  "make the file longer")						\
P(MAP_TAIL, UNSAFE, "blocks that don't belong in such an inode",	\
  "free them")								\
P(OVERLAP, UNSAFE, "blocks belong to another inode, too",		\
  "copy them")								\
P(OVERLAP_CUT, UNSAFE, "blocks belong to another inode, too",		\
  "leave them to it")							\
P(XATTR_INLINE, UNSAFE, "extended attributes in the inode are damaged",	\
  "remove them")							\
P(XATTR_BLOCK, UNSAFE, "block of extended attributes is damaged",	\
  "end the chain before it")						\
P(XATTR_CSUM, UNSAFE,							\
  "checksum of a block of extended attributes is wrong", "correct it")	\
P(XATTR_ENTRY, UNSAFE, "extended attribute is damaged", "remove it")	\
P(XATTR_VALUE, UNSAFE, "value of an extended attribute is damaged",	\
  "remove the attribute")						\
P(ORPHAN_BAD, UNSAFE, "orphan list is damaged", "end it there")		\
P(ORPHAN_STALE, SAFE, "inode looks like an orphan and is none",		\
  "correct it")								\
P(ORPHAN_LEFT, SAFE, "orphan can't be finished",			\
  "leave it to the other passes")					\
P(COLL_HEADER, UNSAFE, "header of a collection is damaged",		\
  "make it an ordinary file of its rows")				\
P(COLL_CSUM, UNSAFE, "checksum of a collection's header is wrong",	\
  "correct it")								\
P(COLL_FORK, UNSAFE, "fork of a collection is damaged",			\
  "make it an ordinary file of its rows")				\
P(COLL_SHORT, UNSAFE, "collection is shorter than its slots",		\
  "make it longer")							\
P(COLL_INDEX, UNSAFE, "index of a collection is damaged",		\
  "drop the index, keep rows and ids")					\
P(COLL_LOG, UNSAFE, "log or checkpoint of a collection is damaged",	\
  "keep what can be read")						\
P(COLL_LOST, UNSAFE, "ids of a collection can't be read",		\
  "make it an ordinary file of its rows")				\
P(COLL_STRAY, UNSAFE, "fork that no collection has", "free it")		\
P(DIR_CSUM, UNSAFE, "checksum of a directory block is wrong",		\
  "correct it")								\
P(DIR_TREE, UNSAFE, "directory tree is damaged",			\
  "make it anew from the names that can be read")			\
P(DIR_HASH, UNSAFE, "name is not where its hash says",			\
  "make the directory anew")						\
P(DIR_DUP, UNSAFE, "name is there twice", "rename the second")		\
P(DIR_INO, UNSAFE, "name of an inode that is not in use",		\
  "remove the name")							\
P(DIR_FORK, UNSAFE, "name of an internal inode", "remove the name")	\
P(DIR_TYPE, SAFE, "name has the wrong type", "correct it")		\
P(DIR_TWICE, UNSAFE, "second name of a directory", "remove the name")	\
P(DIR_PARENT, SAFE, "directory names the wrong parent", "correct it")	\
P(DIR_LOOP, UNSAFE, "directory is below itself",			\
  "move it to lost+found")						\
P(DIR_LOST, UNSAFE, "directory has no name", "move it to lost+found")	\
P(LINKS, SAFE, "link count is wrong", "correct it")			\
P(LINKS_NONE, UNSAFE, "inode has no name", "move it to lost+found")

#define FSCK_KIND_ID(id, safe, what, fix)	FP_##id,
enum fsck_kind {
	FSCK_PROBLEMS(FSCK_KIND_ID)
	FSCK_KINDS
};
#undef FSCK_KIND_ID

struct fsck_kind_info {
	const char *name;
	const char *what;
	const char *fix;
	bool	safe;
};

extern const struct fsck_kind_info fsck_kind_info[FSCK_KINDS];

#endif /* _VEXFS_FSCK_PROBLEM_H */
