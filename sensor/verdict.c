/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.c - from an event to incidents: what detectors find in it, who is in it by name, whether
 * it is allowed, and what the rules make of it.
 */
#include <string.h>

#include "judge_state.h"

#define VERDICTS_A_FINDING 16

static void name_party(const struct judge *j, struct party *party)
{
	const struct host *host = inventory_host(j->inv, party->host_id);

	if (party->tenant == NULL)
		party->tenant = inventory_tenant_name(j->inv, party->tenant_id);
	if (party->host == NULL)
		party->host = host != NULL ? host->name : "unknown";
	if (host == NULL)
		return;
	party->roles = host->roles;
	if (party->port == NULL && host->port_count > 0)
		party->port = host->port[0];
	if (!party->has_mac && host->mac_count > 0) {
		party->mac = host->mac[0];
		party->has_mac = true;
	}
	if (!party->has_ip && host->ip_count > 0) {
		party->ip = host->ip[0];
		party->has_ip = true;
	}
}

static bool in_grace(const struct judge *j, const struct finding *f)
{
	if (j->previous == NULL || f->ts_ns > j->grace_until_ns)
		return false;
	return (f->has_flow &&
		(inventory_moved(j->previous, j->inv, f->tuple.domain, &f->tuple.src) ||
		 inventory_moved(j->previous, j->inv, f->tuple.domain, &f->tuple.dst))) ||
	       (f->victim.has_ip &&
		inventory_moved(j->previous, j->inv, f->tuple.domain, &f->victim.ip));
}

/* Who lets another carry or see his traffic means whole conversations, their other ends too: a CDN
 * has visitors, a proxy leads to servers. */
static bool is_allowed(const struct judge *j, const struct finding *f)
{
	bool ends = strncmp(f->kind, "relay.", 6) == 0 || strncmp(f->kind, "observe.", 8) == 0;
	const struct party *who[2] = {&f->victim, ends ? &f->peer : &f->victim};

	for (unsigned i = 0; i < 2; i++)
		if (inventory_allowed(j->inv, f->actor.tenant_id, f->actor.host_id,
				      who[i]->tenant_id, who[i]->host_id, f->kind, f->ts_ns, NULL))
			return true;
	return false;
}

static void ask_rules(struct judge *j, const struct finding *f)
{
	struct verdict verdict[VERDICTS_A_FINDING];
	const struct segment *segment = inventory_segment(j->inv, f->segment);
	unsigned count = rules_judge(j->rules, f, &j->stats, verdict, VERDICTS_A_FINDING);

	for (unsigned i = 0; i < count; i++)
		incidents_raise(j->incidents, f, &verdict[i], inventory_revision(j->inv),
				segment != NULL ? segment->name : NULL);
}

static void handle_finding(struct judge *j, struct finding *f, const struct detector *by)
{
	if (f->kind == NULL)
		f->kind = by->kind;
	stat_add(&j->stats, STAT_FINDINGS, 1);
	if (!f->own_doing && f->actor.tenant_id >= TENANT_FIRST &&
	    f->actor.tenant_id == f->victim.tenant_id)
		return; /* tenants are the unit: what is between a tenant's own hosts is his */
	if (is_allowed(j, f) || in_grace(j, f)) {
		stat_add(&j->stats, STAT_FINDINGS_ALLOWED, 1);
		return;
	}
	name_party(j, &f->actor);
	name_party(j, &f->victim);
	if (f->peer.tenant_id != TENANT_UNKNOWN || f->peer.has_ip)
		name_party(j, &f->peer);
	if (f->next.tenant_id != TENANT_UNKNOWN || f->next.has_mac)
		name_party(j, &f->next);
	labels_name(j->labels, j->workers, j->worker_count, j->until, f);
	ask_rules(j, f);
	if (f->app.proto[0] == '\0')
		labels_wait(j->labels, f);
}

void judge_label(struct judge *j)
{
	struct finding f;

	labels_turn(j->labels);
	while (labels_next(j->labels, &f))
		ask_rules(j, &f);
}

static void handle_findings(struct judge *j, const struct detector *by)
{
	for (unsigned i = 0; i < j->findings.count; i++)
		handle_finding(j, &j->findings.finding[i], by);
	if (j->findings.dropped > 0)
		stat_add(&j->stats, STAT_FINDINGS_DROPPED, j->findings.dropped);
	j->findings.count = 0;
	j->findings.dropped = 0;
}

/* A detector with more to say than fits is asked again. */
void judge_ask_until_quiet(struct judge *j, unsigned i,
			   void (*ask)(void *state, uint64_t now_ns, struct findings *out),
			   uint64_t now_ns)
{
	bool full;

	if (ask == NULL || j->off[i])
		return;
	do {
		ask(j->state[i], now_ns, &j->findings);
		full = j->findings.count == FINDINGS_MAX;
		handle_findings(j, detectors[i]);
	} while (full);
}

void judge_show(struct judge *j, const struct event *ev)
{
	for (unsigned n = 0; n < j->listeners[ev->kind]; n++) {
		unsigned i = j->listener[ev->kind][n];

		if (j->off[i])
			continue;
		detectors[i]->event(j->state[i], ev, &j->findings);
		if (j->findings.count + j->findings.dropped > 0)
			handle_findings(j, detectors[i]);
	}
}
