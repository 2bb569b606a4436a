/* SPDX-License-Identifier: Apache-2.0 */
/* rulefile.c - see rulefile.h. */
#include "rulefile.h"

#include <unistd.h>

#include "bulkhead/clock.h"
#include "bulkhead/detector.h"
#include "bulkhead/rule.h"
#include "common.h"

#define VERDICTS 16
/* 2026-01-01: what "until" is measured by. */
#define NOW_NS (UINT64_C(1767225600) * NS_PER_SEC)

static void fill_party(struct party *p, const char *tenant, const char *host, uint8_t n)
{
	*p = (struct party){.tenant = tenant,
			    .host = host,
			    .tenant_id = n,
			    .host_id = n,
			    .roles = ROLE_ROUTER | ROLE_NAT,
			    .mac = {{0x52, 0x54, 0, 0, 0, n}},
			    .ip = {.b = {[10] = 0xff, [11] = 0xff, 10, 0, 0, n}},
			    .has_mac = true,
			    .has_ip = true};
}

static void fill_full(struct finding *f)
{
	memset(f, 0, sizeof *f);
	f->kind = "relay.forward";
	f->confidence = CONFIDENCE_PROOF;
	f->attribution = ATTRIBUTION_ATTESTED;
	f->ts_ns = NOW_NS;
	f->vlan_count = 2;
	f->vlan[0] = 100;
	f->vlan[1] = 200;
	f->has_vni = f->has_flow = f->has_ether = f->has_ttl_delta = f->has_delay = true;
	f->vni = 5001;
	f->tuple.proto = IPPROTO_NUM_TCP;
	f->tuple.dport = 443;
	f->app.flags = APP_SURE | APP_CLEARTEXT_CREDENTIALS;
	f->app.risks = 5;
	memcpy(f->app.proto, "TLS", 4);
	memcpy(f->app.host, "\xff\x01<host>", 9);
	fill_party(&f->actor, "acme", "a1", 3);
	fill_party(&f->victim, "globex", "b1", 4);
	fill_party(&f->peer, "external", "unknown", 1);
	fill_party(&f->next, "infrastructure", "gw", 2);
	f->count = 3;
	f->bytes = 1500;
	f->ttl_delta = -1;
	f->delay_us = 120;
	finding_detail_text(f, "router", "fe80::1");
	finding_detail(f, "dns", "\x00\x1b[31m\xc3", 6);
}

static void judge(struct ruleset *rules, const struct finding *f)
{
	static struct verdict verdict[VERDICTS];
	struct stats stats = {0};
	unsigned n = rules_judge(rules, f, &stats, verdict, VERDICTS);

	FUZZ_CHECK(n <= VERDICTS);
	for (unsigned i = 0; i < n; i++) {
		FUZZ_CHECK(verdict[i].rule != NULL && verdict[i].rule->enabled);
		FUZZ_CHECK(verdict[i].severity < SEVERITY_MAX);
		fuzz_check_plain(verdict[i].message, sizeof verdict[i].message);
	}
}

static void judge_all(struct ruleset *rules)
{
	static struct finding f;

	fill_full(&f);
	for (unsigned i = 0; i < 4; i++) {
		judge(rules, &f);
		f.ts_ns += 4 * NS_PER_SEC;
	}
	memset(&f, 0, sizeof f); /* nothing is known */
	f.kind = "relay.forward";
	f.actor.tenant = f.actor.host = f.victim.tenant = f.victim.host = "unknown";
	f.count = 1;
	judge(rules, &f);
	f.kind = "spoof.arp";
	judge(rules, &f);
}

void fuzz_rules(const void *text, size_t len)
{
	struct problems problems = {0};
	struct ruleset *rules = NULL;
	struct err err = {0};
	char path[FUZZ_PATH_SIZE];
	const char *paths = path;
	int fd = fuzz_file(text, len, path);
	int rc = rules_load(&paths, 1, detector_kinds(), NOW_NS, &rules, &problems, &err);
	unsigned failed = 0;

	FUZZ_CHECK(rc == 0 || (rc == ERR_CONFIG && problems.errors > 0));
	FUZZ_CHECK((rc == 0) == (rules != NULL));
	if (rc == 0) {
		FILE *out = fopen("/dev/null", "w");

		FUZZ_CHECK(problems.errors == 0 && out != NULL);
		for (unsigned i = 0; i < rules_count(rules); i++) {
			rules_print(rules, rules_get(rules, i), out);
			FUZZ_CHECK(rules_find(rules, rules_get(rules, i)->id) != NULL);
		}
		(void)fclose(out);
		judge_all(rules);
		FUZZ_CHECK(rules_test(rules, &problems, &failed) >= failed);
	}
	rules_free(rules);
	problems_fini(&problems);
	(void)close(fd);
}
