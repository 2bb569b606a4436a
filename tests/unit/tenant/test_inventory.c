/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_inventory.c - a whole inventory: what it says of tenants, hosts, segments, taps, owners,
 * carriers, shared addresses and permissions, and what two snapshots say of each other.
 */
#include "load_text.h"

static const char whole[] =
    "segments:\n"
    "  - { name: lan, prefixes: [10.9.0.0/24, \"fd09::/64\"], dynamic: [10.9.0.100/32] }\n"
    "  - { name: other, vlan: 20, prefixes: [10.9.0.0/24], domain: other }\n"
    "  - { name: far, vni: 5001, prefixes: [203.0.113.0/28], domain: other }\n"
    "tenants:\n"
    "  - name: acme\n"
    "    residency: [FR, AS64500]\n"
    "    segments: lan\n"
    "    hosts:\n"
    "      - { name: a, mac: [\"02:09:00:00:00:0a\", \"02:09:00:00:00:2a\"],"
    " ip: [10.9.0.11, \"fd09::11\"], port: [sw/pa, sw/pm] }\n"
    "      - { name: a2, mac: \"02:09:00:00:00:1a\", ip: 10.9.0.12 }\n"
    "    shared_addresses: [{ ip: 10.9.0.20, hosts: [a, a2], protocol: vrrp },"
    " { ip: 10.9.0.30, hosts: [infrastructure/gw] }]\n"
    "    decoys: [{ name: bait, secret: \"hunter2-7f3a\" }]\n"
    "  - name: globex\n"
    "    prefixes: [203.0.113.0/24, 172.16.0.0/16]\n"
    "    segments: [lan, other]\n"
    "    hosts:\n"
    "      - { name: b, mac: \"02:09:00:00:00:0b\", ip: 10.9.0.21, port: sw/pb }\n"
    "  - name: nomad\n"
    "    hosts: [{ name: n, ip: [10.9.0.77, 8.8.8.8] }]\n"
    "infrastructure:\n"
    "  - { name: gw, mac: [\"02:09:00:00:00:01\", \"00:00:5e:00:01:33\"],"
    " ip: [10.9.0.1, 10.9.0.254, 198.51.100.1, \"fe80::1\"], roles: [router, dhcp] }\n"
    "  - { name: gw2, mac: \"00:00:5e:00:01:33\", ip: 10.9.0.254, roles: load-balancer }\n"
    "  - { name: dns, ip: 10.9.0.53, segments: [other], roles: [dns] }\n"
    "taps:\n"
    "  - { name: rx, view: ingress }\n"
    "  - { name: pb, view: port, port: sw/pb }\n"
    "  - { name: canary, view: port, port: sw/p99 }\n"
    "allow:\n"
    "  - { actor: acme/a, victim: globex, kinds: [relay.proxy, \"spoof.*\"], reason: r,"
    " until: 2027-01-01 }\n"
    "  - { actor: infrastructure, victim: \"*\", kinds: \"*\", reason: r }\n";

static uint32_t tenant_id(const struct loaded *t, const char *name)
{
	uint32_t id = inventory_find_tenant(t->inv, name);

	assert_true(id >= TENANT_FIRST);
	return id;
}

static void check_owner(const struct loaded *t, uint16_t domain, const char *ip, const char *tenant,
			const char *host, enum owner_kind kind, uint16_t segment)
{
	struct owner owner = owner_at(t, domain, ip);
	const struct host *h = inventory_host(t->inv, owner.host);

	if (owner.kind != kind)
		print_message("%s in domain %u: kind %u, wanted %u\n", ip, domain, owner.kind,
			      kind);
	assert_int_equal(owner.kind, kind);
	assert_string_equal(inventory_tenant_name(t->inv, owner.tenant), tenant);
	assert_string_equal(h == NULL ? "" : h->name, host);
	assert_int_equal(owner.segment, segment);
}

