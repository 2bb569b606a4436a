/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp.c - see dhcp.h. */
#include "detect/dhcp.h"

#include "base/cursor.h"

#define MAGIC 0x63825363u /* RFC 2131 section 3 */
#define PORT_SERVER 67
#define SNAME_FILE (64 + 128)

static struct ip_addr read_ip(struct cursor *c)
{
	uint8_t v4[4];

	cursor_bytes(c, v4, sizeof v4);
	return ip_from_v4(v4);
}

/* RFC 3442: prefix length, significant octets of the destination, gateway; again and again. */
static void read_routes(struct dhcp_message *m, struct cursor body)
{
	while (cursor_left(&body) > 0 && m->routes < DHCP_ROUTES) {
		uint8_t bits = cursor_u8(&body);
		struct ip_addr via;

		cursor_skip(&body, (size_t)(bits + 7) / 8);
		via = read_ip(&body);
		if (body.failed || bits > 32)
			return;
		m->route_via[m->routes++] = via;
	}
}

static void read_option(struct dhcp_message *m, uint8_t code, struct cursor body)
{
	size_t len = cursor_left(&body);

	switch (code) {
	case 3:
		m->has_router = len >= 4;
		m->router = read_ip(&body);
		break;
	case 6:
		m->has_dns = len >= 4;
		m->dns = read_ip(&body);
		break;
	case 50:
		m->requested = read_ip(&body);
		break;
	case 51:
		m->lease_seconds = cursor_be32(&body);
		break;
	case 53:
		m->type = cursor_u8(&body);
		break;
	case 54:
		m->has_server = len >= 4;
		m->server = read_ip(&body);
		break;
	case 121:
	case 249:
		read_routes(m, body);
		break;
	default:
		break;
	}
}

/* Up to and with the client's hardware address; gives the length of it. */
static uint8_t read_front(struct cursor *c, struct dhcp_message *m)
{
	uint8_t hardware[2];

	*m = (struct dhcp_message){0};
	m->op = cursor_u8(c);
	cursor_bytes(c, hardware, sizeof hardware); /* htype, hlen */
	cursor_skip(c, 1 + 4 + 2 + 2);		    /* hops, xid, secs, flags */
	m->ciaddr = read_ip(c);
	m->yiaddr = read_ip(c);
	cursor_skip(c, 4); /* siaddr */
	m->giaddr = read_ip(c);
	cursor_bytes(c, m->chaddr.b, sizeof m->chaddr.b);
	return hardware[1];
}

bool dhcp_parse_cut(const struct packet *packet, struct dhcp_message *m)
{
	struct cursor c = cursor_over(packet->payload, packet->payload_len);

	if (packet->payload == NULL || packet->payload_len >= packet->payload_wire ||
	    packet->sport != PORT_SERVER)
		return false;
	return read_front(&c, m) == 6 && !c.failed && m->op == 2;
}

bool dhcp_parse(const struct packet *packet, struct dhcp_message *m)
{
	struct cursor c = cursor_over(packet->payload, packet->payload_len);
	uint8_t length;

	if (packet->payload == NULL) {
		*m = (struct dhcp_message){0};
		return false;
	}
	length = read_front(&c, m);
	cursor_skip(&c, 10 + SNAME_FILE); /* the rest of chaddr */
	if (cursor_be32(&c) != MAGIC || c.failed || (m->op != 1 && m->op != 2))
		return false;
	while (!c.failed && cursor_left(&c) > 0) {
		uint8_t code = cursor_u8(&c);
		const uint8_t *body;
		uint8_t len;

		if (code == 255)
			break;
		if (code == 0)
			continue;
		len = cursor_u8(&c);
		body = cursor_take(&c, len);
		if (body != NULL)
			read_option(m, code, cursor_over(body, len));
	}
	return length == 6;
}
