/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - the finding of the manual's example, and what the tests of this room share. */
#ifndef TEST_ALERT_SAMPLE_H
#define TEST_ALERT_SAMPLE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bulkhead/alert.h"
#include "bulkhead/clock.h"
#include "bulkhead/tenant.h"

#define SEC NS_PER_SEC
#define START (UINT64_C(1767260880) * SEC) /* 2026-01-01T09:48:00Z */

static const struct rule sample_rule = {
    .name = "relay.forward",
    .id = "BH-1001",
    .number = 1001,
    .rev = 1,
    .title = "A tenant's host relays another tenant's traffic",
    .category = "Cross-tenant relay",
    .severity = SEVERITY_CRITICAL,
    .attack = {"T1557", "T1040"},
    .attack_count = 2,
    .enabled = true,
};

static inline struct verdict sample_verdict(uint64_t group)
{
	struct verdict verdict = {.rule = &sample_rule,
				  .severity = SEVERITY_CRITICAL,
				  .group_lo = group,
				  .group_hi = ~group};

	(void)snprintf(verdict.message, sizeof verdict.message,
		       "acme/a1 relays TLS of globex/b1 to gw");
	return verdict;
}

/* The in-leg and the out-leg of one packet through a1. */
static const uint8_t sample_in[64] = "\x02\xac\x00\x00\x00\xa1\x02\x61\x00\x00\x00\xb1\x08\x00";
static const uint8_t sample_out[64] = "\x02\x00\x5e\x00\x00\x01\x02\xac\x00\x00\x00\xa1\x08\x00";

static inline void sample_finding(struct finding *f)
{
	static const uint8_t a1[4] = {10, 20, 0, 11};
	static const uint8_t b1[4] = {10, 20, 0, 21};
	static const uint8_t server[4] = {198, 51, 100, 7};
	static const uint8_t gw[4] = {10, 20, 0, 1};

	*f = (struct finding){
	    .kind = "relay.forward",
	    .confidence = CONFIDENCE_PROOF,
	    .attribution = ATTRIBUTION_CONSISTENT,
	    .ts_ns = START + 400 * NS_PER_US,
	    .vlan_count = 1,
	    .vlan = {100},
	    .has_flow = true,
	    .flow_id = 845071656123186,
	    .has_ether = true,
	    .smac = {{0x02, 0xac, 0, 0, 0, 0xa1}},
	    .dmac = {{0x02, 0x00, 0x5e, 0, 0, 0x01}},
	    .app = {.flags = APP_SURE | APP_ENCRYPTED,
		    .proto = "TLS",
		    .category = "Web",
		    .host = "mail.globex.example"},
	    .actor = {.tenant = "acme",
		      .host = "a1",
		      .port = "leaf12/eth3",
		      .has_mac = true,
		      .mac = {{0x02, 0xac, 0, 0, 0, 0xa1}},
		      .has_ip = true},
	    .victim = {.tenant = "globex",
		       .host = "b1",
		       .has_mac = true,
		       .mac = {{0x02, 0x61, 0, 0, 0, 0xb1}},
		       .has_ip = true},
	    .peer = {.tenant = "external", .host = "external", .has_ip = true},
	    .next = {.tenant = "infrastructure",
		     .host = "gw",
		     .has_mac = true,
		     .mac = {{0x02, 0x00, 0x5e, 0, 0, 0x01}},
		     .roles = ROLE_ROUTER | ROLE_DHCP | ROLE_DNS,
		     .has_ip = true},
	    .count = 1,
	    .bytes = 1000,
	    .has_ttl_delta = true,
	    .ttl_delta = -1,
	    .has_delay = true,
	    .delay_us = 400,
	    .frame_count = 2,
	};
	f->actor.ip = ip_from_v4(a1);
	f->victim.ip = ip_from_v4(b1);
	f->peer.ip = ip_from_v4(server);
	f->next.ip = ip_from_v4(gw);
	f->tuple = (struct flow_tuple){.src = f->victim.ip,
				       .dst = f->peer.ip,
				       .sport = 40000,
				       .dport = 443,
				       .proto = IPPROTO_NUM_TCP};
	f->frame[0] = (struct finding_frame){.number = 6,
					     .ts_ns = START,
					     .data = sample_in,
					     .caplen = 64,
					     .len = 1514,
					     .linktype = LINK_ETHERNET};
	f->frame[1] = (struct finding_frame){.number = 7,
					     .ts_ns = f->ts_ns,
					     .data = sample_out,
					     .caplen = 64,
					     .len = 1514,
					     .linktype = LINK_ETHERNET};
}

static inline struct incidents_config sample_config(void)
{
	return (struct incidents_config){.capacity = 16,
					 .update_ns = 60 * SEC,
					 .close_ns = 600 * SEC,
					 .sensor = "leaf12",
					 .site = "rbx",
					 .evidence_packets = 64,
					 .evidence_snap = 128,
					 .evidence_memory = 1 << 20,
					 .evidence_quota = 1 << 20};
}

#endif
