/* SPDX-License-Identifier: Apache-2.0 */
/* hello.h - for tests: what a TLS client says first. */
#ifndef UNIT_DPI_HELLO_H
#define UNIT_DPI_HELLO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HELLO_SIZE 512

static inline void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* A ClientHello with a server name, ciphers and groups.  Returns its length. */
static inline size_t client_hello(uint8_t *p, const char *name)
{
	static const uint8_t ciphers[] = {0, 8, 0x13, 0x01, 0x13, 0x02, 0xc0, 0x2f, 0xc0, 0x30};
	static const uint8_t groups[] = {0, 10, 0, 6, 0, 4, 0, 29, 0, 23};
	size_t len = 5 + 4, name_len = strlen(name), extensions;

	memset(p, 0, HELLO_SIZE);
	put16(p + len, 0x0303);
	for (unsigned i = 0; i < 32; i++)
		p[len + 2 + i] = (uint8_t)(i * 73 + 11);
	len += 2 + 32;
	p[len++] = 0;
	memcpy(p + len, ciphers, sizeof ciphers);
	len += sizeof ciphers;
	p[len++] = 1;
	p[len++] = 0;
	extensions = len;
	len += 2;
	put16(p + len, 0);
	put16(p + len + 2, name_len + 5);
	put16(p + len + 4, name_len + 3);
	put16(p + len + 7, name_len);
	memcpy(p + len + 9, name, name_len);
	len += 9 + name_len;
	memcpy(p + len, groups, sizeof groups);
	len += sizeof groups;
	put16(p + extensions, len - extensions - 2);
	p[5] = 1;
	put16(p + 7, len - 9);
	p[0] = 22;
	put16(p + 1, 0x0301);
	put16(p + 3, len - 5);
	return len;
}

#endif
