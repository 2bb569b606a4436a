/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_scale.c - a hundred thousand hosts: load time and look-up time, printed, and held to bounds
 * wide enough for sanitizers (the targets are 1 s and tens of ns).
 */
#include "load_text.h"

#define TENANTS 5000u
#define HOSTS_EACH 20u
#define LOOKUPS 1000000u
#define LOAD_BOUND_S 8.0

static void generate(const char *path, unsigned domains)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs("version: 1\nsegments:\n", f);
	for (unsigned d = 0; d < domains; d++)
		fprintf(f,
			"  - { name: s%u, vni: %u, domain: d%u, prefixes: [10.0.0.0/8, "
			"\"fd00::/16\"] }\n",
			d, d + 1, d);
	fputs("tenants:\n", f);
	for (unsigned t = 0; t < TENANTS; t++) {
		fprintf(f,
			"  - name: tenant%u\n    segments: [s%u]\n    prefixes: [100.%u.%u.0/24]\n"
			"    hosts:\n",
			t, t % domains, t >> 8, t & 255);
		for (unsigned h = 0; h < HOSTS_EACH; h++) {
			unsigned n = t * HOSTS_EACH + h;

			fprintf(f,
				"      - { name: host%u, mac: \"02:00:00:%02x:%02x:%02x\", "
				"ip: [10.%u.%u.%u, \"fd00::%x:%x\"], port: leaf%u/eth%u }\n",
				h, n >> 16, n >> 8 & 255, n & 255, n >> 16, n >> 8 & 255, n & 255,
				n >> 16, n & 0xffff, t / 48, t % 48);
		}
	}
	assert_int_equal(fclose(f), 0);
}

/* Of this thread, so that a busy machine does not count. */
static double seconds_since(uint64_t start)
{
	return (double)(clock_thread_cpu() - start) / 1e9;
}

static void look_up(const struct inventory *inv, unsigned domains)
{
	uint64_t x = 88172645463325252u, start = clock_thread_cpu();
	unsigned found = 0, external = 0;

	for (unsigned i = 0; i < LOOKUPS; i++) {
		struct ip_addr ip;
		struct owner owner;
		uint32_t n;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		n = (uint32_t)(x >> 20) % (TENANTS * HOSTS_EACH);
		ip = ip_from_v4((const uint8_t[4]){x & 7 ? 10 : 93, (uint8_t)(n >> 16),
						   (uint8_t)(n >> 8), (uint8_t)n});
		owner = inventory_owner(inv, (uint16_t)(n / HOSTS_EACH % domains), &ip);
		found += owner.host == n;
		external += owner.kind == OWNER_NONE;
	}
	print_message("%u owners: %.0f ns each\n", LOOKUPS,
		      (double)(clock_thread_cpu() - start) / LOOKUPS);
	assert_true(found + external == LOOKUPS && external > LOOKUPS / 16);
	start = clock_thread_cpu();
	found = 0;
	for (unsigned i = 0; i < LOOKUPS; i++) {
		struct mac_addr mac = {{2}};
		uint32_t n;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		n = (uint32_t)(x >> 20) % (TENANTS * HOSTS_EACH);
		mac.b[3] = (uint8_t)(n >> 16);
		mac.b[4] = (uint8_t)(n >> 8);
		mac.b[5] = (uint8_t)n;
		found += inventory_carrier(inv, mac).host == n;
	}
	print_message("%u carriers: %.0f ns each\n", LOOKUPS,
		      (double)(clock_thread_cpu() - start) / LOOKUPS);
	assert_int_equal(found, LOOKUPS);
}

static void run(unsigned domains)
{
	char path[] = "/tmp/bulkhead-scale-XXXXXX";
	const char *paths[] = {path};
	struct problems problems = {0};
	struct inventory *inv = NULL;
	struct err err;
	uint64_t start;
	int fd = mkstemp(path);
	int rc;

	assert_true(fd >= 0);
	close(fd);
	generate(path, domains);
	start = clock_thread_cpu();
	rc = inventory_load(paths, 1, test_now(), &inv, &problems, &err);
	unlink(path);
	print_message("%u hosts, %u domains: loaded in %.2f s of CPU\n", TENANTS * HOSTS_EACH,
		      domains, seconds_since(start));
	if (rc != 0)
		print_message("%s\n%s", err.text, problems.text);
	assert_int_equal(rc, 0);
	assert_true(seconds_since(start) < LOAD_BOUND_S);
	look_up(inv, domains);
	inventory_unref(inv);
	problems_fini(&problems);
}

static void test_one_domain(void **state)
{
	(void)state;
	run(1);
}

static void test_many_domains(void **state)
{
	(void)state;
	run(4000);
}

/* Many tenants in many domains, prefixes owned everywhere: no product of the two anywhere. */
static void test_many_conflicts(void **state)
{
	char path[] = "/tmp/bulkhead-scale-XXXXXX";
	const char *paths[] = {path};
	struct problems problems = {0};
	struct inventory *inv = NULL;
	struct err err;
	uint64_t start;
	int fd = mkstemp(path);
	FILE *f;

	(void)state;
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fputs("version: 1\nsegments: [{ name: s, prefixes: [10.0.0.0/8] }]\ntenants:\n", f);
	for (unsigned t = 0; t < 20000; t++)
		fprintf(f,
			"  - { name: t%u, prefixes: [20.0.0.0/8], segments: [sx%u], hosts: "
			"[{ name: h, ip: 10.0.0.1, mac: \"02:00:00:00:00:01\" }] }\n",
			t, t);
	assert_int_equal(fclose(f), 0);
	start = clock_thread_cpu();
	assert_int_equal(inventory_load(paths, 1, test_now(), &inv, &problems, &err), ERR_CONFIG);
	unlink(path);
	print_message("20000 tenants at odds: %u errors in %.2f s\n", problems.errors,
		      seconds_since(start));
	/* a segment each; a prefix, an address and a MAC against the first */
	assert_int_equal(problems.errors, 20000 + 19999 * 3);
	assert_true(seconds_since(start) < LOAD_BOUND_S);
	problems_fini(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_domain),
	    cmocka_unit_test(test_many_domains),
	    cmocka_unit_test(test_many_conflicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
