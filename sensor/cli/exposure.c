/* SPDX-License-Identifier: Apache-2.0 */
/* exposure.c - see exposure.h. */
#include "cli/exposure.h"

#include <stdlib.h>
#include <string.h>

static struct exposure_pair *find_pair(struct exposure *exposure, const struct alert *alert)
{
	struct exposure_pair *pair;
	unsigned i;

	for (i = 0; i < exposure->pairs; i++) {
		pair = &exposure->pair[i];
		if (strcmp(pair->actor, alert->actor) == 0 &&
		    strcmp(pair->victim, alert->victim) == 0)
			return pair;
	}
	if (exposure->pairs == EXPOSURE_PAIRS)
		return NULL;
	pair = &exposure->pair[exposure->pairs++];
	memcpy(pair->actor, alert->actor, sizeof pair->actor);
	memcpy(pair->victim, alert->victim, sizeof pair->victim);
	return pair;
}

void exposure_add(struct exposure *exposure, const struct alert *alert)
{
	struct exposure_pair *pair = find_pair(exposure, alert);

	if (pair == NULL) {
		exposure->other_bytes += alert->exposed;
		return;
	}
	pair->bytes += alert->exposed;
	pair->incidents += alert->op == ALERT_OPEN;
}

static int by_bytes(const void *a, const void *b)
{
	const struct exposure_pair *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (strcmp(x->actor, y->actor) != 0)
		return strcmp(x->actor, y->actor);
	return strcmp(x->victim, y->victim);
}

void exposure_sort(struct exposure *exposure)
{
	qsort(exposure->pair, exposure->pairs, sizeof exposure->pair[0], by_bytes);
}