static void test_owners(void **state)
{
	const uint16_t none = SEGMENT_NONE;
	struct loaded t;

	(void)state;
	load_good(&t, whole);
	check_owner(&t, 0, "10.9.0.11", "acme", "a", OWNER_HOST, 0);
	check_owner(&t, 1, "10.9.0.11", "unknown", "", OWNER_SEGMENT, 1);
	check_owner(&t, 0, "10.9.0.21", "globex", "b", OWNER_HOST, 0);
	check_owner(&t, 1, "10.9.0.21", "globex", "b", OWNER_HOST, 1);
	check_owner(&t, 0, "10.9.0.20", "acme", "", OWNER_SHARED, 0);
	check_owner(&t, 1, "10.9.0.254", "infrastructure", "", OWNER_SHARED, 1);
	check_owner(&t, 0, "10.9.0.53", "unknown", "", OWNER_SEGMENT, 0);
	check_owner(&t, 1, "10.9.0.53", "infrastructure", "dns", OWNER_HOST, 1);
	check_owner(&t, 0, "10.9.0.100", "unknown", "", OWNER_DYNAMIC, 0);
	check_owner(&t, 1, "10.9.0.100", "unknown", "", OWNER_SEGMENT, 1);
	check_owner(&t, 0, "10.9.0.99", "unknown", "", OWNER_SEGMENT, 0);
	/* no list of segments: everywhere, with the segment of where it was asked */
	check_owner(&t, 0, "10.9.0.77", "nomad", "n", OWNER_HOST, 0);
	check_owner(&t, 1, "10.9.0.77", "nomad", "n", OWNER_HOST, 1);
	check_owner(&t, 1, "8.8.8.8", "nomad", "n", OWNER_HOST, none);
	check_owner(&t, 7, "8.8.8.8", "nomad", "n", OWNER_HOST, none);
	/* public prefixes everywhere, private ones in the tenant's domains */
	check_owner(&t, 0, "203.0.113.200", "globex", "", OWNER_PREFIX, none);
	check_owner(&t, 1, "203.0.113.200", "globex", "", OWNER_PREFIX, none);
	check_owner(&t, 1, "172.16.3.4", "globex", "", OWNER_PREFIX, none);
	check_owner(&t, 7, "172.16.3.4", "external", "", OWNER_NONE, none);
	/* a segment's longer prefix does not hide the tenant */
	check_owner(&t, 1, "203.0.113.3", "globex", "", OWNER_PREFIX, 2);
	check_owner(&t, 0, "fe80::1", "infrastructure", "gw", OWNER_HOST, none);
	check_owner(&t, 0, "fe80::2", "external", "", OWNER_NONE, none);
	/* made from a registered NIC (02:09:00:00:00:2a, 00:00:5e:00:01:33), on-link */
	check_owner(&t, 0, "fe80::9:ff:fe00:2a", "acme", "a", OWNER_HOST, none);
	check_owner(&t, 7, "fe80::200:5eff:fe00:133", "infrastructure", "", OWNER_SHARED, none);
	check_owner(&t, 0, "fd09::9:ff:fe00:2a", "acme", "a", OWNER_HOST, 0);
	check_owner(&t, 0, "fd09::9:ff:fe00:ff", "unknown", "", OWNER_SEGMENT, 0);
	check_owner(&t, 1, "fd09::9:ff:fe00:2a", "external", "", OWNER_NONE, none);
	check_owner(&t, 0, "fd09::99", "unknown", "", OWNER_SEGMENT, 0);
	check_owner(&t, 1, "fd09::99", "external", "", OWNER_NONE, none);
	check_owner(&t, 0, "255.255.255.255", "external", "", OWNER_NONE, none);
	check_owner(&t, 0, "224.0.0.1", "external", "", OWNER_NONE, none);
	check_owner(&t, 0, "::", "external", "", OWNER_NONE, none);
	check_owner(&t, 0, "1.1.1.1", "external", "", OWNER_NONE, none);
	unload(&t);
}

