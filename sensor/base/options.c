/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c - see bulkhead/options.h: bulkhead.yaml.
 *
 * The rows below are the master copy of every setting.  A row is a place in the file
 * ("limits.flows"), a type, a range, the default as it would be written in the file, where the
 * value goes, and a line for the manual.  Rows of "capture[]." and "output[]." describe one
 * entry of a list.
 */
#include "bulkhead/options.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/yaml_doc.h"

enum type {
	TYPE_TEXT,
	TYPE_NAME, /* of a sensor or site: goes into Redis keys and file names */
	TYPE_PATH,
	TYPE_URL,
	TYPE_NUMBER,
	TYPE_COUNT, /* a number, may be written 64Ki */
	TYPE_SIZE,  /* bytes, may be written 256MiB */
	TYPE_TIME,
	TYPE_BOOL,
	TYPE_PATHS, /* one or a list */
};

struct row {
	const char *section; /* "" at top level */
	const char *key;
	enum type type;
	size_t offset;
	const char *standard; /* NULL: not set; list entries: required */
	uint64_t min, max;
	const char *summary;
};

#define KI UINT64_C(1024)
#define MI (UINT64_C(1024) * 1024)
#define GI (UINT64_C(1024) * 1024 * 1024)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)
#define AT(field) offsetof(struct options, field)
#define CAPTURE_AT(field) offsetof(struct capture_config, field)
#define OUTPUT_AT(field) offsetof(struct output_config, field)

/* clang-format off */
static const struct row rows[] = {
{ "sensor", "name", TYPE_NAME, AT(sensor.name), NULL, 0, 0,
  "Name of this sensor in alerts and in Redis; the host's name when left out" },
{ "sensor", "site", TYPE_NAME, AT(sensor.site), "default", 0, 0,
  "Site that the sensor belongs to" },
{ "sensor", "user", TYPE_TEXT, AT(sensor.user), "bulkhead", 0, 0,
  "User to become once captures are open; \"\" stays the one that started it" },
{ "sensor", "profile", TYPE_BOOL, AT(sensor.profile), "false", 0, 0,
  "Count processor cycles by stage" },
{ "", "inventory", TYPE_PATHS, AT(inventory), NULL, 0, 0,
  "Inventory files or folders, merged" },
{ "", "rules", TYPE_PATHS, AT(rules), NULL, 0, 0,
  "Rule files or folders; the built-in rules when left out" },
{ "limits", "flows", TYPE_COUNT, AT(limits.flows), "1Mi", KI, 256 * MI,
  "Flows remembered at a time" },
{ "limits", "dpi_flows", TYPE_COUNT, AT(limits.dpi_flows), "64Ki", 16, 16 * MI,
  "Flows whose first packets are kept for DPI, at 256 bytes each" },
{ "limits", "tokens", TYPE_COUNT, AT(limits.tokens), "256Ki", KI, 64 * MI,
  "Content tokens remembered" },
{ "limits", "fragments", TYPE_COUNT, AT(limits.fragments), "16Ki", 16, 16 * MI,
  "Fragmented datagrams followed at a time" },
{ "limits", "bindings", TYPE_COUNT, AT(limits.bindings), "256Ki", KI, 64 * MI,
  "Learned address bindings remembered" },
{ "limits", "open_alerts", TYPE_COUNT, AT(limits.open_alerts), "16Ki", 16, 16 * MI,
  "Alerts open at a time" },
{ "limits", "evidence", TYPE_SIZE, AT(limits.evidence), "256MiB", 64 * KI, 64 * GI,
  "Memory for packets kept as evidence" },
{ "dpi", "packets", TYPE_NUMBER, AT(dpi.packets), "8", 0, 255,
  "Packets with payload of a flow kept for DPI, of UDP 4 at most; 0 turns DPI off" },
{ "dpi", "own_process", TYPE_BOOL, AT(dpi.own_process), "true", 0, 0,
  "Live: DPI runs in a process without privileges, which may die alone; false: in the worker" },
{ "windows", "relay", TYPE_TIME, AT(windows.relay), "5s", MS, 3600 * S,
  "How long a packet is remembered to recognise its relayed copy" },
{ "windows", "token", TYPE_TIME, AT(windows.token), "60s", MS, 86400 * S,
  "How long a content token is remembered" },
{ "windows", "flow_idle", TYPE_TIME, AT(windows.flow_idle), "120s", S, 86400 * S,
  "A flow ends after this time without a packet" },
{ "windows", "update", TYPE_TIME, AT(windows.update), "60s", S, 86400 * S,
  "An open alert that goes on is reported again at most this often" },
{ "windows", "close", TYPE_TIME, AT(windows.close), "10m", S, 30 * 86400 * S,
  "An alert closes after this time without a finding" },
{ "evidence", "directory", TYPE_PATH, AT(evidence.directory), "", 0, 0,
  "Folder for the packets of an alert (pcapng); \"\" keeps none" },
{ "evidence", "snap", TYPE_SIZE, AT(evidence.snap), "128", 14, 262144,
  "Bytes kept of a packet" },
{ "evidence", "packets", TYPE_NUMBER, AT(evidence.packets), "64", 1, 65535,
  "Packets kept for an alert" },
{ "evidence", "quota", TYPE_SIZE, AT(evidence.quota), "1GiB", MI, KI * GI,
  "Bytes that the folder may hold; the oldest go first" },
{ "outbox", "file", TYPE_PATH, AT(outbox.file), "", 0, 0,
  "SQLite file that holds alerts until every sink has them; \"\" for none" },
{ "outbox", "quota", TYPE_SIZE, AT(outbox.quota), "256MiB", MI, KI * GI,
  "Bytes that the outbox may take" },
{ "redis", "url", TYPE_URL, AT(redis.url), NULL, 0, 0,
  "redis://[user[:pass]@]host[:port][/db], rediss://... or unix:///path; none when left out" },
{ "redis", "username", TYPE_TEXT, AT(redis.username), NULL, 0, 0,
  "ACL user, when the URL names none" },
{ "redis", "password_file", TYPE_PATH, AT(redis.password_file), NULL, 0, 0,
  "File whose first line is the password" },
{ "redis", "prefix", TYPE_TEXT, AT(redis.prefix), "bulkhead:", 0, 0,
  "Put before every key; with a Cluster a hash tag, \"{site}:\"" },
{ "redis", "maxlen", TYPE_COUNT, AT(redis.maxlen), "100000", 100, GI,
  "Entries that the alert stream keeps, about" },
{ "redis", "queue", TYPE_BOOL, AT(redis.queue), "false", 0, 0,
  "Also push each alert to a list, for readers that cannot read streams" },
{ "redis", "wait_replicas", TYPE_NUMBER, AT(redis.wait_replicas), "0", 0, 64,
  "Replicas that must confirm a delivery (WAIT)" },
{ "geoip", "country", TYPE_PATH, AT(geoip.country), NULL, 0, 0,
  "MaxMind DB of countries, for residency" },
{ "geoip", "asn", TYPE_PATH, AT(geoip.asn), NULL, 0, 0,
  "MaxMind DB of autonomous systems" },
};

