/* SPDX-License-Identifier: Apache-2.0 */
/* support.h - a numbered alert and a private folder, for the tests of this room. */
#ifndef UNIT_SINK_SUPPORT_H
#define UNIT_SINK_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bulkhead/clock.h"
#include "bulkhead/sink.h"
#include "sink/queue.h"

#define PATH_SIZE 300

struct fixture {
	char folder[64];
	struct options options;
};

static inline int fixture_new(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	(void)strcpy(f->folder, "/tmp/bulkhead-sink-XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	f->options.redis.prefix = "bulkhead:";
	f->options.redis.maxlen = 1000;
	f->options.outbox.quota = UINT64_C(64) << 20;
	*state = f;
	return 0;
}

static inline int fixture_free(void **state)
{
	struct fixture *f = *state;
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
	free(f);
	return system(command);
}

static inline const char *in_folder(const struct fixture *f, const char *name,
				    char path[static PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s/%s", f->folder, name);
	return path;
}

/* Every string and number is another one, so that no two fields can be mistaken. */
static inline void make_alert(struct alert *a, uint64_t n, enum alert_op op)
{
	static const char json[] = "{\"event_type\":\"alert\"}";

	memset(a, 0, sizeof *a);
	(void)snprintf(a->id, sizeof a->id, "%032llx", (unsigned long long)n);
	a->seq = 7;
	a->op = op;
	a->ts_ns = UINT64_C(1767260880000400123);
	a->first_ns = a->ts_ns - NS_PER_SEC;
	a->last_ns = a->ts_ns - NS_PER_MS;
	a->severity = SEVERITY_HIGH;
	(void)strcpy(a->sensor, "leaf12");
	(void)strcpy(a->site, "rbx");
	(void)strcpy(a->rule, "BH-1001");
	(void)strcpy(a->kind, "relay.forward");
	(void)strcpy(a->confidence, "proof");
	(void)strcpy(a->status, op == ALERT_CLOSE ? "closed" : "open");
	(void)strcpy(a->actor, "acme");
	(void)strcpy(a->actor_host, "a1");
	(void)strcpy(a->actor_mac, "02:ac:00:00:00:a1");
	(void)strcpy(a->victim, "globex");
	(void)strcpy(a->victim_host, "b1");
	(void)strcpy(a->app, "TLS");
	(void)strcpy(a->vlan, "100,200");
	(void)strcpy(a->cid, "1:bPzPDYaXsxsWok4xGBaT7mPM9Qg=");
	a->count = 11;
	a->bytes = 9120;
	a->exposed = 4560;
	(void)snprintf(a->message, sizeof a->message, "%llu", (unsigned long long)n);
	a->json = json;
	a->json_len = sizeof json - 1;
}

static inline void submit(struct delivery *d, uint64_t n, enum alert_op op)
{
	struct alert alert;

	make_alert(&alert, n, op);
	delivery_submit(d, &alert);
}

/* The whole file, terminated; to be freed. */
static inline char *slurp(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
	(void)fclose(file);
	return text;
}

#endif
