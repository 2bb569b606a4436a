/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.c - see dns.h.
 *
 * A compressed name (RFC 1035 4.1.4) may point anywhere, itself included: jumps are counted.
 */
#include "detect/dns.h"

#include "base/cursor.h"
#include "base/hash.h"

#define PORT_DNS 53
#define PORT_MDNS 5353
#define PORT_LLMNR 5355
#define PORT_NETBIOS 137
#define JUMPS_MAX 8
#define LABELS_MAX 32
/* Records looked at: mDNS announces dozens, answers to attacks have few. */
#define RECORDS_MAX 32
#define TYPE_A 1
#define TYPE_PTR 12
#define TYPE_AAAA 28
#define TYPE_NB 0x20
#define OPCODE(flags) ((flags) >> 11 & 15)
#define NB_ENCODED 32 /* bytes of a first-level encoded NetBIOS name (RFC 1001 14.1) */
#define NB_GROUP 0x8000u

struct reader {
	struct cursor c;
	const uint8_t *start;
	size_t len;
};

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static size_t add_label(char name[DNS_NAME_SIZE], size_t at, const uint8_t *label, uint8_t len)
{
	if (at > 0 && at + 1 < DNS_NAME_SIZE)
		name[at++] = '.';
	for (uint8_t i = 0; i < len && at + 1 < DNS_NAME_SIZE; i++)
		name[at++] = (char)lower(label[i]);
	return at;
}

/* Reads a name at the cursor, which ends up behind it. */
static void read_name(struct reader *r, char name[DNS_NAME_SIZE])
{
	struct cursor walk = r->c;
	bool jumped = false;
	unsigned jumps = 0;
	size_t at = 0;

	memset(name, 0, DNS_NAME_SIZE);
	for (unsigned i = 0; i < LABELS_MAX + JUMPS_MAX; i++) {
		uint8_t len = cursor_u8(&walk);
		const uint8_t *label;

		if ((len & 0xc0) == 0xc0) {
			size_t to = (size_t)(len & 0x3f) << 8 | cursor_u8(&walk);

			if (!jumped)
				r->c = walk;
			jumped = true;
			if (walk.failed || to >= r->len || ++jumps > JUMPS_MAX) {
				r->c.failed = true;
				return;
			}
			walk = cursor_over(r->start + to, r->len - to);
			continue;
		}
		label = (len & 0xc0) != 0 ? NULL : cursor_take(&walk, len);
		if (label == NULL || walk.failed)
			break;
		if (len == 0) {
			if (!jumped)
				r->c = walk;
			return;
		}
		at = add_label(name, at, label, len);
	}
	r->c.failed = true;
}

/*
 * The host name in an encoded NetBIOS name, in place.  Only the names that a host alone has:
 * suffix 00 (workstation) and 20 (file server); false for domains, browsers and the like, which
 * one host may answer for besides its own.
 */
static bool decode_netbios(char name[DNS_NAME_SIZE])
{
	char plain[NB_ENCODED / 2];
	size_t len = 0;

	for (size_t i = 0; i < sizeof plain; i++) {
		unsigned hi = (unsigned)(uint8_t)name[2 * i] - 'a';
		unsigned lo = (unsigned)(uint8_t)name[2 * i + 1] - 'a';

		if (hi > 15 || lo > 15)
			return false;
		plain[i] = (char)(hi << 4 | lo);
	}
	if (plain[15] != 0x00 && plain[15] != 0x20)
		return false;
	for (size_t i = 0; i < 15; i++)
		if (plain[i] != ' ')
			len = i + 1;
	memset(name, 0, DNS_NAME_SIZE);
	for (size_t i = 0; i < len; i++)
		name[i] = (char)lower((uint8_t)plain[i]);
	return len > 0;
}

static void add_address(struct dns_message *m, const char name[DNS_NAME_SIZE], struct ip_addr ip)
{
	/* Summed up, so that the order, which resolvers rotate, does not matter. */
	m->data += hash128_plain(ip.b, sizeof ip.b).lo;
	if (m->address_count == DNS_ADDRESSES)
		return;
	memcpy(m->address[m->address_count].name, name, DNS_NAME_SIZE);
	m->address[m->address_count++].ip = ip;
}

