/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incident.c - the open incidents and when they are told.
 *
 *	        first verdict               graver, or news once a window
 *	(none) ---------------> open  <----------------------------------+
 *	                         |  ------------------ update -----------+
 *	                         |
 *	                         +-- quiet for windows.close ---> close "quiet"
 *	                         +-- the SOC closed it ---------> close "closed by the SOC"
 *	                         +-- the table was full --------> close "evicted"
 *	                         +-- incidents_finish() --------> close, the caller's reason
 *
 * An actor that opens too many (budget.h) is told of later: until then its incident is held.
 *
 * invariants:
 *  1. an incident is in by_key (which is also the order of use, longest untouched first) and in
 *     by_open from its open to its close, and in by_told while an update may become due;
 *  2. by_told is in the order of told_ns, so the first one is the first to be due;
 *  3. seq counts what was handed to emit: 1, 2, 3 ... without a gap; the first is an open, only
 *     the last is a close;
 *  4. the sum of `exposed` over an incident's state changes is its bytes.
 *
 * A suppressed group is tracked as any other and told when it closes, if it was ever told; what is
 * held back counts in STAT_ALERTS_SUPPRESSED.  A suppression names an alert's group, so that a new
 * episode of the same story is silent too until the time the SOC gave.
 */
#include "alert/incident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/budget.h"
#include "base/hash.h"
#include "base/table.h"

/* Groups the SOC may have suppressed at a time; beyond it the one used longest ago speaks again. */
#define SUPPRESSIONS_MAX 4096

TAILQ_HEAD(incident_list, incident);

struct incidents {
	uint64_t update_ns, close_ns;
	alert_emit *emit;
	void *context;
	struct stats *stats;
	struct evidence *evidence;
	struct document_config config;

	struct incident *pool;
	uint32_t capacity;
	uint32_t fresh; /* pool entries from here on were never used */
	struct incident_list unused;
	struct table *by_key;	  /* incident_key -> struct incident * */
	struct table *suppressed; /* incident_key -> uint64_t until, 0: for good */
	struct incident_list by_open, by_told, by_held;
	struct budget *budget;
	uint64_t forgotten; /* of the budget's accounts, as counted last */
	uint64_t relived;   /* incidents that closed at the very time they opened */

	struct alert alert;
	char json[ALERT_JSON_SIZE];
};

struct incidents *incidents_new(const struct incidents_config *config, alert_emit *emit,
				void *context, struct stats *stats, struct err *err)
{
	struct incidents *in = calloc(1, sizeof *in);

	if (in == NULL)
		goto memory;
	in->capacity = config->capacity > 0 ? config->capacity : 1;
	in->update_ns = config->update_ns;
	in->close_ns = config->close_ns;
	in->emit = emit;
	in->context = context;
	in->stats = stats;
	text_copy(in->config.sensor, sizeof in->config.sensor, config->sensor);
	text_copy(in->config.site, sizeof in->config.site, config->site);
	text_copy(in->config.in_iface, sizeof in->config.in_iface, config->in_iface);
	TAILQ_INIT(&in->unused);
	TAILQ_INIT(&in->by_open);
	TAILQ_INIT(&in->by_told);
	TAILQ_INIT(&in->by_held);
	in->budget = budget_new();
	in->pool = calloc(in->capacity, sizeof *in->pool);
	in->by_key = table_new(in->capacity, sizeof(struct incident_key), sizeof(struct incident *),
			       hash_random_seed());
	in->suppressed = table_new(SUPPRESSIONS_MAX, sizeof(struct incident_key), sizeof(uint64_t),
				   hash_random_seed());
	if (in->pool == NULL || in->by_key == NULL || in->suppressed == NULL || in->budget == NULL)
		goto memory;
	in->evidence = evidence_new(config, stats, err);
	if (in->evidence == NULL)
		goto fail;
	return in;
memory:
	(void)err_set(err, ERR_MEMORY, "limits.open_alerts: no memory for %u alerts",
		      config->capacity);
fail:
	incidents_free(in);
	return NULL;
}

void incidents_free(struct incidents *in)
{
	if (in == NULL)
		return;
	evidence_free(in->evidence);
	budget_free(in->budget);
	table_free(in->by_key);
	table_free(in->suppressed);
	free(in->pool);
	free(in);
}

