/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink.h - where alerts go: the outbox first, then Redis, JSON lines, syslog.
 *
 *	capture > decode > tenant > flow > dpi > detect > rule > alert > SINK
 *
 * struct delivery is the room's front: the judge hands it state changes and never waits for a
 * disk or a socket.  Behind it one thread writes them to the outbox (SQLite, WAL, group commit)
 * and from there to every sink in order; a sink that fails is retried with jittered back-off
 * from where it stopped.
 *
 *	judge --submit--> queue --thread--> outbox --+--> redis
 *	                                             +--> jsonl, syslog
 *
 * Promise: what is committed to the outbox reaches Redis once and in order, whatever happens to
 * the server or to us: the Redis transaction that adds an entry also sets the cursor.
 *
 * Without an outbox file (a replay with -o only) records go straight to the JSON lines file.
 *
 * To add a sink: sensor/sink/NAME.c with a const struct sink, one row in sensor/sink/list.c.
 */
#ifndef BULKHEAD_SINK_H
#define BULKHEAD_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/alert.h"
#include "bulkhead/err.h"
#include "bulkhead/options.h"
#include "bulkhead/stats.h"

/* One stored state change with its place in the outbox (1, 2, 3 ...; no gaps a sink relies on). */
struct sink_record {
	uint64_t sequence;
	const struct alert *alert;
};

enum sink_verdict {
	SINK_OK,
	SINK_RETRY, /* an outage: try again later, nothing is lost; err says what */
	SINK_FATAL, /* this sink cannot go on (its file is gone, credentials refused ...) */
};

/* Flat facts about the sensor, each 10 s. */
#define HEARTBEAT_FACTS 96
struct heartbeat {
	const char *sensor, *site, *version;
	uint64_t wall_ns;
	unsigned fact_count;
	struct {
		const char *name;
		char text[96];
	} fact[HEARTBEAT_FACTS]; /* interface, revisions, last packet, health, counters ... */
};

/* What a sink is.  All calls from the delivery thread. */
struct sink {
	const char *name;
	size_t state_size;
	int (*open)(void *state, const struct options *options, const char *cursor_name,
		    struct err *err);
	/* Where to go on: *sequence is the last record this sink has for good.  Optional. */
	enum sink_verdict (*resume)(void *state, uint64_t *sequence, struct err *err);
	/* Delivers records in order; *done is how many (also with SINK_RETRY). */
	enum sink_verdict (*deliver)(void *state, const struct sink_record *record, unsigned count,
				     unsigned *done, struct err *err);
	/* Publishes the heartbeat; optional, best effort. */
	enum sink_verdict (*heartbeat)(void *state, const struct heartbeat *beat, struct err *err);
	void (*close)(void *state);
};

struct delivery_config {
	const struct options *options;
	const char *outbox_file; /* NULL: a private one in memory or none, see needs */
	const char *redis_url;	 /* NULL: none.  Overrides options->redis.url */
	const char *cursor_name; /* the sensor's name, or "replay-<hash>" */
	const char *jsonl_path;	 /* -o: a file, or "-" for stdout; NULL none */
	bool wait_at_end;	 /* replay: delivery_close() waits until all sinks have everything */
	bool redis_required;	 /* replay --redis: unreachable at open is ERR_NOREDIS */
};

struct delivery;

int delivery_open(struct delivery **delivery, const struct delivery_config *config,
		  struct err *err) __attribute__((warn_unused_result));
/* Queues a state change; copies it.  Never blocks in a live sensor: when the queue is full,
 * updates are dropped first and counted, opens and closes wait for the disk only. */
void delivery_submit(struct delivery *delivery, const struct alert *alert);
void delivery_heartbeat(struct delivery *delivery, const struct heartbeat *beat);
/* Drains (bounded by timeout_ns when the sinks are down), then frees.  ERR_NOREDIS or ERR_RUN when
 * a required sink did not get everything. */
int delivery_close(struct delivery *delivery, uint64_t timeout_ns, struct err *err);
/* Snapshot of STAT_OUTBOX_* and STAT_SINK_*. */
void delivery_stats(struct delivery *delivery, struct stats *out);
/* "up", or why Redis is down; for health. */
bool delivery_redis_up(struct delivery *delivery);

/* ---- what the SOC wrote ------------------------------------------------------------------- */

struct soc_word {
	char id[ALERT_ID_SIZE];
	char action[16]; /* "ack", "close", "suppress" */
	uint64_t until_ns;
};
/* The next action read from the acks stream, if any. */
bool delivery_soc_word(struct delivery *delivery, struct soc_word *word);

#endif