static void read_record(struct reader *r, struct dns_message *m)
{
	char name[DNS_NAME_SIZE];
	struct cursor body;
	const uint8_t *data;
	uint16_t type, len;

	read_name(r, name);
	type = cursor_be16(&r->c);
	cursor_skip(&r->c, 2 + 4); /* class, TTL */
	len = cursor_be16(&r->c);
	data = cursor_take(&r->c, len);
	if (data == NULL)
		return;
	body = cursor_over(data, len);
	if (m->family == DNS_NETBIOS) {
		if (type == TYPE_NB && len >= 6 && !(cursor_be16(&body) & NB_GROUP) &&
		    decode_netbios(name))
			add_address(m, name, ip_from_v4(data + 2));
	} else if (type == TYPE_A && len == 4) {
		add_address(m, name, ip_from_v4(data));
	} else if (type == TYPE_AAAA && len == 16) {
		add_address(m, name, ip_from_v6(data));
	}
}

static bool find_family(const struct packet *p, enum dns_family *family)
{
	static const struct {
		uint16_t port;
		enum dns_family family;
	} ports[] = {{PORT_DNS, DNS_PLAIN},
		     {PORT_MDNS, DNS_MDNS},
		     {PORT_LLMNR, DNS_LLMNR},
		     {PORT_NETBIOS, DNS_NETBIOS}};

	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
		if (p->sport == ports[i].port || p->dport == ports[i].port) {
			*family = ports[i].family;
			return true;
		}
	}
	return false;
}

/* RFC 1035 4.1.2: names in a question are not compressed. */
static bool asks_reverse(struct cursor *c)
{
	uint8_t len;

	for (unsigned i = 0; (len = cursor_u8(c)) != 0; i++) {
		if (len > 63 || i == LABELS_MAX + 2)
			return false;
		cursor_skip(c, len);
	}
	return cursor_be16(c) == TYPE_PTR && !c->failed;
}

bool dns_matters(const struct packet *p)
{
	struct cursor c = cursor_over(p->payload, p->payload_len);
	enum dns_family family;
	uint16_t flags, questions;

	if (p->payload == NULL || !find_family(p, &family))
		return false;
	cursor_skip(&c, 2);
	flags = cursor_be16(&c);
	questions = cursor_be16(&c);
	cursor_skip(&c, 6);
	if (c.failed || OPCODE(flags) != 0 || questions > RECORDS_MAX)
		return false;
	if (family != DNS_PLAIN)
		return true;
	if (questions == 0)
		return false;
	return (flags & 0x8000) != 0 || asks_reverse(&c);
}

bool dns_parse(const struct packet *p, struct dns_message *m)
{
	struct reader r = {.c = cursor_over(p->payload, p->payload_len),
			   .start = p->payload,
			   .len = p->payload_len};
	uint16_t flags;

	*m = (struct dns_message){0};
	if (p->proto != IPPROTO_NUM_UDP || p->payload == NULL || !find_family(p, &m->family))
		return false;
	m->id = cursor_be16(&r.c);
	flags = cursor_be16(&r.c);
	m->response = (flags & 0x8000) != 0;
	m->rcode = flags & 15;
	m->questions = cursor_be16(&r.c);
	m->answers = cursor_be16(&r.c);
	cursor_skip(&r.c, 4);
	if (r.c.failed || OPCODE(flags) != 0 || m->questions > RECORDS_MAX)
		return false;
	for (unsigned i = 0; i < m->questions && !r.c.failed; i++) {
		char name[DNS_NAME_SIZE];
		uint16_t type;

		read_name(&r, name);
		type = cursor_be16(&r.c);
		cursor_skip(&r.c, 2);
		if (i > 0 || r.c.failed)
			continue;
		memcpy(m->question, name, sizeof name);
		m->type = type;
		if (m->family == DNS_NETBIOS)
			(void)decode_netbios(m->question);
	}
	for (unsigned i = 0; i < m->answers && i < RECORDS_MAX && !r.c.failed; i++)
		read_record(&r, m);
	m->truncated = r.c.failed;
	if (m->address_count == 0)
		m->data = m->rcode;
	return true;
}
