/* SPDX-License-Identifier: Apache-2.0 */
/* talk.c - see talk.h. */
#include "talk.h"

#include <stdlib.h>
#include <string.h>

/* Names that nDPI knows and names that it does not. */
const char *const talk_names[] = {
    "www.google.com",
    "www.youtube.com",
    "api.github.com",
    "www.netflix.com",
    "static.xx.fbcdn.net",
    "web.whatsapp.com",
    "www.wikipedia.org",
    "outlook.office365.com",
    "s3.amazonaws.com",
    "www.microsoft.com",
    "itunes.apple.com",
    "open.spotify.com",
    "zoom.us",
    "slack.com",
    "www.dropbox.com",
    "discord.com",
    "shop.example.com",
    "backup.example.net",
    "mail.example.org",
    "cdn7.example.net",
    "api.payments.test",
    "a-long-name.of-a-customer.hosting.example.com",
    "git.example.org",
    "metrics.example.com",
};
const unsigned talk_name_count = sizeof talk_names / sizeof talk_names[0];

static void *grow(void *old, size_t count, size_t size)
{
	/* Doubles at powers of two. */
	void *more = old;

	if ((count & (count - 1)) == 0)
		more = realloc(old, (count == 0 ? 1 : count * 2) * size);
	if (more == NULL)
		abort();
	return more;
}

struct script *talk_new(struct scripts *all, const char *name, uint8_t proto, uint16_t port,
			unsigned weight)
{
	all->script = grow(all->script, all->count, sizeof *all->script);
	all->script[all->count] =
	    (struct script){.name = name, .proto = proto, .port = port, .weight = weight};
	return &all->script[all->count++];
}

static void add_step(struct script *s, unsigned from, unsigned flags, uint16_t message)
{
	s->step = grow(s->step, s->steps, sizeof *s->step);
	s->step[s->steps++] = (struct step){(uint8_t)from, (uint8_t)flags, message};
}

struct message *talk_add(struct script *s, unsigned from, const void *bytes, size_t len)
{
	struct message *m;

	if (len > PAYLOAD_MAX)
		abort();
	s->message = grow(s->message, s->messages, sizeof *s->message);
	m = &s->message[s->messages];
	*m = (struct message){.bytes = malloc(len + 1), .len = (uint16_t)len};
	if (m->bytes == NULL)
		abort();
	memcpy(m->bytes, bytes, len);
	add_step(s, from, FLAG_PSH | FLAG_ACK, (uint16_t)s->messages++);
	return m;
}

void talk_blank(struct message *m, size_t at, size_t len, uint8_t key, bool text)
{
	if (m->blanks == BLANKS || at + len > m->len)
		abort();
	m->blank[m->blanks++] = (struct blank){(uint16_t)at, (uint16_t)len, key, text};
}

void talk_tail(struct script *s, unsigned count, size_t len)
{
	uint8_t bytes[PAYLOAD_MAX] = {0};

	for (unsigned i = 0; i < count; i++) {
		size_t take = i % 4 == 0 ? len / 4 + 16 : len;
		struct message *m = talk_add(s, i % 4 != 0, bytes, take);

		talk_blank(m, 0, take, (uint8_t)(100 + i % 100), false);
	}
}

void talk_finish(struct script *s, bool whole)
{
	struct step *body = s->step;
	unsigned steps = s->steps;

	if (s->proto != PROTO_TCP)
		return;
	s->step = NULL;
	s->steps = 0;
	add_step(s, 0, FLAG_SYN, NO_MESSAGE);
	add_step(s, 1, FLAG_SYN | FLAG_ACK, NO_MESSAGE);
	if (whole)
		add_step(s, 0, FLAG_ACK, NO_MESSAGE);
	for (unsigned i = 0; i < steps; i++) {
		add_step(s, body[i].from, body[i].flags, body[i].message);
		if (whole && i % 2 == 1)
			add_step(s, body[i].from ^ 1u, FLAG_ACK, NO_MESSAGE);
	}
	if (whole) {
		add_step(s, 0, FLAG_FIN | FLAG_ACK, NO_MESSAGE);
		add_step(s, 1, FLAG_FIN | FLAG_ACK, NO_MESSAGE);
		add_step(s, 0, FLAG_ACK, NO_MESSAGE);
	}
	free(body);
}

static void weigh(struct scripts *all)
{
	for (unsigned i = 0; i < all->count; i++)
		all->picks += all->script[i].weight;
	all->pick = calloc(all->picks, sizeof *all->pick);
	if (all->pick == NULL)
		abort();
	all->picks = 0;
	for (unsigned i = 0; i < all->count; i++)
		for (unsigned k = 0; k < all->script[i].weight; k++)
			all->pick[all->picks++] = i;
}

void talk_mix(struct scripts *all)
{
	*all = (struct scripts){0};
	tls_scripts(all, true);
	http_scripts(all, true);
	dns_scripts(all, true);
	text_scripts(all);
	binary_scripts(all);
	weigh(all);
}

void talk_short(struct scripts *all)
{
	*all = (struct scripts){0};
	tls_scripts(all, false);
	http_scripts(all, false);
	dns_scripts(all, false);
	weigh(all);
}

const struct script *talk_pick(const struct scripts *all, struct rng *rng)
{
	return &all->script[all->pick[rng_below(rng, all->picks)]];
}

size_t talk_say(const struct message *m, uint64_t flow_seed, uint8_t out[PAYLOAD_MAX])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

	memcpy(out, m->bytes, m->len);
	for (unsigned i = 0; i < m->blanks; i++) {
		const struct blank *b = &m->blank[i];
		struct rng rng = {flow_seed ^ mix64(b->key + 1u)};
		uint64_t word = 0;

		for (unsigned k = 0; k < b->len; k++) {
			uint8_t byte;

			if (k % 8 == 0)
				word = rng_next(&rng);
			byte = (uint8_t)(word >> k % 8 * 8);
			out[b->at + k] = b->text ? (uint8_t)letters[byte & 31] : byte;
		}
	}
	return m->len;
}

void talk_free(struct scripts *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		for (unsigned k = 0; k < all->script[i].messages; k++)
			free(all->script[i].message[k].bytes);
		free(all->script[i].message);
		free(all->script[i].step);
	}
	free(all->script);
	free(all->pick);
}
