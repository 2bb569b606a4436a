/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c - strings from the wire on their way into JSON and onto terminals.
 *
 *	input: room (be16) | bytes
 */
#include "common.h"

#include "base/json.h"
#include "cli/terminal.h"

static void check_document(const uint8_t *bytes, size_t len, size_t room)
{
	char *buf = malloc(room), *text = fuzz_text(bytes, len);
	struct json j;

	FUZZ_CHECK(buf != NULL);
	json_init(&j, buf, room);
	json_open_object(&j, NULL);
	json_bytes(&j, "bytes", bytes, len);
	json_string(&j, "text", text);
	json_open_array(&j, "list");
	json_string(&j, NULL, text);
	json_uint(&j, NULL, len);
	json_int(&j, NULL, -(int64_t)len);
	json_double(&j, NULL, (double)len / 3);
	json_close_array(&j);
	json_bool(&j, "bool", true);
	json_close_object(&j);
	FUZZ_CHECK(j.len < room && buf[j.len] == '\0');
	fuzz_check_plain(buf, room);
	if (!j.overflow) {
		fuzz_check_json(buf, j.len);
	} else {
		FUZZ_CHECK(room < 16384);
	}
	free(buf);
	free(text);
}

static void check_text(const uint8_t *bytes, size_t len, size_t room)
{
	char *out = malloc(room);

	FUZZ_CHECK(out != NULL);
	if (!text_sanitise(out, room, bytes, len))
		FUZZ_CHECK(strlen(out) == len && memcmp(out, bytes, len) == 0);
	fuzz_check_plain(out, room);
	free(out);
}

static void check_terminal(const uint8_t *bytes, size_t len)
{
	char *text = fuzz_text(bytes, len), *shown = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&shown, &size);

	FUZZ_CHECK(out != NULL);
	terminal_puts(out, text);
	FUZZ_CHECK(fclose(out) == 0);
	for (size_t i = 0; i < size; i++)
		if (shown[i] == '\n' || shown[i] == '\t')
			shown[i] = ' ';
	fuzz_check_plain(shown, size + 1);
	free(shown);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	size_t room;

	if (size < 2)
		return 0;
	room = 1 + read_be16(data);
	copy = fuzz_copy(data + 2, size - 2);
	check_document(copy, size - 2, room);
	check_document(copy, size - 2, 16384);
	check_text(copy, size - 2, room);
	check_text(copy, size - 2, 1 + room % 300);
	check_terminal(copy, size - 2);
	free(copy);
	return 0;
}
