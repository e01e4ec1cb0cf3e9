// SPDX-License-Identifier: GPL-2.0
/*
 * Values with names, as indented text or as JSON.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "dump.h"

#include <time.h>

#define OUT_DEPTH	16

static struct {
	bool	json;
	int	depth;
	struct {
		bool	list;
		bool	any;		/* something is in it */
	} at[OUT_DEPTH];
} out;

static void out_indent(void)
{
	printf("%*s", 2 * (out.depth - !out.json), "");
}

static void out_string(const char *s, size_t len)
{
	size_t i;

	putchar('"');
	for (i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

/* What goes before a value: comma, indentation, its name. */
static void out_name(const char *name)
{
	bool list = out.at[out.depth].list;

	if (out.json) {
		printf("%s\n", out.at[out.depth].any ? "," : "");
		out.at[out.depth].any = true;
		out_indent();
		if (!list) {
			out_string(name, strlen(name));
			printf(": ");
		}
		return;
	}
	out_indent();
	if (name)
		printf("%s: ", name);
}

static void out_open(bool list)
{
	if (++out.depth == OUT_DEPTH)
		dump_fail("output too deep");
	out.at[out.depth].list = list;
	out.at[out.depth].any = false;
}

void out_init(bool json)
{
	out.json = json;
	out.depth = 0;
	if (json)
		putchar('{');
	out_open(false);
}

void out_object(const char *name)
{
	out_name(name);
	if (out.json)
		putchar('{');
	else
		printf("%s\n", name ? "" : "-");
	out_open(false);
}

void out_list(const char *name)
{
	out_name(name);
	printf(out.json ? "[" : "\n");
	out_open(true);
}

void out_close(void)
{
	bool list = out.at[out.depth].list, any = out.at[out.depth].any;

	out.depth--;
	if (!out.json)
		return;
	if (any) {
		putchar('\n');
		out_indent();
	}
	putchar(list ? ']' : '}');
}

void out_end(void)
{
	out_close();
	if (out.json)
		putchar('\n');
	if (fflush(stdout))
		dump_fail("can't write: %s", strerror(errno));
}

static void out_line(void)
{
	if (!out.json)
		putchar('\n');
}

void out_num(const char *name, u64 value)
{
	out_name(name);
	printf("%llu", value);
	out_line();
}

void out_signed(const char *name, s64 value)
{
	out_name(name);
	printf("%lld", value);
	out_line();
}

void out_hex(const char *name, u64 value)
{
	out_name(name);
	printf(out.json ? "\"0x%llx\"" : "0x%llx", value);
	out_line();
}

void out_bool(const char *name, bool value)
{
	out_name(name);
	fputs(value ? "true" : "false", stdout);
	out_line();
}

void out_bytes(const char *name, const u8 *data, size_t len)
{
	out_name(name);
	out_string((const char *)data, strnlen((const char *)data, len));
	out_line();
}

void out_text(const char *name, const char *value)
{
	out_name(name);
	if (out.json)
		out_string(value, strlen(value));
	else
		printf("%s", value);
	out_line();
}

void out_uuid(const char *name, const u8 *u)
{
	char text[40];

	snprintf(text, sizeof(text),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9],
		 u[10], u[11], u[12], u[13], u[14], u[15]);
	out_text(name, text);
}

/* As a number for programs, as a date for people. */
void out_time(const char *name, u64 seconds)
{
	time_t t = (time_t)seconds;
	char text[64];
	struct tm tm;

	if (out.json || !seconds || !gmtime_r(&t, &tm) ||
	    !strftime(text, sizeof(text), "%F %T UTC", &tm))
		out_num(name, seconds);
	else
		out_text(name, text);
}

void out_flags(const char *name, u32 value, const struct out_flag *flag, u32 n)
{
	char text[256];
	u32 i, at = 0;

	text[0] = 0;
	for (i = 0; i < n && at < sizeof(text) - 32; i++)
		if (value & flag[i].bit) {
			at += snprintf(text + at, sizeof(text) - at, "%s%s",
				       at ? " " : "", flag[i].name);
			value &= ~flag[i].bit;
		}
	if (value)
		snprintf(text + at, sizeof(text) - at, "%s0x%x",
			 at ? " " : "", value);
	out_text(name, text[0] ? text : "none");
}

void out_check(const char *why)
{
	out_text("check", why ? why : "good");
}
