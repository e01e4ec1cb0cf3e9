// SPDX-License-Identifier: GPL-2.0
/*
 * Vectors from files: .npy (f2, f4, f8, i1, u1, and V2, which is bf16),
 * .fvecs, .bvecs, .fbin, .u8bin, .i8bin, and text from standard input or a
 * .txt file, a vector a line. All become f32.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vexctl.h"

enum { FORMAT_NPY, FORMAT_VECS, FORMAT_BIN, FORMAT_TEXT };
enum { ELEM_F2, ELEM_F4, ELEM_F8, ELEM_I1, ELEM_U1, ELEM_V2 };

static const size_t elem_bytes[] = { 2, 4, 8, 1, 1, 2 };

static const struct {
	const char *suffix;
	int format;
	int elem;
} kinds[] = {
	{ ".npy", FORMAT_NPY, ELEM_F4 },
	{ ".fvecs", FORMAT_VECS, ELEM_F4 },
	{ ".bvecs", FORMAT_VECS, ELEM_U1 },
	{ ".fbin", FORMAT_BIN, ELEM_F4 },
	{ ".u8bin", FORMAT_BIN, ELEM_U1 },
	{ ".i8bin", FORMAT_BIN, ELEM_I1 },
	{ ".txt", FORMAT_TEXT, ELEM_F4 },
};

#define NPY_HEADER_MAX	65536

static bool has_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n > m && !strcasecmp(path + n - m, suffix);
}

static uint64_t file_size(struct vectors *v)
{
	struct stat st;

	if (fstat(fileno(v->file), &st))
		fail("%s: %s", v->path, strerror(errno));
	return st.st_size;
}

/* The value behind 'key': in the dict that an .npy file starts with. */
static const char *npy_field(const struct vectors *v, const char *header,
			     const char *key)
{
	const char *p = strstr(header, key);

	if (p)
		p = strchr(p + strlen(key), ':');
	if (!p)
		fail("%s: damaged .npy header: %s is missing", v->path, key);
	for (p++; *p == ' '; p++)
		;
	return p;
}

