// SPDX-License-Identifier: GPL-2.0
/*
 * JSON output.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "vexctl.h"

void json_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

void json_vector(FILE *out, const float *v, unsigned int dims)
{
	fputc('[', out);
	for (unsigned int i = 0; i < dims; i++)
		fprintf(out, "%s%.9g", i ? ", " : "", v[i]);
	fputc(']', out);
}
