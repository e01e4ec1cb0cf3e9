// SPDX-License-Identifier: GPL-2.0
/*
 * Damage: bytes of header, log and checkpoint are changed, with checksums
 * that notice and with checksums made right again. What opens must hold the
 * right data where a checksum vouches for it, and must not crash, hang or ask
 * for absurd amounts of memory in any case.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/vexfs.h>
#include <sys/resource.h>

#include "coll_mem.h"
#include "simd.h"
#include "vtest.h"

#define DIMS	9u

static struct mem_coll m;
static struct mem_model model;
static struct mem_store good;
static u64 rng;
static u32 opened, refused, rebuilt;

static u32 roll(u32 n)
{
	return vt_random(&rng) % n;
}

static void put_range(u32 first, u32 n, unsigned int flags, u32 version)
{
	u64 ids[MEM_IDS];
	u32 i;

	for (i = 0; i < n; i++)
		ids[i] = first + i;
	if (mem_put(&m, &model, ids, n, flags, version))
		abort();
}

static void del_range(u32 first, u32 n)
{
	u64 ids[MEM_IDS];
	u32 i;

	for (i = 0; i < n; i++)
		ids[i] = first + i;
	if (mem_del(&m, &model, ids, n) || mem_commit(&m, 0) || mem_settle(&m))
		abort();
}

/* A checkpoint, with free and dead slots, and some records after it. */
static void setup(u8 index)
{
	struct vexfs_coll_config cfg = {
		.dims = DIMS, .elem = VEXFS_ELEM_F32, .index = index,
		.metric = VEXFS_METRIC_L2, .m = 4, .ef_construction = 16,
		.seed = 11,
	};

	memset(&model, 0, sizeof(model));
	if (mem_create(&m, &cfg, 1 << 16))
		abort();
	put_range(0, 200, 0, 1);
	del_range(10, 30);
	if (mem_commit(&m, 0) || mem_settle(&m))
		abort();
	del_range(50, 30);
	put_range(10, 10, 0, 2);
	if (mem_checkpoint(&m, 0))
		abort();
	put_range(205, 20, 0, 3);
	put_range(150, 20, VEXFS_COLL_UPSERT, 4);
	del_range(100, 10);
	put_range(50, 5, 0, 5);
	if (mem_commit(&m, 0))
		abort();
	mem_close(&m);
	mem_store_init(&good, m.store.cap);
	mem_store_copy(&good, &m.store);
	if (mem_open(&m) || mem_differs(&m, &model))
		abort();
	mem_close(&m);
}

static void teardown(void)
{
	mem_store_free(&good);
	mem_destroy(&m);
}

static void use(void)
{
	struct vexfs_coll_searcher *s = vexfs_coll_searcher_alloc(m.coll);
	struct vexfs_coll_hit hits[8];
	struct vexfs_coll_result res;
	float row[DIMS];
	u64 id = 251;
	u32 i, n;

	/* Errors are fine; this must only come back */
	for (i = 0; s && i < 4; i++) {
		mem_row(&m, roll(200), 1, row);
		vexfs_coll_search(s, row, 8, 8, i & 1, hits, &res);
	}
	vexfs_coll_searcher_free(s);
	vexfs_coll_delete(m.coll, &id, 1, VEXFS_COLL_IGNORE, &n);
	mem_row(&m, 1, 1, row);
	mem_insert(&m, NULL, 1, 0, row, NULL);
	mem_settle(&m);
	mem_commit(&m, 0);
	mem_checkpoint(&m, 0);
	mem_settle(&m);
	mem_commit(&m, 0);
}

/* @intact: if it opens, it holds what it should. */
static int try_open(bool intact)
{
	struct vexfs_coll_stat st;
	double t = vt_seconds();
	int err = mem_open(&m);

	/* The limit set in main() is far above what this takes */
	CHECK(err != -ENOMEM, "asked for too much memory");
	CHECK(err != -EINVAL, "-EINVAL");
	refused += !!err;
	opened += !err;
	if (!err) {
		vexfs_coll_stat(m.coll, &st);
		rebuilt += st.damaged;
		if (intact)
			CHECK(!mem_differs(&m, &model), "wrong data");
		use();
	}
	CHECK(vt_seconds() - t < 5, "took %g s", vt_seconds() - t);
	mem_close(&m);
	return err;
}

static void flip(u8 *bytes, u64 len)
{
	u32 n = 1 + (roll(4) ? 0 : roll(8));
	u64 at;

	while (n--) {
		at = vt_random(&rng) % len;
		switch (roll(4)) {
		case 0:
			bytes[at] ^= 1 << roll(8);
			break;
		case 1:
			bytes[at] = roll(256);
			break;
		case 2:
			bytes[at] = roll(2) ? 0 : 255;
			break;
		default:
			bytes[at] += roll(2) ? 1 : -1;
		}
	}
}

