// SPDX-License-Identifier: GPL-2.0
/*
 * A progress bar with rate and time left, on a terminal only.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include <unistd.h>

#include "vexctl.h"

#define BAR_WIDTH	30
#define REDRAW_SECONDS	0.1

void progress_start(struct progress *p, const char *what,
		    unsigned long long total)
{
	p->what = what;
	p->total = total;
	p->start = now();
	p->last = 0;
	p->on = isatty(STDERR_FILENO);
}

static void draw(const struct progress *p, unsigned long long done)
{
	double t = now() - p->start;
	double rate = t > 0 ? done / t : 0;
	int filled = 0;

	if (!p->total) {
		fprintf(stderr, "\r%s %llu  %.0f/s ", p->what, done, rate);
		return;
	}
	if (done > p->total)
		done = p->total;
	filled = (int)(BAR_WIDTH * done / p->total);
	fprintf(stderr, "\r%s [%.*s%*s] %3llu%%  %llu/%llu  %.0f/s", p->what,
		filled, "##############################", BAR_WIDTH - filled,
		"", 100 * done / p->total, done, p->total, rate);
	if (rate > 0 && done < p->total)
		fprintf(stderr, "  %.0f s left ", (p->total - done) / rate);
	fputs("\033[K", stderr);
}

void progress_update(struct progress *p, unsigned long long done)
{
	double t;

	if (!p->on)
		return;
	t = now();
	if (t - p->last < REDRAW_SECONDS && done != p->total)
		return;
	p->last = t;
	draw(p, done);
}

void progress_end(struct progress *p)
{
	if (p->on)
		fputc('\n', stderr);
	p->on = false;
}
