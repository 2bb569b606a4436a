/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allow.c - the `allow` section: who may do what to whom, why, and until when.
 *
 * An entry that has run out excuses nothing any more; that it does, and that it will soon, is
 * said at load.  What kinds of finding exist is known further down the pipeline: here a kind is
 * checked for its shape and its class.
 */
#include "bulkhead/clock.h"
#include "tenant/load.h"

static const char *const kind_classes[] = {"observe",	"relay",  "spoof", "boundary",
					   "residency", "health", NULL};

/* "relay.proxy", "relay.*", "*" */
static bool kind_matches(const char *pattern, const char *kind)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, kind, len - 1) == 0;
	return strcmp(pattern, kind) == 0;
}

static bool check_kind(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
		       const char *text)
{
	size_t class_len = strcspn(text, ".");
	size_t rest = text[class_len] == '.'
			  ? strspn(text + class_len + 1, "abcdefghijklmnopqrstuvwxyz0123456789-")
			  : 0;
	const char *tail = text + class_len + (rest > 0 ? rest + 1 : 0);
	char class_name[16] = "";
	const char *near;

	if (strcmp(text, "*") == 0)
		return true;
	if (class_len < sizeof class_name)
		memcpy(class_name, text, class_len);
	for (unsigned i = 0; kind_classes[i] != NULL; i++) {
		if (strcmp(class_name, kind_classes[i]) == 0 &&
		    ((rest > 0 && *tail == '\0') || strcmp(text + class_len, ".*") == 0))
			return true;
	}
	near = nearest_name(class_name, kind_classes);
	if (near != NULL && strcmp(near, class_name) != 0)
		wrong(l, doc, node, "\"%.60s\" is no kind of finding; did you mean \"%s.\"?", text,
		      near);
	else
		wrong(l, doc, node,
		      "\"%.60s\" is no kind of finding; write relay.proxy, relay.* or \"*\"", text);
	return false;
}

static void read_kinds(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		       struct allow *entry)
{
	const struct yaml_node *value = yaml_get(map, "kinds"), *node;
	const char **list;
	const char *text;

	if (one_or_count(value) == 0) {
		wrong(l, doc, map, "allow entry without \"kinds\"");
		return;
	}
	list = keep_array(l, one_or_count(value), sizeof *list);
	if (list == NULL)
		return;
	for (node = one_or_first(value); node != NULL; node = one_or_next(value, node)) {
		if (yaml_text(doc, node, &text, l->problems) && check_kind(l, doc, node, text))
			list[entry->kind_count++] = keep(l, text);
	}
	entry->kinds = list;
}

/* The host of "tenant/host" was not found: says which half is wrong.  Tenants and hosts leave, and
 * what was allowed to them then allows nothing; the rest of the inventory is as right as before. */
static void no_party(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
		     const char *text)
{
	char near[HINT_SIZE];
	char tenant[INVENTORY_MAX_NAME + 1] = "";
	size_t len = strcspn(text, "/");

	if (len < sizeof tenant)
		memcpy(tenant, text, len);
	if (names_find(&l->inv->names, SCOPE_TENANT, tenant) != NAME_NONE)
		beware(l, doc, node, "\"%.40s\" has no host \"%.60s\": this excuses nothing",
		       tenant, text + len + 1);
	else
		beware(l, doc, node, "no tenant \"%.60s\"%s: this excuses nothing",
		       len < sizeof tenant ? tenant : text,
		       hint(l, tenant, tenant_name_at, l->inv, l->inv->tenant_count, near,
			    sizeof near));
}

/* "*", "tenant", "tenant/host"; a host "*" is any. */
static const char *read_party(struct loader *l, const struct yaml_doc *doc,
			      const struct yaml_node *map, const char *key, uint32_t *tenant,
			      uint32_t *host)
{
	const char *text = required_text(l, doc, map, "allow entry", key);
	const char *slash;
	uint32_t id;

	*tenant = ALLOW_ANY;
	*host = HOST_NONE;
	if (text == NULL)
		return "";
	slash = strchr(text, '/');
	if (strcmp(text, "*") == 0 || strcmp(text, "*/*") == 0)
		return keep(l, text);
	if (slash == NULL || strcmp(slash, "/*") == 0) {
		const char *name = arena_strndup(l->scratch, text, strcspn(text, "/"));

		id = name == NULL ? NAME_NONE : names_find(&l->inv->names, SCOPE_TENANT, name);
		l->memory |= name == NULL;
		if (id == NAME_NONE)
			no_party(l, doc, yaml_get(map, key), text);
		*tenant = id == NAME_NONE ? ALLOW_NOBODY : id;
		return keep(l, text);
	}
	*host = inventory_find_host(l->inv, text);
	if (*host == HOST_NONE)
		no_party(l, doc, yaml_get(map, key), text);
	*tenant = *host == HOST_NONE ? ALLOW_NOBODY : l->inv->hosts[*host].tenant;
	return keep(l, text);
}

