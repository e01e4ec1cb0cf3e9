// SPDX-License-Identifier: GPL-2.0
/*
 * Mount options.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <linux/seq_file.h>

#include "vexfs.h"

#define VEXFS_MAX_COMMIT_SECS	(24 * 60 * 60)

enum {
	VEXFS_OPT_ERRORS,
	VEXFS_OPT_NORECOVERY,
	VEXFS_OPT_COMMIT,
	VEXFS_OPT_ACL,
	VEXFS_OPT_DISCARD,
	VEXFS_OPT_USRQUOTA,
	VEXFS_OPT_GRPQUOTA,
	VEXFS_OPT_PRJQUOTA,
	VEXFS_OPT_NOQUOTA,
};

static const struct constant_table vexfs_errors_names[] = {
	{ "continue",	VEXFS_ERRORS_CONTINUE },
	{ "remount-ro",	VEXFS_ERRORS_RO },
	{ "panic",	VEXFS_ERRORS_PANIC },
	{ }
};

const struct fs_parameter_spec vexfs_param_specs[] = {
	fsparam_enum("errors", VEXFS_OPT_ERRORS, vexfs_errors_names),
	fsparam_flag("norecovery", VEXFS_OPT_NORECOVERY),
	fsparam_u32("commit", VEXFS_OPT_COMMIT),
	fsparam_flag_no("acl", VEXFS_OPT_ACL),
	fsparam_flag_no("discard", VEXFS_OPT_DISCARD),
	fsparam_flag("usrquota", VEXFS_OPT_USRQUOTA),
	fsparam_flag("quota", VEXFS_OPT_USRQUOTA),
	fsparam_flag("grpquota", VEXFS_OPT_GRPQUOTA),
	fsparam_flag("prjquota", VEXFS_OPT_PRJQUOTA),
	fsparam_flag("noquota", VEXFS_OPT_NOQUOTA),
	{ }
};

const char *vexfs_errors_name(unsigned int errors)
{
	return vexfs_errors_names[errors - VEXFS_ERRORS_CONTINUE].name;
}

int vexfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct vexfs_fs_context *ctx = fc->fs_private;
	struct fs_parse_result result;
	int opt = fs_parse(fc, vexfs_param_specs, param, &result);

	switch (opt) {
	case VEXFS_OPT_ERRORS:
		ctx->errors = result.uint_32;
		return 0;
	case VEXFS_OPT_NORECOVERY:
		ctx->norecovery = true;
		return 0;
	case VEXFS_OPT_COMMIT:
		if (result.uint_32 > VEXFS_MAX_COMMIT_SECS)
			return invalf(fc, "vexfs: commit= is at most %u seconds",
				      VEXFS_MAX_COMMIT_SECS);
		ctx->commit_secs = result.uint_32 ?: JBD2_DEFAULT_MAX_COMMIT_AGE;
		return 0;
	case VEXFS_OPT_ACL:
		if (!result.negated && !IS_ENABLED(CONFIG_FS_POSIX_ACL))
			return invalf(fc, "vexfs: acl: this kernel has no ACLs");
		ctx->acl_given = true;
		ctx->acl = !result.negated;
		return 0;
	case VEXFS_OPT_DISCARD:
		ctx->discard_given = true;
		ctx->discard = !result.negated;
		return 0;
	case VEXFS_OPT_USRQUOTA:
	case VEXFS_OPT_GRPQUOTA:
	case VEXFS_OPT_PRJQUOTA:
		ctx->quota_given = true;
		ctx->quota_limits |= 1 << (USRQUOTA + opt - VEXFS_OPT_USRQUOTA);
		return 0;
	case VEXFS_OPT_NOQUOTA:
		ctx->quota_given = true;
		ctx->quota_limits = 0;
		return 0;
	}
	return opt;
}

int vexfs_show_options(struct seq_file *seq, struct dentry *root)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(root->d_sb);

	seq_printf(seq, ",errors=%s", vexfs_errors_name(sbi->errors));
	if (sbi->commit_secs != JBD2_DEFAULT_MAX_COMMIT_AGE)
		seq_printf(seq, ",commit=%u", sbi->commit_secs);
	if (test_bit(VEXFS_SBF_NORECOVERY, &sbi->flags))
		seq_puts(seq, ",norecovery");
	if (test_bit(VEXFS_SBF_DISCARD, &sbi->flags))
		seq_puts(seq, ",discard");
	if (!(root->d_sb->s_flags & SB_POSIXACL))
		seq_puts(seq, ",noacl");
	if (sbi->quota_limits & (1 << USRQUOTA))
		seq_puts(seq, ",usrquota");
	if (sbi->quota_limits & (1 << GRPQUOTA))
		seq_puts(seq, ",grpquota");
	if (sbi->quota_limits & (1 << PRJQUOTA))
		seq_puts(seq, ",prjquota");
	return 0;
}

/* What was given, and for the rest the superblock and the defaults. */
void vexfs_apply_options(struct super_block *sb,
			 const struct vexfs_fs_context *ctx)
{
	struct vexfs_sb_info *sbi = VEXFS_SB(sb);

	if (ctx->errors)
		sbi->errors = ctx->errors;
	if (ctx->commit_secs)
		sbi->commit_secs = ctx->commit_secs;
	if (ctx->discard_given)
		vexfs_set_discard(sb, ctx->discard);
	if (ctx->quota_given)
		sbi->quota_limits = ctx->quota_limits;
	if (ctx->acl_given && ctx->acl)
		sb->s_flags |= SB_POSIXACL;
	else if (ctx->acl_given)
		sb->s_flags &= ~SB_POSIXACL;
	if (sbi->journal) {
		write_lock(&sbi->journal->j_state_lock);
		sbi->journal->j_commit_interval = sbi->commit_secs * HZ;
		write_unlock(&sbi->journal->j_state_lock);
	}
}