/* The log without a checksum that is right must be refused. */
static void fuzz_log(u32 rounds)
{
	u64 end = le64_to_cpu(good.header.ch_log_end);

	while (rounds--) {
		mem_store_copy(&m.store, &good);
		flip(m.store.data[MEM_LOG], end);
		if (memcmp(m.store.data[MEM_LOG], good.data[MEM_LOG], end))
			CHECK(try_open(false), "damaged log accepted");
	}
}

static void fix_log(void)
{
	u8 *log = m.store.data[MEM_LOG];
	u64 end = le64_to_cpu(good.header.ch_log_end), pos = 0;
	struct vexfs_log_record *lr;
	u32 len;

	/* Where the records were */
	while (pos < end) {
		lr = (void *)(good.data[MEM_LOG] + pos);
		len = le32_to_cpu(lr->lr_len);
		lr = (void *)(log + pos);
		if (roll(4))
			lr->lr_len = cpu_to_le32(len);
		lr->lr_checksum = 0;
		lr->lr_checksum = cpu_to_le32(vexfs_crc32c(m.cfg.csum_seed, lr,
							   len));
		pos += len;
	}
}

static void fuzz_log_fixed(u32 rounds)
{
	u64 pos, end = le64_to_cpu(good.header.ch_log_end);

	while (rounds--) {
		mem_store_copy(&m.store, &good);
		/* Half of the time the head of a record, which matters most */
		pos = 0;
		while (roll(3) && pos < end) {
			struct vexfs_log_record *lr;

			lr = (void *)(good.data[MEM_LOG] + pos);
			pos += le32_to_cpu(lr->lr_len);
		}
		if (pos >= end || roll(2))
			flip(m.store.data[MEM_LOG], end);
		else
			flip(m.store.data[MEM_LOG] + pos, 80);
		fix_log();
		try_open(false);
	}
}

static struct vexfs_ckpt_dir *dir_of(struct mem_store *st)
{
	return (void *)(st->data[MEM_INDEX] +
			le64_to_cpu(good.header.ch_ckpt_off));
}

static void fix_dir(void)
{
	m.store.header.ch_ckpt_csum =
		cpu_to_le32(vexfs_crc32c(m.cfg.csum_seed, dir_of(&m.store),
					 le32_to_cpu(good.header.ch_ckpt_len)));
}

/* A chunk of the section of this number. */
static u8 *chunk_of(u32 sect, u32 *len, struct vexfs_ckpt_chunk **ck)
{
	struct vexfs_ckpt_dir *dir = dir_of(&m.store);
	struct vexfs_ckpt_section *cs = &dir->cd_section[sect];

	*ck = (struct vexfs_ckpt_chunk *)(dir + 1) +
	      le32_to_cpu(cs->cs_first_chunk);
	*len = min_t(u64, le64_to_cpu(cs->cs_bytes), VEXFS_CHUNK_SIZE);
	return m.store.data[MEM_INDEX] +
	       (u64)le32_to_cpu((*ck)->ck_pos) * VEXFS_CHUNK_SIZE;
}

static void fuzz_chunks(u32 rounds, bool fix)
{
	u32 nsect = le32_to_cpu(dir_of(&good)->cd_nsections), sect, len;
	struct vexfs_ckpt_chunk *ck;
	u8 *bytes;
	int err;

	while (rounds--) {
		mem_store_copy(&m.store, &good);
		sect = roll(nsect);
		bytes = chunk_of(sect, &len, &ck);
		if (!len)
			continue;
		flip(bytes, len);
		if (fix) {
			ck->ck_csum = cpu_to_le32(vexfs_crc32c(m.cfg.csum_seed,
							       bytes, len));
			fix_dir();
		}
		/* Ids and flags are believed, if the checksum is right */
		err = try_open(sect >= 2 || !fix);
		if (sect >= 2)
			CHECK(!err, "section %u: %d", sect, err);
	}
}

static void fuzz_dir(u32 rounds, bool fix)
{
	u32 len = le32_to_cpu(good.header.ch_ckpt_len);

	while (rounds--) {
		mem_store_copy(&m.store, &good);
		/* Past the sections that are not used there is little */
		if (roll(3))
			flip((u8 *)dir_of(&m.store), 64 + 5 * 32);
		else
			flip((u8 *)dir_of(&m.store), len);
		if (!memcmp(dir_of(&m.store), dir_of(&good), len))
			continue;
		if (fix)
			fix_dir();
		if (!fix)
			CHECK(try_open(false), "damaged directory accepted");
		else
			try_open(false);
	}
}

