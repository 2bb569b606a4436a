/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c - an incident as the alert document and as the flat fields that sinks index.
 *
 * The envelope is EVE: what reads Suricata's alerts reads ours.  All that is ours is in one
 * object `bulkhead`.  No arrays of objects, no nulls, and a field keeps its type for ever.  The
 * document is held to docs/alert.schema.json by a test.
 *
 * A document has a fixed size.  Hostile strings may grow sixfold when they are made safe; should
 * all of them together be too long, every string is cut shorter and `truncated` says so.
 */
#include "alert/incident.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "bulkhead/clock.h"
#include "bulkhead/tenant.h"

#define EVE_GENERATOR 7001 /* gid: tells our signature ids from those of other engines */
#define EXACT_MAX ((UINT64_C(1) << 53) - 1) /* what a double, so jq and JavaScript, holds */
#define MESSAGE_LEAST 160
#define RISKS_MAX 8

/* Bytes of each string, tried in turn until the document fits; the last one always does. */
static const size_t cuts[] = {JSON_MAX_STRING, 96, 48, 24, 12};
#define CUTS (sizeof cuts / sizeof cuts[0])

struct document {
	struct json j;
	size_t cut;
	bool truncated;
	const struct incident *incident;
	const struct facts *facts;
	const struct document_config *config;
};

const char *alert_op_name(enum alert_op op)
{
	static const char *const names[] = {"open", "update", "close"};

	return names[op];
}

/* EVE counts from the gravest down. */
static unsigned eve_severity(enum severity severity)
{
	return SEVERITY_MAX - (unsigned)severity;
}

static void put_cut(struct document *d, const char *key, const char *text, size_t cut)
{
	size_t len = strlen(text);

	if (len > cut) {
		len = cut;
		/* Not in the middle of a character. */
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		d->truncated = true;
	}
	json_bytes(&d->j, key, text, len);
}

static void put_text(struct document *d, const char *key, const char *text)
{
	put_cut(d, key, text, d->cut);
}

static void put_known(struct document *d, const char *key, const char *text)
{
	if (text[0] != '\0')
		put_text(d, key, text);
}

static void put_mac(struct document *d, const char *key, struct mac_addr mac)
{
	char text[MAC_TEXT_SIZE];

	json_string(&d->j, key, mac_format(mac, text));
}

static void put_ip(struct document *d, const char *key, const struct ip_addr *ip)
{
	char text[IP_TEXT_SIZE];

	json_string(&d->j, key, ip_format(ip, text));
}

/* Saturates where readers would begin to round: time stamps in a file can claim any delay. */
static void put_number(struct document *d, const char *key, uint64_t value)
{
	json_uint(&d->j, key, value < EXACT_MAX ? value : EXACT_MAX);
}

static void put_time(struct document *d, const char *key, uint64_t ns)
{
	char text[CLOCK_TEXT_SIZE];

	json_string(&d->j, key, clock_format_z(ns, text));
}

/* ---- the envelope ------------------------------------------------------------------------- */

/* Protocols that EVE writes otherwise than in nDPI's name with small letters. */
static void eve_app_name(const char *proto, char out[static APP_NAME_SIZE])
{
	static const struct {
		const char *ndpi, *eve;
	} names[] = {
	    {"ftp_control", "ftp"}, {"ftp_data", "ftp-data"}, {"smbv1", "smb"},
	    {"smbv23", "smb"},	    {"kerberos", "krb5"},     {"postgresql", "pgsql"},
	    {"vnc", "rfb"},	    {"ipsec", "ike"},	      {"h323", "h.323"},
	};
	size_t len = strnlen(proto, APP_NAME_SIZE - 1);

	for (size_t i = 0; i < len; i++)
		out[i] =
		    (char)(proto[i] >= 'A' && proto[i] <= 'Z' ? proto[i] + 'a' - 'A' : proto[i]);
	out[len] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(out, names[i].ndpi) == 0)
			text_copy(out, APP_NAME_SIZE, names[i].eve);
}

static void put_vlan(struct document *d)
{
	const struct facts *f = d->facts;
	bool opened = false;

	for (unsigned i = 0; i < f->vlan_count; i++) {
		if (f->vlan[i] == 0) /* a priority tag names no VLAN */
			continue;
		if (!opened)
			json_open_array(&d->j, "vlan");
		opened = true;
		json_uint(&d->j, NULL, f->vlan[i]);
	}
	if (opened)
		json_close_array(&d->j);
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_NUM_TCP || proto == IPPROTO_NUM_UDP || proto == IPPROTO_NUM_SCTP;
}

