/* SPDX-License-Identifier: Apache-2.0 */
/* test_options.c - bulkhead.yaml: the whole of it, its defaults, and every mistake at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/yaml_doc.h"
#include "bulkhead/clock.h"
#include "bulkhead/options.h"

static char folder[] = "/tmp/test_options_XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/b.yaml", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return unlink(path) + rmdir(folder);
}

static int load(const char *text, struct options *options, struct problems *problems)
{
	FILE *file = fopen(path, "w");
	struct err err;

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	*problems = (struct problems){0};
	return options_load(options, path, problems, &err);
}

/* The example of the manual, word for word. */
static const char whole[] =
    "version: 1\n"
    "sensor:    { name: leaf12, site: rbx }\n"
    "inventory: [inventory.yaml]\n"
    "rules:     [rules/]\n"
    "capture:\n"
    "  - { interface: eth1, tap: span-leaf12, filter: \"\", snaplen: 65535, buffer: 256MiB, "
    "workers: 4 }\n"
    "limits:    { flows: 1Mi, dpi_flows: 64Ki, tokens: 256Ki, fragments: 16Ki, bindings: 256Ki, "
    "open_alerts: 16Ki, evidence: 256MiB }\n"
    "dpi:       { packets: 16 }\n"
    "windows:   { relay: 5s, token: 60s, flow_idle: 120s, update: 60s, close: 10m }\n"
    "evidence:  { directory: /var/lib/bulkhead/evidence, snap: 128, packets: 64, quota: 1GiB }\n"
    "outbox:    { file: /var/lib/bulkhead/outbox.db, quota: 256MiB }\n"
    "redis:     { url: \"redis://127.0.0.1:6379/0\", username: sensor, password_file: "
    "/etc/bulkhead/redis.secret, prefix: \"bulkhead:\", maxlen: 100000, queue: false, "
    "wait_replicas: 0 }\n"
    "output:    [{ file: /var/log/bulkhead/alerts.jsonl }]\n"
    "geoip:     { country: /usr/share/GeoIP/country.mmdb, asn: /usr/share/GeoIP/asn.mmdb }\n";

static void the_whole_example_loads(void **state)
{
	struct problems problems;
	struct options o;
	char expected[128];

	(void)state;
	assert_int_equal(load(whole, &o, &problems), 0);
	assert_null(problems.text);
	assert_string_equal(o.sensor.name, "leaf12");
	assert_string_equal(o.sensor.site, "rbx");
	assert_string_equal(o.sensor.user, "bulkhead");
	assert_int_equal(o.inventory_count, 1);
	(void)snprintf(expected, sizeof expected, "%s/inventory.yaml", folder);
	assert_string_equal(o.inventory[0], expected);
	(void)snprintf(expected, sizeof expected, "%s/rules/", folder);
	assert_string_equal(o.rules[0], expected);
	assert_int_equal(o.capture_count, 1);
	assert_string_equal(o.capture[0].interface, "eth1");
	assert_string_equal(o.capture[0].tap, "span-leaf12");
	assert_string_equal(o.capture[0].filter, "");
	assert_int_equal(o.capture[0].buffer, 256 << 20);
	assert_int_equal(o.capture[0].workers, 4);
	assert_int_equal(o.limits.flows, 1 << 20);
	assert_int_equal(o.dpi.packets, 16);
	assert_int_equal(o.windows.close, 600 * NS_PER_SEC);
	assert_string_equal(o.evidence.directory, "/var/lib/bulkhead/evidence");
	assert_int_equal(o.evidence.quota, 1 << 30);
	assert_string_equal(o.redis.url, "redis://127.0.0.1:6379/0");
	assert_string_equal(o.redis.password_file, "/etc/bulkhead/redis.secret");
	assert_int_equal(o.output_count, 1);
	assert_string_equal(o.output[0].file, "/var/log/bulkhead/alerts.jsonl");
	assert_false(o.output[0].syslog);
	assert_string_equal(o.geoip.asn, "/usr/share/GeoIP/asn.mmdb");
	options_free(&o);
	problems_fini(&problems);
}