static const struct row capture_rows[] = {
{ "capture[]", "interface", TYPE_TEXT, CAPTURE_AT(interface), NULL, 0, 0,
  "Interface to read frames from; required" },
{ "capture[]", "tap", TYPE_TEXT, CAPTURE_AT(tap), "", 0, 0,
  "Which of the inventory's taps this is; the first when left out" },
{ "capture[]", "filter", TYPE_TEXT, CAPTURE_AT(filter), "", 0, 0,
  "BPF filter; \"\" for every frame" },
{ "capture[]", "snaplen", TYPE_SIZE, CAPTURE_AT(snaplen), "65535", 64, 262144,
  "Bytes captured of a frame" },
{ "capture[]", "buffer", TYPE_SIZE, CAPTURE_AT(buffer), "256MiB", MI, 64 * GI,
  "Kernel ring of all workers of this interface" },
{ "capture[]", "workers", TYPE_NUMBER, CAPTURE_AT(workers), "1", 1, 64,
  "Threads that share the frames of this interface" },
};

static const struct row output_rows[] = {
{ "output[]", "file", TYPE_PATH, OUTPUT_AT(file), NULL, 0, 0,
  "File that gets each alert as a JSON line" },
{ "output[]", "syslog", TYPE_BOOL, OUTPUT_AT(syslog), "false", 0, 0,
  "true: each alert as a syslog message" },
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const type_names[] = {
    [TYPE_TEXT] = "text",     [TYPE_NAME] = "name",
    [TYPE_PATH] = "path",     [TYPE_URL] = "url",
    [TYPE_NUMBER] = "number", [TYPE_COUNT] = "count",
    [TYPE_SIZE] = "size",     [TYPE_TIME] = "time",
    [TYPE_BOOL] = "boolean",  [TYPE_PATHS] = "list of paths",
};

/* What a value is read with. */
struct reader {
	struct options *options;
	struct yaml_doc doc;
	struct problems *problems;
	struct arena *arena;
	size_t folder; /* length of the config file's folder in its path, with the slash */
	bool out_of_memory;
};

static bool is_name(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789._-");

	return len > 0 && len <= 64 && text[len] == '\0';
}

static bool is_url(const char *text)
{
	return strncmp(text, "redis://", 8) == 0 || strncmp(text, "rediss://", 9) == 0 ||
	       strncmp(text, "unix:///", 8) == 0;
}

/* A number with the unit of its type; 0 or -1. */
static int parse_number(enum type type, const char *text, uint64_t *out)
{
	if (type == TYPE_TIME)
		return parse_duration(text, out);
	return parse_size(text, out);
}

static const char *resolve(struct reader *r, const char *path)
{
	const char *full;

	if (path[0] == '/' || path[0] == '\0' || strcmp(path, "-") == 0 || r->folder == 0)
		return path;
	full = arena_printf(r->arena, "%.*s%s", (int)r->folder, r->options->path, path);
	if (full == NULL)
		r->out_of_memory = true;
	return full;
}

/* Writes a number of the row's type as a person would: for messages. */
static void format_number(enum type type, uint64_t value, char *out, size_t size)
{
	static const char *const binary[] = {"", "Ki", "Mi", "Gi", "Ti"};
	unsigned power = 0;

	if (type == TYPE_TIME) {
		(void)snprintf(out, size, value % S == 0 ? "%llus" : "%llums",
			       (unsigned long long)(value % S == 0 ? value / S : value / MS));
		return;
	}
	while (type != TYPE_NUMBER && power < 4 && value > 0 && value % KI == 0) {
		value /= KI;
		power++;
	}
	(void)snprintf(out, size, "%llu%s%s", (unsigned long long)value, binary[power],
		       type == TYPE_SIZE && power > 0 ? "B" : "");
}

static void wrong(struct reader *r, const struct row *row, const struct yaml_node *node,
		  const char *example)
{
	char min[32], max[32];

	if (row->max == 0) {
		yaml_problem(&r->doc, node, PROBLEM_ERROR, r->problems,
			     "%s is \"%.60s\"; it wants %s", row->key, node->text, example);
		return;
	}
	format_number(row->type, row->min, min, sizeof min);
	format_number(row->type, row->max, max, sizeof max);
	yaml_problem(&r->doc, node, PROBLEM_ERROR, r->problems,
		     "%s is \"%.60s\"; it wants %s from %s to %s", row->key, node->text, example,
		     min, max);
}

static void read_number(struct reader *r, const struct row *row, const struct yaml_node *node,
			uint64_t *out)
{
	static const char *const examples[] = {
	    [TYPE_COUNT] = "a count such as 4096 or 64Ki",
	    [TYPE_SIZE] = "a size such as 4096 or 256MiB",
	    [TYPE_TIME] = "a time such as 500ms, 5s or 10m",
	};
	const char *text;
	uint64_t value;

	if (row->type == TYPE_NUMBER) {
		(void)yaml_uint(&r->doc, node, row->min, row->max, out, r->problems);
		return;
	}
	if (!yaml_text(&r->doc, node, &text, r->problems))
		return;
	if (parse_number(row->type, text, &value) != 0 || value < row->min || value > row->max)
		wrong(r, row, node, examples[row->type]);
	else
		*out = value;
}

static void read_text(struct reader *r, const struct row *row, const struct yaml_node *node,
		      const char **out)
{
	const char *text;

	if (!yaml_text(&r->doc, node, &text, r->problems))
		return;
	if (row->type == TYPE_NAME && !is_name(text))
		wrong(r, row, node, "up to 64 letters, digits, dots, dashes and underscores");
	else if (row->type == TYPE_URL && !is_url(text))
		wrong(r, row, node, "redis://HOST, rediss://HOST or unix:///PATH");
	else
		*out = row->type == TYPE_PATH ? resolve(r, text) : text;
}

/* "inventory: FILE" or "inventory: [FILE, FILE]". */
static void read_paths(struct reader *r, const struct row *row, const struct yaml_node *node,
		       const char **paths, unsigned *count)
{
	const struct yaml_node *item = node->kind == YAML_LIST ? node->first : node;
	const char *text;

	for (; item != NULL; item = node->kind == YAML_LIST ? item->next : NULL) {
		if (!yaml_text(&r->doc, item, &text, r->problems))
			continue;
		if (*count == OPTIONS_MAX_PATHS) {
			yaml_problem(&r->doc, item, PROBLEM_ERROR, r->problems,
				     "more than %d files in %s; name a folder instead",
				     OPTIONS_MAX_PATHS, row->key);
			return;
		}
		paths[(*count)++] = resolve(r, text);
	}
}

/* Reads one value into its place in base, a struct options, capture_config or output_config. */
static void read_value(struct reader *r, const struct row *row, const struct yaml_node *node,
		       void *base)
{
	void *field = (char *)base + row->offset;

	switch (row->type) {
	case TYPE_TEXT:
	case TYPE_NAME:
	case TYPE_PATH:
	case TYPE_URL:
		read_text(r, row, node, field);
		break;
	case TYPE_NUMBER:
	case TYPE_COUNT:
	case TYPE_SIZE:
	case TYPE_TIME:
		read_number(r, row, node, field);
		break;
	case TYPE_BOOL:
		(void)yaml_bool(&r->doc, node, field, r->problems);
		break;
	case TYPE_PATHS:
		read_paths(r, row, node, field,
			   row->offset == AT(inventory) ? &r->options->inventory_count
							: &r->options->rules_count);
		break;
	}
}

static void set_default(const struct row *row, void *base)
{
	void *field = (char *)base + row->offset;

	if (row->standard == NULL)
		return; /* the zeroed field says so */
	if (row->type == TYPE_BOOL)
		*(bool *)field = row->standard[0] == 't';
	else if (row->max == 0)
		*(const char **)field = row->standard;
	else
		(void)parse_number(row->type, row->standard, field); /* held by a test */
}

/* The keys of all rows of a section, for messages about unknown ones. */
static void check_keys(struct reader *r, const struct yaml_node *map, const struct row *table,
		       size_t count, const char *section)
{
	const char *known[16];
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].section, section) == 0 && n + 1 < COUNT(known))
			known[n++] = table[i].key;
	known[n] = NULL;
	yaml_check_keys(&r->doc, map, known, r->problems);
}

