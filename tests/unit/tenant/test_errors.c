/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_errors.c - every mistake an inventory can hold, with the place where it is reported.
 *
 * A row is one file, the place and a part of the message.  Line 1 is "version: 1".
 */
#include "load_text.h"

struct row {
	const char *text;
	const char *where;
	const char *message;
};

#define T "tenants:\n"

static const struct row errors[] = {
    /* shape */
    {"tenats: []\n", "a.yaml:2:1", "tenants"},
    {"tenants: 5\n", "a.yaml:2:10", "list"},
    {T "  - acme\n", "a.yaml:3:5", ""},
    {T "  - { nam: acme }\n", "a.yaml:3:7", "name"},
    {T "  - { residency: [FR] }\n", "a.yaml:3:5", "tenant without \"name\""},
    {T "  - { name: [a, b] }\n", "a.yaml:3:13", ""},
    {T "  - { name: a/b }\n", "a.yaml:3:13", "may not have \"/\""},
    {T "  - { name: \"*\" }\n", "a.yaml:3:13", "stands for all"},
    {T "  - { name: \"a\\tb\" }\n", "a.yaml:3:13", "control"},
    {T "  - { name: \"\" }\n", "a.yaml:3:13", "empty"},
    {T "  - { name: external }\n", "a.yaml:3:13", "no tenant's name"},
    {T "  - { name: a }\n  - { name: a }\n", "a.yaml:4:13", "already, at "},
    /* segments */
    {"segments:\n  - { name: s, vlan: 4095 }\n", "a.yaml:3:22", ""},
    {"segments:\n  - { name: s, vni: 16777216 }\n", "a.yaml:3:21", ""},
    {"segments:\n  - { name: s, vlan: 1, vni: 2 }\n", "a.yaml:3:30", "vlan or a vni"},
    {"segments:\n  - { name: s }\n  - { name: t }\n", "a.yaml:4:5", "two untagged"},
    {"segments:\n  - { name: s, vlan: 7 }\n  - { name: t, vlan: 7 }\n", "a.yaml:4:22",
     "vlan 7 is that of segment \"s\" at "},
    {"segments:\n  - { name: s, vni: 7 }\n  - { name: t, vni: 7 }\n", "a.yaml:4:21",
     "vni 7 is that of segment \"s\" at "},
    {"segments:\n  - { name: s, vni: 7 }\n  - { name: s, vni: 8 }\n", "a.yaml:4:13",
     "segment \"s\" is there already"},
    {"segments:\n  - { name: s, prefixes: [10.0.0.1/24] }\n", "a.yaml:3:27",
     "10.0.0.0/24 would be right"},
    {"segments:\n  - { name: s, prefixes: [10.0.0.0] }\n", "a.yaml:3:27", "no prefix"},
    {"segments:\n  - { name: s, prefixes: [\"::/0\"] }\n", "a.yaml:3:27", "everybody's"},
    {"segments:\n  - { name: s, prefixes: [0.0.0.0/0] }\n", "a.yaml:3:27", "everybody's"},
    {"segments:\n  - { name: s, dynamic: [10.0.0.300/32] }\n", "a.yaml:3:26", "no prefix"},
    {"segments:\n  - { name: s, domain: \"\" }\n", "a.yaml:3:24", "domain"},
    {"segments:\n  - { name: lan }\n" T "  - { name: a, segments: [lam] }\n", "a.yaml:5:27",
     "no segment \"lam\"; did you mean \"lan\"?"},
    /* tenants */
    {T "  - { name: a, residency: [fr] }\n", "a.yaml:3:28", "no residency"},
    {T "  - { name: a, residency: [AS12x] }\n", "a.yaml:3:28", "no residency"},
    {T "  - { name: a, prefixes: [224.0.0.0/8] }\n", "a.yaml:3:27", "nobody's own"},
    {T "  - { name: a, prefixes: [9.0.0.0/24] }\n  - { name: b, prefixes: [9.0.0.128/25] }\n",
     "a.yaml:4:27", "overlaps 9.0.0.0/24 of \"a\" at "},
    {T "  - { name: a, prefixes: [9.0.0.0/24] }\n  - { name: b, prefixes: [9.0.0.0/24] }\n",
     "a.yaml:4:27", "overlaps 9.0.0.0/24 of \"a\" at "},
    /* hosts */
    {T "  - { name: a, hosts: [{ mac: \"02:00:00:00:00:01\" }] }\n", "a.yaml:3:24",
     "host without \"name\""},
    {T "  - name: a\n    hosts:\n      - { name: h }\n      - { name: h }\n", "a.yaml:6:17",
     "host \"h\" is there already, at "},
    {T "  - { name: a, hosts: [{ name: h, mac: \"02:00:00:00:00\" }] }\n", "a.yaml:3:40", "no MAC"},
    {T "  - { name: a, hosts: [{ name: h, mac: \"03:00:00:00:00:01\" }] }\n", "a.yaml:3:40",
     "group address"},
    {T "  - { name: a, hosts: [{ name: h, mac: \"00:00:00:00:00:00\" }] }\n", "a.yaml:3:40",
     "all zero"},
    {T "  - { name: a, hosts: [{ name: h, ip: 10.0.0.256 }] }\n", "a.yaml:3:39", "no IP address"},
    {T "  - { name: a, hosts: [{ name: h, ip: [10.0.0.1, \"ff02::1\"] }] }\n", "a.yaml:3:50",
     "no address of one host"},
    {T "  - { name: a, hosts: [{ name: h, ip: {} }] }\n", "a.yaml:3:39", ""},
    {T "  - { name: a, hosts: [{ name: h, roles: [ruoter] }] }\n", "a.yaml:3:43",
     "did you mean router"},
    {T "  - { name: a, hosts: [{ name: h, roles: [boss] }] }\n", "a.yaml:3:43", "roles are server"},
    {T "  - { name: a, hosts: [{ name: h, port: [a,b,c,d,e,f,g,h,i] }] }\n", "a.yaml:3:58",
     "too many ports"},
    {T "  - { name: a, hosts: [{ name: h, segments: [x] }] }\n", "a.yaml:3:35", "segments"},
    {T "  - { name: a, hosts: [{ name: h, mac: \"02:00:00:00:00:01\" }] }\n"
       "  - { name: b, hosts: [{ name: h, mac: \"02-00-00-00-00-01\" }] }\n",
     "a.yaml:4:40", "MAC 02:00:00:00:00:01 is that of a/h at "},
    {T "  - { name: a, hosts: [{ name: h, mac: \"02:00:00:00:00:01\" },"
       " { name: i, mac: \"02:00:00:00:00:01\" }] }\n",
     "a.yaml:3:79", "is that of a/h at "},
    {T "  - { name: a, hosts: [{ name: h, mac: \"02:00:00:00:00:01\" }] }\n"
       "infrastructure: [{ name: gw, mac: \"02:00:00:00:00:01\" }]\n",
     "a.yaml:4:35", "is that of a/h at "},
    {T "  - { name: a, hosts: [{ name: h, ip: 10.0.0.1 }] }\n"
       "  - { name: b, hosts: [{ name: h, ip: 10.0.0.1 }] }\n",
     "a.yaml:4:39", "10.0.0.1 of b/h is an address of a/h at "},
    {T "  - { name: a, hosts: [{ name: h, ip: 10.0.0.1 }] }\n"
       "infrastructure: [{ name: gw, ip: 10.0.0.1 }]\n",
     "a.yaml:4:34", "10.0.0.1 of infrastructure/gw is an address of a/h at "},
    {"infrastructure: [{ name: gw }, { name: gw }]\n", "a.yaml:2:40", "already"},
    /* shared addresses, decoys */
    {T "  - { name: a, shared_addresses: [{ hosts: [x] }] }\n", "a.yaml:3:35", "without \"ip\""},
    {T "  - { name: a, shared_addresses: [{ ip: 10.0.0.9 }] }\n"
       "  - { name: b, hosts: [{ name: h, ip: 10.0.0.9 }] }\n",
     "a.yaml:3:41", "10.0.0.9 of a is an address of b/h at "},
    {T "  - { name: a, decoys: [{ name: d, secret: short }] }\n", "a.yaml:3:44", "too short"},
    {T "  - { name: a, decoys: [{ name: d }] }\n", "a.yaml:3:25", "without \"secret\""},
    /* taps */
    {"taps: [{ name: t }]\n", "a.yaml:2:8", "without \"view\""},
    {"taps: [{ name: t, view: egress }]\n", "a.yaml:2:25", "no view \"egress\""},
    {"taps: [{ name: t, view: port }]\n", "a.yaml:2:8", "without \"port\""},
    {"taps: [{ name: t, view: both, port: p }]\n", "a.yaml:2:37", "goes with view: port"},
    {"taps: [{ name: t, view: both }, { name: t, view: both }]\n", "a.yaml:2:41",
     "tap \"t\" is there already"},
    {T "  - { name: a, hosts: [{ name: h, port: p }] }\n"
       "  - { name: b, hosts: [{ name: h, port: p }] }\n"
       "taps: [{ name: t, view: port, port: p }]\n",
     "a.yaml:5:8", "hosts of two tenants, a/h and b/h"},
    /* allow */
    {"allow: [{ victim: \"*\", kinds: [\"*\"], reason: r }]\n", "a.yaml:2:9", "without \"actor\""},
    {"allow: [{ actor: \"*\", victim: \"*\", reason: r }]\n", "a.yaml:2:9", "without \"kinds\""},
    {"allow: [{ actor: \"*\", victim: \"*\", kinds: [rely.proxy], reason: r }]\n", "a.yaml:2:44",
     "did you mean \"relay.\""},
    {"allow: [{ actor: \"*\", victim: \"*\", kinds: [relay], reason: r }]\n", "a.yaml:2:44",
     "write relay.proxy"},
    {"allow: [{ actor: \"*\", victim: \"*\", kinds: [\"relay.pro*xy\"], reason: r }]\n",
     "a.yaml:2:44", "no kind"},
    {"allow: [{ actor: \"*\", victim: \"*\", kinds: [\"*\"], reason: r, until: soon }]\n",
     "a.yaml:2:68", "no date"},
};

