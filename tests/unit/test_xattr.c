// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes beside a plain model: all sizes, no space, failing reads
 * and memory, damage, deletion in small transactions.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "../../fs/vexfs/libvexfs/xattr.h"
#include "tree_util.h"

#define VOLUME		(64ull << 20)
#define NAMES		40
#define CREDITS		(VEXFS_XATTR_CREDITS)

static struct tu_vol vol;
static struct {
	bool set;
	u32 size;
	u8 seed;
} model[NAMES];
static u8 value[VEXFS_XATTR_MAX_VALUE + 1], got[VEXFS_XATTR_MAX_VALUE + 1];

/* Names of all lengths; the last two are the ACLs, which have none. */
static struct vexfs_xattr_name name_of(u32 i)
{
	static const u8 indexes[] = { VEXFS_XATTR_USER, VEXFS_XATTR_TRUSTED,
				      VEXFS_XATTR_SECURITY };
	static u8 text[VEXFS_NAME_LEN + 1];
	struct vexfs_xattr_name name = { .name = text };

	if (i >= NAMES - 2) {
		name.index = i == NAMES - 1 ? VEXFS_XATTR_ACL_ACCESS :
					      VEXFS_XATTR_ACL_DEFAULT;
		return name;
	}
	name.index = indexes[i % 3];
	name.len = i % 11 ? 1 + i / 3 : VEXFS_NAME_LEN - i / 11;
	memset(text, 'a' + i / 3, sizeof(text));
	return name;
}

static void fill(u8 *p, u32 size, u8 seed)
{
	u32 i;

	for (i = 0; i < size; i++)
		p[i] = (u8)(seed + i * 7 + (i >> 8));
}

static u32 random_size(void)
{
	switch (tu_below(8)) {
	case 0:
		return tu_below(4);
	case 1:
		return VEXFS_XATTR_MAX_VALUE - tu_below(3);
	case 2:
		return tu_below(VEXFS_XATTR_MAX_VALUE + 1);
	case 3:
		return VEXFS_XATTR_MAX_LOCAL - 2 + tu_below(5);
	case 4:
		return VEXFS_XVALUE_SPACE * (1 + tu_below(3)) - 1 + tu_below(3);
	default:
		return tu_below(100);
	}
}

static int do_set(u32 i, const u8 *data, u32 size, unsigned int flags)
{
	const struct vexfs_xattr_name name = name_of(i);
	struct vexfs_trans *t = tu_begin(&vol, CREDITS);
	int err = vexfs_xattr_set(t, &vol.node, &name, data, size, flags);

	tu_end(t);
	return err;
}

static int set(u32 i, u32 size, u8 seed)
{
	int err;

	fill(value, size, seed);
	err = do_set(i, value, size, 0);
	if (err)
		return err;
	model[i].set = true;
	model[i].size = size;
	model[i].seed = seed;
	return 0;
}

static int unset(u32 i)
{
	int err = do_set(i, NULL, 0, VEXFS_XATTR_SET_REPLACE);

	if (!err)
		model[i].set = false;
	return err;
}

static int get(u32 i, size_t size)
{
	const struct vexfs_xattr_name name = name_of(i);

	return vexfs_xattr_get(&vol.node, &name, got, size);
}

static int count_one(void *arg, const struct vexfs_xattr_name *name,
		     u32 value_len)
{
	u32 i, *seen = arg;

	for (i = 0; i < NAMES; i++) {
		struct vexfs_xattr_name n = name_of(i);

		if (n.index == name->index && n.len == name->len &&
		    !memcmp(n.name, name->name, n.len))
			break;
	}
	CHECK(i < NAMES && model[i].set && !seen[i]);
	CHECK(model[i].size == value_len);
	seen[i]++;
	return 0;
}

