// SPDX-License-Identifier: GPL-2.0
/*
 * Products of matrices: OpenBLAS on one thread where it is installed.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "bench.h"

#ifdef HAVE_OPENBLAS

#include <cblas.h>

bool bench_has_blas(void)
{
	return true;
}

void bench_sgemm(const float *q, size_t nq, const float *x, size_t n,
		 size_t dims, float *out)
{
	static bool ready;

	if (!ready)
		openblas_set_num_threads(1);
	ready = true;
	if (nq == 1) {
		cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)n, (int)dims,
			    1.0f, x, (int)dims, q, 1, 0.0f, out, 1);
		return;
	}
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)nq, (int)n,
		    (int)dims, 1.0f, q, (int)dims, x, (int)dims, 0.0f, out,
		    (int)n);
}

#else

bool bench_has_blas(void)
{
	return false;
}

void bench_sgemm(const float *q, size_t nq, const float *x, size_t n,
		 size_t dims, float *out)
{
	size_t i, j, k;

	for (i = 0; i < nq; i++)
		for (j = 0; j < n; j++) {
			float sum = 0;

			for (k = 0; k < dims; k++)
				sum += q[i * dims + k] * x[j * dims + k];
			out[i * n + j] = sum;
		}
}

#endif