static const struct row warnings[] = {
    {T "  - { name: a, hosts: [{ name: web1 }],"
       " shared_addresses: [{ ip: 10.0.0.9, hosts: [web2] }] }\n",
     "a.yaml:3:84", "has no host \"web2\"; did you mean \"web1\"?"},
    {T "  - { name: acme }\n"
       "allow: [{ actor: acne, victim: \"*\", kinds: [\"*\"], reason: r }]\n",
     "a.yaml:4:18", "no tenant \"acne\"; did you mean \"acme\"?"},
    {T "  - { name: acme }\n"
       "allow: [{ actor: acme/x, victim: \"*\", kinds: [\"*\"], reason: r }]\n",
     "a.yaml:4:18", "\"acme\" has no host \"x\""},
    {"segments: [{ name: s, prefixes: [10.0.0.0/24], dynamic: [10.0.1.0/25] }]\n", "a.yaml:2:58",
     "in no prefix of segment"},
    {T "  - { name: a, hosts: [{ name: h }] }\n", "a.yaml:3:24", "neither mac nor ip"},
    {T "  - { name: a, prefixes: [9.0.0.0/24] }\n"
       "  - { name: b, hosts: [{ name: h, ip: 9.0.0.7 }] }\n",
     "a.yaml:4:39", "inside prefix 9.0.0.0/24 of \"a\""},
    {"allow: [{ actor: \"*\", victim: \"*\", kinds: [\"*\"] }]\n", "a.yaml:2:9",
     "without \"reason\""},
    {"allow: [{ actor: \"*\", victim: \"*\", kinds: [\"*\"], reason: r, until: 2026-06-14 }]\n",
     "a.yaml:2:68", "ends on 2026-06-14, within 14 days"},
    {"allow: [{ actor: \"*\", victim: \"*\", kinds: [\"*\"], reason: r, until: 2026-06-01 }]\n",
     "a.yaml:2:68", "excuses nothing any more"},
};

