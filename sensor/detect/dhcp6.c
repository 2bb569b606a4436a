/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp6.c - see dhcp6.h. */
#include "detect/dhcp6.h"

#include "base/cursor.h"

#define RELAY_FORWARD 12
#define RELAY_HEADER 33 /* behind the type: hops, link and peer address (RFC 8415 9) */
#define RELAYS_MAX 8	/* HOP_COUNT_LIMIT of RFC 8415 7.6 */

enum option {
	OPTION_CLIENT = 1,
	OPTION_IA_NA = 3,
	OPTION_IA_ADDRESS = 5,
	OPTION_RELAYED = 9,
	OPTION_DNS = 23,
};

struct tlv {
	uint16_t code;
	struct cursor body;
};

static bool next_option(struct cursor *c, struct tlv *out)
{
	const uint8_t *body;
	uint16_t len;

	if (c->failed || cursor_left(c) < 4)
		return false;
	out->code = cursor_be16(c);
	len = cursor_be16(c);
	body = cursor_take(c, len);
	out->body = cursor_over(body, body == NULL ? 0 : len);
	return body != NULL;
}

/* RFC 8415 11.2 and 11.4: type, hardware type, (time,) link-layer address. */
static void read_duid(struct dhcp6_message *m, struct cursor c)
{
	uint16_t type = cursor_be16(&c);
	uint16_t hardware = cursor_be16(&c);

	if (type == 1)
		cursor_skip(&c, 4);
	if ((type != 1 && type != 3) || hardware != 1 || cursor_left(&c) < sizeof m->client.b)
		return;
	cursor_bytes(&c, m->client.b, sizeof m->client.b);
	m->has_client = true;
}

static void read_address(struct dhcp6_message *m, struct cursor c)
{
	struct tlv o;
	uint8_t v6[16];

	cursor_skip(&c, 12); /* IAID, T1, T2 */
	while (next_option(&c, &o)) {
		if (o.code != OPTION_IA_ADDRESS || cursor_left(&o.body) < sizeof v6)
			continue;
		cursor_bytes(&o.body, v6, sizeof v6);
		cursor_skip(&o.body, 4); /* preferred lifetime */
		m->address = ip_from_v6(v6);
		m->valid_seconds = cursor_be32(&o.body);
		m->has_address = true;
		return;
	}
}

static void read_option(struct dhcp6_message *m, struct tlv *o)
{
	uint8_t v6[16];

	switch (o->code) {
	case OPTION_CLIENT:
		read_duid(m, o->body);
		break;
	case OPTION_IA_NA:
		if (!m->has_address)
			read_address(m, o->body);
		break;
	case OPTION_DNS:
		if (cursor_left(&o->body) < sizeof v6)
			break;
		cursor_bytes(&o->body, v6, sizeof v6);
		m->dns = ip_from_v6(v6);
		m->has_dns = true;
		break;
	default:
		break;
	}
}

/* The message a relay agent carries, or an empty cursor. */
static struct cursor relayed(struct cursor c)
{
	struct tlv o;

	cursor_skip(&c, RELAY_HEADER);
	while (next_option(&c, &o))
		if (o.code == OPTION_RELAYED)
			return o.body;
	return cursor_over(NULL, 0);
}

bool dhcp6_parse(const struct packet *packet, struct dhcp6_message *m)
{
	struct cursor c = cursor_over(packet->payload, packet->payload_len);
	struct tlv o;

	*m = (struct dhcp6_message){0};
	if (packet->payload_len < 4)
		return false;
	m->type = cursor_u8(&c);
	for (unsigned i = 0;
	     i < RELAYS_MAX && (m->type == RELAY_FORWARD || m->type == DHCP6_RELAY_REPLY); i++) {
		struct cursor inner = relayed(c);

		if (cursor_left(&inner) < 4)
			return true; /* a relay's, its content unreadable */
		c = inner;
		m->type = cursor_u8(&c);
	}
	cursor_skip(&c, 3); /* transaction */
	while (next_option(&c, &o))
		read_option(m, &o);
	return true;
}

bool dhcp6_from_server(uint8_t type)
{
	return type == DHCP6_ADVERTISE || type == DHCP6_REPLY || type == DHCP6_RECONFIGURE ||
	       type == DHCP6_RELAY_REPLY;
}
