/* SPDX-License-Identifier: Apache-2.0 */
/* sight.c - the sensor's own sight: counters, VLANs and links of all workers in one. */
#include <string.h>

#include "judge.h"

static unsigned look_at_links(struct sight *s, const struct shared *shared, struct worker *workers,
			      unsigned count)
{
	const struct options *o = shared->options;

	if (!shared->live)
		return 0;
	for (unsigned i = 0; i < o->capture_count; i++)
		s->link[i] = (struct sight_link){
		    .interface = o->capture[i].interface,
		    .state = (enum link_state)atomic_load(&shared->link[i]),
		};
	for (unsigned i = 0; i < count; i++) {
		struct sight_link *link = &s->link[workers[i].capture_index];

		link->frames += stat_get(&workers[i].stats, STAT_FRAMES);
		link->blind |= atomic_load(&workers[i].blind);
	}
	return o->capture_count;
}

void sight_look(struct sight *s, const struct shared *shared, struct worker *workers,
		unsigned count, const struct stats *own, struct event *ev)
{
	s->total = *own;
	memset(s->vlan, 0, sizeof s->vlan);
	for (unsigned i = 0; i < count; i++) {
		stats_sum(&s->total, &workers[i].stats);
		worker_add_vlans(&workers[i], s->vlan);
	}
	ev->u.sight.now = &s->total;
	ev->u.sight.before = &s->before;
	ev->u.sight.vlan = s->vlan;
	ev->u.sight.link = s->link;
	ev->u.sight.link_count = look_at_links(s, shared, workers, count);
}

void sight_looked(struct sight *s)
{
	s->before = s->total;
}