static void check_rows(const struct row *rows, size_t count, int rc)
{
	unsigned failed = 0;

	for (size_t i = 0; i < count; i++) {
		struct loaded t;

		load_text(&t, rows[i].text);
		if (t.rc != rc || !told(&t, rows[i].where, rows[i].message)) {
			print_message("%s\nwanted %d %s: %s\ngot    %d %s\n", rows[i].text, rc,
				      rows[i].where, rows[i].message, t.rc, t.problems.text);
			failed++;
		}
		if (rc != 0)
			assert_null(t.inv);
		unload(&t);
	}
	assert_int_equal(failed, 0);
}

static void test_errors(void **state)
{
	(void)state;
	check_rows(errors, sizeof errors / sizeof errors[0], ERR_CONFIG);
}

static void test_warnings(void **state)
{
	(void)state;
	check_rows(warnings, sizeof warnings / sizeof warnings[0], 0);
}

static void test_all_at_once(void **state)
{
	struct loaded t;

	(void)state;
	load_text(&t, "segments: [{ name: s, vlan: 9999 }]\n"
		      "tenants:\n  - { name: a, hosts: [{ name: h, mac: x, ip: y, roles: [z] }] }\n"
		      "taps: [{ name: t, view: w }]\n");
	assert_int_equal(t.rc, ERR_CONFIG);
	assert_int_equal(t.problems.errors, 5);
	assert_string_equal(t.err.text, "5 errors in the inventory");
	unload(&t);
}

static void test_both_places(void **state)
{
	static const char *const texts[] = {
	    "tenants:\n  - { name: a, hosts: [{ name: h, mac: \"02:00:00:00:00:01\", ip: 9.9.9.9 "
	    "}],"
	    " prefixes: [9.1.0.0/16] }\n",
	    "tenants:\n  - { name: b, hosts: [{ name: h, mac: \"02:00:00:00:00:01\", ip: 9.9.9.9 "
	    "}],"
	    " prefixes: [9.1.2.0/24] }\n  - { name: a }\n",
	};
	struct loaded t;
	char there[128];

	(void)state;
	load_files(&t, texts, 2);
	assert_int_equal(t.problems.errors, 4);
	snprintf(there, sizeof there, "at %s/a.yaml:3:40", t.folder);
	assert_true(told(&t, "b.yaml:3:40", there));
	snprintf(there, sizeof there, "at %s/a.yaml:3:65", t.folder);
	assert_true(told(&t, "b.yaml:3:65", there));
	snprintf(there, sizeof there, "at %s/a.yaml:3:88", t.folder);
	assert_true(told(&t, "b.yaml:3:88", there));
	snprintf(there, sizeof there, "at %s/a.yaml:3:5", t.folder);
	assert_true(told(&t, "b.yaml:4:13", there));
	unload(&t);
}