static void put_tuple(struct document *d)
{
	const struct flow_tuple *t = &d->facts->tuple;
	char proto[8];

	put_ip(d, "src_ip", &t->src);
	if (has_ports(t->proto))
		json_uint(&d->j, "src_port", t->sport);
	put_ip(d, "dest_ip", &t->dst);
	if (has_ports(t->proto))
		json_uint(&d->j, "dest_port", t->dport);
	json_string(&d->j, "proto", ip_proto_name(t->proto, proto));
}

static void put_envelope(struct document *d, uint64_t now_ns)
{
	const struct facts *f = d->facts;
	char text[CLOCK_TEXT_SIZE];
	char app[APP_NAME_SIZE];
	char cid[COMMUNITY_ID_SIZE];

	json_string(&d->j, "timestamp", clock_format_eve(now_ns, text));
	json_string(&d->j, "event_type", "alert");
	if (f->has_flow)
		json_uint(&d->j, "flow_id", f->flow_id & EXACT_MAX);
	put_known(d, "in_iface", d->config->in_iface);
	put_vlan(d);
	if (f->has_flow)
		put_tuple(d);
	if (app_known(&f->app)) {
		eve_app_name(f->app.proto, app);
		put_text(d, "app_proto", app);
	}
	if (f->has_ether) {
		json_open_object(&d->j, "ether");
		put_mac(d, "src_mac", f->smac);
		put_mac(d, "dest_mac", f->dmac);
		json_close_object(&d->j);
	}
	if (f->has_flow && community_id(&f->tuple, cid)[0] != '\0')
		json_string(&d->j, "community_id", cid);
}

static void put_signature(struct document *d)
{
	static const char *const words[SEVERITY_MAX] = {"Informational", "Low", "Medium", "High",
							"Critical"};
	const struct incident_rule *rule = &d->incident->rule;
	char signature[sizeof rule->id + RULE_MESSAGE_SIZE];

	(void)snprintf(signature, sizeof signature, "%s %s", rule->id, d->facts->message);
	json_open_object(&d->j, "alert");
	json_string(&d->j, "action", "allowed"); /* we watch, we never block */
	json_uint(&d->j, "gid", EVE_GENERATOR);
	json_uint(&d->j, "signature_id", rule->number);
	json_uint(&d->j, "rev", rule->rev);
	put_text(d, "category", rule->category);
	json_uint(&d->j, "severity", eve_severity(d->incident->severity));
	put_cut(d, "signature", signature, d->cut < MESSAGE_LEAST ? MESSAGE_LEAST : d->cut);
	json_open_object(&d->j, "metadata");
	json_open_array(&d->j, "signature_severity");
	json_string(&d->j, NULL, words[d->incident->severity]);
	json_close_array(&d->j);
	if (rule->attack_count > 0) {
		json_open_array(&d->j, "mitre_technique_id");
		for (unsigned i = 0; i < rule->attack_count; i++)
			json_string(&d->j, NULL, rule->attack[i]);
		json_close_array(&d->j);
	}
	json_close_object(&d->j);
	json_close_object(&d->j);
}

/* ---- our own part ------------------------------------------------------------------------- */

static void put_addresses(struct document *d, const struct incident_party *p)
{
	if (p->has_mac)
		put_mac(d, "mac", p->mac);
	if (p->has_ip)
		put_ip(d, "ip", &p->ip);
}

static void put_party(struct document *d, const char *key, const struct incident_party *p)
{
	json_open_object(&d->j, key);
	put_text(d, "tenant", p->tenant);
	put_text(d, "host", p->host);
	put_addresses(d, p);
	put_known(d, "port", p->port);
	json_close_object(&d->j);
}

/* The other end of the victim's flow: often a stranger's address and no more. */
static void put_peer(struct document *d, const struct incident_party *p)
{
	if (!p->present)
		return;
	json_open_object(&d->j, "peer");
	put_addresses(d, p);
	put_text(d, "tenant", p->tenant);
	if (strcmp(p->host, p->tenant) != 0 && strcmp(p->host, "unknown") != 0)
		put_known(d, "host", p->host);
	json_close_object(&d->j);
}

/* The one role that says why a packet may go there: a carrying one before the rest. */
static uint32_t main_role(uint32_t roles)
{
	uint32_t carrying = roles & ROLES_CARRY;
	uint32_t among = carrying != 0 ? carrying : roles;

	return among & (~among + 1);
}

