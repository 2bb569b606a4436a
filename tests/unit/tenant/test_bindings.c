/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_bindings.c - leases: found, renewed, expired, released, pushed out; and against a plain list
 * over many random steps.
 */
#include "bulkhead/clock.h"
#include "load_text.h"

static struct ip_addr numbered(uint32_t n)
{
	const uint8_t v4[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	return ip_from_v4(v4);
}

static struct mac_addr numbered_mac(uint32_t n)
{
	return (struct mac_addr){
	    {2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static void test_life(void **state)
{
	struct bindings *b = bindings_new(4, 1);
	struct ip_addr ip = numbered(1);
	struct mac_addr mac;

	(void)state;
	assert_non_null(b);
	assert_false(bindings_mac(b, 0, &ip, 10, &mac));
	bindings_lease(b, 0, &ip, numbered_mac(1), 10, 100);
	assert_true(bindings_mac(b, 0, &ip, 99, &mac));
	assert_true(mac_equal(mac, numbered_mac(1)));
	assert_false(bindings_mac(b, 0, &ip, 100, &mac));
	assert_false(bindings_mac(b, 1, &ip, 99, &mac)); /* another domain */
	bindings_lease(b, 0, &ip, numbered_mac(2), 50, 200);
	assert_true(bindings_mac(b, 0, &ip, 150, &mac));
	assert_true(mac_equal(mac, numbered_mac(2)));
	assert_int_equal(bindings_used(b), 1);
	bindings_release(b, 0, &ip, 160);
	bindings_release(b, 0, &ip, 170);
	assert_false(bindings_mac(b, 0, &ip, 160, &mac));
	assert_true(bindings_mac(b, 0, &ip, 159, &mac));
	bindings_free(b);
	bindings_free(NULL);
}

static void test_eviction(void **state)
{
	struct bindings *b = bindings_new(3, 1);
	struct ip_addr ip[5];
	struct mac_addr mac;

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		ip[i] = numbered(i);
	bindings_lease(b, 0, &ip[0], numbered_mac(0), 1, 300);
	bindings_lease(b, 0, &ip[1], numbered_mac(1), 1, 100);
	bindings_lease(b, 0, &ip[2], numbered_mac(2), 1, 200);
	bindings_lease(b, 0, &ip[3], numbered_mac(3), 1, 400);
	assert_int_equal(bindings_evicted(b), 1);
	assert_false(bindings_mac(b, 0, &ip[1], 2, &mac));
	assert_true(bindings_mac(b, 0, &ip[0], 2, &mac));
	/* an expired one makes room without a loss */
	bindings_lease(b, 0, &ip[4], numbered_mac(4), 250, 500);
	assert_int_equal(bindings_evicted(b), 1);
	assert_int_equal(bindings_used(b), 3);
	bindings_free(b);
}

static void test_doubt(void **state)
{
	struct bindings *b = bindings_new(4, 1);
	struct mac_addr holder = mac_of("02:00:00:00:00:01"), rival = mac_of("02:00:00:00:00:02");
	struct ip_addr ip = ip_of("10.0.0.130");
	struct loaded t;

	(void)state;
	load_good(&t, "segments: [{ name: s, prefixes: [10.0.0.0/24], dynamic: [10.0.0.128/25] }]\n"
		      "tenants: [{ name: a, hosts: [{ name: h, mac: \"02:00:00:00:00:01\" }] }]\n");
	bindings_lease(b, 0, &ip, holder, 10, 1000);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 20).kind, OWNER_HOST);
	bindings_doubt(b, 0, &ip, 30);
	bindings_doubt(b, 0, &ip, 31);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 40).kind, OWNER_DYNAMIC);
	bindings_trust(b, 0, &ip, rival); /* somebody else's word */
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 50).kind, OWNER_DYNAMIC);
	bindings_trust(b, 0, &ip, holder);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 60).kind, OWNER_HOST);
	/* a server's word settles it, too */
	bindings_doubt(b, 0, &ip, 70);
	bindings_lease(b, 0, &ip, holder, 80, 1000);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 90).kind, OWNER_HOST);
	bindings_doubt(b, 0, &ip, 1000); /* over already */
	bindings_lease(b, 0, &ip, holder, 1000, 2000);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 1500).kind, OWNER_HOST);
	unload(&t);
	bindings_free(b);
}

static void test_misled(void **state)
{
	struct bindings *b = bindings_new(4, 1);
	struct ip_addr ip = numbered(1), other = numbered(2);

	(void)state;
	assert_false(bindings_misled(b, 0, &ip, numbered_mac(1), 10));
	bindings_mislead(b, 0, &ip, numbered_mac(1), 100);
	assert_true(bindings_misled(b, 0, &ip, numbered_mac(1), 99));
	assert_false(bindings_misled(b, 0, &ip, numbered_mac(1), 100));
	assert_false(bindings_misled(b, 0, &ip, numbered_mac(2), 50));
	assert_false(bindings_misled(b, 0, &other, numbered_mac(1), 50));
	assert_false(bindings_misled(b, 1, &ip, numbered_mac(1), 50));
	for (uint32_t i = 0; i < 2000; i++)
		bindings_mislead(b, 0, &other, numbered_mac(i), 100);
	assert_false(bindings_misled(b, 0, &ip, numbered_mac(1), 50));
	assert_true(bindings_evicted(b) > 0);
	bindings_free(b);
}

