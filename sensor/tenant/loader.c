/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.c - inventory_load() from top to bottom, and what all its sections need.
 *
 * Order matters: segments before tenants (which name them), all hosts before what names hosts
 * (shared addresses, allow entries, port taps), all entries before the tables.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tenant/load.h"

void wrong(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
	   const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	yaml_problem(doc, node, PROBLEM_ERROR, l->problems, "%s", text);
}

void beware(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
	    const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	yaml_problem(doc, node, PROBLEM_WARNING, l->problems, "%s", text);
}

/* "hosts:" with everything below it commented out is an empty scalar: no hosts. */
static bool is_nothing(const struct yaml_node *node)
{
	return node == NULL || (node->kind == YAML_SCALAR && !node->quoted &&
				(*node->text == '\0' || strcmp(node->text, "~") == 0 ||
				 strcmp(node->text, "null") == 0));
}

const struct yaml_node *section(struct loader *l, const struct yaml_doc *doc,
				const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (is_nothing(node) || !yaml_is_list(doc, node, l->problems))
		return NULL;
	return node->first;
}

uint32_t section_count(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node;

	if (map == NULL || map->kind != YAML_MAP)
		return 0;
	node = yaml_get(map, key);
	return node != NULL && node->kind == YAML_LIST ? node->count : 0;
}

const struct yaml_node *one_or_first(const struct yaml_node *value)
{
	if (is_nothing(value))
		return NULL;
	return value->kind == YAML_LIST ? value->first : value;
}

const struct yaml_node *one_or_next(const struct yaml_node *value, const struct yaml_node *at)
{
	return value->kind == YAML_LIST ? at->next : NULL;
}

uint32_t one_or_count(const struct yaml_node *value)
{
	if (is_nothing(value))
		return 0;
	return value->kind == YAML_LIST ? value->count : 1;
}

const char *required_text(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
			  const char *what, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);
	const char *text;

	if (is_nothing(node)) {
		wrong(l, doc, node == NULL ? map : node, "%s without \"%s\"", what, key);
		return NULL;
	}
	return yaml_text(doc, node, &text, l->problems) ? text : NULL;
}

static const char *bad_name(const char *name)
{
	if (*name == '\0')
		return "an empty name";
	if (strlen(name) > INVENTORY_MAX_NAME)
		return "a name may have 128 bytes";
	if (strcmp(name, "*") == 0)
		return "\"*\" stands for all names; choose another";
	for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			return "a name may not have control characters";
		if (*p == '/')
			return "a name may not have \"/\": it stands between tenant and host";
	}
	return NULL;
}

const char *required_name(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *map,
			  const char *what)
{
	const char *name = required_text(l, doc, map, what, "name");
	const char *why;

	if (name == NULL)
		return NULL;
	why = bad_name(name);
	if (why != NULL) {
		wrong(l, doc, yaml_get(map, "name"), "name of a %s: %s", what, why);
		return NULL;
	}
	return keep(l, name);
}

bool parse_prefix(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
		  struct ip_prefix *out)
{
	char right[PREFIX_TEXT_SIZE];
	struct ip_key head, zero;
	const char *text;
	bool host_bits = false;

	if (!yaml_text(doc, node, &text, l->problems))
		return false;
	if (!prefix_parse(text, out, &host_bits)) {
		wrong(l, doc, node, "\"%.60s\" is no prefix; write 10.0.0.0/24 or fd00:10::/64",
		      text);
		return false;
	}
	head = ip_key_mask(ip_key_of(&out->addr), out->length);
	head = (struct ip_key){htobe64(head.hi), htobe64(head.lo)};
	memcpy(out->addr.b, &head.hi, sizeof head.hi);
	memcpy(out->addr.b + 8, &head.lo, sizeof head.lo);
	if (host_bits) {
		wrong(l, doc, node, "\"%.60s\" has bits set behind its length; %s would be right",
		      text, prefix_format(out, right));
		return false;
	}
	/* One that spans the mapped range would own all of IPv4 as well. */
	zero = ip_key_mask((struct ip_key){0, UINT64_C(0xffff) << 32}, out->length);
	head = ip_key_of(&out->addr);
	if (out->length <= 96 && head.hi == zero.hi && head.lo == zero.lo) {
		wrong(l, doc, node, "\"%.60s\" is everybody's: too short a prefix", text);
		return false;
	}
	return true;
}

bool parse_address(struct loader *l, const struct yaml_doc *doc, const struct yaml_node *node,
		   struct ip_addr *out)
{
	const char *text;