static void test_carriers(void **state)
{
	struct loaded t;
	struct carrier c;

	(void)state;
	load_good(&t, whole);
	c = inventory_carrier(t.inv, mac_of("02:09:00:00:00:2a"));
	assert_int_equal(c.tenant, tenant_id(&t, "acme"));
	assert_int_equal(c.host, inventory_find_host(t.inv, "acme/a"));
	assert_false(c.shared);
	c = inventory_carrier(t.inv, mac_of("00:00:5e:00:01:33"));
	assert_int_equal(c.tenant, TENANT_INFRASTRUCTURE);
	assert_int_equal(c.roles, ROLE_ROUTER | ROLE_DHCP | ROLE_LOAD_BALANCER);
	assert_true(c.shared);
	c = inventory_carrier(t.inv, mac_of("02:09:00:00:00:ff"));
	assert_int_equal(c.tenant, TENANT_UNKNOWN);
	assert_int_equal(c.host, HOST_NONE);
	inventory_prefetch_mac(t.inv, mac_of("02:09:00:00:00:ff"));
	unload(&t);
}

static void test_things(void **state)
{
	const struct tenant *acme;
	const struct host *a;
	struct loaded t;
	unsigned count;

	(void)state;
	load_good(&t, whole);
	acme = inventory_tenant(t.inv, tenant_id(&t, "acme"));
	assert_int_equal(acme->residency_count, 2);
	assert_string_equal(acme->residency[1], "AS64500");
	assert_int_equal(inventory_tenant_count(t.inv), TENANT_FIRST + 3);
	assert_null(inventory_tenant(t.inv, 99));
	assert_string_equal(inventory_tenant_name(t.inv, 99), "unknown");
	assert_int_equal(inventory_find_tenant(t.inv, "nobody"), TENANT_UNKNOWN);
	a = inventory_host(t.inv, inventory_find_host(t.inv, "acme/a"));
	assert_int_equal(a->port_count, 2);
	assert_string_equal(a->port[1], "sw/pm");
	assert_int_equal(a->ip_count, 2);
	assert_int_equal(a->mac_count, 2);
	assert_int_equal(inventory_host_count(t.inv), 7);
	assert_null(inventory_host(t.inv, HOST_NONE));
	assert_int_equal(inventory_find_host(t.inv, "acme/z"), HOST_NONE);
	assert_int_equal(inventory_find_host(t.inv, "a"), HOST_NONE);
	assert_int_equal(inventory_find_host(t.inv, "infrastructure/dns"), 6);
	assert_string_equal(inventory_decoys(t.inv, &count)->secret, "hunter2-7f3a");
	assert_int_equal(count, 1);
	assert_int_equal(inventory_tap_count(t.inv), 3);
	assert_int_equal(inventory_find_tap(t.inv, "canary"), 2);
	assert_int_equal(inventory_find_tap(t.inv, "none"), -1);
	assert_int_equal(inventory_tap(t.inv, 1)->tenant, tenant_id(&t, "globex"));
	assert_int_equal(inventory_tap(t.inv, 1)->host, inventory_find_host(t.inv, "globex/b"));
	assert_int_equal(inventory_tap(t.inv, 2)->host, HOST_NONE);
	assert_null(inventory_tap(t.inv, 3));
	assert_int_equal(strlen(inventory_revision(t.inv)), 16);
	unload(&t);
}