uint32_t incidents_open(const struct incidents *in)
{
	return table_used(in->by_key);
}

/* Time since then; 0 when the clock went back. */
static uint64_t elapsed(uint64_t since, uint64_t now)
{
	return now > since ? now - since : 0;
}

static bool is_suppressed(struct incidents *in, const struct incident_key *key, uint64_t now_ns)
{
	uint64_t *until = table_find(in->suppressed, key);

	if (until == NULL)
		return false;
	if (*until != 0 && now_ns >= *until) {
		table_remove(in->suppressed, until);
		return false;
	}
	table_touch(in->suppressed, until);
	return true;
}

/* ---- telling ------------------------------------------------------------------------------ */

static void wait_for_news(struct incidents *in, struct incident *i)
{
	if (i->waiting)
		TAILQ_REMOVE(&in->by_told, i, by_told);
	TAILQ_INSERT_TAIL(&in->by_told, i, by_told);
	i->waiting = true;
}

static void stop_waiting(struct incidents *in, struct incident *i)
{
	if (i->waiting)
		TAILQ_REMOVE(&in->by_told, i, by_told);
	i->waiting = false;
}

static void hand_out(struct incidents *in, struct incident *i, enum alert_op op, uint64_t now_ns,
		     const char *reason)
{
	static const enum stat counters[] = {STAT_ALERTS_OPENED, STAT_ALERTS_UPDATED,
					     STAT_ALERTS_CLOSED};

	i->seq++;
	stat_add(in->stats, counters[op], 1);
	alert_fill(&in->alert, in->json, i, &in->config, op, now_ns, reason);
	i->exposed = 0;
	in->emit(in->context, &in->alert);
}

/* Tells what is new about an open incident: as its open, if nobody was told of it yet. */
static void tell(struct incidents *in, struct incident *i, uint64_t now_ns)
{
	evidence_flush(in->evidence, &i->evidence);
	i->told_ns = now_ns;
	i->pending = false;
	wait_for_news(in, i);
	if (is_suppressed(in, &i->key, now_ns)) {
		stat_add(in->stats, STAT_ALERTS_SUPPRESSED, 1);
		return;
	}
	hand_out(in, i, i->seq == 0 ? ALERT_OPEN : ALERT_UPDATE, now_ns, NULL);
}

static void hold(struct incidents *in, struct incident *i)
{
	i->held = true;
	TAILQ_INSERT_TAIL(&in->by_held, i, by_held);
	stat_add(in->stats, STAT_ALERTS_HELD, 1);
}

static void let_go(struct incidents *in, struct incident *i)
{
	if (i->held)
		TAILQ_REMOVE(&in->by_held, i, by_held);
	i->held = false;
}

static void close_incident(struct incidents *in, struct incident *i, uint64_t now_ns,
			   const char *reason)
{
	evidence_flush(in->evidence, &i->evidence);
	if (i->seq > 0)
		hand_out(in, i, ALERT_CLOSE, now_ns, reason);
	evidence_end(in->evidence, &i->evidence);
	let_go(in, i);
	/* Were its group to open again in the same nanosecond, the ids would be equal. */
	if (now_ns <= i->first_ns)
		in->relived++;
	stop_waiting(in, i);
	TAILQ_REMOVE(&in->by_open, i, by_open);
	table_remove(in->by_key, table_find(in->by_key, &i->key));
	TAILQ_INSERT_HEAD(&in->unused, i, by_open);
}

/* ---- opening ------------------------------------------------------------------------------ */

static size_t put_be64(uint8_t *out, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
	return 8;
}

/* 32 hex digits over rule, group, sensor and the episode's start. */
static void make_id(const struct incidents *in, struct incident *i)
{
	uint8_t text[sizeof i->rule.id + ALERT_NAME_SIZE + 4 * 8];
	struct hash128 h;
	size_t len = 0;

	memcpy(text, i->rule.id, sizeof i->rule.id);
	len += sizeof i->rule.id;
	len += put_be64(text + len, i->key.group_hi);
	len += put_be64(text + len, i->key.group_lo);
	len += put_be64(text + len, i->first_ns);
	len += put_be64(text + len, in->relived);
	memcpy(text + len, in->config.sensor, ALERT_NAME_SIZE);
	len += ALERT_NAME_SIZE;
	h = hash128_plain(text, len);
	(void)snprintf(i->id, sizeof i->id, "%016llx%016llx", (unsigned long long)h.hi,
		       (unsigned long long)h.lo);
}