static int npy_elem(const struct vectors *v, const char *descr)
{
	static const char * const names[] = {
		"'<f2'", "'<f4'", "'<f8'", "'|i1'", "'|u1'", "'|V2'",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (!strncmp(descr, names[i], 5))
			return i;
	fail("%s: element type %.5s is not read; save a.astype('<f4')",
	     v->path, descr);
}

static void npy_header(struct vectors *v, const char *header)
{
	unsigned long long rows, columns;
	char end;

	v->elem = npy_elem(v, npy_field(v, header, "'descr'"));
	if (strncmp(npy_field(v, header, "'fortran_order'"), "False", 5))
		fail("%s: the array is in Fortran order; save numpy.ascontiguousarray(a)",
		     v->path);
	if (sscanf(npy_field(v, header, "'shape'"), "(%llu, %llu%c", &rows,
		   &columns, &end) != 3 || end != ')' || !columns ||
	    columns > VEXFS_DIMS_MAX)
		fail("%s: the array must be two-dimensional with 1 to %d columns",
		     v->path, VEXFS_DIMS_MAX);
	v->count = rows;
	v->dims = columns;
}

static void npy_open(struct vectors *v)
{
	unsigned char head[12];
	size_t len, skip;
	char *header;

	if (fread(head, 1, 10, v->file) != 10 ||
	    memcmp(head, "\x93NUMPY", 6))
		fail("%s: not an .npy file", v->path);
	len = head[8] | head[9] << 8;
	skip = 10;
	if (head[6] > 1) {
		if (fread(head + 10, 1, 2, v->file) != 2)
			fail("%s: the file is cut short", v->path);
		len |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
		skip = 12;
	}
	if (len > NPY_HEADER_MAX)
		fail("%s: damaged .npy header", v->path);
	header = xmalloc(len + 1, 1);
	if (fread(header, 1, len, v->file) != len)
		fail("%s: the file is cut short", v->path);
	npy_header(v, header);
	free(header);
	if ((file_size(v) - skip - len) / elem_bytes[v->elem] / v->dims <
	    v->count)
		fail("%s: the file is cut short: %llu vectors are promised",
		     v->path, v->count);
}

static void vecs_open(struct vectors *v)
{
	uint64_t size = file_size(v);
	int32_t dims;
	size_t record;

	if (fread(&dims, 4, 1, v->file) != 1 || dims < 1 ||
	    dims > VEXFS_DIMS_MAX)
		fail("%s: not an %s file: bad dimension", v->path,
		     v->elem == ELEM_F4 ? ".fvecs" : ".bvecs");
	rewind(v->file);
	record = 4 + dims * elem_bytes[v->elem];
	if (size % record)
		fail("%s: the file is cut short: %llu bytes are no multiple of %zu",
		     v->path, (unsigned long long)size, record);
	v->dims = dims;
	v->count = size / record;
}

/* A count and a dimension, then all elements. */
static void bin_open(struct vectors *v)
{
	uint32_t head[2];

	if (fread(head, 4, 2, v->file) != 2 || !head[1] ||
	    head[1] > VEXFS_DIMS_MAX)
		fail("%s: bad dimension", v->path);
	v->count = head[0];
	v->dims = head[1];
	if ((file_size(v) - 8) / (v->dims * elem_bytes[v->elem]) < v->count)
		fail("%s: the file is cut short: %llu vectors are promised",
		     v->path, v->count);
}

void vectors_open(struct vectors *v, const char *path)
{
	size_t i;
	bool pipe = !strcmp(path, "-");

	memset(v, 0, sizeof(*v));
	v->path = pipe ? "standard input" : path;
	v->format = FORMAT_TEXT;
	v->elem = ELEM_F4;
	for (i = 0; !pipe && !has_suffix(path, kinds[i].suffix);)
		if (++i == COUNT(kinds))
			usage_error("%s: not .npy, .txt, .fvecs, .bvecs, .fbin, .u8bin, .i8bin",
				    path);
	if (!pipe) {
		v->format = kinds[i].format;
		v->elem = kinds[i].elem;
	}
	v->file = pipe ? stdin : fopen(path, "r");
	if (!v->file)
		fail("cannot open %s: %s", path, strerror(errno));
	if (v->format == FORMAT_NPY)
		npy_open(v);
	else if (v->format == FORMAT_VECS)
		vecs_open(v);
	else if (v->format == FORMAT_BIN)
		bin_open(v);
}

void vectors_expect(struct vectors *v, unsigned int type, unsigned int dims)
{
	if (!v->dims)
		v->dims = dims;
	if (type != VEXFS_TYPE_B1 || v->elem != ELEM_U1 || !dims ||
	    v->dims == dims || v->dims != (dims + 7) / 8)
		return;
	v->bits = true;
	v->dims = dims;
}

static void convert(const struct vectors *v, const void *raw, float *out,
		    size_t n)
{
	switch (v->elem) {
	case ELEM_F2:
		for (size_t i = 0; i < n; i++)
			out[i] = half_to_float(((const uint16_t *)raw)[i]);
		break;
	case ELEM_F4:
		memcpy(out, raw, n * sizeof(*out));
		break;
	case ELEM_F8:
		for (size_t i = 0; i < n; i++)
			out[i] = (float)((const double *)raw)[i];
		break;
	case ELEM_I1:
		for (size_t i = 0; i < n; i++)
			out[i] = ((const int8_t *)raw)[i];
		break;
	case ELEM_U1:
		for (size_t i = 0; i < n; i++)
			out[i] = v->bits ?
				 ((const uint8_t *)raw)[i / 8] >> i % 8 & 1 :
				 ((const uint8_t *)raw)[i];
		break;
	case ELEM_V2:
		elements_unpack(VEXFS_TYPE_BF16, raw, n, out);
		break;
	}
}

static void read_exactly(struct vectors *v, void *buf, size_t len)
{
	if (fread(buf, 1, len, v->file) == len)
		return;
	if (ferror(v->file))
		fail("cannot read %s: %s", v->path, strerror(errno));
	fail("%s: the file is cut short", v->path);
}

static unsigned int read_binary(struct vectors *v, float *out,
				unsigned int max)
{
	unsigned int columns = v->bits ? (v->dims + 7) / 8 : v->dims;
	size_t bytes = columns * elem_bytes[v->elem];
	unsigned int n = v->count - v->line < max ? v->count - v->line : max;
	int32_t dims;

	if (!v->raw)
		v->raw = xmalloc(bytes, 1);
	for (unsigned int i = 0; i < n; i++) {
		if (v->format == FORMAT_VECS) {
			read_exactly(v, &dims, sizeof(dims));
			if ((unsigned int)dims != columns)
				fail("%s: vector %llu has %d dimensions, the first has %u",
				     v->path, v->line + i, dims, columns);
		}
		read_exactly(v, v->raw, bytes);
		convert(v, v->raw, out + (size_t)i * v->dims, v->dims);
	}
	v->line += n;
	return n;
}

/* Numbers of a line, separated by spaces, tabs, commas or brackets. */
static unsigned int parse_line(struct vectors *v, float *out,
			       unsigned int room)
{
	static const char separators[] = " \t\r\n,;[]()";
	unsigned int n = 0;
	char *p = v->text, *end;

	for (;;) {
		float value;

		p += strspn(p, separators);
		if (!*p)
			return n;
		value = strtof(p, &end);
		if (end == p)
			fail("%s, line %llu: '%.20s' is not a number", v->path,
			     v->line, p);
		if (n >= room)
			fail("%s, line %llu: more than %u numbers", v->path,
			     v->line, room);
		out[n++] = value;
		p = end;
	}
}

static unsigned int read_text(struct vectors *v, float *out, unsigned int max)
{
	unsigned int n = 0, dims;

	while (n < max && getline(&v->text, &v->text_size, v->file) > 0) {
		v->line++;
		dims = parse_line(v, out + (size_t)n * v->dims, v->dims);
		if (!dims)
			continue;
		if (dims != v->dims)
			fail("%s, line %llu: %u numbers, but vectors have %u dimensions",
			     v->path, v->line, dims, v->dims);
		n++;
	}
	if (ferror(v->file))
		fail("cannot read %s: %s", v->path, strerror(errno));
	return n;
}

unsigned int vectors_read(struct vectors *v, float *out, unsigned int max)
{
	if (v->format == FORMAT_TEXT)
		return read_text(v, out, max);
	return read_binary(v, out, max);
}

void vectors_skip(struct vectors *v, unsigned long long n)
{
	float *one = xmalloc(v->dims, sizeof(*one));

	while (n-- && vectors_read(v, one, 1))
		;
	free(one);
}

void vectors_close(struct vectors *v)
{
	if (v->file != stdin)
		fclose(v->file);
	free(v->raw);
	free(v->text);
}