	if (!yaml_text(doc, node, &text, l->problems))
		return false;
	if (!ip_parse(text, out)) {
		wrong(l, doc, node, "\"%.60s\" is no IP address; write 10.0.0.21 or fd00:10::21",
		      text);
		return false;
	}
	if (ip_is_multicast(out) || ip_is_unspecified(out) || ip_is_broadcast(out) ||
	    ip_is_loopback(out)) {
		wrong(l, doc, node,
		      "%s is no address of one host: multicast, broadcast, loopback "
		      "or unspecified",
		      text);
		return false;
	}
	return true;
}

const char *tenant_name_at(const void *inv, uint32_t index)
{
	return ((const struct inventory *)inv)->tenants[index].name;
}

const char *hint(struct loader *l, const char *word, const char *(*name)(const void *, uint32_t),
		 const void *context, uint32_t count, char *buf, size_t size)
{
	const char *nearest = NULL;
	const char **names;

	*buf = '\0';
	if (l->hints == INVENTORY_MAX_HINTS)
		return buf;
	l->hints++;
	names = calloc((size_t)count + 1, sizeof *names);
	if (names == NULL)
		return buf;
	for (uint32_t i = 0; i < count; i++)
		names[i] = name(context, i);
	nearest = nearest_name(word, names);
	if (nearest != NULL)
		(void)snprintf(buf, size, "; did you mean \"%s\"?", nearest);
	free(names);
	return buf;
}

const char *place_text(struct place place, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s:%u:%u", place.doc->file, place.node->line, place.node->col);
	return buf;
}

const char *label(const struct inventory *inv, uint32_t tenant, uint32_t host, char *buf,
		  size_t size)
{
	const char *slash = host == HOST_NONE ? "" : "/";
	const char *name = host == HOST_NONE ? "" : inv->hosts[host].name;

	(void)snprintf(buf, size, "%s%s%s", inv->tenants[tenant].name, slash, name);
	return buf;
}

const char *keep(struct loader *l, const char *text)
{
	const char *copy = arena_strdup(l->inv->arena, text);

	if (copy == NULL)
		l->memory = true;
	return copy == NULL ? "" : copy;
}

void *keep_array(struct loader *l, uint64_t count, size_t size)
{
	void *array = arena_array(l->inv->arena, count == 0 ? 1 : count, size);

	if (array == NULL)
		l->memory = true;
	return array;
}

void entry_add(struct loader *l, struct entries *entries, const struct entry *entry)
{
	if (l->addresses.count + l->prefixes.count + l->ranges.count >= INVENTORY_MAX_ENTRIES) {
		if (!l->full)
			wrong(l, entry->place.doc, entry->place.node,
			      "too many addresses; an inventory may have %u, counted once a domain",
			      INVENTORY_MAX_ENTRIES);
		l->full = true;
		return;
	}
	if (entries->count == entries->room) {
		uint32_t room = entries->room == 0 ? 1024 : entries->room * 2;
		struct entry *v = realloc(entries->v, room * sizeof *v);

		if (v == NULL) {
			l->memory = true;
			return;
		}
		entries->v = v;
		entries->room = room;
	}
	entries->v[entries->count++] = *entry;
}

void pair_add(struct loader *l, uint16_t segment, uint32_t tenant)
{
	struct words *pairs = &l->pairs;
	uint64_t pair = (uint64_t)segment << 32 | tenant;

	/* Hosts come tenant by tenant, so that most repetitions are right behind each other. */
	if (pairs->count > 0 && pairs->v[pairs->count - 1] == pair)
		return;
	if (pairs->count == pairs->room) {
		uint32_t room = pairs->room == 0 ? 1024 : pairs->room * 2;
		uint64_t *v = realloc(pairs->v, room * sizeof *v);

		if (v == NULL) {
			l->memory = true;
			return;
		}
		pairs->v = v;
		pairs->room = room;
	}
	pairs->v[pairs->count++] = pair;
}

uint32_t host_reference(struct loader *l, uint32_t tenant, const char *text)
{
	if (strchr(text, '/') != NULL)
		return inventory_find_host(l->inv, text);
	return names_find(&l->inv->names, tenant, text);
}

