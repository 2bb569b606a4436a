/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h - a sub-command is a name, a help text and a function.
 *
 * main.c holds the table of them.  A command writes what was asked for to cli->out and all
 * else (progress, summary, problems) to cli->err; it never exits and never prints its own
 * failure: it returns a code of err.h with the text in err, and main does both.
 *
 * To add one: sensor/cli/NAME.c with a const struct command at its end, one extern here and
 * one row in main.c.  A command that does not exist yet is not in the table, hence not in --help.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bulkhead/err.h"

struct cli {
	FILE *out;
	FILE *err;
	bool err_terminal; /* err is a terminal: a progress line makes sense */
	bool color;	   /* err takes colours: a terminal, and NO_COLOR is not set */
};

struct command {
	const char *name;
	const char *summary; /* one line, for "bulkhead --help" */
	const char *help;    /* all of "bulkhead NAME --help" after "usage: bulkhead " */
	/* argv[0] is the command's own name.  0 or an err_code. */
	int (*run)(struct cli *cli, int argc, char **argv, struct err *err);
};

extern const struct command command_run;
extern const struct command command_replay;
extern const struct command command_check;
extern const struct command command_alerts;
extern const struct command command_rules;
extern const struct command command_list;
extern const struct command command_inventory;

/*
 * getopt_long() for commands: the next option, or -1 at the end, or '?' with err filled
 * (ERR_USAGE).  Every command has -h/--help: it is answered with 'h'.
 */
int cli_getopt(int argc, char **argv, const char *shorts, const struct option *longs,
	       struct err *err);
/* Prints a command's help to cli->out; 0. */
int cli_help(const struct cli *cli, const struct command *command);
/* A whole number within [min, max], or ERR_USAGE naming the option. */
int cli_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out,
	       struct err *err) __attribute__((warn_unused_result));
/* Can it be the URL of --redis?  0, or ERR_USAGE with what is wrong. */
int cli_redis_url(const char *url, struct err *err) __attribute__((warn_unused_result));
/* The rest of argv joined with spaces (a BPF filter), to be freed; NULL when memory is short. */
char *cli_join(char *const *words, int count);

#endif
