/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binary.c - protocols whose words are bytes: DNS, SSH, databases, voice, torrents, tunnels; and
 * some that nobody knows, which cost nDPI the most.
 */
#include <string.h>

#include "talk.h"

#define LINES 8
/* A literal with zeros in it, and how long it is. */
#define B(text) (text), sizeof(text) - 1

struct line {
	uint8_t from;
	const char *bytes;
	size_t len;
	uint16_t blank_at,
	    blank_len; /* differs from flow to flow; the same place, the same bytes */
};

struct binary {
	const char *name;
	uint8_t proto;
	uint16_t port;
	struct line line[LINES];
	uint16_t tail, tail_len;
};

#define ZERO16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZERO32 ZERO16 ZERO16

static const struct binary binaries[] = {
    {"mysql",
     PROTO_TCP,
     3306,
     {{1,
       B("\x4a\x00\x00\x00\x0a"
	 "8.0.33\0\x08\x01\x00\x00~~~~~~~~\0\xff\xff\xff\x02\x00\xff\xdf\x15" ZERO16
	 "mysql_native_password\0"),
       16, 8},
      {0,
       B("\x54\x00\x00\x01\x8d\xa6\xff\x01\x00\x00\x00\x01\x2d\0\0\0\0\0\0\0" ZERO16
	 "shop\0\x14~~~~~~~~~~~~~~~~~~~~mysql_native_password\0"),
       42, 20},
      {1, B("\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"), 0, 0},
      {0, B("\x21\x00\x00\x00\x03SELECT * FROM orders WHERE id=~~~~"), 35, 4}},
     4,
     700},
    {"postgresql",
     PROTO_TCP,
     5432,
     {{0, B("\x00\x00\x00\x25\x00\x03\x00\x00user\0shop\0database\0orders\0\0"), 0, 0},
      {1, B("R\x00\x00\x00\x0c\x00\x00\x00\x05~~~~"), 9, 4},
      {0, B("p\x00\x00\x00\x28md5~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\0"), 8, 32},
      {1,
       B("R\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x00\x16"
	 "application_name\0\0Z\x00\x00\x00\x05I"),
       0, 0},
      {0, B("Q\x00\x00\x00\x1bselect * from t where ~~~\0"), 27, 3}},
     3,
     500},
    {"bittorrent",
     PROTO_TCP,
     6881,
     {{0,
       B("\x13"
	 "BitTorrent protocol\0\0\0\0\0\x10\0\x05~~~~~~~~~~~~~~~~~~~~-TR4000-~~~~~~~~~~~~"),
       28, 20},
      {1,
       B("\x13"
	 "BitTorrent protocol\0\0\0\0\0\x10\0\x05~~~~~~~~~~~~~~~~~~~~-qB4500-~~~~~~~~~~~~"),
       28, 20}},
     10,
     1300},
    {"mqtt",
     PROTO_TCP,
     1883,
     {{0, B("\x10\x16\x00\x04MQTT\x04\x02\x00\x3c\x00\x0asensor~~~~"), 20, 4},
      {1, B("\x20\x02\x00\x00"), 0, 0},
      {0, B("\x82\x0e\x00\x01\x00\x09room/temp\x00"), 0, 0},
      {1, B("\x90\x03\x00\x01\x00"), 0, 0},
      {1, B("\x30\x13\x00\x09room/temp21.~~~~~~"), 16, 6}},
     0,
     0},
    {"rdp",
     PROTO_TCP,
     3389,
     {{0, B("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"), 0, 0},
      {1, B("\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x02\x00\x00\x00"), 0, 0}},
     12,
     800},
    {"vnc",
     PROTO_TCP,
     5900,
     {{1, B("RFB 003.008\n"), 0, 0},
      {0, B("RFB 003.008\n"), 0, 0},
      {1, B("\x01\x02"), 0, 0},
      {0, B("\x02"), 0, 0},
      {1, B(ZERO16), 0, 16},
      {0, B(ZERO16), 0, 16}},
     10,
     1300},
    {"ldap",
     PROTO_TCP,
     389,
     {{0,
       B("\x30\x25\x02\x01\x01\x60\x20\x02\x01\x03\x04\x13"
	 "cn=admin,dc=example\x80\x06~~~~~~"),
       33, 6},
      {1, B("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"), 0, 0}},
     4,
     300},
    {"modbus",
     PROTO_TCP,
     502,
     {{0, B("~~\x00\x00\x00\x06\x01\x03\x00\x10\x00\x02"), 0, 2},
      {1, B("~~\x00\x00\x00\x07\x01\x03\x04\x00\x2a\x00\x17"), 0, 2},
      {0, B("~~\x00\x00\x00\x06\x01\x03\x00\x20\x00\x02"), 0, 2},
      {1, B("~~\x00\x00\x00\x07\x01\x03\x04\x01\x2a\x00\x19"), 0, 2}},
     0,
     0},
    {"smb2",
     PROTO_TCP,
     445,
     {{0,
       B("\x00\x00\x00\x6c\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1f\x00" ZERO32
	 "\0\0\0\0\0\0\0\0\0\0\0\0\x24\x00\x04\x00\x01\x00\x00\x00\x7f\x00\x00\x00" ZERO16
	 "\0\0\0\0\0\0\0\0\x02\x02\x10\x02\x00\x03\x02\x03"),
       88, 16},
      {1,
       B("\x00\x00\x00\x4c\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00" ZERO32
	 "\0\0\0\0\0\0\0\0\0\0\0\0\x41\x00\x01\x00\x02\x03\x00\x00"),
       0, 0}},
     10,
     1100},
    {"ntp",
     PROTO_UDP,
     123,
     {{0,
       B("\x23\x00\x06\xe8\x00\x00\x00\x00\x00\x00\x00\x00" ZERO16
	 "\0\0\0\0\0\0\0\0\0\0\0\0~~~~~~~~"),
       40, 8},
      {1,
       B("\x24\x02\x06\xe8\x00\x00\x08\x1f\x00\x00\x05\x3b\xc0\x00\x02\x01" ZERO16
	 "\0\0\0\0\0\0\0\0~~~~~~~~"),
       40, 8}},
     0,
     0},
    {"snmp",
     PROTO_UDP,
     161,
     {{0,
       B("\x30\x2c\x02\x01\x01\x04\x06public\xa0\x1f\x02\x04~~~~\x02\x01\x00\x02\x01\x00\x30\x11"
	 "\x30\x0f\x06\x0b\x2b\x06\x01\x02\x01\x02\x02\x01\x0a\x01\x00\x05\x00"),
       17, 4},
      {1,
       B("\x30\x2f\x02\x01\x01\x04\x06public\xa2\x22\x02\x04~~~~\x02\x01\x00\x02\x01\x00\x30\x14"
	 "\x30\x12\x06\x0b\x2b\x06\x01\x02\x01\x02\x02\x01\x0a\x01\x00\x41\x03\x12\x34\x56"),
       17, 4}},
     0,
     0},
    {"stun",
     PROTO_UDP,
     3478,
     {{0, B("\x00\x01\x00\x00\x21\x12\xa4\x42~~~~~~~~~~~~"), 8, 12},
      {1,
       B("\x01\x01\x00\x0c\x21\x12\xa4\x42~~~~~~~~~~~~\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\xba"
	 "\xa4\x43"),
       8, 12}},
     8,
     172},
    {"radius",
     PROTO_UDP,
     1812,
     {{0, B("\x01\x2a\x00\x1c~~~~~~~~~~~~~~~~\x01\x08user77"), 4, 16},
      {1, B("\x02\x2a\x00\x14~~~~~~~~~~~~~~~~"), 4, 16}},
     0,
     0},
    {"wireguard",
     PROTO_UDP,
     51820,
     {{0, B("\x01\x00\x00\x00" ZERO32 ZERO32 ZERO32 ZERO32 ZERO16), 4, 144},
      {1, B("\x02\x00\x00\x00" ZERO32 ZERO32 ZERO16 "\0\0\0\0\0\0\0\0"), 4, 88}},
     0,
     0},
    {"openvpn",
     PROTO_UDP,
     1194,
     {{0,
       B("\x38~~~~~~~~"
	 "\x00\x00\x00\x00\x00"),
       1, 8},
      {1,
       B("\x40~~~~~~~~"
	 "\x01\x00\x00\x00\x00~~~~~~~~\x00\x00\x00\x00"),
       1, 8}},
     8,
     900},
    {"netbios",
     PROTO_UDP,
     137,
     {{0,
       B("~~\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00\x20"
	 "EGEJEMEFCACACACACACACACACACACACA\x00\x00\x20\x00\x01"),
       0, 2}},
     0,
     0},
    {"tftp", PROTO_UDP, 69, {{0, B("\x00\x01pxelinux.0\0octet\0"), 0, 0}}, 0, 0},
};