static void fuzz_header(u32 rounds)
{
	struct vexfs_coll_header *ch = &m.store.header;
	u8 *from = (u8 *)&ch->ch_version;
	u64 len = offsetof(struct vexfs_coll_header, ch_reserved) -
		  offsetof(struct vexfs_coll_header, ch_version);

	while (rounds--) {
		mem_store_copy(&m.store, &good);
		if (roll(4))
			flip((u8 *)&ch->ch_slots, 80);
		else
			flip(from, len);
		try_open(false);
	}
}

static void run(u8 index, u32 rounds)
{
	char detail[80];
	char name[32];

	setup(index);
	opened = 0;
	refused = 0;
	rebuilt = 0;
	fuzz_header(rounds);
	fuzz_log(rounds);
	fuzz_log_fixed(rounds);
	fuzz_chunks(rounds, false);
	fuzz_chunks(rounds, true);
	fuzz_dir(rounds, false);
	fuzz_dir(rounds, true);
	/* A log cut short, an index fork cut short */
	mem_store_copy(&m.store, &good);
	m.store.len[MEM_LOG] = le64_to_cpu(good.header.ch_log_end) - 8;
	CHECK(try_open(false), "short log accepted");
	mem_store_copy(&m.store, &good);
	m.store.len[MEM_INDEX] = VEXFS_CHUNK_SIZE;
	CHECK(try_open(false), "short index fork accepted");
	/* Untouched it is as before */
	mem_store_copy(&m.store, &good);
	CHECK(!try_open(true), "refused");
	CHECK(opened && refused, "%u opened, %u refused", opened, refused);
	CHECK(index == VEXFS_INDEX_FLAT || rebuilt, "none rebuilt");
	teardown();
	snprintf(detail, sizeof(detail), "# %u opened, %u of them rebuilt, %u refused",
		 opened, rebuilt, refused);
	snprintf(name, sizeof(name), "damage, %s", mem_index_name(index));
	vt_done(name, detail);
}

/* What a crafted record says of itself. */
struct craft {
	const char *name;
	u32	type, count, nruns, slot, len;
	u64	id, next_id;
	int	seq, live, slots, cut;
};

/* Appends it to the good log, and has the header agree with all of it. */
static int try_record(const struct craft *c)
{
	struct vexfs_coll_header *ch = &m.store.header;
	u64 pos = le64_to_cpu(good.header.ch_log_end);
	u64 rec[sizeof(struct vexfs_log_record) / 8 + 2] = { 0 };
	struct vexfs_log_record *lr = (void *)rec;
	u64 *body = rec + sizeof(*lr) / 8;
	u32 len = sizeof(*lr) + 8 * (c->nruns + 1);

	lr->lr_magic = cpu_to_le32(VEXFS_MAGIC_LOG);
	lr->lr_owner = cpu_to_le64(m.cfg.owner);
	lr->lr_seq = cpu_to_le64(le64_to_cpu(ch->ch_log_seq) + c->seq);
	lr->lr_len = cpu_to_le32(len);
	lr->lr_type = cpu_to_le16(c->type);
	lr->lr_count = cpu_to_le32(c->count);
	lr->lr_nruns = cpu_to_le32(c->nruns);
	lr->lr_next_id = cpu_to_le64(c->next_id);
	if (c->nruns)
		*body++ = c->slot | (u64)c->len << 32;
	*body = c->id;
	lr->lr_checksum = cpu_to_le32(vexfs_crc32c(m.cfg.csum_seed, rec, len));
	mem_store_write(&m.store, MEM_LOG, pos, rec, len);
	ch->ch_log_end = cpu_to_le64(pos + len - c->cut);
	le64_add_cpu(&ch->ch_log_seq, 1);
	le64_add_cpu(&ch->ch_live, c->live);
	le64_add_cpu(&ch->ch_slots, c->slots);
	ch->ch_next_id = cpu_to_le64(max(c->next_id,
					 le64_to_cpu(ch->ch_next_id)));
	return try_open(false);
}