static void read_entry(struct reader *r, const struct yaml_node *map, const struct row *table,
		       size_t count, void *base)
{
	check_keys(r, map, table, count, table[0].section);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_node *node = yaml_get(map, table[i].key);

		set_default(&table[i], base);
		if (node != NULL)
			read_value(r, &table[i], node, base);
	}
}

static void read_captures(struct reader *r, const struct yaml_node *list)
{
	struct options *options = r->options;

	if (!yaml_is_list(&r->doc, list, r->problems))
		return;
	for (const struct yaml_node *item = list->first; item != NULL; item = item->next) {
		struct capture_config *capture = &options->capture[options->capture_count];

		if (!yaml_is_map(&r->doc, item, r->problems))
			continue;
		if (options->capture_count == OPTIONS_MAX_CAPTURES) {
			yaml_problem(&r->doc, item, PROBLEM_ERROR, r->problems,
				     "more than %d captures", OPTIONS_MAX_CAPTURES);
			return;
		}
		capture->line = item->line;
		capture->col = item->col;
		read_entry(r, item, capture_rows, COUNT(capture_rows), capture);
		if (yaml_get(item, "interface") == NULL)
			yaml_problem(&r->doc, item, PROBLEM_ERROR, r->problems,
				     "a capture without an interface; add \"interface: NAME\"");
		if (capture->tap[0] == '\0')
			capture->tap = NULL;
		options->capture_count++;
	}
}

