/* SPDX-License-Identifier: Apache-2.0 */
/* setup.c - see setup.h. */
#include "cli/setup.h"

#include <string.h>

#include "bulkhead/clock.h"
#include "bulkhead/detector.h"
#include "cli/terminal.h"

int setup_option(struct setup *setup, int option, const char *value, struct err *err)
{
	switch (option) {
	case 'c':
		setup->config = value;
		return 0;
	case SETUP_OPT_INVENTORY:
		if (setup->inventory_count == OPTIONS_MAX_PATHS)
			return err_set(err, ERR_USAGE, "--inventory: more than %d",
				       OPTIONS_MAX_PATHS);
		setup->inventory_path[setup->inventory_count++] = value;
		return 0;
	case SETUP_OPT_RULES:
		if (setup->rules_count == OPTIONS_MAX_PATHS)
			return err_set(err, ERR_USAGE, "--rules: more than %d", OPTIONS_MAX_PATHS);
		setup->rules_path[setup->rules_count++] = value;
		return 0;
	default:
		return 1;
	}
}

static int load_options(struct setup *setup, struct err *err)
{
	if (setup->config == NULL)
		return options_default(&setup->options, err);
	return options_load(&setup->options, setup->config, &setup->problems, err);
}

static int load_inventory(struct setup *setup, struct err *err)
{
	bool named = setup->inventory_count > 0;
	const char *const *paths = named ? setup->inventory_path : setup->options.inventory;
	unsigned count = named ? setup->inventory_count : setup->options.inventory_count;

	if (count > 0)
		return inventory_load(paths, count, clock_wall(), &setup->inventory,
				      &setup->problems, err);
	setup->inventory = inventory_empty();
	if (setup->inventory == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	return 0;
}

static int load_rules(struct setup *setup, struct err *err)
{
	bool named = setup->rules_count > 0;
	const char *const *paths = named ? setup->rules_path : setup->options.rules;
	unsigned count = named ? setup->rules_count : setup->options.rules_count;

	return rules_load(paths, count, detector_kinds(), clock_wall(), &setup->rules,
			  &setup->problems, err);
}

/* A file that the config names and that is not there makes the config wrong; one that the
 * command line names is a missing input. */
static int worse(const struct setup *setup, int sofar, int code, bool from_command_line,
		 const struct err *text, struct err *err)
{
	if (code == ERR_NOINPUT && !from_command_line)
		code = ERR_CONFIG;
	if (code == 0 || sofar == ERR_MEMORY || (sofar != 0 && sofar != ERR_CONFIG))
		return sofar;
	if (sofar == ERR_CONFIG && code == ERR_CONFIG && setup->problems.errors > 0)
		return sofar;
	return err_set(err, (enum err_code)code, "%s", text->text);
}

int setup_load(struct setup *setup, struct err *err)
{
	struct err text = {0};
	int code, result;

	code = load_options(setup, &text);
	result = worse(setup, 0, code, true, &text, err);
	if (code != 0 && code != ERR_CONFIG)
		return result;
	code = load_inventory(setup, &text);
	result = worse(setup, result, code, setup->inventory_count > 0, &text, err);
	code = load_rules(setup, &text);
	result = worse(setup, result, code, setup->rules_count > 0, &text, err);
	if (result == 0 && setup->problems.errors > 0)
		result = ERR_CONFIG;
	if (result == ERR_CONFIG && setup->problems.errors > 0)
		return err_set(err, ERR_CONFIG, "%u error%s in config, inventory or rules",
			       setup->problems.errors, setup->problems.errors == 1 ? "" : "s");
	return result;
}

void setup_print_problems(const struct setup *setup, const struct cli *cli, bool quiet)
{
	const char *line = setup->problems.text;

	while (line != NULL && *line != '\0') {
		const char *end = strchr(line, '\n');
		char one[1100];
		size_t len = end != NULL ? (size_t)(end - line) : strlen(line);

		if (len >= sizeof one)
			len = sizeof one - 1;
		memcpy(one, line, len);
		one[len] = '\0';
		if (!quiet || strstr(one, ": warning: ") == NULL) {
			terminal_puts(cli->err, one);
			(void)fputc('\n', cli->err);
		}
		line = end != NULL ? end + 1 : NULL;
	}
	if (setup->problems.dropped > 0)
		(void)fprintf(cli->err, "and %u more\n", setup->problems.dropped);
}

void setup_free(struct setup *setup)
{
	inventory_unref(setup->inventory);
	rules_free(setup->rules);
	options_free(&setup->options);
	problems_fini(&setup->problems);
	setup->inventory = NULL;
	setup->rules = NULL;
}