/* A domain's own prefix against one owned everywhere, in both nestings. */
static void test_overlap_across_domains(void **state)
{
	static const char *const nestings[][2] = {{"10.0.0.0/8", "10.1.0.0/16"},
						  {"10.1.0.0/16", "10.0.0.0/8"}};
	struct loaded t;
	char text[512];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		snprintf(text, sizeof text,
			 "segments:\n  - { name: x, vlan: 1, domain: x }\n"
			 "  - { name: y, vlan: 2, domain: y }\n"
			 "tenants:\n  - { name: a, segments: [x], prefixes: [%s] }\n"
			 "  - { name: b, prefixes: [%s] }\n",
			 nestings[i][0], nestings[i][1]);
		load_text(&t, text);
		assert_int_equal(t.rc, ERR_CONFIG);
		assert_non_null(strstr(t.problems.text, "overlaps"));
		unload(&t);
	}
	load_good(&t, "segments:\n  - { name: x, vlan: 1, domain: x }\n"
		      "  - { name: y, vlan: 2, domain: y }\n"
		      "tenants:\n  - { name: a, segments: [x], prefixes: [10.0.0.0/8] }\n"
		      "  - { name: b, segments: [y], prefixes: [10.1.0.0/16] }\n");
	unload(&t);
}

static void test_missing(void **state)
{
	const char *paths[] = {"/nonexistent/inventory.yaml"};
	struct problems problems = {0};
	struct inventory *inv;
	struct err err;

	(void)state;
	assert_int_equal(inventory_load(paths, 1, 0, &inv, &problems, &err), ERR_NOINPUT);
	assert_null(inv);
	assert_non_null(strstr(problems.text, "/nonexistent/inventory.yaml"));
	problems_fini(&problems);
}

/* Whatever is cut off or changed: an answer, never a crash. */
static void test_mutilated(void **state)
{
	static const char whole[] =
	    "segments: [{ name: s, vlan: 5, prefixes: [10.0.0.0/24], dynamic: [10.0.0.128/25] }]\n"
	    "tenants:\n  - name: a\n    segments: [s]\n    prefixes: [9.0.0.0/8]\n"
	    "    hosts: [{ name: h, mac: [\"02:00:00:00:00:01\"], ip: 10.0.0.3, port: p }]\n"
	    "    shared_addresses: [{ ip: 10.0.0.9, hosts: [h], protocol: vrrp }]\n"
	    "    decoys: [{ name: d, secret: 0123456789 }]\n"
	    "infrastructure: [{ name: g, ip: 10.0.0.1, segments: [s], roles: [router] }]\n"
	    "taps: [{ name: t, view: port, port: p }]\n"
	    "allow: [{ actor: a/h, victim: \"*\", kinds: [relay.*], reason: r, until: 2027-01-01 "
	    "}]\n";
	static const char bytes[] = "[]{}:,\"'\n -~*&!|>%#0\xff";
	char copy[sizeof whole];
	uint64_t state64 = 88172645463325252u;
	unsigned good = 0;
	struct loaded t;

	(void)state;
	load_good(&t, whole);
	unload(&t);
	for (size_t len = 0; len < sizeof whole; len += 7) {
		memcpy(copy, whole, len);
		copy[len] = '\0';
		load_text(&t, copy);
		assert_true(t.rc == 0 || t.problems.errors > 0);
		unload(&t);
	}
	for (unsigned i = 0; i < 1500; i++) {
		memcpy(copy, whole, sizeof whole);
		for (unsigned k = 0; k < 1 + i % 3; k++) {
			state64 ^= state64 << 13;
			state64 ^= state64 >> 7;
			state64 ^= state64 << 17;
			copy[state64 % (sizeof whole - 1)] =
			    bytes[(state64 >> 32) % (sizeof bytes - 1)];
		}
		load_text(&t, copy);
		assert_true(t.rc == 0 ? t.problems.errors == 0 : t.problems.errors > 0);
		good += t.rc == 0;
		unload(&t);
	}
	assert_true(good < 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_all_at_once),
	    cmocka_unit_test(test_both_places),
	    cmocka_unit_test(test_overlap_across_domains),
	    cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_mutilated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