/* Clusters that the attributes take, by walking them. */
static u64 used_clusters(void)
{
	struct vexfs_xattr_value val;
	struct vexfs_xattr_ent ent;
	const u8 *data = vol.node.xattr_inline;
	u32 used = vol.node.xattr_len, off, i;
	u64 n = 0, bno = vol.node.xattr_block;
	struct vexfs_xattr_block *xb;
	struct vexfs_buf *buf = NULL;

	for (;;) {
		for (off = 0; off < used; off += ent.len) {
			CHECK(!vexfs_xattr_parse(data, used, off, &ent));
			vexfs_xattr_runs(&ent, &val);
			for (i = 0; i < val.nruns; i++)
				n += vexfs_xvalue_clusters(&vol.fs,
						le32_to_cpu(val.run[i].xr_blocks));
		}
		if (buf)
			vexfs_buf_put(buf);
		if (!bno)
			return n;
		buf = vexfs_meta_read(&vol.fs, bno, VEXFS_MAGIC_XATTR, TU_INO,
				      TU_GEN);
		CHECK(!IS_ERR(buf));
		xb = vexfs_buf_data(buf);
		CHECK(!vexfs_verify_meta(&vol.fs, xb, bno, VEXFS_MAGIC_XATTR,
					 TU_INO, TU_GEN));
		data = xb->xb_data;
		used = le32_to_cpu(xb->xb_used);
		bno = le64_to_cpu(xb->xb_next);
		n++;
	}
}

static void compare(void)
{
	u32 i, seen[NAMES] = { 0 };
	u64 used;
	int len;

	CHECK(!vexfs_xattr_list(&vol.node, count_one, seen));
	for (i = 0; i < NAMES; i++) {
		CHECK(seen[i] == model[i].set);
		len = get(i, sizeof(got));
		if (!model[i].set) {
			CHECK(len == -ENODATA);
			continue;
		}
		CHECK(len == model[i].size, "%d", len);
		fill(value, len, model[i].seed);
		CHECK(!memcmp(got, value, len));
		CHECK(get(i, 0) == len);
		CHECK(len < 2 || get(i, len - 1) == -ERANGE);
	}
	used = used_clusters();
	CHECK(vol.node.blocks == used << vol.fs.geom.cluster_shift);
	CHECK(tu_free(&vol) + used + vol.hoarded == vol.free_at_start);
}

static void open_volume(u32 cluster_size)
{
	memset(model, 0, sizeof(model));
	tu_open(&vol, VOLUME, cluster_size);
}

static void test_random(u32 cluster_size)
{
	u32 i, x, n = 1500 * tu_scale(), full = 0;
	int err;

	open_volume(cluster_size);
	for (i = 0; i < n; i++) {
		x = tu_below(NAMES);
		if (tu_below(3)) {
			err = set(x, random_size(), i);
			full += err == -ENOSPC;
			CHECK(!err || err == -ENOSPC, "%d", err);
		} else {
			err = unset(x);
			CHECK(!err == model[x].set || err == -ENODATA || !err);
		}
		if (i % 50 == 0) {
			if (tu_below(2))
				tu_drop(&vol);
			compare();
		}
	}
	compare();
	for (i = 0; i < NAMES; i++)
		CHECK(unset(i) == 0 || !model[i].set);
	compare();
	CHECK(!vol.node.xattr_block && !vol.node.xattr_len);
	tu_close(&vol);
}

static void test_arguments(u32 arg)
{
	struct vexfs_xattr_name name = name_of(1);
	struct vexfs_trans *t;

	open_volume(4096);
	CHECK(do_set(1, value, 10, VEXFS_XATTR_SET_REPLACE) == -ENODATA);
	CHECK(!do_set(1, value, 10, VEXFS_XATTR_SET_CREATE));
	CHECK(do_set(1, value, 10, VEXFS_XATTR_SET_CREATE) == -EEXIST);
	CHECK(!do_set(1, value, 0, VEXFS_XATTR_SET_REPLACE));
	CHECK(get(1, sizeof(got)) == 0);
	CHECK(do_set(1, value, VEXFS_XATTR_MAX_VALUE + 1, 0) == -E2BIG);
	CHECK(!do_set(1, value, VEXFS_XATTR_MAX_VALUE, 0));
	CHECK(get(1, VEXFS_XATTR_MAX_VALUE - 1) == -ERANGE);
	CHECK(!do_set(1, NULL, 0, 0));
	CHECK(get(1, 0) == -ENODATA);
	name.len = VEXFS_NAME_LEN + 1;
	t = tu_begin(&vol, CREDITS);
	CHECK(vexfs_xattr_set(t, &vol.node, &name, value, 1, 0) == -ERANGE);
	tu_end(t);
	compare();
	/* An access ACL of four entries and a file capability stay inline. */
	CHECK(!set(NAMES - 1, 36, 1));
	CHECK(!vol.node.xattr_block);
	tu_close(&vol);
}