/* A free entry.  When there is none, one that is held makes room, else the one untouched longest:
 * who opens too many pushes out his own. */
static struct incident *take(struct incidents *in, uint64_t now_ns)
{
	struct incident *i;

	if (table_used(in->by_key) == in->capacity) {
		i = TAILQ_FIRST(&in->by_held);
		if (i == NULL)
			i = *(struct incident **)table_oldest(in->by_key);
		stat_add(in->stats, STAT_ALERTS_EVICTED, 1);
		close_incident(in, i, now_ns, "evicted");
	}
	i = TAILQ_FIRST(&in->unused);
	if (i != NULL)
		TAILQ_REMOVE(&in->unused, i, by_open);
	else
		i = &in->pool[in->fresh++];
	memset(i, 0, sizeof *i);
	return i;
}

static struct incident *open_incident(struct incidents *in, const struct incident_key *key,
				      const struct finding *finding, const struct verdict *verdict)
{
	struct incident *i = take(in, finding->ts_ns);
	struct incident **entry;

	i->key = *key;
	rule_copy(&i->rule, verdict->rule);
	i->severity = verdict->severity;
	i->confidence = finding->confidence;
	i->attribution = finding->attribution;
	i->first_ns = i->last_ns = finding->ts_ns;
	i->actor = finding->actor.tenant_id;
	make_id(in, i);
	evidence_begin(in->evidence, &i->evidence, i->id, i->facts.message,
		       i->rule.evidence_packets);
	entry = table_put(in->by_key, key, NULL);
	*entry = i;
	TAILQ_INSERT_TAIL(&in->by_open, i, by_open);
	return i;
}

/* ---- raising ------------------------------------------------------------------------------ */

/* Which side of the actor a frame was seen on, by its MACs. */
static const char *leg_of(const struct finding *finding, const struct finding_frame *frame)
{
	if (!finding->actor.has_mac || frame->linktype != LINK_ETHERNET || frame->caplen < 12)
		return NULL;
	if (memcmp(frame->data, finding->actor.mac.b, 6) == 0)
		return "in-leg: delivered to the actor";
	if (memcmp(frame->data + 6, finding->actor.mac.b, 6) == 0)
		return "out-leg: sent by the actor";
	return NULL;
}

static void keep_frames(struct incidents *in, struct incident *i, const struct finding *finding)
{
	unsigned count =
	    finding->frame_count < FINDING_FRAMES ? finding->frame_count : FINDING_FRAMES;

	for (unsigned n = 0; n < count; n++) {
		const struct finding_frame *frame = &finding->frame[n];

		if (frame->number == 0) /* the sensor's own sight has no frame */
			continue;
		if (frame_note(i, frame->number) && frame->data != NULL && !i->held)
			evidence_keep(in->evidence, &i->evidence, frame, leg_of(finding, frame));
	}
}

/* Takes from a further finding what makes the incident graver or better known; true when
 * something does. */
static bool escalate(struct incident *i, const struct finding *finding,
		     const struct verdict *verdict, const char *inventory_rev, const char *segment)
{
	bool weaker = finding->confidence < i->confidence || finding->attribution < i->attribution;
	bool app_new = app_known(&finding->app) && !app_known(&i->facts.app);
	bool rises = verdict->severity > i->severity || finding->confidence > i->confidence ||
		     finding->attribution > i->attribution;
	bool same_flow =
	    finding->has_flow && i->facts.has_flow && finding->flow_id == i->facts.flow_id;

	/* The document stays that of one finding: a stronger one replaces it whole, unless the
	 * application would be forgotten. */
	if ((rises || app_new) && !weaker &&
	    (app_known(&finding->app) || !app_known(&i->facts.app)))
		facts_set(&i->facts, finding, verdict, inventory_rev, segment);
	else if (app_new && same_flow)
		i->facts.app = finding->app;
	else
		app_new = false;
	if (verdict->severity > i->severity)
		i->severity = verdict->severity;
	if (finding->confidence > i->confidence)
		i->confidence = finding->confidence;
	if (finding->attribution > i->attribution)
		i->attribution = finding->attribution;
	return rises || app_new;
}