static void test_segments(void **state)
{
	uint32_t out[4] = {0};
	struct ip_addr ip = ip_of("10.9.0.5");
	struct loaded t;

	(void)state;
	load_good(&t, whole);
	assert_int_equal(inventory_segment_count(t.inv), 3);
	assert_int_equal(inventory_segment_of(t.inv, 0, false, 0), 0);
	assert_int_equal(inventory_segment_of(t.inv, 20, false, 0), 1);
	assert_int_equal(inventory_segment_of(t.inv, 21, false, 0), SEGMENT_NONE);
	assert_int_equal(inventory_segment_of(t.inv, 20, true, 5001), 2);
	assert_int_equal(inventory_segment_of(t.inv, 20, true, 5002), SEGMENT_NONE);
	assert_int_equal(inventory_segment(t.inv, 2)->domain, 1);
	assert_string_equal(inventory_segment(t.inv, 2)->domain_name, "other");
	assert_null(inventory_segment(t.inv, 3));
	assert_true(inventory_tenant_in_segment(t.inv, tenant_id(&t, "acme"), 0));
	assert_false(inventory_tenant_in_segment(t.inv, tenant_id(&t, "acme"), 1));
	assert_true(inventory_tenant_in_segment(t.inv, tenant_id(&t, "nomad"), 2));
	assert_true(inventory_tenant_in_segment(t.inv, TENANT_INFRASTRUCTURE, 2));
	assert_false(inventory_tenant_in_segment(t.inv, TENANT_UNKNOWN, 0));
	assert_false(inventory_tenant_in_segment(t.inv, tenant_id(&t, "nomad"), 3));
	assert_true(inventory_segment_prefix(t.inv, 1, &ip));
	assert_false(inventory_segment_prefix(t.inv, 2, &ip));
	assert_int_equal(inventory_segment_tenants(t.inv, 0, out, 4), 3);
	assert_int_equal(out[2], tenant_id(&t, "nomad"));
	memset(out, 0, sizeof out);
	assert_int_equal(inventory_segment_tenants(t.inv, 1, out, 1), 2);
	assert_int_equal(out[0], tenant_id(&t, "globex"));
	assert_int_equal(out[1], 0);
	assert_int_equal(inventory_segment_tenants(t.inv, 2, out, 4), 0);
	unload(&t);
}

static bool shares(const struct loaded *t, const char *text, const char *host)
{
	struct ip_addr ip = ip_of(text);

	return inventory_shares(t->inv, 0, &ip, inventory_find_host(t->inv, host));
}

static void test_sharing(void **state)
{
	struct ip_addr vip = ip_of("10.9.0.254"), own = ip_of("10.9.0.11"),
		       dns = ip_of("10.9.0.53");
	struct loaded t;
	uint32_t a;

	(void)state;
	load_good(&t, whole);
	a = inventory_find_host(t.inv, "acme/a");
	assert_true(shares(&t, "10.9.0.20", "acme/a2"));
	assert_true(shares(&t, "10.9.0.11", "acme/a2")); /* the tenant is the unit */
	assert_false(shares(&t, "10.9.0.20", "globex/b"));
	assert_true(shares(&t, "10.9.0.254", "infrastructure/gw2"));
	assert_false(shares(&t, "10.9.0.254", "acme/a"));
	assert_true(shares(&t, "10.9.0.30", "infrastructure/gw"));
	assert_false(shares(&t, "10.9.0.30", "infrastructure/gw2"));
	assert_false(shares(&t, "1.1.1.1", "acme/a"));
	assert_false(shares(&t, "10.9.0.20", "acme/nobody"));
	assert_true(inventory_host_speaks(t.inv, a, "vrrp"));
	assert_false(inventory_host_speaks(t.inv, a, "carp"));
	assert_false(inventory_host_speaks(t.inv, inventory_find_host(t.inv, "globex/b"), "vrrp"));
	assert_true(inventory_host_has_ip(t.inv, a, &own));
	assert_false(inventory_host_has_ip(t.inv, a, &vip));
	assert_false(inventory_host_has_ip(t.inv, HOST_NONE, &vip));
	assert_true(inventory_host_has_mac(t.inv, a, mac_of("02:09:00:00:00:2a")));
	assert_false(inventory_host_has_mac(t.inv, a, mac_of("02:09:00:00:00:1a")));
	assert_true(inventory_is_gateway_ip(t.inv, 0, &vip));
	assert_false(inventory_is_gateway_ip(t.inv, 0, &own));
	assert_false(inventory_is_gateway_ip(t.inv, 1, &dns));
	unload(&t);
}

