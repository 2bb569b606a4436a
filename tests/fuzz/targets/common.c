/* SPDX-License-Identifier: Apache-2.0 */
/* common.c - see common.h. */
#include "common.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bulkhead/err.h"

#define JSON_DEPTH 32

_Noreturn void fuzz_fail(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

int fuzz_file(const void *data, size_t size, char path[static FUZZ_PATH_SIZE])
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0);
	FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
	FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
	(void)snprintf(path, FUZZ_PATH_SIZE, "/proc/self/fd/%d", fd);
	return fd;
}

bool fuzz_stdin(const void *data, size_t size)
{
	int fd[2];
	bool fits;

	FUZZ_CHECK(pipe2(fd, O_CLOEXEC | O_NONBLOCK) == 0);
	fits = size == 0 || write(fd[1], data, size) == (ssize_t)size;
	(void)close(fd[1]);
	if (fits)
		FUZZ_CHECK(dup2(fd[0], STDIN_FILENO) == STDIN_FILENO);
	(void)close(fd[0]);
	return fits;
}

const char *fuzz_folder(void)
{
	static char path[64];
	const char *parent = getenv("TMPDIR");

	if (path[0] == '\0') {
		(void)snprintf(path, sizeof path, "%.40s/fuzz.XXXXXX",
			       parent != NULL ? parent : "/dev/shm");
		FUZZ_CHECK(mkdtemp(path) != NULL);
	}
	return path;
}

uint8_t *fuzz_copy(const void *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	FUZZ_CHECK(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *fuzz_text(const void *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

void fuzz_check_plain(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	FUZZ_CHECK(len < size);
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK(text[i] >= 0x20 && text[i] <= 0x7e);
}

/* ---- JSON, by RFC 8259 --------------------------------------------------------------------- */

static void json_text(struct cursor *c)
{
	uint8_t b;

	while ((b = cursor_u8(c)) != '"') {
		FUZZ_CHECK(!c->failed && b >= 0x20 && b <= 0x7e);
		if (b != '\\')
			continue;
		b = cursor_u8(c);
		FUZZ_CHECK(b != 0 && strchr("\"\\/bfnrtu", b) != NULL);
		for (int i = 0; b == 'u' && i < 4; i++) {
			uint8_t hex = cursor_u8(c);

			FUZZ_CHECK(hex != 0 && strchr("0123456789abcdefABCDEF", hex) != NULL);
		}
	}
}

static void json_word(struct cursor *c, const char *word)
{
	const uint8_t *p = cursor_take(c, strlen(word));

	FUZZ_CHECK(p != NULL && memcmp(p, word, strlen(word)) == 0);
}

static void json_number(struct cursor *c)
{
	size_t len = 0;
	char text[48];
	char *end;

	while (cursor_left(c) > len && len < sizeof text - 1 &&
	       strchr("0123456789+-.eE", c->at[len]) != NULL && c->at[len] != 0)
		len++;
	FUZZ_CHECK(len > 0);
	memcpy(text, cursor_take(c, len), len);
	text[len] = '\0';
	(void)strtod(text, &end);
	FUZZ_CHECK(*end == '\0' && strcmp(text, "-") != 0);
	FUZZ_CHECK(text[0] != '+' && (text[0] != '0' || len == 1 || text[1] == '.'));
}

static void json_scalar(struct cursor *c)
{
	switch (c->at[0]) {
	case '"':
		(void)cursor_u8(c);
		json_text(c);
		break;
	case 't':
		json_word(c, "true");
		break;
	case 'f':
		json_word(c, "false");
		break;
	case 'n':
		json_word(c, "null");
		break;
	default:
		json_number(c);
	}
}

static void json_key(struct cursor *c)
{
	FUZZ_CHECK(cursor_u8(c) == '"');
	json_text(c);
	FUZZ_CHECK(cursor_u8(c) == ':');
}

/* What follows a value: closes what it closes; true when another value must come. */
static bool json_behind(struct cursor *c, const char *open, unsigned *depth)
{
	while (*depth > 0) {
		uint8_t b = cursor_u8(c);

		if (b == ',') {
			if (open[*depth - 1] == '{')
				json_key(c);
			return true;
		}
		FUZZ_CHECK(b == (open[*depth - 1] == '{' ? '}' : ']'));
		--*depth;
	}
	return false;
}

void fuzz_check_json(const char *text, size_t len)
{
	struct cursor c = cursor_over(text, len);
	char open[JSON_DEPTH];
	unsigned depth = 0;

	do {
		for (;;) { /* to the first scalar, or an empty object or array */
			FUZZ_CHECK(cursor_left(&c) > 0);
			if (c.at[0] != '{' && c.at[0] != '[') {
				json_scalar(&c);
				break;
			}
			FUZZ_CHECK(depth < JSON_DEPTH);
			open[depth++] = (char)cursor_u8(&c);
			FUZZ_CHECK(cursor_left(&c) > 0);
			if (c.at[0] == '}' || c.at[0] == ']')
				break;
			if (open[depth - 1] == '{')
				json_key(&c);
		}
	} while (json_behind(&c, open, &depth));
	FUZZ_CHECK(!c.failed && cursor_left(&c) == 0);
}

/* ---- packets ------------------------------------------------------------------------------- */

static void check_within(const uint8_t *at, uint32_t len, const uint8_t *data, uint32_t caplen)
{
	FUZZ_CHECK(at == NULL
		       ? true
		       : at >= data && len <= caplen && at - data <= (ptrdiff_t)(caplen - len));
}

void fuzz_check_packet(const struct packet *packet, const uint8_t *data, uint32_t caplen)
{
	check_within(packet->l2, packet->l2_len, data, caplen);
	check_within(packet->l3_data, packet->l3_len, data, caplen);
	check_within(packet->l4, packet->l4_len, data, caplen);
	check_within(packet->payload, packet->payload_len, data, caplen);
	FUZZ_CHECK(packet->payload != NULL || packet->payload_len == 0);
	FUZZ_CHECK(packet->payload_wire >= packet->payload_len);
	FUZZ_CHECK(packet->tag_count <= PACKET_MAX_TAGS);
	FUZZ_CHECK(packet->encap < ENCAP_MAX && packet->verdict < DECODE_MAX);
	FUZZ_CHECK(packet->vlan <= 0x0fff);
	if (packet->flags & PACKET_TCP_WHOLE)
		FUZZ_CHECK(packet->l4 != NULL && packet->tcp_header_len >= 20 &&
			   packet->l4_len >= packet->tcp_header_len);
	if (packet->l3 == L3_IPV4)
		FUZZ_CHECK(ip_is_v4(&packet->src) && ip_is_v4(&packet->dst));
}

/* ---- inventories --------------------------------------------------------------------------- */

struct inventory *fuzz_inventory(unsigned which)
{
	static const char *const file[FUZZ_INVENTORIES] = {
	    FUZZ_TOP "/pcaps/inventory.yaml", FUZZ_TOP "/pcaps/relay.yaml",
	    FUZZ_TOP "/tests/fuzz/inventory.yaml", FUZZ_TOP "/pcaps/hostile.yaml"};
	static struct inventory *loaded[FUZZ_INVENTORIES];
	struct problems problems = {0};
	struct err err = {0};

	if (loaded[which] == NULL) {
		if (inventory_load(&file[which], 1, 0, &loaded[which], &problems, &err) != 0) {
			(void)fprintf(stderr, "%s\n%s\n", err.text,
				      problems.text != NULL ? problems.text : "");
			FUZZ_CHECK(loaded[which] != NULL);
		}
		problems_fini(&problems);
	}
	return loaded[which];
}
