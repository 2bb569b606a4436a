/* SPDX-License-Identifier: Apache-2.0 */
/* cli.c - what every sub-command needs; see cli.h. */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bulkhead/sink.h"

int cli_getopt(int argc, char **argv, const char *shorts, const struct option *longs,
	       struct err *err)
{
	const char *word = optind < argc ? argv[optind] : "";
	int c = getopt_long(argc, argv, shorts, longs, NULL);

	if (c == ':')
		(void)err_set(err, ERR_USAGE, "%s: option %s needs a value", argv[0],
			      argv[optind - 1]);
	else if (c == '?' && optopt != 0 && strncmp(word, "--", 2) != 0)
		(void)err_set(err, ERR_USAGE, "%s: unknown option -%c", argv[0], optopt);
	else if (c == '?')
		(void)err_set(err, ERR_USAGE, "%s: unknown option %s", argv[0], argv[optind - 1]);
	return c == ':' ? '?' : c;
}

int cli_help(const struct cli *cli, const struct command *command)
{
	(void)fprintf(cli->out, "usage: bulkhead %s", command->help);
	return 0;
}

int cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out,
	       struct err *err)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min ||
	    value > max)
		return err_set(err, ERR_USAGE, "%s: \"%s\" is not a number from %llu to %llu",
			       option, text, (unsigned long long)min, (unsigned long long)max);
	*out = value;
	return 0;
}

int cli_redis_url(const char *url, struct err *err)
{
	int code = redis_check_url(url, err);

	if (code != ERR_CONFIG)
		return code;
	err->code = ERR_USAGE;
	return ERR_USAGE;
}

char *cli_join(char *const *words, int count)
{
	size_t len = 1;
	char *text, *at;
	int i;

	for (i = 0; i < count; i++)
		len += strlen(words[i]) + 1;
	text = malloc(len);
	if (text == NULL)
		return NULL;
	at = text;
	*at = '\0';
	for (i = 0; i < count; i++) {
		if (i > 0)
			*at++ = ' ';
		at = stpcpy(at, words[i]);
	}
	return text;
}