static void read_until(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
		       struct allow *entry)
{
	const struct yaml_node *node = yaml_get(map, "until");
	const uint64_t day = 24 * 3600 * NS_PER_SEC;
	const char *text;

	entry->until_ns = UINT64_MAX;
	if (node == NULL || !yaml_text(doc, node, &text, l->problems))
		return;
	if (clock_parse_date(text, &entry->until_ns) != 0)
		wrong(l, doc, node, "\"%.40s\" is no date; write 2027-01-31", text);
	else if (entry->until_ns <= l->now_ns)
		beware(l, doc, node, "ended on %s and excuses nothing any more; renew or remove it",
		       text);
	else if (entry->until_ns - l->now_ns <= ALLOW_WARNING_DAYS * day)
		beware(l, doc, node, "ends on %s, within %u days", text, ALLOW_WARNING_DAYS);
}

static void read_allow(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map)
{
	static const char *const known[] = {"actor", "victim", "kinds", "reason", "until", NULL};
	struct allow_row *row = &l->inv->allow[l->inv->allow_count];
	const struct yaml_node *reason;
	const char *text;

	if (!yaml_is_map(doc, map, l->problems))
		return;
	yaml_check_keys(doc, map, known, l->problems);
	l->inv->allow_count++;
	row->entry.file = doc->file;
	row->entry.line = map->line;
	row->entry.col = map->col;
	row->entry.actor = read_party(l, doc, map, "actor", &row->actor_tenant, &row->actor_host);
	row->entry.victim =
	    read_party(l, doc, map, "victim", &row->victim_tenant, &row->victim_host);
	read_kinds(l, doc, map, &row->entry);
	read_until(l, doc, map, &row->entry);
	row->entry.reason = "";
	reason = yaml_get(map, "reason");
	if (reason == NULL)
		beware(l, doc, map, "allow entry without \"reason\"; the next reader will ask");
	else if (yaml_text(doc, reason, &text, l->problems))
		row->entry.reason = keep(l, text);
}

void allow_load(struct loader *l)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < l->doc_count; i++)
		count += section_count(l->docs[i].root, "allow");
	l->inv->allow = keep_array(l, count, sizeof *l->inv->allow);
	if (l->inv->allow == NULL)
		return;
	for (unsigned i = 0; i < l->doc_count; i++) {
		const struct yaml_doc *doc = &l->docs[i];
		const struct yaml_node *at = section(l, doc, doc->root, "allow");

		for (; at != NULL && !l->memory; at = at->next)
			read_allow(l, doc, at);
	}
}

static bool party_matches(uint32_t want_tenant, uint32_t want_host, uint32_t tenant, uint32_t host)
{
	return (want_tenant == ALLOW_ANY || want_tenant == tenant) &&
	       (want_host == HOST_NONE || want_host == host);
}

bool inventory_allowed(const struct inventory *inv, uint32_t actor_tenant, uint32_t actor_host,
		       uint32_t victim_tenant, uint32_t victim_host, const char *kind,
		       uint64_t now_ns, unsigned *index)
{
	for (unsigned i = 0; i < inv->allow_count; i++) {
		const struct allow_row *row = &inv->allow[i];

		if (!party_matches(row->actor_tenant, row->actor_host, actor_tenant, actor_host) ||
		    !party_matches(row->victim_tenant, row->victim_host, victim_tenant,
				   victim_host) ||
		    now_ns >= row->entry.until_ns)
			continue;
		for (unsigned k = 0; k < row->entry.kind_count; k++) {
			if (!kind_matches(row->entry.kinds[k], kind))
				continue;
			if (index != NULL)
				*index = i;
			return true;
		}
	}
	return false;
}

unsigned inventory_allow_count(const struct inventory *inv)
{
	return inv->allow_count;
}

const struct allow *inventory_allow(const struct inventory *inv, unsigned index)
{
	return index < inv->allow_count ? &inv->allow[index].entry : NULL;
}
