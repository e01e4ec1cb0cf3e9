// SPDX-License-Identifier: GPL-2.0
/*
 * The database and the collection: what is written when.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <string.h>

#include "model.h"

/* -------------------------------------------------------------- a database */

uint32_t db_record(uint32_t seed, uint32_t t)
{
	return 60 + cm_mix(((uint64_t)seed << 32) + t) % 1500;
}

uint8_t db_log_byte(uint32_t seed, uint64_t pos)
{
	uint64_t word = cm_mix((((uint64_t)seed + 7) << 40) ^ (pos >> 3));

	return (uint8_t)(word >> (8 * (pos & 7))) | 1;
}

unsigned int db_pages(uint32_t seed, uint32_t t, uint16_t page[DB_WRITES])
{
	uint64_t r = cm_mix(((uint64_t)seed << 32) + t * 17ull + 3);
	unsigned int i, j, n = 0, want = 1 + r % DB_WRITES;

	for (i = 0; i < want; i++) {
		r = cm_mix(r + 1);
		for (j = 0; j < n && page[j] != r % DB_PAGES; j++)
			;
		if (j == n)
			page[n++] = r % DB_PAGES;
	}
	return n;
}

void db_page(uint32_t seed, uint32_t t, uint16_t page, uint8_t *buf)
{
	unsigned int i;

	for (i = 0; i < DB_PAGE / CM_SECTOR; i++)
		cm_sector(seed, page + 1, t, i, buf + i * CM_SECTOR);
}

long db_sector(uint32_t seed, uint16_t page, unsigned int sector,
	       const uint8_t *data)
{
	uint8_t want[CM_SECTOR] = { 0 };
	uint64_t word[2];
	uint32_t t;

	memcpy(word, data, sizeof(word));
	t = (uint32_t)word[1];
	if (t)
		cm_sector(seed, page + 1, t, sector, want);
	return memcmp(want, data, CM_SECTOR) ? -1 : (long)t;
}

uint32_t db_conf_len(uint32_t seed, uint32_t version)
{
	return 16 + cm_mix(((uint64_t)seed << 33) + version) % 20000;
}

void db_conf(uint32_t seed, uint32_t version, uint8_t *buf)
{
	uint32_t len = db_conf_len(seed, version), i;

	for (i = 0; i < len; i++)
		buf[i] = db_log_byte(seed + version * 7919, i);
	memcpy(buf, &version, sizeof(version));
}

/* ------------------------------------------------------------ a collection */

char cc_operation(uint32_t op, uint64_t *ids, unsigned int *n)
{
	unsigned int i;

	*n = CC_BATCH;
	switch (op % 5) {
	case 2:
		/* Replaces half of the batch before and adds as many. */
		for (i = 0; i < CC_BATCH; i++)
			ids[i] = (uint64_t)op * CC_BATCH + i - CC_BATCH / 2;
		return 'u';
	case 4:
		/* What is left of two batches, and of one long ago */
		*n = CC_BATCH / 2;
		for (i = 0; i < *n; i++)
			ids[i] = (uint64_t)(op - 4) * CC_BATCH + 2 * i;
		if (op >= 40)
			for (i = 0; i < CC_BATCH / 2; i++)
				ids[(*n)++] = (uint64_t)(op - 39) * CC_BATCH +
					      2 * i + 1;
		return 'd';
	default:
		for (i = 0; i < CC_BATCH; i++)
			ids[i] = (uint64_t)op * CC_BATCH + i;
		return 'i';
	}
}

void cc_vector(float *v, uint32_t seed, uint64_t id, uint32_t op)
{
	uint64_t r = cm_mix(((uint64_t)seed << 40) + id * 1000003 + op);
	unsigned int i;

	for (i = 0; i < CC_DIMS; i++) {
		r = cm_mix(r + i + 1);
		v[i] = (float)((int)(r % 33) - 16);
	}
}

void cc_step(struct cc_model *m, uint32_t op)
{
	uint64_t ids[2 * CC_BATCH];
	unsigned int n, i;
	bool remove = cc_operation(op, ids, &n) == 'd';

	for (i = 0; i < n; i++) {
		m->count += !remove;
		m->count -= !!m->wrote[ids[i]];
		m->wrote[ids[i]] = remove ? 0 : op + 1;
	}
}