static void put_next(struct document *d, const struct incident_party *p)
{
	if (!p->present)
		return;
	json_open_object(&d->j, "next");
	put_text(d, "name", p->host);
	put_text(d, "tenant", p->tenant);
	if (p->roles != 0)
		json_string(&d->j, "role", role_name(main_role(p->roles)));
	put_addresses(d, p);
	json_close_object(&d->j);
}

static void put_risks(struct document *d, uint64_t risks)
{
	if (risks == 0)
		return;
	json_open_array(&d->j, "risk");
	for (unsigned n = 0; risks != 0 && n < RISKS_MAX; n++) {
		const char *name = dpi_risk_name(risks);

		if (name[0] != '\0')
			put_text(d, NULL, name);
		risks &= risks - 1;
	}
	json_close_array(&d->j);
}

static void put_app(struct document *d, const struct app *app)
{
	if (!app_known(app))
		return;
	json_open_object(&d->j, "app");
	put_text(d, "proto", app->proto);
	put_known(d, "service", app->service);
	put_known(d, "category", app->category);
	put_known(d, "host", app->host);
	json_bool(&d->j, "encrypted", (app->flags & APP_ENCRYPTED) != 0);
	json_bool(&d->j, "cleartext_credentials", (app->flags & APP_CLEARTEXT_CREDENTIALS) != 0);
	put_risks(d, app->risks);
	put_known(d, "ja3", app->ja3);
	put_known(d, "ja3s", app->ja3s);
	json_close_object(&d->j);
}

static void put_evidence(struct document *d)
{
	const struct facts *f = d->facts;
	uint64_t number[FRAMES_FIRST + FRAMES_LAST];
	unsigned count = frames_noted(d->incident, number);
	char name[EVIDENCE_NAME_SIZE];

	json_open_object(&d->j, "evidence");
	json_open_array(&d->j, "frames");
	for (unsigned i = 0; i < count; i++)
		json_uint(&d->j, NULL, number[i]);
	json_close_array(&d->j);
	if (f->has_ttl_delta)
		json_int(&d->j, "ttl_delta", f->ttl_delta);
	if (f->has_delay)
		put_number(d, "delay_us", f->delay_us);
	if (evidence_name(&d->incident->evidence, name) != NULL)
		json_string(&d->j, "pcap", name);
	json_close_object(&d->j);
}

/* A name may come twice (two resolvers handed out); a key must not: the second is "dns_2". */
static void put_details(struct document *d)
{
	const struct facts *f = d->facts;

	if (f->detail_count == 0)
		return;
	json_open_object(&d->j, "detail");
	for (unsigned i = 0; i < f->detail_count; i++) {
		unsigned nth = 1;
		char key[64];

		for (unsigned k = 0; k < i; k++)
			if (strcmp(f->detail[k].name, f->detail[i].name) == 0)
				nth++;
		if (nth == 1)
			(void)snprintf(key, sizeof key, "%s", f->detail[i].name);
		else
			(void)snprintf(key, sizeof key, "%.48s_%u", f->detail[i].name, nth);
		put_text(d, key, f->detail[i].text);
	}
	json_close_object(&d->j);
}

static const char *status_of(const struct incident *incident, enum alert_op op)
{
	if (op == ALERT_CLOSE)
		return "closed";
	return incident->acknowledged ? "acknowledged" : "open";
}

static void put_own(struct document *d, enum alert_op op, const char *reason)
{
	const struct incident *i = d->incident;
	const struct facts *f = d->facts;

	json_open_object(&d->j, "bulkhead");
	json_uint(&d->j, "v", 1);
	json_string(&d->j, "alert_id", i->id);
	json_string(&d->j, "op", alert_op_name(op));
	json_uint(&d->j, "seq", i->seq);
	json_string(&d->j, "status", status_of(i, op));
	if (op == ALERT_CLOSE)
		put_text(d, "reason", reason);
	json_string(&d->j, "rule", i->rule.id);
	json_string(&d->j, "kind", f->kind);
	json_string(&d->j, "severity", severity_name(i->severity));
	json_string(&d->j, "confidence", confidence_name(i->confidence));
	json_string(&d->j, "attribution", attribution_name(i->attribution));
	put_party(d, "actor", &f->actor);
	put_party(d, "victim", &f->victim);
	put_peer(d, &f->peer);
	put_next(d, &f->next);
	put_known(d, "segment", f->segment);
	if (f->has_vni)
		json_uint(&d->j, "vni", f->vni);
	put_app(d, &f->app);
	put_number(d, "count", i->count);
	put_number(d, "bytes", i->bytes);
	put_time(d, "first_seen", i->first_ns);
	put_time(d, "last_seen", i->last_ns);
	put_evidence(d);
	put_details(d);
	put_text(d, "sensor", d->config->sensor);
	put_text(d, "site", d->config->site);
	put_text(d, "inventory_rev", f->inventory_rev);
	json_string(&d->j, "version", BULKHEAD_VERSION);
	if (d->j.sanitised || d->truncated)
		json_bool(&d->j, "sanitised", true);
	if (d->truncated)
		json_bool(&d->j, "truncated", true);
	json_close_object(&d->j);
}