static void read_outputs(struct reader *r, const struct yaml_node *list)
{
	struct options *options = r->options;

	if (!yaml_is_list(&r->doc, list, r->problems))
		return;
	for (const struct yaml_node *item = list->first; item != NULL; item = item->next) {
		struct output_config *output = &options->output[options->output_count];

		if (!yaml_is_map(&r->doc, item, r->problems))
			continue;
		if (options->output_count == OPTIONS_MAX_OUTPUTS) {
			yaml_problem(&r->doc, item, PROBLEM_ERROR, r->problems,
				     "more than %d outputs", OPTIONS_MAX_OUTPUTS);
			return;
		}
		read_entry(r, item, output_rows, COUNT(output_rows), output);
		if ((yaml_get(item, "file") != NULL) == output->syslog)
			yaml_problem(&r->doc, item, PROBLEM_ERROR, r->problems,
				     "an output is either \"file: PATH\" or \"syslog: true\"");
		options->output_count++;
	}
}

/* Unknown keys at top level, sections that are no map, unknown keys within sections. */
static void check_shape(struct reader *r)
{
	const char *known[16] = {"version", "capture", "output"};
	size_t n = 3;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *section = rows[i].section;
		const struct yaml_node *map;

		if (section[0] == '\0') {
			known[n++] = rows[i].key;
			continue;
		}
		if (i > 0 && strcmp(section, rows[i - 1].section) == 0)
			continue;
		known[n++] = section;
		map = yaml_get(r->doc.root, section);
		if (yaml_is_map(&r->doc, map, r->problems))
			check_keys(r, map, rows, COUNT(rows), section);
	}
	known[n] = NULL;
	yaml_check_keys(&r->doc, r->doc.root, known, r->problems);
}

