// SPDX-License-Identifier: GPL-2.0
/*
 * hnswlib (package libhnswlib-dev) behind the C functions that bench_hnsw.c
 * compares with. Inner product serves cosine too: the vectors come normalised.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <cstdint>

#include <hnswlib/hnswlib.h>

#include "peer.h"

struct peer {
	hnswlib::SpaceInterface<float> *space;
	hnswlib::HierarchicalNSW<float> *graph;
};

extern "C" void *peer_build(const float *v, size_t n, size_t dims, int l2,
			    size_t m, size_t efc)
{
	auto *p = new peer;

	if (l2)
		p->space = new hnswlib::L2Space(dims);
	else
		p->space = new hnswlib::InnerProductSpace(dims);
	p->graph = new hnswlib::HierarchicalNSW<float>(p->space, n, m, efc);
	for (size_t i = 0; i < n; i++)
		p->graph->addPoint(v + i * dims, i);
	return p;
}

extern "C" void peer_search(void *ptr, const float *q, size_t k, size_t ef,
			    uint32_t *out)
{
	auto *p = static_cast<peer *>(ptr);

	p->graph->setEf(ef);
	auto found = p->graph->searchKnn(q, k);
	size_t i = found.size();

	while (!found.empty()) {
		out[--i] = static_cast<uint32_t>(found.top().second);
		found.pop();
	}
}

extern "C" void peer_free(void *ptr)
{
	auto *p = static_cast<peer *>(ptr);

	delete p->graph;
	delete p->space;
	delete p;
}