/* Counts what the documents hold, so that every array is allocated once and in full. */
static int make_room(struct loader *l, struct err *err)
{
	struct inventory *inv = l->inv;
	uint64_t tenants = TENANT_FIRST, hosts = 0, segments = 0, taps = 0;

	for (unsigned i = 0; i < l->doc_count; i++) {
		const struct yaml_node *root = l->docs[i].root, *tenant;

		segments += section_count(root, "segments");
		taps += section_count(root, "taps");
		hosts += section_count(root, "infrastructure");
		tenants += section_count(root, "tenants");
		if (section_count(root, "tenants") == 0)
			continue;
		for (tenant = yaml_get(root, "tenants")->first; tenant != NULL;
		     tenant = tenant->next)
			hosts += section_count(tenant, "hosts");
	}
	if (hosts > INVENTORY_MAX_HOSTS || tenants > INVENTORY_MAX_HOSTS ||
	    segments >= SEGMENT_NONE || taps >= UINT16_MAX)
		return err_set(err, ERR_CONFIG,
			       "inventory too big; it may have %u hosts, as many tenants, %u "
			       "segments, %u taps",
			       INVENTORY_MAX_HOSTS, SEGMENT_NONE - 1u, UINT16_MAX - 1u);
	inv->tenants = keep_array(l, tenants, sizeof *inv->tenants);
	inv->members = keep_array(l, tenants, sizeof *inv->members);
	inv->hosts = keep_array(l, hosts, sizeof *inv->hosts);
	inv->segments = keep_array(l, segments + 1, sizeof *inv->segments);
	inv->segment_info = keep_array(l, segments + 1, sizeof *inv->segment_info);
	inv->domain_names = keep_array(l, segments + 1, sizeof *inv->domain_names);
	inv->taps = keep_array(l, taps + 1, sizeof *inv->taps);
	l->tenant_place = calloc(tenants, sizeof *l->tenant_place);
	l->host_place = calloc(hosts + 1, sizeof *l->host_place);
	l->segment_place = calloc(segments + 1, sizeof *l->segment_place);
	l->tap_place = calloc(taps + 1, sizeof *l->tap_place);
	l->stamp = calloc(segments + 1, sizeof *l->stamp);
	if (l->memory || l->tenant_place == NULL || l->host_place == NULL ||
	    l->segment_place == NULL || l->tap_place == NULL || l->stamp == NULL ||
	    names_init(&inv->names, tenants + hosts + 2 * segments + 2 * taps + 1, inv->seed[0]) !=
		0)
		return err_set(err, ERR_MEMORY, "no memory for an inventory of %llu hosts",
			       (unsigned long long)hosts);
	tenants_builtin(inv);
	return 0;
}

static void check_root(struct loader *l, const struct yaml_doc *doc)
{
	static const char *const known[] = {"version", "segments", "tenants", "infrastructure",
					    "taps",    "allow",	   NULL};

	(void)yaml_check_version(doc, l->problems); /* reported; the rest is read all the same */
	yaml_check_keys(doc, doc->root, known, l->problems);
}

static void drop_rootless(struct loader *l)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < l->doc_count; i++) {
		const struct yaml_doc *doc = &l->docs[i];

		if (doc->root != NULL && yaml_is_map(doc, doc->root, l->problems))
			l->docs[kept++] = *doc;
	}
	l->doc_count = kept;
}

static int read_sections(struct loader *l, struct err *err)
{
	int rc;

	drop_rootless(l);
	rc = make_room(l, err);
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < l->doc_count; i++)
		check_root(l, &l->docs[i]);
	/* Each relies on the arrays of the one before it, which lack of memory leaves half made. */
	void (*const steps[])(struct loader *) = {segments_load, tenants_load, infrastructure_load,
						  shared_load,	 taps_load,    allow_load,
						  build_tables};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0] && !l->memory; i++)
		steps[i](l);
	return l->memory ? err_set(err, ERR_MEMORY, "no memory for the inventory") : 0;
}

static void loader_fini(struct loader *l)
{
	arena_free(l->scratch);
	free(l->docs);
	free(l->segment_place);
	free(l->tenant_place);
	free(l->host_place);
	free(l->tap_place);
	free(l->mac_place);
	free(l->addresses.v);
	free(l->prefixes.v);
	free(l->ranges.v);
	free(l->pairs.v);
	free(l->stamp);
	spans_free(&l->by_domain);
	spans_free(&l->anywhere);
}

int inventory_load(const char *const *paths, unsigned count, uint64_t now_ns,
		   struct inventory **inv, struct problems *problems, struct err *err)
{
	struct loader l = {.problems = problems, .now_ns = now_ns};
	unsigned errors = problems->errors;
	int rc;

	*inv = NULL;
	l.inv = inventory_alloc();
	l.scratch = arena_new();
	if (l.inv == NULL || l.scratch == NULL) {
		rc = err_set(err, ERR_MEMORY, "no memory for the inventory");
		goto out;
	}
	rc = files_read(&l, paths, count, err);
	if (rc == 0)
		rc = read_sections(&l, err);
	if (rc == 0 && l.missing)
		rc = err_set(err, ERR_NOINPUT, "cannot read all of the inventory");
	else if (rc == 0 && problems->errors > errors)
		rc = err_set(err, ERR_CONFIG, "%u error%s in the inventory",
			     problems->errors - errors, problems->errors - errors == 1 ? "" : "s");
out:
	if (rc == 0)
		*inv = l.inv;
	else
		inventory_unref(l.inv);
	loader_fini(&l);
	return rc;
}
