// SPDX-License-Identifier: GPL-2.0
/*
 * FAISS (package libfaiss-dev) as engines of the benchmark. Debian builds it
 * for any x86-64 processor, without AVX: only what goes through BLAS is fast.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include <omp.h>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFPQFastScan.h>
#include <faiss/IndexLSH.h>
#include <faiss/IndexRefine.h>
#include <faiss/IndexScalarQuantizer.h>

#include "bench.h"

namespace {

using faiss::Index;

/* Rows added between two looks at bench_stop. */
const size_t STEP = 5000;

struct index {
	const bench_data *d;
	uint64_t memory;
	/* What is searched is the last; it refers to those before. */
	std::vector<std::unique_ptr<Index>> parts;
	/* Sets the knob, or a null pointer. */
	void (*set)(index *ix, unsigned int param);

	Index *top() { return parts.back().get(); }
};

faiss::MetricType metric(const bench_data *d)
{
	return d->metric == BENCH_L2 ? faiss::METRIC_L2 :
		faiss::METRIC_INNER_PRODUCT;
}

void fill(index *ix, const bench_build *b)
{
	const bench_data *d = ix->d;
	Index *top = ix->top();

	omp_set_num_threads(static_cast<int>(b->threads));
	if (!top->is_trained)
		top->train(static_cast<int64_t>(std::min<size_t>(d->n, 100000)),
			   d->base);
	for (size_t i = 0; i < d->n && !bench_stop; i += STEP)
		top->add(static_cast<int64_t>(std::min(STEP, d->n - i)),
			 d->base + i * d->dims);
	omp_set_num_threads(1);
}

template <typename Make>
void *open_with(const bench_data *d, const bench_build *b, Make make)
{
	uint64_t heap = bench_heap();
	auto *ix = new index;

	ix->d = d;
	ix->set = nullptr;
	make(ix);
	fill(ix, b);
	ix->memory = bench_heap() - heap;
	return ix;
}

void set_ef(index *ix, unsigned int ef)
{
	auto *h = static_cast<faiss::IndexHNSW *>(ix->top());

	h->hnsw.efSearch = static_cast<int>(ef);
}

void *open_hnsw(const bench_data *d, const bench_build *b)
{
	return open_with(d, b, [&](index *ix) {
		auto *h = new faiss::IndexHNSWFlat(static_cast<int>(d->dims),
						   static_cast<int>(b->m),
						   metric(d));

		h->hnsw.efConstruction = static_cast<int>(b->efc);
		ix->parts.emplace_back(h);
		ix->set = set_ef;
	});
}

void *open_hnsw_sq(const bench_data *d, const bench_build *b)
{
	return open_with(d, b, [&](index *ix) {
		auto *h = new faiss::IndexHNSWSQ(static_cast<int>(d->dims),
				faiss::ScalarQuantizer::QT_8bit,
				static_cast<int>(b->m), metric(d));

		h->hnsw.efConstruction = static_cast<int>(b->efc);
		ix->parts.emplace_back(h);
		ix->set = set_ef;
	});
}

void set_nprobe(index *ix, unsigned int nprobe)
{
	static_cast<faiss::IndexIVFPQFastScan *>(ix->parts[1].get())->nprobe =
		nprobe;
}

/* Four dimensions a code of four bits, two where there are few; refined. */
void *open_ivfpq(const bench_data *d, const bench_build *b)
{
	return open_with(d, b, [&](index *ix) {
		size_t lists = 1;

		while (lists * lists * 2 < d->n)
			lists *= 2;
		auto *coarse = new faiss::IndexFlat(
				static_cast<int64_t>(d->dims), metric(d));

		ix->parts.emplace_back(coarse);
		auto *ivf = new faiss::IndexIVFPQFastScan(coarse, d->dims,
				lists, d->dims / (d->dims > 256 ? 4 : 2), 4,
				metric(d));

		ix->parts.emplace_back(ivf);
		auto *refine = new faiss::IndexRefineFlat(ivf);

		refine->k_factor = 20;
		ix->parts.emplace_back(refine);
		ix->set = set_nprobe;
	});
}

void *open_flat(const bench_data *d, const bench_build *b)
{
	return open_with(d, b, [&](index *ix) {
		ix->parts.emplace_back(new faiss::IndexFlat(
				static_cast<int64_t>(d->dims), metric(d)));
	});
}

/* Hashes alone: it does not look at rows again. */
void *open_lsh(const bench_data *d, const bench_build *b)
{
	return open_with(d, b, [&](index *ix) {
		ix->parts.emplace_back(new faiss::IndexLSH(
				static_cast<int64_t>(d->dims), 1024));
	});
}

void close(void *ptr)
{
	auto *ix = static_cast<index *>(ptr);

	while (!ix->parts.empty())
		ix->parts.pop_back();
	delete ix;
}

uint64_t memory(void *ptr)
{
	return static_cast<index *>(ptr)->memory;
}

void *searcher(void *ptr)
{
	return ptr;
}

void searcher_free(void *)
{
}

void search(void *ptr, size_t first, size_t n, unsigned int param,
	    uint32_t *ids)
{
	auto *ix = static_cast<index *>(ptr);
	std::vector<float> dist(n * BENCH_K);
	std::vector<int64_t> got(n * BENCH_K);

	if (ix->set)
		ix->set(ix, param);
	ix->top()->search(static_cast<int64_t>(n),
			  ix->d->query + first * ix->d->dims, BENCH_K,
			  dist.data(), got.data());
	for (size_t i = 0; i < n * BENCH_K; i++)
		ids[i] = got[i] < 0 ? UINT32_MAX :
			static_cast<uint32_t>(got[i]);
}

const unsigned int probes[] = {
	1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 0
};
const unsigned int once[] = { 1, 0 };

} /* namespace */

extern "C" {

#define FAISS_ENGINE(name, open, params)				\
	{ name, open, close, memory, nullptr, searcher, searcher_free,	\
	  search, nullptr, nullptr, params }

const bench_engine bench_faiss_hnsw =
	FAISS_ENGINE("faiss-hnsw", open_hnsw, bench_efs);
const bench_engine bench_faiss_hnsw_sq =
	FAISS_ENGINE("faiss-hnsw-sq", open_hnsw_sq, bench_efs);
const bench_engine bench_faiss_ivfpq =
	FAISS_ENGINE("faiss-ivfpq-fs", open_ivfpq, probes);
const bench_engine bench_faiss_flat =
	FAISS_ENGINE("faiss-flat", open_flat, once);
const bench_engine bench_faiss_lsh =
	FAISS_ENGINE("faiss-lsh", open_lsh, once);

} /* extern "C" */