static void from_table(struct scripts *all)
{
	for (unsigned i = 0; i < sizeof binaries / sizeof binaries[0]; i++) {
		const struct binary *t = &binaries[i];
		struct script *s = talk_new(all, t->name, t->proto, t->port, 14);

		for (unsigned k = 0; k < LINES && t->line[k].len != 0; k++) {
			const struct line *line = &t->line[k];
			struct message *m = talk_add(s, line->from, line->bytes, line->len);

			if (line->blank_len != 0)
				talk_blank(m, line->blank_at, line->blank_len, 1, false);
		}
		talk_tail(s, t->tail, t->tail_len);
		talk_finish(s, true);
	}
}

static size_t put_name(uint8_t *p, const char *name)
{
	uint8_t *start = p;

	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		*p++ = (uint8_t)len;
		memcpy(p, name, len);
		p += len;
		name += len + (name[len] == '.');
	}
	*p++ = 0;
	return (size_t)(p - start);
}

static void dns_pair(struct script *s, const char *name, unsigned type, uint8_t key)
{
	static const uint8_t asked[12] = {0, 0, 0x01, 0x00, 0, 1};
	static const uint8_t answered[12] = {0, 0, 0x81, 0x80, 0, 1, 0, 1};
	uint8_t bytes[512];
	struct message *m;
	size_t data = type == 1 ? 4 : 16;
	size_t len;

	memcpy(bytes, asked, sizeof asked);
	len = 12 + put_name(bytes + 12, name);
	put32(bytes + len, type << 16 | 1);
	len += 4;
	m = talk_add(s, 0, bytes, len);
	talk_blank(m, 0, 2, key, false);
	memcpy(bytes, answered, sizeof answered);
	put32(bytes + len, 0xc00c0000 | type);
	put32(bytes + len + 4, 0x00010000);
	put32(bytes + len + 8, 300u << 16 | (uint32_t)data);
	m = talk_add(s, 1, bytes, len + 12 + data);
	talk_blank(m, 0, 2, key, false);
	talk_blank(m, len + 12, data, (uint8_t)(key + 50), false);
}