/* ---- the flat fields ---------------------------------------------------------------------- */

static void flat_text(char *out, size_t size, const char *text)
{
	(void)text_sanitise(out, size, text, strlen(text));
}

static void flat_vlan(struct alert *alert, const struct facts *f)
{
	size_t at = 0;

	alert->vlan[0] = '\0';
	for (unsigned i = 0; i < f->vlan_count; i++) {
		int n;

		if (f->vlan[i] == 0)
			continue;
		n = snprintf(alert->vlan + at, sizeof alert->vlan - at, "%s%u", at > 0 ? "," : "",
			     f->vlan[i]);
		if (n < 0 || (size_t)n >= sizeof alert->vlan - at)
			break;
		at += (size_t)n;
	}
}

static void flat_app(struct alert *alert, const struct app *app)
{
	char text[sizeof alert->app];

	alert->app[0] = '\0';
	if (!app_known(app))
		return;
	(void)snprintf(text, sizeof text, "%s%s%s", app->proto, app->service[0] != '\0' ? "." : "",
		       app->service);
	flat_text(alert->app, sizeof alert->app, text);
}

static void flat_fill(struct alert *alert, const struct incident *i,
		      const struct document_config *config, enum alert_op op, uint64_t now_ns)
{
	const struct facts *f = &i->facts;

	*alert = (struct alert){.seq = i->seq,
				.op = op,
				.ts_ns = now_ns,
				.first_ns = i->first_ns,
				.last_ns = i->last_ns,
				.severity = i->severity,
				.count = i->count,
				.bytes = i->bytes,
				.exposed = i->exposed};
	memcpy(alert->id, i->id, sizeof alert->id);
	flat_text(alert->sensor, sizeof alert->sensor, config->sensor);
	flat_text(alert->site, sizeof alert->site, config->site);
	flat_text(alert->rule, sizeof alert->rule, i->rule.id);
	flat_text(alert->kind, sizeof alert->kind, f->kind);
	flat_text(alert->confidence, sizeof alert->confidence, confidence_name(i->confidence));
	flat_text(alert->status, sizeof alert->status, status_of(i, op));
	flat_text(alert->actor, sizeof alert->actor, f->actor.tenant);
	flat_text(alert->actor_host, sizeof alert->actor_host, f->actor.host);
	if (f->actor.has_mac)
		(void)mac_format(f->actor.mac, alert->actor_mac);
	flat_text(alert->victim, sizeof alert->victim, f->victim.tenant);
	flat_text(alert->victim_host, sizeof alert->victim_host, f->victim.host);
	flat_app(alert, &f->app);
	flat_vlan(alert, f);
	if (f->has_flow)
		(void)community_id(&f->tuple, alert->cid);
	text_copy(alert->message, sizeof alert->message, f->message);
}

void alert_fill(struct alert *alert, char *buf, const struct incident *incident,
		const struct document_config *config, enum alert_op op, uint64_t now_ns,
		const char *reason)
{
	struct document d = {.incident = incident, .facts = &incident->facts, .config = config};

	flat_fill(alert, incident, config, op, now_ns);
	for (size_t i = 0; i < CUTS; i++) {
		json_init(&d.j, buf, ALERT_JSON_SIZE);
		d.cut = cuts[i];
		d.truncated = false;
		json_open_object(&d.j, NULL);
		put_envelope(&d, now_ns);
		put_signature(&d);
		put_own(&d, op, reason);
		json_close_object(&d.j);
		if (!d.j.overflow)
			break;
	}
	assert(!d.j.overflow);
	alert->json = buf;
	alert->json_len = d.j.len;
}
