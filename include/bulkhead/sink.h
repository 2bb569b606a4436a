/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink.h - where alerts go: the outbox first, then Redis, JSON lines, syslog.
 *
 *	capture > decode > tenant > flow > dpi > detect > rule > alert > SINK
 *
 * struct delivery is the room's front: the judge hands it state changes and never waits for a
 * socket.  One thread writes them to the outbox (SQLite, WAL, group commit), another takes them
 * from there to every sink in order, so that a frozen server never delays the disk; a sink that
 * fails is retried with jittered back-off from where it stopped.
 *
 *	judge --submit--> queue --writer--> outbox --sender--> redis
 *	                                                  +--> jsonl, syslog
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

/* What the SOC wrote into the acks stream. */
struct soc_word {
	char id[ALERT_ID_SIZE];
	char action[16];   /* "ack", "close", "suppress" */
	uint64_t until_ns; /* 0: for good */
};

/* What a sink is given to open; borrowed, all of it outlives the sink but target. */
struct sink_setup {
	const struct options *options;
	const char *target;	 /* redis: the URL; jsonl: a file or "-"; syslog: its socket */
	const char *cursor_name; /* who we are to a sink that remembers */
	bool replay;		 /* a file is being replayed: nothing is read from the SOC */
	struct stats *stats;	 /* the delivery thread's, for what only the sink can count */
};

/* What a sink is.  All calls from the delivery thread, or before it runs. */
struct sink {
	const char *name;
	size_t state_size;
	int (*open)(void *state, const struct sink_setup *setup, struct err *err);
	/* Where to go on: *sequence is the last record this sink has for good, UINT64_MAX when what
	 * it remembers makes no sense.  Optional: without it the outbox remembers. */
	enum sink_verdict (*resume)(void *state, uint64_t *sequence, struct err *err);
	/* Delivers records in order; *done is how many (also with SINK_RETRY). */
	enum sink_verdict (*deliver)(void *state, const struct sink_record *record, unsigned count,
				     unsigned *done, struct err *err);
	/* Publishes the heartbeat; optional, best effort. */
	enum sink_verdict (*heartbeat)(void *state, const struct heartbeat *beat, struct err *err);
	/* Each second: what the SOC wrote, at most max; SINK_RETRY also when the sink no longer
	 * is where it was left.  Optional. */
	enum sink_verdict (*poll)(void *state, struct soc_word *word, unsigned max, unsigned *count,
				  struct err *err);
	void (*close)(void *state);
};

/* Every sink compiled in; ends with NULL. */
extern const struct sink *const sinks[];

struct delivery_config {
	const struct options *options;
	const char *outbox_file; /* NULL or "": a private one if Redis is used, else none */
	/* NULL: live, the environment's BULKHEAD_REDIS_URL or options->redis.url; replay, none. */
	const char *redis_url;
	const char *cursor_name; /* the sensor's name, or "replay-<hash>" */
	const char *jsonl_path;	 /* -o: a file, or "-" for stdout; NULL none */
	bool wait_at_end;	 /* replay: nothing is dropped, submit may block, and
				  * delivery_close() waits until all sinks have everything;
				  * options->output is not used */
	bool redis_required;	 /* replay --redis: unreachable at open is ERR_NOREDIS */
};

struct delivery;

/* Can it be a Redis URL?  ERR_CONFIG with what is wrong, never the password. */
int redis_check_url(const char *url, struct err *err) __attribute__((warn_unused_result));

int delivery_open(struct delivery **delivery, const struct delivery_config *config, struct err *err)
    __attribute__((warn_unused_result));
/* Queues a state change; copies it.  Never blocks on a socket.  When the queue is nearly full
 * updates are dropped first and counted; opens and closes wait for the disk only, bounded. */
void delivery_submit(struct delivery *delivery, const struct alert *alert);
/* Copies; the newest one not yet sent replaces the one before.  Any thread. */
void delivery_heartbeat(struct delivery *delivery, const struct heartbeat *beat);
/*
 * Drains (bounded by timeout_ns without progress when sinks are down) and ends the threads; nothing
 * may be submitted any more, the counters are final.  ERR_NOREDIS or ERR_RUN when a required sink
 * did not get everything.  NULL is fine.
 */
int delivery_drain(struct delivery *delivery, uint64_t timeout_ns, struct err *err);
/* Drains unless that was done, then frees. */
int delivery_close(struct delivery *delivery, uint64_t timeout_ns, struct err *err);
/* Sets STAT_OUTBOX_* and STAT_SINK_* in out; leaves the others. */
void delivery_stats(struct delivery *delivery, struct stats *out);
/* False while Redis is wanted and down; for health. */
bool delivery_redis_up(struct delivery *delivery);
/* How often Redis claimed to have records that were never sent to it: either somebody wrote the
 * cursor, or the outbox was lost.  Health makes an alert of it when it grows. */
uint64_t delivery_cursor_ahead(struct delivery *delivery);
/* The next action read from the acks stream, if any.  One thread. */
bool delivery_soc_word(struct delivery *delivery, struct soc_word *word);

/* ---- reading an outbox back, for the SOC's shell ------------------------------------------- */

/* Calls each for every state change in the file, in order, until it returns false.  Read only;
 * a running sensor may be writing.  ERR_NOINPUT, ERR_RUN.  Rows that make no sense are skipped
 * and counted in *skipped (may be NULL). */
int outbox_each(const char *path, bool (*each)(void *context, const struct sink_record *record),
		void *context, uint64_t *skipped, struct err *err)
    __attribute__((warn_unused_result));

#endif