void dns_scripts(struct scripts *all, bool whole)
{
	for (unsigned i = 0; i < talk_name_count; i++) {
		struct script *s = talk_new(all, "dns", PROTO_UDP, 53, whole ? 8 : 6);

		dns_pair(s, talk_names[i], 1, 1);
		dns_pair(s, talk_names[i], 28, 2);
	}
}

static void ssh(struct scripts *all)
{
	static const char kex[] =
	    "\0\0\x02\x5c\x06\x14" ZERO16 "\0\0\0\x54"
	    "curve25519-sha256,ecdh-sha2-nistp256,ecdh-sha2-nistp384,diffie-hellman-group16-sha51"
	    "\0\0\0\x1fssh-ed25519,rsa-sha2-512,ssh-rsa"
	    "\0\0\0\x31"
	    "chacha20-poly1305@openssh.com,aes128-ctr,aes256ctr"
	    "\0\0\0\x0dhmac-sha2-256\0\0\0\x04none\0\0\0\0\0\0\0\0\0\0\0\0";
	struct script *s = talk_new(all, "ssh", PROTO_TCP, 22, 30);
	static const char client[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";
	static const char server[] = "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.6\r\n";

	(void)talk_add(s, 0, client, sizeof client - 1);
	(void)talk_add(s, 1, server, sizeof server - 1);
	talk_blank(talk_add(s, 0, kex, sizeof kex - 1), 6, 16, 1, false);
	talk_blank(talk_add(s, 1, kex, sizeof kex - 1), 6, 16, 2, false);
	talk_tail(s, 16, 300);
	talk_finish(s, true);
}

/* Voice: RTP of 20 ms G.711, counted up. */
static void rtp(struct scripts *all)
{
	struct script *s = talk_new(all, "rtp", PROTO_UDP, 16384, 25);

	for (unsigned i = 0; i < 24; i++) {
		uint8_t bytes[172] = {0x80, 0x00};
		struct message *m;

		put16(bytes + 2, 100 + i / 2);
		put32(bytes + 4, 160 * (i / 2));
		m = talk_add(s, i % 2, bytes, sizeof bytes);
		talk_blank(m, 8, 4, (uint8_t)(1 + i % 2), false);
		talk_blank(m, 12, 160, (uint8_t)(10 + i), false);
	}
}

/* A long header of version 1, the rest sealed (RFC 9000); nDPI tries to open it. */
static void quic(struct scripts *all)
{
	struct script *s = talk_new(all, "quic", PROTO_UDP, 443, 40);

	for (unsigned i = 0; i < 2; i++) {
		uint8_t bytes[1200] = {0xc3, 0, 0, 0, 1, 8};
		struct message *m;

		bytes[14] = 8; /* source id follows */
		bytes[23] = 0; /* no token */
		put16(bytes + 24, 0x4000 | (1200 - 26));
		m = talk_add(s, i, bytes, sizeof bytes);
		talk_blank(m, 6, 8, (uint8_t)(1 + i), false);
		talk_blank(m, 15, 8, (uint8_t)(2 - i), false);
		talk_blank(m, 26, 1200 - 26, (uint8_t)(10 + i), false);
	}
	for (unsigned i = 0; i < 14; i++) {
		uint8_t bytes[1250] = {0x41};
		size_t len = i % 5 == 0 ? 60 : sizeof bytes;
		struct message *m = talk_add(s, i % 5 != 0, bytes, len);

		talk_blank(m, 1, len - 1, (uint8_t)(20 + i), false);
	}
}

static void unknown(struct scripts *all)
{
	static const uint16_t port[] = {7777, 10051, 27015, 33445, 9001, 2302};

	for (unsigned i = 0; i < 6; i++) {
		struct script *s =
		    talk_new(all, "unknown", i % 2 ? PROTO_UDP : PROTO_TCP, port[i], 16);

		talk_tail(s, 10 + 3 * i, 60 + 230 * i);
		talk_finish(s, true);
	}
}

void binary_scripts(struct scripts *all)
{
	from_table(all);
	ssh(all);
	rtp(all);
	quic(all);
	unknown(all);
}