void incidents_raise(struct incidents *in, const struct finding *finding,
		     const struct verdict *verdict, const char *inventory_rev,
		     const char *segment_name)
{
	const struct incident_key key = {.group_lo = verdict->group_lo,
					 .group_hi = verdict->group_hi,
					 .rule = verdict->rule->number};
	struct incident **entry = table_find(in->by_key, &key);
	struct incident *i;
	bool news = true;

	if (entry == NULL) {
		i = open_incident(in, &key, finding, verdict);
		facts_set(&i->facts, finding, verdict, inventory_rev, segment_name);
		if (!budget_take(in->budget, i->actor, i->rule.number, i->first_ns))
			hold(in, i);
	} else {
		i = *entry;
		table_touch(in->by_key, entry);
		news = escalate(i, finding, verdict, inventory_rev, segment_name);
		if (finding->ts_ns > i->last_ns)
			i->last_ns = finding->ts_ns;
	}
	i->count += finding->count;
	i->bytes += finding->bytes;
	i->exposed += finding->bytes;
	i->pending = true;
	keep_frames(in, i, finding);
	if (i->held)
		return;
	if (news || elapsed(i->told_ns, finding->ts_ns) >= in->update_ns)
		tell(in, i, finding->ts_ns);
	else if (!i->waiting)
		wait_for_news(in, i);
}

/* ---- time --------------------------------------------------------------------------------- */

/* Those whose actors may be told of again, in the order they opened. */
static void tell_held(struct incidents *in, uint64_t now_ns)
{
	struct incident *i = TAILQ_FIRST(&in->by_held);

	while (i != NULL) {
		struct incident *next = TAILQ_NEXT(i, by_held);

		if (budget_take(in->budget, i->actor, i->rule.number, now_ns)) {
			let_go(in, i);
			tell(in, i, now_ns);
		}
		i = next;
	}
}

void incidents_tick(struct incidents *in, uint64_t now_ns)
{
	struct incident **oldest;
	struct incident *i;

	while ((oldest = table_oldest(in->by_key)) != NULL &&
	       elapsed((*oldest)->last_ns, now_ns) >= in->close_ns)
		close_incident(in, *oldest, now_ns, "quiet");
	while ((i = TAILQ_FIRST(&in->by_told)) != NULL &&
	       elapsed(i->told_ns, now_ns) >= in->update_ns) {
		bool pending = i->pending;

		stop_waiting(in, i);
		if (pending)
			tell(in, i, now_ns);
	}
	tell_held(in, now_ns);
	stat_add(in->stats, STAT_STATE_FORGOTTEN, budget_forgotten(in->budget) - in->forgotten);
	in->forgotten = budget_forgotten(in->budget);
}

void incidents_finish(struct incidents *in, uint64_t now_ns, const char *reason)
{
	struct incident *i;

	while ((i = TAILQ_FIRST(&in->by_held)) != NULL) { /* late is better than never */
		let_go(in, i);
		tell(in, i, now_ns);
	}
	while ((i = TAILQ_FIRST(&in->by_open)) != NULL)
		close_incident(in, i, now_ns, reason);
}

/* ---- the SOC's word ----------------------------------------------------------------------- */

/* A person's action is rare: no index is kept for it. */
static struct incident *find_id(const struct incidents *in, const char *id)
{
	struct incident *i;

	TAILQ_FOREACH(i, &in->by_open, by_open)
	if (strcmp(i->id, id) == 0)
		return i;
	return NULL;
}

void incidents_suppress(struct incidents *in, const char *id, uint64_t until_ns)
{
	struct incident *i = find_id(in, id);
	uint64_t evicted = table_evicted(in->suppressed);
	uint64_t *until;

	if (i == NULL)
		return;
	until = table_put(in->suppressed, &i->key, NULL);
	*until = until_ns;
	stat_add(in->stats, STAT_STATE_EVICTED, table_evicted(in->suppressed) - evicted);
}

void incidents_acknowledge(struct incidents *in, const char *id, bool close, uint64_t now_ns)
{
	struct incident *i = find_id(in, id);

	if (i == NULL)
		return;
	if (close) {
		close_incident(in, i, now_ns, "closed by the SOC");
	} else if (!i->acknowledged) {
		i->acknowledged = true;
		tell(in, i, now_ns);
	}
}
