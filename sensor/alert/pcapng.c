/* SPDX-License-Identifier: Apache-2.0 */
/* pcapng.c - see pcapng.h. */
#include "alert/pcapng.h"

#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_FRAME 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

#define OPTION_END 0u
#define OPTION_COMMENT 1u
#define SHB_USERAPPL 4u
#define IF_NAME 2u
#define IF_TSRESOL 9u

struct block {
	uint8_t *buf;
	size_t len;
};

static void put16(struct block *b, uint32_t value)
{
	b->buf[b->len++] = (uint8_t)value;
	b->buf[b->len++] = (uint8_t)(value >> 8);
}

static void put32(struct block *b, uint32_t value)
{
	put16(b, value & 0xffff);
	put16(b, value >> 16);
}

/* Bytes, padded with zeros to a multiple of four. */
static void put_padded(struct block *b, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(b->buf + b->len, bytes, len);
	b->len += len;
	while (b->len % 4 != 0)
		b->buf[b->len++] = 0;
}

static void put_option(struct block *b, uint32_t code, const void *bytes, size_t len)
{
	put16(b, code);
	put16(b, (uint32_t)len);
	put_padded(b, bytes, len);
}

static void put_text(struct block *b, uint32_t code, const char *text)
{
	if (text != NULL && text[0] != '\0')
		put_option(b, code, text, strnlen(text, PCAPNG_TEXT_MAX));
}

static struct block block_begin(uint8_t *buf, uint32_t type)
{
	struct block b = {.buf = buf};

	put32(&b, type);
	put32(&b, 0); /* total length: known at the end */
	return b;
}

/* Every block tells its length before and behind, so that files can be read backwards. */
static size_t block_end(struct block *b)
{
	size_t total;

	put_option(b, OPTION_END, NULL, 0);
	total = b->len + 4;
	put32(b, (uint32_t)total);
	b->len = 4;
	put32(b, (uint32_t)total);
	return total;
}

size_t pcapng_section(uint8_t *buf, const char *comment, const char *program)
{
	struct block b = block_begin(buf, BLOCK_SECTION);

	put32(&b, BYTE_ORDER_MAGIC);
	put16(&b, 1); /* version 1.0 */
	put16(&b, 0);
	put32(&b, UINT32_MAX); /* section length unknown: it is appended to */
	put32(&b, UINT32_MAX);
	put_text(&b, OPTION_COMMENT, comment);
	put_text(&b, SHB_USERAPPL, program);
	return block_end(&b);
}

size_t pcapng_interface(uint8_t *buf, uint16_t linktype, uint32_t snaplen, const char *name)
{
	static const uint8_t nanoseconds = 9; /* 10^-9 */
	struct block b = block_begin(buf, BLOCK_INTERFACE);

	put16(&b, linktype);
	put16(&b, 0);
	put32(&b, snaplen);
	put_text(&b, IF_NAME, name);
	put_option(&b, IF_TSRESOL, &nanoseconds, sizeof nanoseconds);
	return block_end(&b);
}

size_t pcapng_frame(uint8_t *buf, uint32_t interface, const struct finding_frame *frame,
		    const char *comment)
{
	struct block b = block_begin(buf, BLOCK_FRAME);

	put32(&b, interface);
	put32(&b, (uint32_t)(frame->ts_ns >> 32));
	put32(&b, (uint32_t)frame->ts_ns);
	put32(&b, frame->caplen);
	put32(&b, frame->len);
	put_padded(&b, frame->data, frame->caplen);
	put_text(&b, OPTION_COMMENT, comment);
	return block_end(&b);
}
