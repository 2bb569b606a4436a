/* SPDX-License-Identifier: Apache-2.0 */
/* judge_life.c - the judge's beginning and end (judge.h), and what others may ask of it meanwhile.
 */
#include "judge_state.h"

#include <assert.h>
#include <stdlib.h>

#include "detect/hidden.h"

static int open_detectors(struct judge *j, struct err *err)
{
	unsigned count = 0;

	while (detectors[count] != NULL)
		count++;
	assert(count <= DETECTORS_MAX);
	j->shared->wants |= HIDDEN_WANTS;
	j->state = calloc(count + 1, sizeof *j->state);
	if (j->state == NULL)
		return err_set(err, ERR_MEMORY, "no memory for the detectors");
	for (unsigned i = 0; i < count; i++) {
		const struct detector *d = detectors[i];

		j->state[i] = calloc(1, d->state_size > 0 ? d->state_size : 1);
		if (j->state[i] == NULL)
			return err_set(err, ERR_MEMORY, "no memory for detector %s", d->kind);
		if (d->open != NULL &&
		    d->open(j->state[i], j->shared->options, j->shared->seed, err) != 0) {
			(void)err_prefix(err, "detector %s", d->kind);
			return err->code;
		}
		j->shared->wants |= d->wants;
		if (d->flow_soon != NULL) {
			assert(j->fetchers < LISTENERS_MAX);
			j->fetcher[j->fetchers++] = (uint8_t)i;
		}
		for (unsigned kind = 0; kind < EVENT_MAX; kind++)
			if (d->wants & EVENT_BIT(kind)) {
				assert(j->listeners[kind] < LISTENERS_MAX);
				j->listener[kind][j->listeners[kind]++] = (uint8_t)i;
			}
	}
	return 0;
}

static void emit_alert(void *context, const struct alert *alert)
{
	struct judge *j = context;

	if (j->on_alert != NULL)
		j->on_alert(j->context, alert);
	if (j->delivery != NULL)
		delivery_submit(j->delivery, alert);
}

static int open_incidents(struct judge *j, const struct judge_config *config, struct err *err)
{
	const struct options *o = j->shared->options;
	struct incidents_config c = {
	    .capacity = (uint32_t)o->limits.open_alerts,
	    .update_ns = o->windows.update,
	    .close_ns = o->windows.close,
	    .sensor = o->sensor.name,
	    .site = o->sensor.site,
	    .evidence_directory = config->evidence_directory,
	    .evidence_packets = o->evidence.packets,
	    .evidence_snap = o->evidence.snap,
	    .evidence_memory = o->limits.evidence,
	    .evidence_quota = o->evidence.quota,
	    .in_iface = config->in_iface,
	};

	j->incidents = incidents_new(&c, emit_alert, j, &j->stats, err);
	return j->incidents != NULL ? 0 : err->code;
}

int judge_new(struct judge **out, const struct judge_config *config, struct err *err)
{
	struct judge *j = calloc(1, sizeof *j);
	int rc;

	if (j == NULL) {
		rules_free(config->rules);
		return err_set(err, ERR_MEMORY, "no memory for the judge");
	}
	j->shared = config->shared;
	j->rules = config->rules;
	j->delivery = config->delivery;
	j->on_alert = config->on_alert;
	j->context = config->context;
	j->inv = inventory_ref(atomic_load(&config->shared->inventory));
	(void)pthread_mutex_init(&j->lock, NULL);
	(void)pthread_cond_init(&j->more, NULL);
	j->bindings = bindings_new((uint32_t)j->shared->options->limits.bindings, j->shared->seed);
	j->book = meet_new((uint32_t)j->shared->options->limits.tokens, j->shared->seed);
	j->hidden = hidden_new(j->shared->seed);
	if (config->dpi != NULL)
		j->labels =
		    labels_new(config->dpi, j->shared->options->sensor.profile, j->shared->seed);
	rc = j->bindings == NULL || j->book == NULL || j->hidden == NULL ||
		     (config->dpi != NULL && j->labels == NULL)
		 ? err_set(err, ERR_MEMORY, "no memory for bindings, tokens and labels")
		 : 0;
	if (rc == 0)
		rc = open_detectors(j, err);
	if (rc == 0)
		rc = open_incidents(j, config, err);
	if (rc != 0) {
		judge_free(j);
		return rc;
	}
	*out = j;
	return 0;
}

void judge_free(struct judge *j)
{
	if (j == NULL)
		return;
	for (unsigned i = 0; j->state != NULL && detectors[i] != NULL; i++) {
		if (j->state[i] != NULL && detectors[i]->close != NULL && !j->off[i])
			detectors[i]->close(j->state[i]);
		free(j->state[i]);
	}
	free(j->state);
	incidents_free(j->incidents);
	labels_free(j->labels);
	bindings_free(j->bindings);
	meet_free(j->book);
	hidden_free(j->hidden);
	rules_free(j->rules);
	rules_free(atomic_load(&j->new_rules));
	inventory_unref(j->inv);
	inventory_unref(j->previous);
	(void)pthread_mutex_destroy(&j->lock);
	(void)pthread_cond_destroy(&j->more);
	free(j);
}

void judge_attach(struct judge *j, struct worker *workers, unsigned count)
{
	j->workers = workers;
	j->worker_count = count;
}

void judge_attach_delivery(struct judge *j, struct delivery *delivery)
{
	j->delivery = delivery;
}

bool judge_moves(struct judge *j)
{
	uint64_t rounds = atomic_load(&j->rounds);
	bool moves = rounds != j->rounds_seen;

	j->rounds_seen = rounds;
	return moves;
}

void judge_unseen(struct judge *j, uint64_t ms)
{
	stat_set(&j->stats, STAT_UNSEEN_MS, ms);
}

void judge_reload(struct judge *j, struct ruleset *rules)
{
	if (rules != NULL)
		rules_free(atomic_exchange(&j->new_rules, rules));
	judge_wake(j);
}

const struct stats *judge_stats(const struct judge *j)
{
	return &j->stats;
}

const char *judge_rules_revision(struct judge *j)
{
	return rules_revision(j->rules);
}
