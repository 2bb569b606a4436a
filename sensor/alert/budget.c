/* SPDX-License-Identifier: Apache-2.0 */
/* budget.c - see budget.h: token buckets, one an actor and rule, one for all. */
#include "alert/budget.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/table.h"

#define NS_A_SECOND UINT64_C(1000000000)
/* Actors by rules remembered; one that is forgotten begins anew. */
#define ACCOUNTS 16384
/* One machine that forges a whole /24 of other tenants is told of in full, and at once. */
#define OWN_BURST 256
#define OWN_RATE 100
/* A second's worth of what the outbox and a Redis on the same machine take (13,000) is left for
 * updates, closes and first alerts. */
#define SHARED_BURST 4096
#define SHARED_RATE 2000

struct bucket {
	uint64_t filled_ns; /* up to when it has been filled */
	uint32_t left;
};

struct account_key {
	uint32_t actor, rule;
};

struct budget {
	struct table *accounts;
	struct bucket shared;
};

struct budget *budget_new(void)
{
	struct budget *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->shared.left = SHARED_BURST;
	b->accounts = table_new(ACCOUNTS, sizeof(struct account_key), sizeof(struct bucket),
				hash_random_seed());
	if (b->accounts == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

void budget_free(struct budget *b)
{
	if (b == NULL)
		return;
	table_free(b->accounts);
	free(b);
}

static void fill(struct bucket *bucket, uint64_t now_ns, uint64_t rate, uint32_t burst)
{
	uint64_t passed = now_ns > bucket->filled_ns ? now_ns - bucket->filled_ns : 0;
	uint64_t each = NS_A_SECOND / rate;
	uint64_t more = passed / each;

	if (more >= burst - bucket->left) {
		bucket->left = burst;
		bucket->filled_ns = passed > 0 ? now_ns : bucket->filled_ns;
		return;
	}
	bucket->left += (uint32_t)more;
	bucket->filled_ns += more * each;
}

bool budget_take(struct budget *b, uint32_t actor, uint32_t rule, uint64_t now_ns)
{
	const struct account_key key = {.actor = actor, .rule = rule};
	bool fresh;
	struct bucket *own = table_put(b->accounts, &key, &fresh);

	if (fresh)
		*own = (struct bucket){.filled_ns = now_ns, .left = OWN_BURST};
	fill(own, now_ns, OWN_RATE, OWN_BURST);
	fill(&b->shared, now_ns, SHARED_RATE, SHARED_BURST);
	if (own->left == 0)
		return false;
	if (own->left < OWN_BURST) { /* else it is its first one for a while */
		if (b->shared.left == 0)
			return false;
		b->shared.left--;
	}
	own->left--;
	return true;
}

uint64_t budget_forgotten(const struct budget *b)
{
	return table_evicted(b->accounts);
}