/* Many names: the chain has an end, and then there is space no more. */
static void test_full_chain(u32 arg)
{
	struct vexfs_xattr_name name = { .index = VEXFS_XATTR_USER };
	struct vexfs_trans *t;
	char text[16];
	u32 i, n;
	int err = 0;

	open_volume(4096);
	for (i = 0; !err; i++) {
		name.len = snprintf(text, sizeof(text), "n%u", i);
		name.name = (const u8 *)text;
		t = tu_begin(&vol, CREDITS);
		err = vexfs_xattr_set(t, &vol.node, &name, text, name.len, 0);
		tu_end(t);
	}
	n = i - 1;
	CHECK(err == -ENOSPC && n > 2000, "%d after %u", err, n);
	CHECK(used_clusters() == VEXFS_XATTR_BLOCKS);
	for (i = 0; i < n; i++) {
		name.len = snprintf(text, sizeof(text), "n%u", i);
		CHECK(vexfs_xattr_get(&vol.node, &name, got, 16) == name.len);
		CHECK(!memcmp(got, text, name.len));
		t = tu_begin(&vol, CREDITS);
		CHECK(!vexfs_xattr_set(t, &vol.node, &name, NULL, 0, 0));
		tu_end(t);
	}
	compare();
	tu_close(&vol);
}

/* With each number of free clusters: it works or changes nothing. */
static void test_enospc(u32 cluster_size)
{
	u32 i, x, free, size, failed = 0, n = 150 * tu_scale();
	int err;

	open_volume(cluster_size);
	for (i = 0; i < n; i++) {
		x = tu_below(NAMES);
		size = random_size();
		for (free = 0; ; free++) {
			tu_leave_free(&vol, free);
			err = set(x, size, i);
			if (!err || free > 40)
				break;
			CHECK(err == -ENOSPC, "%d", err);
			compare();
			failed++;
		}
		if (i % 4 == 0 && model[x].set)
			CHECK(!unset(x));
	}
	tu_unhoard(&vol);
	compare();
	printf("# %u operations failed\n", failed);
	CHECK(failed > 50);
	tu_close(&vol);
}

static void test_faults(u32 memory)
{
	u32 i, k, x, size, failed = 0, n = 150 * tu_scale();
	int err, *fault;

	open_volume(8192);
	fault = memory ? &kshim_fail_alloc : &vol.dev->fail.read;
	for (i = 0; i < NAMES; i++)
		set(i, random_size() / 4, i);
	for (i = 0; i < n; i++) {
		x = tu_below(NAMES);
		size = random_size() / 4;
		for (k = 1; ; k++) {
			tu_drop(&vol);
			*fault = k;
			err = tu_below(2) || !model[x].set ?
				set(x, size, i) : unset(x);
			if (*fault || !err || err == -ENOSPC)
				break;
			*fault = 0;
			CHECK(err == (memory ? -ENOMEM : -EIO), "%d", err);
			compare();
			failed++;
			CHECK(k < 200);
		}
		*fault = 0;
	}
	compare();
	printf("# %u operations failed\n", failed);
	CHECK(failed > n / 2);
	tu_close(&vol);
}

/* Deletion of everything in transactions that have just enough room. */
static void test_free(u32 cluster_size)
{
	struct vexfs_trans *t;
	u32 i, restarts = 0;
	bool more;

	open_volume(cluster_size);
	for (i = 0; i < NAMES; i++)
		CHECK(!set(i, i % 2 ? 20000 + 1000 * i : 30 * i, i));
	tu_drop(&vol);
	do {
		t = tu_begin(&vol, VEXFS_XATTR_FREE_CREDITS + tu_below(3));
		CHECK(!vexfs_xattr_free(t, &vol.node, &more));
		tu_end(t);
		tu_commit(&vol);
		restarts++;
	} while (more);
	CHECK(restarts > 1);
	memset(model, 0, sizeof(model));
	compare();
	CHECK(!vol.node.xattr_block && !vol.node.xattr_len);
	tu_close(&vol);
}

static int collect_nothing(void *arg, const struct vexfs_xattr_name *name,
			   u32 value_len)
{
	return 0;
}

