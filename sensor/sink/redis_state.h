/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_state.h - what the three files of the Redis sink share: its state, the building of
 * commands, the expecting of replies.
 *
 *	redis_sink.c	connection, cursor, transaction
 *	redis_record.c	the commands that one state change is
 *	redis_soc.c	heartbeat out, the SOC's words in
 */
#ifndef SINK_REDIS_STATE_H
#define SINK_REDIS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/sink.h"
#include "sink/redis.h"

#define KEY_SIZE 384
#define NUMBER_SIZE 24
#define TRANSACTION_MAX 2048 /* commands; more than the sender's batch can make */

/* What a command in the transaction was, to judge its reply. */
enum command { CMD_ENTRY, CMD_STATE, CMD_QUEUE, CMD_CURSOR };

struct redis_state {
	struct redis *redis;
	const struct options *options;
	const char *cursor_name;
	struct stats *stats;
	bool replay;
	uint64_t cursor; /* as last read or set; UINT64_MAX: no number */
	uint64_t undo_from, undo_to;
	bool undo; /* the cursor is to go from undo_from back to undo_to */
	uint64_t queue_trimmed;
	char nonce[NUMBER_SIZE]; /* what the last PING's answer must be */
	char prefix[128];
	char maxlen[NUMBER_SIZE];
	char acks_id[64];
	unsigned command_count;
	uint8_t command[TRANSACTION_MAX];
};

/* The words of one command. */
struct words {
	struct redis_word word[REDIS_MAX_WORDS];
	unsigned count;
};

/* Words live until redis_add(). */
void redis_words_bytes(struct words *words, const char *text, size_t len);
void redis_words_add(struct words *words, const char *text);
void redis_words_pair(struct words *words, const char *name, const char *value);
/* Both return buf. */
const char *number_text(uint64_t value, char buf[static NUMBER_SIZE]);
const char *redis_key(const struct redis_state *state, const char *name, const char *tail,
		      char buf[static KEY_SIZE]);
/* Adds a command of plain words, ended by NULL. */
void redis_say(struct redis_state *state, const char *const *text);
#define SAY(s, ...) redis_say((s), (const char *const[]){__VA_ARGS__, NULL})
/* Notes what the command just added to the transaction was. */
void redis_did(struct redis_state *state, enum command what);

/* Adds what one state change is. */
void redis_add_record(struct redis_state *state, const struct alert *alert);

/* Takes GET cursor's reply: UINT64_MAX for what is no sequence of ours, 0 for none. */
int redis_read_cursor(struct redis_state *state, uint64_t *value, struct err *err)
    __attribute__((warn_unused_result));
/* Closes the connection: what the server holds is in doubt. */
enum sink_verdict redis_doubt(struct redis_state *state, struct err *err, const char *why);

enum sink_verdict redis_sink_heartbeat(void *state, const struct heartbeat *beat, struct err *err);
enum sink_verdict redis_sink_poll(void *state, struct soc_word *word, unsigned max, unsigned *count,
				  struct err *err);

#endif
