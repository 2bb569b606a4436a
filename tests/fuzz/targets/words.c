/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.c - what stands on a command line, and the small texts of all files.
 *
 *	input: which | text; words are separated by NUL
 */
#include "common.h"

#include <unistd.h>

#include "base/yaml_doc.h"
#include "bulkhead/capture.h"
#include "bulkhead/clock.h"
#include "bulkhead/finding.h"
#include "cli/cli.h"
#include "cli/words.h"
#include "sink/redis_url.h"

#define WORDS 32

static void take_words(char *text, size_t size)
{
	struct words words = {0};
	struct err err = {0};
	char *argv[WORDS];
	int argc = 0;

	/* Only what lies in an empty folder: no input may name a file of this machine. */
	for (size_t i = 0; i < size; i++)
		if (text[i] == '/')
			text[i] = '_';
	for (char *at = text; at < text + size && argc < WORDS; at += strlen(at) + 1) {
		if (strcmp(at, "..") == 0)
			at[0] = '_';
		argv[argc++] = at;
	}
	if (words_take(&words, argc, argv, &err) != 0)
		FUZZ_CHECK(err.text[0] != '\0');
	for (unsigned i = 0; i < words.count; i++)
		FUZZ_CHECK(words.file[i] != NULL);
	words_free(&words);
}

static void parse_addresses(const char *text)
{
	char buf[PREFIX_TEXT_SIZE];
	struct ip_prefix prefix, prefix2;
	struct mac_addr mac, mac2;
	struct ip_addr ip, ip2;
	bool host_bits;

	if (ip_parse(text, &ip)) {
		FUZZ_CHECK(ip_parse(ip_format(&ip, buf), &ip2) && ip_equal(&ip, &ip2));
		FUZZ_CHECK(strlen(text) < IP_TEXT_SIZE);
	}
	if (mac_parse(text, &mac))
		FUZZ_CHECK(mac_parse(mac_format(mac, buf), &mac2) && mac_equal(mac, mac2));
	if (prefix_parse(text, &prefix, &host_bits)) {
		FUZZ_CHECK(prefix.length <= 128 && prefix_contains(&prefix, &prefix.addr));
		FUZZ_CHECK(prefix_parse(prefix_format(&prefix, buf), &prefix2, NULL));
		FUZZ_CHECK(prefix.length == prefix2.length &&
			   ip_equal(&prefix.addr, &prefix2.addr));
	}
}

static void parse_numbers(const char *text)
{
	static const char *const names[] = {"relay", "bindings", "evidence", NULL};
	char buf[CLOCK_TEXT_SIZE];
	struct err err = {0};
	uint64_t value;

	(void)parse_size(text, &value);
	(void)parse_duration(text, &value);
	if (clock_parse_date(text, &value) == 0)
		(void)clock_format_z(value, buf);
	if (cli_number("--workers", text, 1, 64, &value, &err) == 0)
		FUZZ_CHECK(value >= 1 && value <= 64);
	(void)nearest_name(text, names);
	(void)severity_parse(text);
	(void)confidence_parse(text);
	(void)attribution_parse(text);
	(void)role_parse(text);
}

static void parse_url(const char *text)
{
	struct redis_target target;
	struct err err = {0};

	if (redis_target_parse(&target, text, &err) != 0) {
		FUZZ_CHECK(err.text[0] != '\0');
		return;
	}
	FUZZ_CHECK(target.host[0] != '\0' || target.path[0] != '\0');
	FUZZ_CHECK(memchr(target.label, 0, sizeof target.label) != NULL);
	FUZZ_CHECK(memchr(target.password, 0, sizeof target.password) != NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	FUZZ_CHECK(chdir(fuzz_folder()) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		take_words(text, size);
		break;
	case 1:
		parse_addresses(text);
		break;
	case 2:
		parse_numbers(text);
		break;
	default:
		parse_url(text);
	}
	free(text);
	return 0;
}