static void a_minimal_file_equals_the_defaults(void **state)
{
	struct problems problems;
	struct options o, d;
	struct err err;

	(void)state;
	assert_int_equal(load("version: 1\n", &o, &problems), 0);
	assert_int_equal(options_default(&d, &err), 0);
	assert_null(problems.text);
	assert_string_equal(o.path, path);
	assert_null(d.path);
	assert_string_equal(o.sensor.name, d.sensor.name);
	assert_true(strlen(o.sensor.name) > 0);
	assert_memory_equal(&o.limits, &d.limits, sizeof d.limits);
	assert_memory_equal(&o.windows, &d.windows, sizeof d.windows);
	assert_int_equal(d.limits.flows, 1 << 20);
	assert_int_equal(d.windows.relay, 5 * NS_PER_SEC);
	assert_int_equal(d.evidence.snap, 128);
	assert_int_equal(d.redis.maxlen, 100000);
	assert_string_equal(d.redis.prefix, "bulkhead:");
	assert_string_equal(d.outbox.file, "");
	assert_string_equal(d.evidence.directory, "");
	assert_null(d.redis.url);
	assert_int_equal(d.inventory_count + d.rules_count + d.capture_count + d.output_count, 0);
	options_free(&o);
	options_free(&d);
	problems_fini(&problems);
}

static void every_mistake_is_reported(void **state)
{
	struct problems problems;
	struct options o;
	char expected[4096];

	(void)state;
	assert_int_equal(load("version: 1\n"
			      "sensr: { name: x }\n"
			      "sensor: { name: \"a b\", sit: y, profile: 1 }\n"
			      "limits: { flows: 5, evidence: 3MB }\n"
			      "windows: [5s]\n"
			      "redis: { url: http://x, maxlen: 1 }\n"
			      "capture:\n"
			      "  - { tap: t, worker: 2 }\n"
			      "  - eth1\n"
			      "output: [{ file: a, syslog: true }, {}]\n"
			      "inventory: [{ a: b }]\n"
			      "dpi: { packets: 16Ki }\n",
			      &o, &problems),
			 ERR_CONFIG);
	(void)snprintf(
	    expected, sizeof expected,
	    "%1$s:3:24: unknown key \"sit\"; did you mean \"site\"?\n"
	    "%1$s:5:10: windows is a list; it wants a map (key: value)\n"
	    "%1$s:2:1: unknown key \"sensr\"; did you mean \"sensor\"?\n"
	    "%1$s:3:17: name is \"a b\"; it wants up to 64 letters, digits, dots, dashes and "
	    "underscores\n"
	    "%1$s:3:41: profile is 1; it wants true or false\n"
	    "%1$s:11:13: this is a map; it wants a text\n"
	    "%1$s:4:18: flows is \"5\"; it wants a count such as 4096 or 64Ki from 1Ki to 256Mi\n"
	    "%1$s:4:31: evidence is \"3MB\"; it wants a size such as 4096 or 256MiB from 64KiB to "
	    "64GiB\n"
	    "%1$s:12:17: packets is 16Ki; it wants a whole number from 0 to 255\n"
	    "%1$s:6:15: url is \"http://x\"; it wants redis://HOST, rediss://HOST or "
	    "unix:///PATH\n"
	    "%1$s:6:33: maxlen is \"1\"; it wants a count such as 4096 or 64Ki from 100 to 1Gi\n"
	    "%1$s:8:15: unknown key \"worker\"; did you mean \"workers\"?\n"
	    "%1$s:8:5: a capture without an interface; add \"interface: NAME\"\n"
	    "%1$s:9:5: this is eth1; it wants a map (key: value)\n"
	    "%1$s:10:10: an output is either \"file: PATH\" or \"syslog: true\"\n"
	    "%1$s:10:37: an output is either \"file: PATH\" or \"syslog: true\"\n",
	    path);
	assert_string_equal(problems.text, expected);
	options_free(&o);
	problems_fini(&problems);
}

