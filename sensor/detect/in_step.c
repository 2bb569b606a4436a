/* SPDX-License-Identifier: Apache-2.0 */
/* in_step.c - see in_step.h. */
#include "detect/in_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "bulkhead/clock.h"

#define PAIRS 4096
/* First payloads alone are compared: they come soon. */
#define TOGETHER_NS (60 * NS_PER_SEC)
/* Calls of one library begin alike, and their answers: one pair each way is what chains of services
 * have.  Random bytes are nobody else's. */
#define STEPS 2

struct end { /* of a connection, the relay's other than its port */
	struct ip_addr ip;
	uint16_t port, relay_port;
	uint32_t domain;
};

struct pair_key {
	struct end end[2];
};

struct pair {
	uint64_t since_ns;
	uint64_t said[2][STEPS]; /* by direction: tokens */
	unsigned count[2];
};

struct steps {
	struct table *pairs;
};

struct steps *steps_new(uint64_t seed)
{
	struct steps *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->pairs = table_new(PAIRS, sizeof(struct pair_key), sizeof(struct pair), seed);
	if (s->pairs == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

void steps_free(struct steps *s)
{
	if (s == NULL)
		return;
	table_free(s->pairs);
	free(s);
}

uint64_t steps_evicted(const struct steps *s)
{
	return table_evicted(s->pairs);
}

static void add(struct pair *pair, unsigned way, const struct token *token)
{
	for (unsigned i = 0; i < pair->count[way]; i++)
		if (pair->said[way][i] == token->lo)
			return;
	while (pair->count[way] < STEPS) {
		pair->said[way][pair->count[way]++] = token->lo;
		if (!token->random)
			return;
	}
}

enum steps_verdict steps_note(struct steps *s, const struct token *token,
			      const struct flow_tuple *in, const struct flow_tuple *out,
			      uint64_t ts_ns)
{
	struct end from = {in->src, in->sport, in->dport, in->domain};
	struct end to = {out->dst, out->dport, out->sport, out->domain};
	unsigned way = memcmp(&from, &to, sizeof from) > 0;
	struct pair_key key = {.end = {way ? to : from, way ? from : to}};
	struct pair *pair = table_put(s->pairs, &key, NULL);

	if (pair->since_ns == 0 || ts_ns - pair->since_ns > TOGETHER_NS)
		*pair = (struct pair){.since_ns = ts_ns};
	if (pair->count[0] >= STEPS && pair->count[1] >= STEPS)
		return STEPS_GO_ON;
	add(pair, way, token);
	return pair->count[0] >= STEPS && pair->count[1] >= STEPS ? STEPS_BEGUN : STEPS_APART;
}
