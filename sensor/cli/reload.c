/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - see reload.h. */
#include "cli/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"

#define NAMES_TOLD 8	  /* of tenants or rules that came or went, in one log line */
#define CONFIG_READ 65536 /* as much of the config file as tells one version from another */

static uint64_t hash_config(const char *path)
{
	char text[CONFIG_READ];
	FILE *in = path != NULL ? fopen(path, "re") : NULL;
	size_t len;

	if (in == NULL)
		return 0;
	len = fread(text, 1, sizeof text, in);
	(void)fclose(in);
	return hash128_plain(text, len).lo;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int loaded_init(struct loaded *loaded, const struct setup *setup, struct err *err)
{
	unsigned i, count = rules_count(setup->rules);

	memset(loaded, 0, sizeof *loaded);
	loaded->rule = calloc(count + 1, sizeof *loaded->rule);
	if (loaded->rule == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (i = 0; i < count; i++) {
		const struct rule *rule = rules_get(setup->rules, i);

		(void)snprintf(loaded->rule[i], sizeof loaded->rule[i], "%.10s rev %u%s", rule->id,
			       rule->rev % 10000, rule->enabled ? "" : " off");
	}
	qsort(loaded->rule, count, sizeof *loaded->rule, by_text);
	loaded->rules_count = count;
	(void)snprintf(loaded->rules_revision, sizeof loaded->rules_revision, "%s",
		       rules_revision(setup->rules));
	loaded->inventory = inventory_ref(setup->inventory);
	loaded->config_hash = hash_config(setup->config);
	return 0;
}

void loaded_fini(struct loaded *loaded)
{
	inventory_unref(loaded->inventory);
	free(loaded->rule);
	memset(loaded, 0, sizeof *loaded);
}

struct names {
	char text[400];
	size_t len;
	unsigned count;
};

static void add_name(struct names *names, const char *name)
{
	int n;

	if (names->count++ >= NAMES_TOLD)
		return;
	n = snprintf(names->text + names->len, sizeof names->text - names->len, "%s%.40s",
		     names->len > 0 ? ", " : "", name);
	names->len += n > 0 ? (size_t)n : 0;
}

static void tell(const char *what, const struct names *names)
{
	if (names->count > 0)
		log_info("reload: %s %s%s (%u)", what, names->text,
			 names->count > NAMES_TOLD ? " ..." : "", names->count);
}

/* Names of tenants that `in` has and `not_in` has not. */
static void tell_tenants(const char *what, const struct inventory *in,
			 const struct inventory *not_in)
{
	struct names names = {0};
	uint32_t id;

	for (id = TENANT_FIRST; id < inventory_tenant_count(in); id++) {
		const char *name = inventory_tenant_name(in, id);

		if (inventory_find_tenant(not_in, name) == TENANT_UNKNOWN)
			add_name(&names, name);
	}
	tell(what, &names);
}

static void tell_rules(const char *what, const struct loaded *in, const struct loaded *not_in)
{
	struct names names = {0};
	unsigned i;

	for (i = 0; i < in->rules_count; i++)
		if (not_in->rules_count == 0 ||
		    bsearch(in->rule[i], not_in->rule, not_in->rules_count, sizeof *not_in->rule,
			    by_text) == NULL)
			add_name(&names, in->rule[i]);
	tell(what, &names);
}

static void tell_change(const struct loaded *old, const struct loaded *new)
{
	const char *before = inventory_revision(old->inventory);
	const char *after = inventory_revision(new->inventory);

	if (strcmp(before, after) == 0)
		log_info("reload: inventory unchanged, revision %s", after);
	else
		log_info("reload: inventory revision %s -> %s, tenants %u -> %u, hosts %u -> %u",
			 before, after, inventory_tenant_count(old->inventory) - TENANT_FIRST,
			 inventory_tenant_count(new->inventory) - TENANT_FIRST,
			 inventory_host_count(old->inventory),
			 inventory_host_count(new->inventory));
	tell_tenants("tenants added:", new->inventory, old->inventory);
	tell_tenants("tenants removed:", old->inventory, new->inventory);
	if (strcmp(old->rules_revision, new->rules_revision) == 0)
		log_info("reload: rules unchanged, revision %s", new->rules_revision);
	else
		log_info("reload: rules revision %s -> %s, %u -> %u rules", old->rules_revision,
			 new->rules_revision, old->rules_count, new->rules_count);
	tell_rules("rules new or changed:", new, old);
	tell_rules("rules gone or changed:", old, new);
	if (old->config_hash != new->config_hash)
		log_warn("reload: the config file has changed; of it only the lists of inventory "
			 "and rules were taken, the rest takes a restart");
}

static void tell_refusal(const struct setup *setup, const struct err *why)
{
	char *text = setup->problems.text, *save = NULL, *line;

	log_err("reload refused, the old inventory and rules stay: %s", why->text);
	if (text == NULL)
		return;
	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		log_err("reload: %s", line);
}

void reload(struct loaded *loaded, const struct setup *from, struct engine *engine)
{
	struct setup fresh = {.config = from->config,
			      .inventory_count = from->inventory_count,
			      .rules_count = from->rules_count};
	struct loaded now;
	struct err err = {0};

	memcpy(fresh.inventory_path, from->inventory_path, sizeof fresh.inventory_path);
	memcpy(fresh.rules_path, from->rules_path, sizeof fresh.rules_path);
	if (setup_load(&fresh, &err) != 0 || loaded_init(&now, &fresh, &err) != 0) {
		tell_refusal(&fresh, &err);
		setup_free(&fresh);
		return;
	}
	tell_change(loaded, &now);
	engine_reload(engine, fresh.inventory, fresh.rules);
	fresh.inventory = NULL; /* both are the engine's now */
	fresh.rules = NULL;
	loaded_fini(loaded);
	*loaded = now;
	setup_free(&fresh);
}
