/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condition.c - a rule's condition and output text, in an otherwise good rule.
 *
 *	input: condition | NUL | output
 */
#include "common.h"
#include "rulefile.h"

#define ROOM 65536

static const char head[] = "version: 1\n"
			   "ruleset: fuzz\n"
			   "lists: [{ list: chatty, items: [NTP, ICMP] }]\n"
			   "macros: [{ macro: cross, condition: actor.tenant != victim.tenant }]\n"
			   "rules:\n"
			   "  - rule: fuzz.rule\n"
			   "    id: BH-1001\n"
			   "    rev: 1\n"
			   "    on: [relay.forward]\n"
			   "    title: A rule\n"
			   "    severity: low\n"
			   "    condition: \"";
static const char middle[] = "\"\n    output: \"";

static size_t put(char *out, size_t at, const char *text)
{
	size_t len = strlen(text);

	memcpy(out + at, text, len);
	return at + len;
}

/* As a double-quoted YAML scalar, so that every byte gets through. */
static size_t put_quoted(char *out, size_t at, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '"' || p[i] == '\\' || p[i] < 0x20 || p[i] > 0x7e)
			at += (size_t)sprintf(out + at, "\\x%02x", p[i]);
		else
			out[at++] = (char)p[i];
	}
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[sizeof head + sizeof middle + 4 * ROOM];
	const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
	size_t first = end != NULL ? (size_t)(end - data) : size, at;

	if (size >= ROOM)
		return 0;
	at = put(text, 0, head);
	at = put_quoted(text, at, data, first);
	at = put(text, at, middle);
	at = end != NULL ? put_quoted(text, at, end + 1, size - first - 1) : put(text, at, "x");
	at = put(text, at, "\"\n");
	fuzz_rules(text, at);
	return 0;
}
