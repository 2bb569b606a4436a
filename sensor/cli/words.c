/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - see words.h. */
#include "cli/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bulkhead/capture.h"
#include "cli/cli.h"

#define FILTER_MAX 65536

static bool ends_with(const char *word, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && memcmp(word + len - n, end, n) == 0;
}

static bool is_capture(const char *word)
{
	size_t len = strlen(word);

	if (strcmp(word, "-") == 0 || access(word, F_OK) == 0)
		return true;
	if (ends_with(word, len, ".gz"))
		len -= 3;
	else if (ends_with(word, len, ".zst"))
		len -= 4;
	return ends_with(word, len, ".pcap") || ends_with(word, len, ".pcapng") ||
	       ends_with(word, len, ".cap");
}

static int append(struct words *words, const char *path, struct err *err)
{
	char **grown;

	if (words->count == WORDS_MAX_CAPTURES)
		return err_set(err, ERR_USAGE, "more than %d captures", WORDS_MAX_CAPTURES);
	grown = realloc(words->file, (words->count + 1) * sizeof *grown);
	if (grown == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	words->file = grown;
	grown[words->count] = strdup(path);
	if (grown[words->count] == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	words->count++;
	return 0;
}

int words_add(struct words *words, const char *path, struct err *err)
{
	char **paths = NULL;
	unsigned count = 0, i;
	int code;

	if (strcmp(path, "-") == 0)
		return append(words, path, err);
	code = capture_paths(path, &paths, &count, err);
	for (i = 0; code == 0 && i < count; i++)
		code = append(words, paths[i], err);
	capture_paths_free(paths, count);
	return code;
}

int words_take(struct words *words, int argc, char *const *argv, struct err *err)
{
	int i, code;

	for (i = 0; i < argc; i++) {
		if (words->count > 0 && !is_capture(argv[i]))
			break;
		code = words_add(words, argv[i], err);
		if (code != 0)
			return code;
	}
	if (i == argc)
		return 0;
	free(words->filter);
	words->filter = cli_join(argv + i, argc - i);
	if (words->filter == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	return 0;
}

int words_filter_file(struct words *words, const char *path, struct err *err)
{
	FILE *in = fopen(path, "re");
	char *text;
	size_t len;
	int code = 0;

	if (in == NULL)
		return err_set(err, ERR_NOINPUT, "-F %s: %s", path, strerror(errno));
	text = malloc(FILTER_MAX + 1);
	len = text != NULL ? fread(text, 1, FILTER_MAX + 1, in) : 0;
	if (text == NULL)
		code = err_set(err, ERR_MEMORY, "out of memory");
	else if (ferror(in) != 0)
		code = err_set(err, ERR_NOINPUT, "-F %s: cannot read", path);
	else if (len > FILTER_MAX)
		code = err_set(err, ERR_USAGE, "-F %s: more than %d bytes", path, FILTER_MAX);
	(void)fclose(in);
	if (code != 0) {
		free(text);
		return code;
	}
	text[len] = '\0';
	free(words->filter);
	words->filter = text;
	return 0;
}

void words_free(struct words *words)
{
	unsigned i;

	for (i = 0; i < words->count; i++)
		free(words->file[i]);
	free(words->file);
	free(words->filter);
	*words = (struct words){0};
}
