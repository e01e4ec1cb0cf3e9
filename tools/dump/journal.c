// SPDX-License-Identifier: GPL-2.0
/*
 * The journal: its superblock, and the transactions that a replay would write.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"

static void on_block(void *arg, u32 pos, u32 seq, u64 bno, bool good)
{
	out_object(NULL);
	out_text("kind", "block");
	out_num("at", pos);
	out_num("transaction", seq);
	out_num("block", bno);
	out_bool("good", good);
	out_close();
}

static void on_revoke(void *arg, u32 pos, u32 seq, u64 bno)
{
	out_object(NULL);
	out_text("kind", "revoke");
	out_num("at", pos);
	out_num("transaction", seq);
	out_num("block", bno);
	out_close();
}

static void on_commit(void *arg, u32 pos, u32 seq, u64 seconds)
{
	out_object(NULL);
	out_text("kind", "commit");
	out_num("at", pos);
	out_num("transaction", seq);
	out_time("time", seconds);
	out_close();
}

void dump_journal(struct vexfs_fs *fs)
{
	static const struct vj_visitor visitor = {
		.block = on_block, .revoke = on_revoke, .commit = on_commit,
	};
	struct vj_journal j;
	struct vj_replay r;
	const char *why = NULL;

	out_object("journal");
	vj_open(&j, fs->dev, &fs->geom, &why);
	out_num("at_block", vexfs_journal_block(&fs->geom, 0));
	out_num("blocks", j.maxlen);
	out_num("first", j.first);
	out_num("start", j.start);
	out_num("sequence", j.sequence);
	out_signed("errno", j.error);
	out_hex("incompat", j.incompat);
	out_check(why);
	if (!why) {
		out_list("log");
		if (vj_walk(&j, &visitor, NULL, &r))
			dump_fail("the journal can't be read");
		out_close();
		out_num("transactions", r.transactions);
		out_num("next_sequence", r.next_sequence);
		if (r.torn)
			out_text("torn", r.torn);
	}
	out_close();
}
