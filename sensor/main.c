/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - a table of sub-commands.
 *
 * The only place that ends the process and, beside base/log, the only one that knows stderr.
 * A command's failure arrives here as a code and a text (err.h) and leaves as one line and the
 * exit status that bulkhead(8) promises.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/terminal.h"
#include "cli/version.h"

static const struct command *const commands[] = {
    &command_run,   &command_replay, &command_check,	 &command_alerts,
    &command_rules, &command_list,   &command_inventory, NULL,
};

static void print_usage(FILE *out)
{
	int i;

	(void)fputs("usage: bulkhead COMMAND [ARGUMENT...]\n\n", out);
	for (i = 0; commands[i] != NULL; i++)
		(void)fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	(void)fputs("\n\"bulkhead COMMAND --help\" explains one; \"bulkhead --version\" tells the "
		    "version.\nManual: bulkhead(8), bulkhead.yaml(5), bulkhead-rules(5), "
		    "bulkhead-redis(7).\n",
		    out);
}

static const struct command *find_command(const char *name)
{
	int i;

	for (i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* What was asked for must have arrived: a full disk under "-o -" is a failure. */
static int close_output(FILE *out, struct err *err)
{
	int failed = fflush(out);
	bool gone = failed != 0 && errno == EPIPE; /* | head has seen enough: no need to say so */

	if (failed == 0 && ferror(out) == 0)
		return 0;
	return gone ? ERR_RUN : err_set(err, ERR_RUN, "cannot write to standard output");
}

static int run_command(const struct command *command, int argc, char **argv, struct err *err)
{
	const char *no_color = getenv("NO_COLOR");
	struct cli cli = {.out = stdout, .err = stderr};
	int code, end;

	cli.err_terminal = isatty(STDERR_FILENO) == 1;
	cli.color = cli.err_terminal && (no_color == NULL || no_color[0] == '\0');
	/* A reader that goes away (| head, a killed Redis) is an error code, not a death. */
	(void)signal(SIGPIPE, SIG_IGN);
	opterr = 0;
	code = command->run(&cli, argc, argv, err);
	end = close_output(cli.out, code == 0 ? err : NULL);
	return code != 0 ? code : end;
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct err err = {0};
	int code;

	if (argc < 2) {
		print_usage(stderr);
		return err_exit_status(ERR_USAGE);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		version_print(stdout);
		return 0;
	}
	command = find_command(argv[1]);
	if (command != NULL)
		code = run_command(command, argc - 1, argv + 1, &err);
	else
		code = err_set(&err, ERR_USAGE, "there is no command \"%s\"; see bulkhead --help",
			       argv[1]);
	if (code != 0 && err.text[0] != '\0') {
		(void)fputs("bulkhead: ", stderr);
		terminal_puts(stderr, err.text);
		(void)fputc('\n', stderr);
	}
	exit(err_exit_status(code));
}