static void files_that_are_no_config(void **state)
{
	struct problems problems = {0};
	struct options o;
	struct err err;

	(void)state;
	assert_int_equal(options_load(&o, "/nonexistent/b.yaml", &problems, &err), ERR_NOINPUT);
	options_free(&o);
	assert_int_equal(load("- a\n", &o, &problems), ERR_CONFIG);
	options_free(&o);
	problems_fini(&problems);
	assert_int_equal(load("a: [\n", &o, &problems), ERR_CONFIG);
	options_free(&o);
	problems_fini(&problems);
	assert_int_equal(load("sensor: {}\n", &o, &problems), ERR_CONFIG);
	options_free(&o);
	problems_fini(&problems);
}

static void redis_without_an_outbox_is_warned_of(void **state)
{
	struct problems problems;
	struct options o;

	(void)state;
	assert_int_equal(load("version: 1\nredis: { url: redis://x }\n", &o, &problems), 0);
	assert_int_equal(problems.warnings, 1);
	assert_int_equal(problems.errors, 0);
	options_free(&o);
	problems_fini(&problems);
}

static void lists_are_bounded(void **state)
{
	static char text[16384];
	struct problems problems;
	struct options o;

	(void)state;
	strcpy(text, "version: 1\ninventory:\n");
	for (int i = 0; i < OPTIONS_MAX_PATHS + 1; i++)
		strcat(text, "  - f\n");
	strcat(text, "capture:\n");
	for (int i = 0; i < OPTIONS_MAX_CAPTURES + 1; i++)
		strcat(text, "  - { interface: e }\n");
	strcat(text, "output:\n");
	for (int i = 0; i < OPTIONS_MAX_OUTPUTS + 1; i++)
		strcat(text, "  - { syslog: true }\n");
	assert_int_equal(load(text, &o, &problems), ERR_CONFIG);
	assert_int_equal(problems.errors, 3);
	assert_int_equal(o.inventory_count, OPTIONS_MAX_PATHS);
	assert_int_equal(o.capture_count, OPTIONS_MAX_CAPTURES);
	assert_int_equal(o.output_count, OPTIONS_MAX_OUTPUTS);
	options_free(&o);
	problems_fini(&problems);
}

static void one_path_needs_no_list(void **state)
{
	struct problems problems;
	struct options o;

	(void)state;
	assert_int_equal(
	    load("version: 1\ninventory: /a/b\noutput: [{ file: \"-\" }]\n", &o, &problems), 0);
	assert_int_equal(o.inventory_count, 1);
	assert_string_equal(o.inventory[0], "/a/b");
	assert_string_equal(o.output[0].file, "-");
	options_free(&o);
	problems_fini(&problems);
}

/* Every default must be what its own type accepts, within its own range: written into a file it
 * must load without a word. */
static void take_setting(void *context, const char *key, const char *type, const char *standard,
			 const char *summary)
{
	char text[256];
	const char *dot = strchr(key, '.');
	struct problems problems;
	struct options o;

	assert_true(strlen(summary) > 0);
	assert_true(strlen(type) > 0);
	++*(unsigned *)context;
	if (standard[0] == '\0' || strchr(key, '[') != NULL)
		return;
	(void)snprintf(text, sizeof text, "version: 1\n%.*s: { %s: %s%s%s }\n", (int)(dot - key),
		       key, dot + 1, strcmp(type, "text") == 0 ? "\"" : "", standard,
		       strcmp(type, "text") == 0 ? "\"" : "");
	assert_int_equal(load(text, &o, &problems), 0);
	assert_null(problems.text);
	options_free(&o);
}

static void every_default_is_valid(void **state)
{
	unsigned count = 0;

	(void)state;
	options_describe(take_setting, &count);
	assert_int_equal(count, 43);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_whole_example_loads),
	    cmocka_unit_test(a_minimal_file_equals_the_defaults),
	    cmocka_unit_test(every_mistake_is_reported),
	    cmocka_unit_test(files_that_are_no_config),
	    cmocka_unit_test(redis_without_an_outbox_is_warned_of),
	    cmocka_unit_test(lists_are_bounded),
	    cmocka_unit_test(one_path_needs_no_list),
	    cmocka_unit_test(every_default_is_valid),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
