/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox.h - the newest heartbeat not yet published, and the SOC's words not yet taken.
 *
 * The sender's two mailboxes towards other threads; a lock each access.
 */
#ifndef SINK_MAILBOX_H
#define SINK_MAILBOX_H

#include <stdbool.h>

#include "bulkhead/sink.h"

struct mailbox;

struct mailbox *mailbox_new(void); /* NULL: memory is short */
void mailbox_free(struct mailbox *mailbox);

/* Any thread: copies, replacing one that was not taken. */
void mailbox_put_beat(struct mailbox *mailbox, const struct heartbeat *beat);
/* Sender: the beat, valid until the next call, or NULL. */
const struct heartbeat *mailbox_take_beat(struct mailbox *mailbox);

/* How many words there is room for, at most max. */
unsigned mailbox_room(struct mailbox *mailbox, unsigned max);
void mailbox_put_words(struct mailbox *mailbox, const struct soc_word *word, unsigned count);
bool mailbox_take_word(struct mailbox *mailbox, struct soc_word *word);

#endif
