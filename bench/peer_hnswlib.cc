// SPDX-License-Identifier: GPL-2.0
/*
 * hnswlib (package libhnswlib-dev) as an engine of the benchmark, compiled for
 * this very processor. Its distances take 16 floats at a time only where the
 * dimension is a multiple of 16: rows are padded with zeroes where a trial
 * shows that this is faster.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include <hnswlib/hnswlib.h>

#include "bench.h"

namespace {

const size_t TRIAL_ROWS = 10000;
const unsigned int TRIAL_EF = 100;

struct peer {
	const bench_data *d;
	size_t dims;
	hnswlib::SpaceInterface<float> *space;
	hnswlib::HierarchicalNSW<float> *graph;
	uint64_t memory;
	/* The queries, padded. */
	std::vector<float> query;
};

std::vector<float> padded(const float *v, size_t n, size_t dims, size_t to)
{
	std::vector<float> out(n * to, 0.0f);

	for (size_t i = 0; i < n; i++)
		memcpy(&out[i * to], v + i * dims, dims * sizeof(float));
	return out;
}

/* Rows are padded one by one: the graph keeps its own copy. */
peer *build(const bench_data *d, const bench_build *b, size_t rows,
	     size_t dims)
{
	uint64_t heap = bench_heap();
	auto *ix = new peer;
	std::atomic<size_t> next(0);
	std::vector<std::thread> threads;

	ix->d = d;
	ix->dims = dims;
	if (d->metric == BENCH_L2)
		ix->space = new hnswlib::L2Space(dims);
	else
		ix->space = new hnswlib::InnerProductSpace(dims);
	ix->graph = new hnswlib::HierarchicalNSW<float>(ix->space, rows, b->m,
							b->efc);
	auto work = [&]() {
		std::vector<float> row(dims, 0.0f);

		for (size_t i; (i = next++) < rows && !bench_stop; ) {
			memcpy(row.data(), d->base + i * d->dims,
			       d->dims * sizeof(float));
			ix->graph->addPoint(row.data(), i);
		}
	};
	for (unsigned int t = 1; t < b->threads; t++)
		threads.emplace_back(work);
	work();
	for (auto &t : threads)
		t.join();
	ix->memory = bench_heap() - heap;
	ix->query = padded(d->query, d->nq, d->dims, dims);
	return ix;
}

void close(void *ptr)
{
	auto *ix = static_cast<peer *>(ptr);

	delete ix->graph;
	delete ix->space;
	delete ix;
}

void search(void *ptr, size_t first, size_t n, unsigned int ef, uint32_t *ids)
{
	auto *ix = static_cast<peer *>(ptr);

	ix->graph->setEf(ef);
	for (size_t q = first; q < first + n; q++, ids += BENCH_K) {
		auto found = ix->graph->searchKnn(&ix->query[q * ix->dims],
						  BENCH_K);
		size_t i = found.size();

		for (size_t j = i; j < BENCH_K; j++)
			ids[j] = UINT32_MAX;
		while (!found.empty()) {
			ids[--i] = static_cast<uint32_t>(found.top().second);
			found.pop();
		}
	}
}

/* CPU time of one pass over all queries. */
double pass(peer *ix)
{
	uint32_t ids[BENCH_K];
	double t = bench_cpu();

	for (size_t q = 0; q < ix->d->nq; q++)
		search(ix, q, 1, TRIAL_EF, ids);
	return bench_cpu() - t;
}

} /* namespace */

extern "C" {

/* The dimension that is fastest; how much faster is said. */
size_t bench_hnswlib_dims(const bench_data *d, const bench_build *b)
{
	size_t to = (d->dims + 15) / 16 * 16;
	double plain = 1e9, pad = 1e9;
	peer *as_is, *filled;
	size_t rows;

	if (to == d->dims)
		return to;
	rows = d->n < TRIAL_ROWS ? d->n : TRIAL_ROWS;
	as_is = build(d, b, rows, d->dims);
	filled = build(d, b, rows, to);
	/* In turn, the best of each: others may be using the machine. */
	for (int round = 0; round < 5; round++) {
		plain = std::min(plain, pass(as_is));
		pad = std::min(pad, pass(filled));
	}
	close(as_is);
	close(filled);
	bench_say("%s: hnswlib, %zu rows: %.0f searches/s at %zu dimensions, %.0f/s padded to %zu",
		  d->name, rows,
		  static_cast<double>(d->nq) / plain, d->dims,
		  static_cast<double>(d->nq) / pad, to);
	return pad < plain ? to : d->dims;
}

static void *hnswlib_open(const bench_data *d, const bench_build *b)
{
	return build(d, b, d->n, b->dims ? b->dims : d->dims);
}

static uint64_t hnswlib_memory(void *ptr)
{
	return static_cast<peer *>(ptr)->memory;
}

/* Searches of several threads share the index: only ef is set in it. */
static void *hnswlib_searcher(void *ptr)
{
	return ptr;
}

static void hnswlib_searcher_free(void *)
{
}

const bench_engine bench_hnswlib = {
	"hnswlib", hnswlib_open, close, hnswlib_memory, nullptr,
	hnswlib_searcher, hnswlib_searcher_free, search,
	nullptr, nullptr, bench_efs,
};

} /* extern "C" */
