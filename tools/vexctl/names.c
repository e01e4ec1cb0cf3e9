// SPDX-License-Identifier: GPL-2.0
/*
 * Names of vectors: a text file whose line i (from 0) names id i.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vexctl.h"

static char *read_whole(const char *path, size_t *size)
{
	struct stat st;
	FILE *f = fopen(path, "r");
	char *data;

	if (!f || fstat(fileno(f), &st))
		fail("cannot open %s: %s", path, strerror(errno));
	data = xmalloc(st.st_size + 1, 1);
	*size = fread(data, 1, st.st_size, f);
	if (ferror(f))
		fail("cannot read %s: %s", path, strerror(errno));
	fclose(f);
	return data;
}

void names_load(struct names *n, const char *path)
{
	size_t size, lines = 1;
	char *p, *end;

	n->data = read_whole(path, &size);
	for (size_t i = 0; i < size; i++)
		lines += n->data[i] == '\n';
	n->line = xmalloc(lines, sizeof(*n->line));
	n->count = 0;
	for (p = n->data; p < n->data + size; p = end + 1) {
		end = strchr(p, '\n');
		if (!end)
			end = n->data + size;
		*end = '\0';
		n->line[n->count++] = p;
	}
}

void names_free(struct names *n)
{
	free(n->line);
	free(n->data);
}

const char *names_get(const struct names *n, uint64_t id)
{
	return id < n->count ? n->line[id] : NULL;
}

bool names_find(const struct names *n, const char *name, uint64_t *id)
{
	for (size_t i = 0; i < n->count; i++)
		if (!strcmp(n->line[i], name)) {
			*id = i;
			return true;
		}
	return false;
}