static void test_owner(void **state)
{
	struct bindings *b = bindings_new(8, 1);
	struct ip_addr ip = ip_of("10.0.0.130"), fixed = ip_of("10.0.0.3");
	struct owner owner;
	struct loaded t;

	(void)state;
	load_good(&t, "segments: [{ name: s, prefixes: [10.0.0.0/24], dynamic: [10.0.0.128/25] }]\n"
		      "tenants: [{ name: a, hosts: [{ name: h, mac: \"02:00:00:00:00:01\","
		      " ip: 10.0.0.3 }] }]\n");
	owner = bindings_owner(b, t.inv, 0, &ip, 5);
	assert_int_equal(owner.kind, OWNER_DYNAMIC);
	bindings_lease(b, 0, &ip, mac_of("02:00:00:00:00:01"), 1, 100);
	owner = bindings_owner(b, t.inv, 0, &ip, 5);
	assert_int_equal(owner.kind, OWNER_HOST);
	assert_int_equal(owner.tenant, TENANT_FIRST);
	assert_int_equal(owner.host, 0);
	assert_int_equal(owner.segment, 0);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 100).kind, OWNER_DYNAMIC);
	bindings_lease(b, 0, &ip, mac_of("02:00:00:00:00:99"), 1, 100);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 5).kind, OWNER_DYNAMIC);
	/* from one NIC to another: nobody's for a minute, even after a release */
	bindings_release(b, 0, &ip, 10);
	bindings_lease(b, 0, &ip, mac_of("02:00:00:00:00:01"), 20, 200 * NS_PER_SEC);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 59 * NS_PER_SEC).kind, OWNER_DYNAMIC);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 61 * NS_PER_SEC).host, 0);
	bindings_lease(b, 0, &ip, mac_of("02:00:00:00:00:01"), 100 * NS_PER_SEC, 300 * NS_PER_SEC);
	assert_int_equal(bindings_owner(b, t.inv, 0, &ip, 101 * NS_PER_SEC).host, 0);
	/* a declared address is never moved by a lease */
	bindings_lease(b, 0, &fixed, mac_of("02:00:00:00:00:99"), 1, 100);
	assert_int_equal(bindings_owner(b, t.inv, 0, &fixed, 5).host, 0);
	unload(&t);
	bindings_free(b);
}

#define KEYS 64u
#define CAPACITY 24u

struct model {
	uint64_t expires[KEYS]; /* 0: no lease */
	uint32_t mac[KEYS];
	uint64_t evicted;
};

static void model_lease(struct model *m, uint32_t key, uint32_t mac, uint64_t now, uint64_t end)
{
	uint32_t used = 0, first = KEYS;

	for (uint32_t i = 0; i < KEYS; i++) {
		if (m->expires[i] != 0 && m->expires[i] <= now)
			m->expires[i] = 0;
		if (m->expires[i] == 0)
			continue;
		used++;
		if (first == KEYS || m->expires[i] < m->expires[first])
			first = i;
	}
	if (used == CAPACITY && m->expires[key] == 0) {
		m->expires[first] = 0;
		m->evicted++;
	}
	m->expires[key] = end;
	m->mac[key] = mac;
}

static void test_against_model(void **state)
{
	struct bindings *b = bindings_new(CAPACITY, 7);
	struct model m = {{0}, {0}, 0};
	uint64_t x = 88172645463325252u;

	(void)state;
	for (uint64_t step = 1; step < 100000; step++) {
		struct ip_addr ip;
		struct mac_addr mac;
		uint32_t key;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		key = (uint32_t)(x % KEYS);
		ip = numbered(key);
		if (x >> 40 & 3) {
			/* ends are all different, so that who goes first is certain */
			uint64_t end = step + 1 + (x >> 48 & 63) * 100000 + step % 100;

			end = end * 100000 + step;
			model_lease(&m, key, (uint32_t)step, step * 100000, end);
			bindings_lease(b, 0, &ip, numbered_mac((uint32_t)step), step * 100000, end);
		} else {
			m.expires[key] = 0;
			bindings_release(b, 0, &ip, step * 100000);
		}
		key = (uint32_t)(x >> 8) % KEYS;
		ip = numbered(key);
		assert_int_equal(bindings_mac(b, 0, &ip, step * 100000, &mac),
				 m.expires[key] > step * 100000);
		if (m.expires[key] > step * 100000)
			assert_true(mac_equal(mac, numbered_mac(m.mac[key])));
		assert_int_equal(bindings_evicted(b), m.evicted);
	}
	assert_true(m.evicted > 100);
	bindings_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_life),  cmocka_unit_test(test_eviction),
	    cmocka_unit_test(test_doubt), cmocka_unit_test(test_misled),
	    cmocka_unit_test(test_owner), cmocka_unit_test(test_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
