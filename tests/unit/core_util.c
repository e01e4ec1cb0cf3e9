// SPDX-License-Identifier: GPL-2.0
/*
 * What the tests of the geometry, the allocators and inodes share.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "core_util.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int cu_number;
static const char *cu_name;
static u64 cu_state = 0x853c49e6748fea9bull;

void cu_fail(const char *file, int line, const char *cond)
{
	printf("not ok %d %s\n# %s:%d: %s\n", cu_number, cu_name, file, line,
	       cond);
	fflush(stdout);
	_exit(1);
}

void cu_check_eq(const char *file, int line, const char *what, long long a,
		 long long b)
{
	char text[256];

	if (a == b)
		return;
	snprintf(text, sizeof(text), "%s: %lld, %lld", what, a, b);
	cu_fail(file, line, text);
}

void cu_plan(int tests)
{
	printf("1..%d\n", tests);
}

void cu_run(const char *name, void (*fn)(void))
{
	cu_number++;
	cu_name = name;
	fflush(stdout);
	fn();
	printf("ok %d %s\n", cu_number, name);
}

u64 cu_rand(void)
{
	cu_state ^= cu_state << 13;
	cu_state ^= cu_state >> 7;
	cu_state ^= cu_state << 17;
	return cu_state;
}

u64 cu_below(u64 n)
{
	return cu_rand() % n;
}

bool cu_dies(void (*fn)(void), const char *word)
{
	char text[4096] = "";
	size_t len = 0;
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	CHECK(!pipe(pipes));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		dup2(pipes[1], 2);
		signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	close(pipes[1]);
	while (len < sizeof(text) - 1 &&
	       (n = read(pipes[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
	close(pipes[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	       strstr(text, word);
}

struct vexfs_trans *cu_begin(struct cu_vol *v, int credits)
{
	struct vexfs_trans *t = vexfs_trans_begin(v->dev, credits);

	CHECK(!IS_ERR(t));
	return t;
}

static void cu_write_super(struct cu_vol *v, const struct vexfs_geom *geom)
{
	u8 block[VEXFS_BLOCK_SIZE] = { };
	struct vexfs_super_block *sb = (void *)(block + VEXFS_SUPER_OFFSET);

	vexfs_init_super(sb, geom);
	v->fs.csum_seed = (u32)cu_rand();
	sb->s_csum_seed = cpu_to_le32(v->fs.csum_seed);
	sb->s_checksum = cpu_to_le32(vexfs_super_csum(sb));
	CHECK_EQ(vexfs_dev_write(v->dev, 0, block), 0);
}

static void cu_write_descs(struct cu_vol *v, const struct vexfs_geom *geom)
{
	struct vexfs_group_desc gd[VEXFS_DESC_PER_BLOCK];
	u32 group, at;
	u64 block;

	for (group = 0; group < geom->groups; group++) {
		at = group % VEXFS_DESC_PER_BLOCK;
		if (!at)
			memset(gd, 0, sizeof(gd));
		vexfs_group_desc_init(geom, group, &gd[at]);
		gd[at].bg_checksum =
			cpu_to_le32(vexfs_group_desc_csum(&v->fs, group,
							  &gd[at]));
		if (at < VEXFS_DESC_PER_BLOCK - 1 && group < geom->groups - 1)
			continue;
		block = vexfs_gdt_block(geom, group / VEXFS_DESC_PER_BLOCK);
		CHECK_EQ(vexfs_dev_write(v->dev, block, gd), 0);
	}
}

void cu_open(struct cu_vol *v, const struct vexfs_geom_options *opt)
{
	u8 zeroes[VEXFS_BLOCK_SIZE] = { };
	struct vexfs_geom geom;
	const char *why;

	memset(v, 0, sizeof(*v));
	CHECK_EQ(vexfs_geom_compute(opt, &geom, &why), 0);
	v->dev = vexfs_dev_mem(opt->device_bytes);
	CHECK(!IS_ERR(v->dev));
	v->dev->quiet = true;
	v->fs.dev = v->dev;
	cu_write_super(v, &geom);
	cu_write_descs(v, &geom);
	CHECK_EQ(vexfs_dev_write(v->dev, vexfs_itable_block(&geom, 0), zeroes),
		 0);
	cu_load(v);
}

void cu_load(struct cu_vol *v)
{
	const char *why = NULL;

	CHECK_EQ(vexfs_fs_load(&v->fs, &why), 0);
	v->loaded = true;
}

void cu_unload(struct cu_vol *v)
{
	vexfs_fs_unload(&v->fs);
	v->loaded = false;
	CHECK_EQ(vexfs_dev_referenced(v->dev), 0);
}

void cu_reload(struct cu_vol *v)
{
	CHECK_EQ(vexfs_dev_commit(v->dev), 0);
	cu_unload(v);
	vexfs_dev_drop_cache(v->dev);
	cu_load(v);
}

void cu_close(struct cu_vol *v)
{
	CHECK_EQ(vexfs_dev_commit(v->dev), 0);
	if (v->loaded)
		cu_unload(v);
	CHECK_EQ(vexfs_dev_close(v->dev), 0);
}