static void test_allow(void **state)
{
	struct loaded t;
	uint32_t acme, globex, a, a2;
	uint64_t now = test_now(), late = 0;
	unsigned index = 9;

	(void)state;
	load_good(&t, whole);
	acme = tenant_id(&t, "acme");
	globex = tenant_id(&t, "globex");
	a = inventory_find_host(t.inv, "acme/a");
	a2 = inventory_find_host(t.inv, "acme/a2");
	assert_int_equal(clock_parse_date("2027-01-01", &late), 0);
	assert_true(
	    inventory_allowed(t.inv, acme, a, globex, HOST_NONE, "relay.proxy", now, &index));
	assert_int_equal(index, 0);
	assert_true(inventory_allowed(t.inv, acme, a, globex, 0, "spoof.arp", late - 1, NULL));
	assert_false(inventory_allowed(t.inv, acme, a, globex, 0, "spoof.arp", late, NULL));
	assert_false(inventory_allowed(t.inv, acme, a, globex, 0, "relay.forward", now, NULL));
	assert_false(inventory_allowed(t.inv, acme, a2, globex, 0, "relay.proxy", now, NULL));
	assert_false(inventory_allowed(t.inv, globex, a, acme, 0, "relay.proxy", now, NULL));
	assert_true(inventory_allowed(t.inv, TENANT_INFRASTRUCTURE, 4, acme, 0, "observe.flood",
				      late, &index));
	assert_int_equal(index, 1);
	assert_int_equal(inventory_allow_count(t.inv), 2);
	assert_string_equal(inventory_allow(t.inv, 0)->kinds[1], "spoof.*");
	assert_int_equal(inventory_allow(t.inv, 0)->until_ns, late);
	assert_null(inventory_allow(t.inv, 2));
	unload(&t);
}

static void test_empty(void **state)
{
	struct inventory *inv = inventory_empty();
	struct ip_addr ip = ip_of("10.0.0.1");

	(void)state;
	assert_non_null(inv);
	assert_int_equal(inventory_tap_count(inv), 1);
	assert_string_equal(inventory_tap(inv, 0)->name, "default");
	assert_int_equal(inventory_find_tap(inv, "default"), 0);
	assert_int_equal(inventory_segment_of(inv, 77, false, 0), 0);
	assert_int_equal(inventory_segment_of(inv, 0, true, 9), 0);
	assert_int_equal(inventory_segment_count(inv), 1);
	assert_int_equal(inventory_owner(inv, 0, &ip).kind, OWNER_NONE);
	assert_int_equal(inventory_carrier(inv, mac_of("02:00:00:00:00:01")).tenant,
			 TENANT_UNKNOWN);
	assert_ptr_equal(inventory_ref(inv), inv);
	inventory_unref(inv);
	inventory_unref(inv);
	inventory_unref(NULL);
}

