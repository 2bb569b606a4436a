/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.c - what is kept of a finding.
 *
 * A finding borrows: its names belong to an inventory snapshot, its rule to a ruleset, its
 * frames to the capture's batch.  An incident outlives all three, so everything that a later
 * document needs is copied here, cut to fixed sizes.  Bytes are copied as they are; whoever
 * prints them makes them safe.
 */
#include "alert/incident.h"

#include <string.h>

void text_copy(char *out, size_t size, const char *text)
{
	size_t len = text == NULL ? 0 : strnlen(text, size - 1);

	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

void rule_copy(struct incident_rule *copy, const struct rule *rule)
{
	text_copy(copy->id, sizeof copy->id, rule->id);
	copy->number = rule->number;
	copy->rev = rule->rev;
	text_copy(copy->category, sizeof copy->category, rule->category);
	copy->evidence_packets = rule->evidence_packets;
	copy->attack_count =
	    rule->attack_count < RULE_MAX_ATTACK ? rule->attack_count : RULE_MAX_ATTACK;
	for (unsigned i = 0; i < copy->attack_count; i++)
		text_copy(copy->attack[i], ATTACK_ID_SIZE, rule->attack[i]);
}

static void party_set(struct incident_party *copy, const struct party *party, bool required)
{
	*copy = (struct incident_party){.roles = party->roles,
					.mac = party->mac,
					.ip = party->ip,
					.has_mac = party->has_mac,
					.has_ip = party->has_ip,
					.present = required || party->tenant != NULL};
	text_copy(copy->tenant, sizeof copy->tenant,
		  party->tenant == NULL ? "unknown" : party->tenant);
	text_copy(copy->host, sizeof copy->host, party->host == NULL ? "unknown" : party->host);
	text_copy(copy->port, sizeof copy->port, party->port);
}

void facts_set(struct facts *facts, const struct finding *finding, const struct verdict *verdict,
	       const char *inventory_rev, const char *segment)
{
	text_copy(facts->kind, sizeof facts->kind, finding->kind);
	text_copy(facts->message, sizeof facts->message, verdict->message);
	text_copy(facts->segment, sizeof facts->segment, segment);
	text_copy(facts->inventory_rev, sizeof facts->inventory_rev,
		  inventory_rev == NULL ? "unknown" : inventory_rev);
	facts->vlan_count =
	    finding->vlan_count < PACKET_MAX_TAGS ? finding->vlan_count : PACKET_MAX_TAGS;
	memcpy(facts->vlan, finding->vlan, sizeof facts->vlan);
	facts->has_vni = finding->has_vni;
	facts->vni = finding->vni;
	facts->has_flow = finding->has_flow;
	facts->tuple = finding->tuple;
	facts->flow_id = finding->flow_id;
	facts->has_ether = finding->has_ether;
	facts->smac = finding->smac;
	facts->dmac = finding->dmac;
	facts->app = finding->app;
	party_set(&facts->actor, &finding->actor, true);
	party_set(&facts->victim, &finding->victim, true);
	party_set(&facts->peer, &finding->peer, false);
	party_set(&facts->next, &finding->next, false);
	facts->has_ttl_delta = finding->has_ttl_delta;
	facts->ttl_delta = finding->ttl_delta;
	facts->has_delay = finding->has_delay;
	facts->delay_us = finding->delay_us;
	facts->detail_count =
	    finding->detail_count < FINDING_DETAILS ? finding->detail_count : FINDING_DETAILS;
	memcpy(facts->detail, finding->detail, facts->detail_count * sizeof facts->detail[0]);
}

bool app_known(const struct app *app)
{
	return app->proto[0] != '\0' && (app->flags & APP_SURE) != 0;
}

bool frame_note(struct incident *incident, uint64_t number)
{
	uint64_t known = incident->frames < FRAMES_FIRST ? incident->frames : FRAMES_FIRST;

	for (uint64_t i = 0; i < known; i++)
		if (incident->frame_first[i] == number)
			return false;
	known = incident->frames < FRAMES_LAST ? incident->frames : FRAMES_LAST;
	for (uint64_t i = 0; i < known; i++)
		if (incident->frame_last[i] == number)
			return false;
	if (incident->frames < FRAMES_FIRST)
		incident->frame_first[incident->frames] = number;
	incident->frame_last[incident->frames % FRAMES_LAST] = number;
	incident->frames++;
	return true;
}

unsigned frames_noted(const struct incident *incident,
		      uint64_t out[static FRAMES_FIRST + FRAMES_LAST])
{
	unsigned n = 0;
	uint64_t at;

	while (n < FRAMES_FIRST && n < incident->frames) {
		out[n] = incident->frame_first[n];
		n++;
	}
	/* What of the ring is not among the first ones. */
	at = incident->frames > FRAMES_FIRST + FRAMES_LAST ? incident->frames - FRAMES_LAST
							   : FRAMES_FIRST;
	for (; at < incident->frames; at++)
		out[n++] = incident->frame_last[at % FRAMES_LAST];
	return n;
}
