/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vexctl: what its files share.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXCTL_H
#define _VEXCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../client/vexfs_client.h"

/* Exit status: 0 done, 1 it failed, 2 the command line is wrong. */
#define EXIT_FAILED	1
#define EXIT_USAGE	2

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct command {
	const char *name;
	const char *args;
	const char *what;
	const char *help;	/* the options, a line each */
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_create, cmd_import, cmd_search, cmd_get,
			    cmd_delete, cmd_info, cmd_list, cmd_wait, cmd_resize;

/* util.c */
__attribute__((format(printf, 1, 2), noreturn))
void fail(const char *fmt, ...);
__attribute__((format(printf, 1, 2), noreturn))
void usage_error(const char *fmt, ...);
void *xmalloc(size_t n, size_t size);
unsigned long long parse_number(const char *what, const char *text,
				unsigned long long min,
				unsigned long long max);
double now(void);
/* Opens the collection and reads its info, or says what is wrong. */
int open_collection(const char *path, int flags, struct vexfs_info *info);
/* Reports that @action failed on @path with -@err, and what to do. */
__attribute__((noreturn))
void fail_call(const char *action, const char *path, int err);
void print_help(const struct command *cmd, FILE *out);

/* progress.c: a bar on a terminal, nothing elsewhere */
struct progress {
	const char *what;
	unsigned long long total;
	double start, last;
	bool on;
};

void progress_start(struct progress *p, const char *what,
		    unsigned long long total);
void progress_update(struct progress *p, unsigned long long done);
void progress_end(struct progress *p);

/* elements.c: element types and floats */
float half_to_float(uint16_t h);
/* @n vectors; @path is what is at fault if a number doesn't fit. */
void elements_pack(const char *path, unsigned int type, const float *in,
		   unsigned int dims, unsigned int n, void *out);
/* One vector. */
void elements_unpack(unsigned int type, const void *in, unsigned int dims,
		     float *out);

/* input.c: vectors from files, converted to f32 */
struct vectors {
	const char *path;
	FILE *file;
	int format;
	int elem;		/* of the file */
	unsigned int dims;	/* 0 until known */
	unsigned long long count;	/* 0: unknown (standard input) */
	unsigned long long line;
	bool bits;		/* a byte of the file is eight dimensions */
	void *raw;
	char *text;
	size_t text_size;
};

/* By its name: .npy, .fvecs, ..., or - for text, a vector a line. */
void vectors_open(struct vectors *v, const char *path);
/*
 * What is read goes with vectors of @type and @dims dimensions (0: as many as
 * the file's): @dims bits may be packed into the file's bytes.
 */
void vectors_expect(struct vectors *v, unsigned int type, unsigned int dims);
/* Up to @max vectors to @out; how many there were, 0 at the end. */
unsigned int vectors_read(struct vectors *v, float *out, unsigned int max);
void vectors_skip(struct vectors *v, unsigned long long n);
void vectors_close(struct vectors *v);

/* names.c: a line a vector, line i belongs to id i */
struct names {
	char *data;
	char **line;
	size_t count;
};

void names_load(struct names *n, const char *path);
void names_free(struct names *n);
const char *names_get(const struct names *n, uint64_t id);
bool names_find(const struct names *n, const char *name, uint64_t *id);

/* json.c */
void json_string(FILE *out, const char *s);
void json_vector(FILE *out, const float *v, unsigned int dims);

#endif /* _VEXCTL_H */