/* Records whose checksums are right, and which are wrong all the same. */
static void test_crafted(void)
{
	/* The slot of id 0, and one that isn't there yet */
	u32 taken, next, i;
	float row[DIMS];
	int err;

	setup(VEXFS_INDEX_FLAT);
	next = le64_to_cpu(good.header.ch_slots);
	mem_row(&m, 0, 1, row);
	for (taken = 0; taken < next; taken++)
		if (!memcmp(good.data[MEM_ROWS] + taken * m.cfg.stride, row,
			    sizeof(row)))
			break;
	const struct craft crafted[] = {
		{ "a good one", 1, 1, 1, next, 1, 250, .live = 1, .slots = 1 },
		{ "a good delete", 2, 1, 0, .id = 1, .live = -1 },
		{ "a live slot", 1, 1, 1, taken, 1, 250, .live = 1 },
		{ "a gap", 1, 1, 1, next + 1, 1, 250, .live = 1, .slots = 2 },
		{ "a run too long", 1, 1, 1, next, 2, 250, .live = 1,
		  .slots = 2 },
		{ "an empty run", 1, 1, 1, next, 0, 250, .live = 1,
		  .slots = 1 },
		{ "id ~0", 1, 1, 1, next, 1, U64_MAX, .live = 1, .slots = 1 },
		{ "an unknown id", 2, 1, 0, .id = 251, .live = -1 },
		{ "an unknown type", 3, 1, 0, .id = 1, .live = -1 },
		{ "no vectors", 2, 0, 0, .id = 1 },
		{ "too many vectors", 2, 2, 0, .id = 1, .live = -1 },
		{ "a number left out", 2, 1, 0, .id = 1, .live = -1,
		  .seq = 1 },
		{ "an old number", 2, 1, 0, .id = 1, .live = -1, .seq = -1 },
		{ "an end behind the log's", 2, 1, 0, .id = 1, .live = -1,
		  .cut = 8 },
		{ "a wrong count in the header", 2, 1, 0, .id = 1, .live = 0 },
		{ "slots that nobody has", 2, 1, 0, .id = 1, .live = -1,
		  .slots = 1 },
	};

	for (i = 0; i < ARRAY_SIZE(crafted); i++) {
		mem_store_copy(&m.store, &good);
		err = try_record(crafted + i);
		CHECK(err == (i < 2 ? 0 : -EFSCORRUPTED), "%s: %d",
		      crafted[i].name, err);
	}
	teardown();
	vt_done("crafted records", NULL);
}

/* A checkpoint of 150 million slots, in a fork that is a few MiB long. */
static void test_giant(void)
{
	const u64 slots = 150000000, at = 40ull * VEXFS_CHUNK_SIZE;
	static const u32 size[2] = { 8, 1 };
	struct vexfs_ckpt_chunk *ck;
	struct vexfs_ckpt_dir *dir;
	u32 n = 0, i, len;

	setup(VEXFS_INDEX_FLAT);
	mem_store_copy(&m.store, &good);
	dir = calloc(1, VEXFS_CHUNK_SIZE);
	ck = (void *)(dir + 1);
	*dir = *dir_of(&good);
	dir->cd_slots = cpu_to_le64(slots);
	for (i = 0; i < 2; i++) {
		struct vexfs_ckpt_section *cs = &dir->cd_section[i];

		len = DIV_ROUND_UP(slots * size[i], VEXFS_CHUNK_SIZE);
		cs->cs_bytes = cpu_to_le64(slots * size[i]);
		cs->cs_first_chunk = cpu_to_le32(n);
		cs->cs_nchunks = cpu_to_le32(len);
		for (; len--; n++)
			ck[n].ck_pos = cpu_to_le32(41 + n);
	}
	dir->cd_nchunks = cpu_to_le32(n);
	len = sizeof(*dir) + n * sizeof(*ck);
	mem_store_write(&m.store, MEM_INDEX, at, dir, len);
	m.store.header.ch_slots = cpu_to_le64(slots);
	m.store.header.ch_ckpt_off = cpu_to_le64(at);
	m.store.header.ch_ckpt_len = cpu_to_le32(len);
	m.store.header.ch_ckpt_csum =
		cpu_to_le32(vexfs_crc32c(m.cfg.csum_seed, dir, len));
	CHECK(try_open(false) == -EIO, "accepted");
	free(dir);
	teardown();
	vt_done("more slots than the fork has room for", NULL);
}

int main(int argc, char **argv)
{
	u32 rounds = 300;
#ifdef __SANITIZE_ADDRESS__
	rounds /= 3;
#else
	struct rlimit limit = { 1ul << 30, 1ul << 30 };

	setrlimit(RLIMIT_AS, &limit);
#endif
	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 0);
	rng = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	if (vexfs_simd_init(NULL))
		return 1;
	test_crafted();
	test_giant();
	run(VEXFS_INDEX_FLAT, rounds);
	run(VEXFS_INDEX_HNSW, rounds);
	run(VEXFS_INDEX_LSH, rounds);
	return vt_exit();
}
