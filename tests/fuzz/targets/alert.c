/* SPDX-License-Identifier: Apache-2.0 */
/* alert.c - the strings of an alert; apart because <fcntl.h> and our enum stat cannot meet. */
#include "bulkhead/alert.h"

#include "common.h"

void fuzz_check_alert_texts(const struct alert *a)
{
	fuzz_check_plain(a->id, sizeof a->id);
	fuzz_check_plain(a->sensor, sizeof a->sensor);
	fuzz_check_plain(a->site, sizeof a->site);
	fuzz_check_plain(a->rule, sizeof a->rule);
	fuzz_check_plain(a->kind, sizeof a->kind);
	fuzz_check_plain(a->confidence, sizeof a->confidence);
	fuzz_check_plain(a->status, sizeof a->status);
	fuzz_check_plain(a->actor, sizeof a->actor);
	fuzz_check_plain(a->actor_host, sizeof a->actor_host);
	fuzz_check_plain(a->actor_mac, sizeof a->actor_mac);
	fuzz_check_plain(a->victim, sizeof a->victim);
	fuzz_check_plain(a->victim_host, sizeof a->victim_host);
	fuzz_check_plain(a->app, sizeof a->app);
	fuzz_check_plain(a->vlan, sizeof a->vlan);
	fuzz_check_plain(a->cid, sizeof a->cid);
	fuzz_check_plain(a->message, sizeof a->message);
}
