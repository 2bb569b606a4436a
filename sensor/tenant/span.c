/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.c - nested prefixes: what encloses what, in n log n.
 *
 * Sorted by domain, address, then length, a prefix comes right after those that enclose it and
 * before all that it encloses.  So one pass finds each one's nearest encloser by climbing from its
 * predecessor, every step of which is paid for once.
 */
#include <stdlib.h>

#include "tenant/load.h"

int spans_init(struct spans *spans, uint32_t room)
{
	spans->v = calloc((size_t)room + 1, sizeof *spans->v);
	spans->count = 0;
	return spans->v == NULL ? ERR_MEMORY : 0;
}

void spans_free(struct spans *spans)
{
	free(spans->v);
	spans->v = NULL;
	spans->count = 0;
}

static int compare_key(const struct span *a, uint16_t domain, struct ip_key ip, uint8_t length)
{
	if (a->domain != domain)
		return a->domain < domain ? -1 : 1;
	if (a->ip.hi != ip.hi)
		return a->ip.hi < ip.hi ? -1 : 1;
	if (a->ip.lo != ip.lo)
		return a->ip.lo < ip.lo ? -1 : 1;
	return (int)a->length - (int)length;
}

static int compare(const void *left, const void *right)
{
	const struct span *a = left, *b = right;
	int order = compare_key(a, b->domain, b->ip, b->length);

	if (order != 0 || a->id == b->id)
		return order;
	/* Of equal ones the first in the file is to be found first: it comes last. */
	return a->id < b->id ? 1 : -1;
}

bool span_holds(const struct span *span, struct ip_key ip, uint8_t length)
{
	struct ip_key head = ip_key_mask(ip, span->length);

	return span->length <= length && head.hi == span->ip.hi && head.lo == span->ip.lo;
}

void spans_link(struct spans *spans)
{
	if (spans->count > 1)
		qsort(spans->v, spans->count, sizeof *spans->v, compare);
	for (uint32_t i = 0; i < spans->count; i++) {
		struct span *span = &spans->v[i];
		uint32_t at = i == 0 ? SPAN_NONE : i - 1;

		while (at != SPAN_NONE && (spans->v[at].domain != span->domain ||
					   !span_holds(&spans->v[at], span->ip, span->length)))
			at = spans->v[at].parent;
		span->parent = at;
	}
}

uint32_t spans_find(const struct spans *spans, uint16_t domain, struct ip_key ip, uint8_t length)
{
	uint32_t low = 0, high = spans->count, at;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_key(&spans->v[middle], domain, ip, length) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	at = low == 0 ? SPAN_NONE : low - 1;
	while (at != SPAN_NONE &&
	       (spans->v[at].domain != domain || !span_holds(&spans->v[at], ip, length)))
		at = spans->v[at].parent;
	return at;
}
