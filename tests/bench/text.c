/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - protocols whose words are text: HTTP, mail, FTP, IRC, Redis, SIP ...
 *
 * '~' in a line stands for one letter or digit that differs from flow to flow.
 */
#include <string.h>

#include "talk.h"

#define LINES 14

struct line {
	uint8_t from;
	const char *text;
};

struct text {
	const char *name;
	uint8_t proto;
	uint16_t port;
	struct line line[LINES];
	uint16_t tail, tail_len; /* packets of data behind it */
};

static const struct text texts[] = {
    {"smtp",
     PROTO_TCP,
     25,
     {{1, "220 mx1.example.net ESMTP Postfix (~~~~~~)\r\n"},
      {0, "EHLO host-~~~~~~.example.org\r\n"},
      {1, "250-mx1.example.net\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-STARTTLS\r\n"
	  "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"},
      {0, "MAIL FROM:<~~~~~~~~@example.org> SIZE=3812\r\n"},
      {1, "250 2.1.0 Ok\r\n"},
      {0, "RCPT TO:<~~~~~~~@example.net>\r\n"},
      {1, "250 2.1.5 Ok\r\n"},
      {0, "DATA\r\n"},
      {1, "354 End data with <CR><LF>.<CR><LF>\r\n"},
      {0, "Message-ID: <~~~~~~~~~~~~@example.org>\r\nSubject: report ~~~~\r\n"
	  "Content-Type: text/plain; charset=utf-8\r\n\r\nGood morning,\r\n\r\n"
	  "the figures of the week are attached.\r\n.\r\n"},
      {1, "250 2.0.0 Ok: queued as ~~~~~~~~~~\r\n"},
      {0, "QUIT\r\n"},
      {1, "221 2.0.0 Bye\r\n"}},
     0,
     0},
    {"pop3",
     PROTO_TCP,
     110,
     {{1, "+OK Dovecot ready. <~~~~~~~~@example.net>\r\n"},
      {0, "CAPA\r\n"},
      {1, "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nSTLS\r\nUSER\r\n.\r\n"},
      {0, "USER ~~~~~~~~\r\n"},
      {1, "+OK\r\n"},
      {0, "PASS ~~~~~~~~~~\r\n"},
      {1, "+OK Logged in.\r\n"},
      {0, "STAT\r\n"},
      {1, "+OK 12 48230\r\n"},
      {0, "QUIT\r\n"},
      {1, "+OK Logging out.\r\n"}},
     0,
     0},
    {"imap",
     PROTO_TCP,
     143,
     {{1, "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ "
	  "STARTTLS] Dovecot ~~~~ ready.\r\n"},
      {0, "a001 CAPABILITY\r\n"},
      {1, "* CAPABILITY IMAP4rev1 SASL-IR ID ENABLE IDLE\r\na001 OK done ~~~~~~~~\r\n"},
      {0, "a002 LOGIN ~~~~~~~~ ~~~~~~~~~~\r\n"},
      {1, "a002 OK Logged in ~~~~~~\r\n"},
      {0, "a003 SELECT INBOX\r\n"},
      {1, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen)\r\n* 172 EXISTS\r\n* 1 RECENT\r\n"
	  "a003 OK [READ-WRITE] Select completed ~~~~~~.\r\n"},
      {0, "a004 FETCH 1:20 (UID FLAGS)\r\n"}},
     6,
     900},
    {"ftp",
     PROTO_TCP,
     21,
     {{1, "220 ProFTPD Server (~~~~~~) [192.0.2.7]\r\n"},
      {0, "USER ~~~~~~~\r\n"},
      {1, "331 Password required for this user\r\n"},
      {0, "PASS ~~~~~~~~~\r\n"},
      {1, "230 User logged in ~~~~~~\r\n"},
      {0, "SYST\r\n"},
      {1, "215 UNIX Type: L8\r\n"},
      {0, "PASV\r\n"},
      {1, "227 Entering Passive Mode (192,0,2,7,201,11).\r\n"},
      {0, "RETR backup-~~~~~~.tar\r\n"},
      {1, "150 Opening BINARY mode data connection\r\n"},
      {1, "226 Transfer complete ~~~~~~\r\n"},
      {0, "QUIT\r\n"}},
     0,
     0},
    {"redis",
     PROTO_TCP,
     6379,
     {{0, "*2\r\n$4\r\nAUTH\r\n$12\r\n~~~~~~~~~~~~\r\n"},
      {1, "+OK\r\n"},
      {0, "*3\r\n$3\r\nSET\r\n$14\r\nsession:~~~~~~\r\n$24\r\n~~~~~~~~~~~~~~~~~~~~~~~~\r\n"},
      {1, "+OK\r\n"},
      {0, "*2\r\n$3\r\nGET\r\n$14\r\nsession:~~~~~~\r\n"},
      {1, "$24\r\n~~~~~~~~~~~~~~~~~~~~~~~~\r\n"},
      {0, "*1\r\n$4\r\nPING\r\n"},
      {1, "+PONG\r\n"}},
     0,
     0},
    {"memcached",
     PROTO_TCP,
     11211,
     {{0, "get user:~~~~~~~~\r\n"},
      {1, "VALUE user:~~~~~~~~ 0 16\r\n~~~~~~~~~~~~~~~~\r\nEND\r\n"},
      {0, "set user:~~~~~~~~ 0 3600 16\r\n~~~~~~~~~~~~~~~~\r\n"},
      {1, "STORED\r\n"}},
     0,
     0},
    {"irc",
     PROTO_TCP,
     6667,
     {{0, "NICK ~~~~~~~~\r\nUSER ~~~~~~ 0 * :somebody\r\n"},
      {1, ":irc.example.net 001 ~~~~~~~~ :Welcome to the network\r\n"},
      {0, "JOIN #operators\r\n"},
      {1, ":irc.example.net 353 ~~~~~~~~ = #operators :@anna bob carl\r\n"},
      {0, "PRIVMSG #operators :link ~~~~ is up again\r\n"},
      {1, ":anna!a@192.0.2.9 PRIVMSG #operators :thanks ~~~~~~~~\r\n"}},
     0,
     0},
    {"xmpp",
     PROTO_TCP,
     5222,
     {{0, "<?xml version='1.0'?><stream:stream to='example.net' xmlns='jabber:client' "
	  "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"},
      {1, "<?xml version='1.0'?><stream:stream from='example.net' id='~~~~~~~~~~~~' "
	  "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"},
      {1, "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	  "</stream:features>"},
      {0, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"},
      {1, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"}},
     6,
     400},
    {"telnet",
     PROTO_TCP,
     23,
     {{1, "\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27"},
      {0, "\xff\xfb\x18\xff\xfb\x20\xff\xfc\x23\xff\xfb\x27"},
      {1, "\r\nswitch-~~~~ login: "},
      {0, "~~~~~~\r\n"},
      {1, "Password: "},
      {0, "~~~~~~~~\r\n"},
      {1, "\r\nLast login ~~~~~~\r\n# "}},
     0,
     0},
    {"rtsp",
     PROTO_TCP,
     554,
     {{0, "OPTIONS rtsp://camera-~~~~.example.com/live RTSP/1.0\r\nCSeq: 1\r\n\r\n"},
      {1, "RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE, SETUP, TEARDOWN, PLAY\r\n\r\n"},
      {0, "DESCRIBE rtsp://camera-~~~~.example.com/live RTSP/1.0\r\nCSeq: 2\r\n\r\n"},
      {1, "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\n"
	  "Content-Length: 44\r\n\r\nv=0\r\no=- ~~~~~~~~ 1 IN IP4 192.0.2.4\r\ns=live\r\n"}},
     8,
     1200},
    {"sip",
     PROTO_UDP,
     5060,
     {{0, "INVITE sip:~~~~~~@example.net SIP/2.0\r\n"
	  "Via: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK~~~~~~~~~~~~\r\nMax-Forwards: 70\r\n"
	  "From: <sip:anna@example.org>;tag=~~~~~~~~\r\nTo: <sip:~~~~~~@example.net>\r\n"
	  "Call-ID: ~~~~~~~~~~~~~~~~@192.0.2.30\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"},
      {1, "SIP/2.0 100 Trying\r\nCall-ID: ~~~~~~~~~~~~~~~~@192.0.2.30\r\n"
	  "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"},
      {1, "SIP/2.0 180 Ringing\r\nCall-ID: ~~~~~~~~~~~~~~~~@192.0.2.30\r\n"
	  "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"},
      {1, "SIP/2.0 200 OK\r\nCall-ID: ~~~~~~~~~~~~~~~~@192.0.2.30\r\n"
	  "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"},
      {0, "ACK sip:~~~~~~@example.net SIP/2.0\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"},
      {0, "BYE sip:~~~~~~@example.net SIP/2.0\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n"}},
     0,
     0},
    {"ssdp",
     PROTO_UDP,
     1900,
     {{0, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
	  "MX: 1\r\nST: urn:schemas-upnp-org:device:~~~~~~~~\r\n\r\n"},
      {1, "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:~~~~~~~~~~~~\r\n\r\n"}},
     0,
     0},
    {"syslog",
     PROTO_UDP,
     514,
     {{0, "<134>Jan  1 10:00:00 web-~~~~ nginx: 192.0.2.3 - \"GET /~~~~~~~~ HTTP/1.1\" 200\n"},
      {0, "<134>Jan  1 10:00:01 web-~~~~ nginx: 192.0.2.9 - \"GET /~~~~~~~~ HTTP/1.1\" 404\n"},
      {0, "<38>Jan  1 10:00:02 web-~~~~ sshd[~~~~]: Accepted publickey for deploy\n"}},
     0,
     0},
    {"bittorrent-dht",
     PROTO_UDP,
     6881,
     {{0, "d1:ad2:id20:~~~~~~~~~~~~~~~~~~~~6:target20:~~~~~~~~~~~~~~~~~~~~e1:q9:find_node"
	  "1:t2:~~1:y1:qe"},
      {1, "d1:rd2:id20:~~~~~~~~~~~~~~~~~~~~5:nodes26:~~~~~~~~~~~~~~~~~~~~~~~~~~e1:t2:~~"
	  "1:y1:re"},
      {0, "d1:ad2:id20:~~~~~~~~~~~~~~~~~~~~9:info_hash20:~~~~~~~~~~~~~~~~~~~~e1:q9:get_peers"
	  "1:t2:~~1:y1:qe"}},
     0,
     0},
};

/* A blank for each run of '~'; further ones of a message share the last key. */
static void blanks_of(struct message *m, uint8_t key)
{
	unsigned at = 0;

	while (at < m->len && m->blanks < BLANKS) {
		unsigned end = at;

		while (end < m->len && m->bytes[end] == '~')
			end++;
		if (end > at)
			talk_blank(m, at, end - at, (uint8_t)(key + m->blanks), true);
		at = end + 1;
	}
}

void text_scripts(struct scripts *all)
{
	for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const struct text *t = &texts[i];
		struct script *s = talk_new(all, t->name, t->proto, t->port, 14);

		for (unsigned k = 0; k < LINES && t->line[k].text != NULL; k++)
			blanks_of(
			    talk_add(s, t->line[k].from, t->line[k].text, strlen(t->line[k].text)),
			    (uint8_t)(1 + BLANKS * k));
		talk_tail(s, t->tail, t->tail_len);
		talk_finish(s, true);
	}
}

void http_scripts(struct scripts *all, bool whole)
{
	static const char *const agent[] = {"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101",
					    "curl/7.88.1", "Debian APT-HTTP/1.3 (2.6.1)",
					    "okhttp/4.11.0"};
	static const char *const type[] = {"text/html; charset=utf-8", "application/json",
					   "image/png", "application/octet-stream"};

	for (unsigned i = 0; i < talk_name_count; i++) {
		struct script *s = talk_new(all, "http", PROTO_TCP, i % 5 == 0 ? 8080 : 80, 6);
		char text[PAYLOAD_MAX];

		(void)snprintf(
		    text, sizeof text,
		    "GET /assets/~~~~~~~~~~/index?page=~~~~ HTTP/1.1\r\nHost: %s\r\n"
		    "User-Agent: %s\r\nAccept: */*\r\nAccept-Encoding: gzip, br\r\n"
		    "Cookie: session=~~~~~~~~~~~~~~~~~~~~\r\nConnection: keep-alive\r\n\r\n",
		    talk_names[i], agent[i % 4]);
		blanks_of(talk_add(s, 0, text, strlen(text)), 1);
		if (whole || i % 2 == 0) {
			(void)snprintf(text, sizeof text,
				       "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n"
				       "Content-Type: %s\r\nContent-Length: 18230\r\n"
				       "ETag: \"~~~~~~~~~~~~\"\r\nCache-Control: no-cache\r\n\r\n"
				       "<!DOCTYPE html><html><head><title>~~~~~~~~</title></head>",
				       type[i / 4 % 4]);
			blanks_of(talk_add(s, 1, text, strlen(text)), 20);
		}
		if (whole)
			talk_tail(s, 4 + i % 8, 1380);
		talk_finish(s, whole);
	}
}