static void test_moved(void **state)
{
	struct loaded old, now;
	struct ip_addr kept = ip_of("10.9.0.5"), given = ip_of("10.9.0.6"),
		       gone = ip_of("10.9.0.7"), everywhere = ip_of("203.0.113.9");

	(void)state;
	load_good(
	    &old,
	    "segments: [{ name: s, vlan: 1, domain: x, prefixes: [10.9.0.0/24] }]\n"
	    "tenants:\n  - { name: a, hosts: [{ name: h, mac: \"02:00:00:00:00:01\","
	    " ip: [10.9.0.5, 10.9.0.6, 10.9.0.7] }, { name: i, mac: \"02:00:00:00:00:02\" }] }\n");
	load_good(&now, "segments:\n  - { name: z, vlan: 2, domain: z }\n"
			"  - { name: s, vlan: 1, domain: x, prefixes: [10.9.0.0/24] }\n"
			"tenants:\n  - { name: b, segments: [s], hosts: [{ name: h, ip: 10.9.0.6,"
			" mac: \"02:00:00:00:00:02\" }] }\n"
			"  - { name: a, segments: [s], hosts: [{ name: other, ip: 10.9.0.5,"
			" mac: \"02:00:00:00:00:01\" }] }\n"
			"  - { name: c, hosts: [{ name: h, ip: 203.0.113.9 }] }\n");
	assert_false(inventory_moved(old.inv, now.inv, 1, &kept));
	assert_true(inventory_moved(old.inv, now.inv, 1, &given));
	assert_true(inventory_moved(old.inv, now.inv, 1, &gone));
	assert_false(inventory_moved(old.inv, now.inv, 0, &given)); /* the domain is new */
	/* A VLAN of no segment: there, too, what belongs to the same tenant has not moved. */
	assert_int_equal(inventory_owner(now.inv, 0x8005, &everywhere).tenant, TENANT_FIRST + 2);
	assert_false(inventory_moved(now.inv, now.inv, 0x8005, &everywhere));
	assert_true(inventory_moved(old.inv, now.inv, 0x8005, &everywhere));
	assert_false(inventory_mac_moved(old.inv, now.inv, mac_of("02:00:00:00:00:01")));
	assert_true(inventory_mac_moved(old.inv, now.inv, mac_of("02:00:00:00:00:02")));
	assert_true(inventory_generation(now.inv) > inventory_generation(old.inv));
	unload(&old);
	unload(&now);
}

static void test_files(void **state)
{
	static const char *const texts[] = {"tenants: [{ name: a, segments: [s] }]\n",
					    "segments: [{ name: s, vlan: 3 }]\n", "taps:\n"};
	struct loaded one, two, three;

	(void)state;
	load_files(&one, texts, 3);
	assert_int_equal(one.rc, 0);
	assert_int_equal(one.problems.errors + one.problems.warnings, 0);
	assert_int_equal(inventory_segment_of(one.inv, 3, false, 0), 0);
	load_files(&two, texts, 3);
	assert_string_equal(inventory_revision(one.inv), inventory_revision(two.inv));
	load_files(&three, (const char *const[]){texts[1], texts[0], texts[2]}, 3);
	assert_string_not_equal(inventory_revision(one.inv), inventory_revision(three.inv));
	unload(&one);
	unload(&two);
	unload(&three);
}

static void test_port_of_many(void **state)
{
	struct loaded t;

	(void)state;
	load_good(&t,
		  "tenants:\n  - { name: a, hosts: [{ name: h, port: p }, { name: i, port: p }] }\n"
		  "  - { name: b, hosts: [{ name: h, port: q }] }\n"
		  "  - { name: c, hosts: [{ name: h, port: q }] }\n"
		  "infrastructure: [{ name: hv, port: q, roles: hypervisor }]\n"
		  "taps:\n  - { name: p, view: port, port: p }\n"
		  "  - { name: q, view: port, port: q }\n  - { name: q2, view: port, port: q }\n");
	assert_int_equal(inventory_tap(t.inv, 0)->tenant, tenant_id(&t, "a"));
	assert_int_equal(inventory_tap(t.inv, 1)->tenant, TENANT_INFRASTRUCTURE);
	assert_int_equal(inventory_tap(t.inv, 2)->host,
			 inventory_find_host(t.inv, "infrastructure/hv"));
	unload(&t);
}

static void test_roles(void **state)
{
	(void)state;
	assert_int_equal(role_parse("load-balancer"), ROLE_LOAD_BALANCER);
	assert_int_equal(role_parse("boss"), 0);
	assert_string_equal(role_name(ROLE_HYPERVISOR), "hypervisor");
	assert_string_equal(role_name(0), "server");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_owners),  cmocka_unit_test(test_carriers),
	    cmocka_unit_test(test_things),  cmocka_unit_test(test_segments),
	    cmocka_unit_test(test_sharing), cmocka_unit_test(test_allow),
	    cmocka_unit_test(test_empty),   cmocka_unit_test(test_moved),
	    cmocka_unit_test(test_files),   cmocka_unit_test(test_port_of_many),
	    cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