/* Anything but a crash, a hang or a lost reference. */
static void use_damaged(void)
{
	struct vexfs_trans *t;
	bool more = true;
	u32 i, rounds;

	for (i = 0; i < NAMES; i++)
		CHECK(get(i, sizeof(got)) <= VEXFS_XATTR_MAX_VALUE);
	vexfs_xattr_list(&vol.node, collect_nothing, NULL);
	for (i = 0; i < 12; i++)
		do_set(tu_below(NAMES), tu_below(3) ? value : NULL,
		       tu_below(3000), 0);
	for (rounds = 0; more && rounds < 1000; rounds++) {
		t = tu_begin(&vol, 2 * VEXFS_XATTR_FREE_CREDITS);
		if (vexfs_xattr_free(t, &vol.node, &more))
			more = false;
		tu_end(t);
	}
	CHECK(rounds < 1000);
}

static void test_damage(u32 cluster_size)
{
	u32 i, at, count, n = 300 * tu_scale(), reported = 0;
	struct vexfs_xattr_block *xb;
	struct vexfs_buf *buf;
	struct tu_vol orig;
	u64 bno[32];

	open_volume(cluster_size);
	for (i = 0; i < NAMES; i++)
		CHECK(!set(i, random_size() / 2, i));
	tu_drop(&vol);
	for (count = 0, bno[0] = vol.node.xattr_block; bno[count]; count++) {
		buf = vexfs_buf_read(&vol.fs, bno[count]);
		CHECK(!IS_ERR(buf) && count + 1 < ARRAY_SIZE(bno));
		xb = vexfs_buf_data(buf);
		bno[count + 1] = le64_to_cpu(xb->xb_next);
		vexfs_buf_put(buf);
	}
	CHECK(count > 1);
	orig = vol;
	for (i = 0; i < n; i++) {
		tu_clone(&vol, &orig);
		at = tu_below(count + 1);
		if (at == count)
			vol.node.xattr_inline[tu_below(48)] ^= 1 + tu_below(255);
		else
			tu_damage(&vol, bno[at], i % 4);
		use_damaged();
		reported += vol.dev->corruptions > 0;
		tu_close(&vol);
	}
	printf("# %u of %u damages reported\n", reported, n);
	CHECK(reported > n / 4);
	vol = orig;
	compare();
	tu_close(&vol);
}

/* A block of a value that is another's, old, or changed. */
static void test_damaged_value(u32 arg)
{
	struct vexfs_xattr_value val;
	struct vexfs_xattr_ent ent;
	struct tu_vol orig;
	u32 i;

	open_volume(4096);
	CHECK(!set(2, 50000, 7));
	CHECK(!vexfs_xattr_parse(vol.node.xattr_inline, vol.node.xattr_len, 0,
				 &ent));
	vexfs_xattr_runs(&ent, &val);
	CHECK(val.nruns == 1 && le32_to_cpu(val.run[0].xr_blocks) == 13);
	tu_drop(&vol);
	orig = vol;
	for (i = 0; i < 26; i++) {
		tu_clone(&vol, &orig);
		tu_damage(&vol, le64_to_cpu(val.run[0].xr_block) + i / 2,
			  i % 2);
		/* Behind the end of the value nothing is looked at. */
		CHECK(get(2, sizeof(got)) < 0 || (i == 25));
		CHECK(get(2, 0) == 50000);
		CHECK(!unset(2) || vol.dev->corruptions);
		tu_close(&vol);
	}
	vol = orig;
	model[2].set = true;
	compare();
	tu_close(&vol);
}

int main(void)
{
	tu_plan(15);
	tu_run("random changes", test_random, 4096);
	tu_run("random changes", test_random, 8192);
	tu_run("random changes", test_random, 65536);
	tu_run("arguments", test_arguments, 0);
	tu_run("a full chain", test_full_chain, 0);
	tu_run("no space at each allocation", test_enospc, 4096);
	tu_run("no space at each allocation", test_enospc, 8192);
	tu_run("read errors", test_faults, 0);
	tu_run("no memory", test_faults, 1);
	tu_run("all of it freed", test_free, 4096);
	tu_run("all of it freed", test_free, 65536);
	tu_run("damaged blocks", test_damage, 4096);
	tu_run("damaged blocks", test_damage, 8192);
	tu_run("damaged blocks", test_damage, 65536);
	tu_run("damaged values", test_damaged_value, 0);
	return tu_exit();
}