static void read_root(struct reader *r)
{
	const struct yaml_node *root = r->doc.root;
	const struct yaml_node *node;

	if (!yaml_check_version(&r->doc, r->problems) && root->kind != YAML_MAP)
		return;
	check_shape(r);
	for (size_t i = 0; i < COUNT(rows); i++) {
		node = rows[i].section[0] == '\0' ? root : yaml_get(root, rows[i].section);
		node = yaml_get(node, rows[i].key);
		if (node != NULL)
			read_value(r, &rows[i], node, r->options);
	}
	node = yaml_get(root, "capture");
	if (node != NULL)
		read_captures(r, node);
	node = yaml_get(root, "output");
	if (node != NULL)
		read_outputs(r, node);
	if (r->options->redis.url != NULL && r->options->outbox.file[0] == '\0')
		yaml_problem(&r->doc, yaml_get(root, "redis"), PROBLEM_WARNING, r->problems,
			     "no outbox.file: alerts are lost while Redis is away; add "
			     "\"outbox: { file: /var/lib/bulkhead/outbox.db }\"");
}

/* The host's name, made to fit where it goes. */
static const char *host_name(struct arena *arena)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
		return "sensor";
	for (char *p = name; *p != '\0'; p++) {
		char one[2] = {*p, '\0'};

		if (!is_name(one))
			*p = '-';
	}
	return arena_strdup(arena, name);
}

int options_default(struct options *options, struct err *err)
{
	struct arena *arena = arena_new();

	*options = (struct options){.arena = arena};
	if (arena == NULL)
		return err_set(err, ERR_MEMORY, "not enough memory for the settings");
	for (size_t i = 0; i < COUNT(rows); i++)
		set_default(&rows[i], options);
	options->sensor.name = host_name(arena);
	if (options->sensor.name == NULL) {
		options_free(options);
		return err_set(err, ERR_MEMORY, "not enough memory for the settings");
	}
	return 0;
}

int options_load(struct options *options, const char *path, struct problems *problems,
		 struct err *err)
{
	struct reader r = {.options = options, .problems = problems};
	unsigned errors = problems->errors;
	const char *slash = strrchr(path, '/');
	int rc = options_default(options, err);

	if (rc != 0)
		return rc;
	r.arena = options->arena;
	options->path = arena_strdup(r.arena, path);
	if (options->path == NULL)
		return err_set(err, ERR_MEMORY, "%s: not enough memory", path);
	r.folder = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	rc = yaml_read_file(&r.doc, path, r.arena, problems, err);
	if (rc != 0)
		return rc;
	read_root(&r);
	if (r.out_of_memory)
		return err_set(err, ERR_MEMORY, "%s: not enough memory", path);
	if (problems->errors > errors)
		return err_set(err, ERR_CONFIG, "%s: %u mistakes", path, problems->errors - errors);
	return 0;
}

void options_free(struct options *options)
{
	arena_free(options->arena);
	*options = (struct options){0};
}

static void describe(const struct row *table, size_t count,
		     void (*each)(void *context, const char *key, const char *type,
				  const char *standard, const char *summary),
		     void *context)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &table[i];
		char key[64];

		(void)snprintf(key, sizeof key, "%s%s%s", row->section,
			       row->section[0] != '\0' ? "." : "", row->key);
		each(context, key, type_names[row->type],
		     row->standard != NULL ? row->standard : "", row->summary);
	}
}

void options_describe(void (*each)(void *context, const char *key, const char *type,
				   const char *standard, const char *summary),
		      void *context)
{
	describe(rows, COUNT(rows), each, context);
	describe(capture_rows, COUNT(capture_rows), each, context);
	describe(output_rows, COUNT(output_rows), each, context);
}
