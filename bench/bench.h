/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The benchmark: data sets, engines that index and search them, and what was
 * measured. Included by C and C++ alike: peers are C++ libraries.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#ifndef _VEXFS_BENCH_H
#define _VEXFS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_K		10u
/* Neighbours kept of each query: as many may be as near as the tenth. */
#define BENCH_TRUTH	64u

/* Numbered as in the ABI. */
enum bench_metric { BENCH_L2 = 1, BENCH_COSINE = 3 };
enum bench_elem { BENCH_F32 = 1, BENCH_U8 = 5 };

struct bench_data {
	const char *name;		/* glove100-cos, syn768-l2, ... */
	const char *file, *query_file;	/* NULL: queries are held out */
	size_t	n, nq, dims;
	enum bench_metric metric;
	enum bench_elem elem;
	/** @base: as floats, n * dims, of length 1 for cosine; so @query */
	float	*base, *query;
	/** @rows: as VexFS is given them: base, or bytes; so @query_rows */
	const void *rows, *query_rows;
	size_t	row_bytes;
	/** @truth: nq * BENCH_TRUTH ids, nearest first; UINT32_MAX: none */
	uint32_t *truth;
};

/* How an index is built. */
struct bench_build {
	unsigned int m, efc;
	unsigned int threads;
	/** @dims: of rows as hnswlib is given them, 0: as they are */
	size_t	dims;
	/** @bulk: all rows are there before indexing begins */
	bool	bulk;
};

/*
 * An engine. open() builds an index over the rows of @d and may be long: it
 * looks at bench_stop. What a thread searches with is made by searcher().
 * search() answers @n queries, from number @first on, with BENCH_K ids each.
 * @param is the engine's knob: ef, nprobe, ...
 */
struct bench_engine {
	const char *name;
	void *(*open)(const struct bench_data *d, const struct bench_build *b);
	void (*close)(void *index);
	/** @memory: bytes of the index in memory, with rows it needs there */
	uint64_t (*memory)(void *index);
	uint64_t (*disk)(void *index);
	void *(*searcher)(void *index);
	void (*searcher_free)(void *searcher);
	void (*search)(void *searcher, size_t first, size_t n,
		       unsigned int param, uint32_t *ids);
	/**
	 * @cell: for an engine in another process: what search.c does itself
	 * otherwise. Searches [first, first + n) over and over for a time;
	 * returns how many a CPU-second.
	 */
	double (*cell)(void *searcher, size_t first, size_t n, size_t batch,
		       unsigned int param, double seconds);
	/** @latency: microseconds of each call */
	int (*latency)(void *searcher, size_t batch, unsigned int param,
		       double *us, size_t n);
	/** @params: values of the knob to try, ends with 0 */
	const unsigned int *params;
};

extern const struct bench_engine bench_vexfs, bench_vexfs_lsh,
	bench_hnswlib, bench_faiss_hnsw, bench_faiss_hnsw_sq, bench_faiss_ivfpq,
	bench_faiss_flat, bench_faiss_lsh, bench_kernel;
extern const unsigned int bench_efs[];

/* Set by SIGINT and SIGTERM: stop soon, keep what was measured. */
extern volatile int bench_stop;

struct bench_options {
	const char *data;		/* folder of the data sets */
	const char *json;		/* where results go */
	const char *cache;		/* folder of ground truths */
	const char *sets, *engines, *parts; /* by name; NULL: all */
	const char *append_dir;		/* folder for durable appends */
	const char *kernel;		/* command that starts the guest */
	const char *simd;
	unsigned int m, efc;
	unsigned int rounds;
	double	seconds;		/* of a cell of a curve */
	size_t	max_rows;
	size_t	append_rows;
	size_t	touch;			/* bytes of memory to begin with */
};

extern struct bench_options bench_opt;

/* main.c */
bool bench_wanted(const char *engine);

/* clock.c */
double bench_now(void);
/* Of this thread, and of the whole process. */
double bench_cpu(void);
double bench_cpu_all(void);
double bench_median(double *v, size_t n);
/* (largest - smallest) / median */
double bench_spread(double *v, size_t n);
/* One line on stderr, with the time. */
void bench_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* memory.c */
/* Once, before there is anything: memory that is there already, and stays. */
void bench_memory_touch(size_t bytes);
/* Bytes that the allocator has handed out. */
uint64_t bench_heap(void);
void *bench_must(void *p);
/* Large and often read, zeroed: on huge pages where there are. */
void *bench_alloc(size_t bytes);
void bench_free(void *p, size_t bytes);

/* data.c */
int bench_data_load(struct bench_data *d);
void bench_data_free(struct bench_data *d);

/* truth.c */
int bench_truth(struct bench_data *d);
/* How many of @ids (BENCH_K of them) belong to the nearest of query @q. */
unsigned int bench_found(const struct bench_data *d, size_t q,
			 const uint32_t *ids);

/* peer_hnswlib.cc: the number of dimensions that suits it */
size_t bench_hnswlib_dims(const struct bench_data *d,
			  const struct bench_build *b);

/* sgemm.c: out[nq][n] = q . x; one thread of OpenBLAS */
void bench_sgemm(const float *q, size_t nq, const float *x, size_t n,
		 size_t dims, float *out);
bool bench_has_blas(void);

/* record.c: a measurement; fields that are 0 are left out. */
struct bench_record {
	const char *engine, *data, *what;
	unsigned int threads, batch, param;
	double	recall, qps, qps_cpu, p50_us, p99_us, p999_us, vectors_per_s;
	double	bytes_per_vector, gb_per_s, spread, ratio;
	const char *note;
};

void bench_record(const struct bench_record *r);
/* Writes all of them to bench_opt.json. */
int bench_write(void);

/* search.c */
struct bench_index {
	const char *name;		/* of the engine, as in the results */
	const struct bench_engine *engine;
	void	*index;
	void	*searcher;
	unsigned int batch;
	/** @peer: index the ratio is taken to, or NULL */
	const struct bench_index *peer;
	struct bench_curve *curve;
};

void bench_search(const struct bench_data *d, struct bench_index *ix,
		  size_t n);
/* Smallest tried value of the knob that gave this recall; 0: none. */
unsigned int bench_param_for(const struct bench_index *ix, double recall);
void bench_index_free(struct bench_index *ix);

/* threads.c */
void bench_threads(const struct bench_data *d, const struct bench_index *ix);
void bench_build_threads(const struct bench_data *d,
			 const struct bench_engine *engine,
			 struct bench_build how);
void bench_beside(const struct bench_data *d);

/* scan.c */
void bench_scan(const struct bench_data *d);

/* append.c */
void bench_append(void);

/* kernel.c: the module in a guest */
int bench_kernel_start(void);
void bench_kernel_stop(void);
/* Microseconds of an ioctl that does nothing. */
void bench_kernel_ioctl(void);
void bench_kernel_fpu(const struct bench_data *d);
void bench_kernel_append(void);

#ifdef __cplusplus
}
#endif

#endif /* _VEXFS_BENCH_H */
