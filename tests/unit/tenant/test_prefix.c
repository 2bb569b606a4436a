/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_prefix.c - random inventories: every answer against a plain scan over all that was written.
 *
 * Nested segment prefixes, dynamic ranges and tenant prefixes of all lengths in three domains; the
 * scan knows only the rules of tenant.h.  Tenants own disjoint halves of the space, so that no
 * two overlap.
 */
#include "load_text.h"

#define DOMAINS 3u
#define RANGES 60u
#define TENANTS 8u
#define HOSTS 40u

struct range {
	struct ip_prefix prefix;
	unsigned domain; /* DOMAINS: all of them */
	enum owner_kind kind;
	unsigned who; /* segment or tenant */
};

struct world {
	uint64_t x;
	struct range range[RANGES * 3];
	unsigned count;
	struct ip_addr host[HOSTS];
	char text[65536];
	size_t len;
};

static uint32_t draw(struct world *w, uint32_t below)
{
	w->x ^= w->x << 13;
	w->x ^= w->x >> 7;
	w->x ^= w->x << 17;
	return (uint32_t)(w->x >> 20) % below;
}

static void put(struct world *w, const char *text)
{
	size_t len = strlen(text);

	assert_true(w->len + len < sizeof w->text);
	memcpy(w->text + w->len, text, len + 1);
	w->len += len;
}

/* A prefix inside 30.T.0.0/16 or, IPv6, 2a00:T::/32: tenant T's corner; any length below. */
static struct ip_prefix random_prefix(struct world *w, unsigned corner)
{
	struct ip_prefix p = {{{0}}, 0};
	bool v6 = draw(w, 2) != 0;
	unsigned at = v6 ? 32 : 112;

	if (v6) {
		p.addr.b[0] = 0x2a;
		p.addr.b[3] = (uint8_t)corner;
	} else {
		p.addr = ip_from_v4((const uint8_t[4]){30, (uint8_t)corner, 0, 0});
	}
	p.length = (uint8_t)(at + draw(w, v6 ? 24 : 16));
	for (; at < p.length; at++) {
		if (draw(w, 3) == 0)
			p.addr.b[at / 8] |= (uint8_t)(0x80 >> at % 8);
	}
	return p;
}

static void write_prefix(struct world *w, const struct ip_prefix *p, bool first)
{
	char text[PREFIX_TEXT_SIZE];

	put(w, first ? "\"" : ", \"");
	put(w, prefix_format(p, text));
	put(w, "\"");
}

static void add(struct world *w, struct ip_prefix p, unsigned domain, enum owner_kind kind,
		unsigned who)
{
	w->range[w->count++] =
	    (struct range){.prefix = p, .domain = domain, .kind = kind, .who = who};
}

static void make_world(struct world *w, unsigned domains)
{
	char text[128], ip[IP_TEXT_SIZE];
	unsigned n;

	put(w, "segments:\n");
	for (unsigned s = 0; s < RANGES / 6; s++) {
		snprintf(text, sizeof text, "  - { name: s%u, vlan: %u, domain: d%u, ", s, s + 1,
			 s % domains);
		put(w, text);
		for (unsigned list = 0; list < 2; list++) {
			put(w, list == 0 ? "prefixes: [" : "], dynamic: [");
			for (n = 0; n < 3; n++) {
				struct ip_prefix p = random_prefix(w, draw(w, TENANTS + 2));

				write_prefix(w, &p, n == 0);
				add(w, p, s % domains, list == 0 ? OWNER_SEGMENT : OWNER_DYNAMIC,
				    s);
			}
		}
		put(w, "] }\n");
	}
	put(w, "tenants:\n");
	for (unsigned t = 0; t < TENANTS; t++) {
		snprintf(text, sizeof text, "  - { name: t%u, prefixes: [", t);
		put(w, text);
		for (n = 0; n < 4; n++) {
			struct ip_prefix p = random_prefix(w, t);

			write_prefix(w, &p, n == 0);
			add(w, p, DOMAINS, OWNER_PREFIX, t);
		}
		put(w, t == 0 ? "], hosts: [" : "] }\n");
		for (n = 0; t == 0 && n < HOSTS; n++) {
			w->host[n] = random_prefix(w, draw(w, TENANTS + 2)).addr;
			w->host[n].b[15] |= 1;
			snprintf(text, sizeof text, "%s{ name: h%u, ip: \"%s\" }",
				 n == 0 ? "" : ", ", n, ip_format(&w->host[n], ip));
			put(w, text);
		}
		put(w, t == 0 ? "] }\n" : "");
	}
}

/* Does a come before b in the answer?  Tenants and ranges by length, then segments. */
static bool better(const struct range *a, const struct range *b)
{
	if (b == NULL)
		return true;
	if ((a->kind == OWNER_SEGMENT) != (b->kind == OWNER_SEGMENT))
		return b->kind == OWNER_SEGMENT;
	if (a->prefix.length != b->prefix.length)
		return a->prefix.length > b->prefix.length;
	return a->kind == OWNER_PREFIX && b->kind == OWNER_DYNAMIC;
}

/* A dynamic range is of its segment; it is hidden where a longer segment prefix lies inside it. */
static bool hidden(const struct world *w, const struct range *dynamic, unsigned domain,
		   const struct ip_addr *ip)
{
	for (unsigned i = 0; i < w->count; i++) {
		const struct range *r = &w->range[i];

		if (r->kind == OWNER_SEGMENT && r->domain == domain &&
		    r->prefix.length > dynamic->prefix.length && prefix_contains(&r->prefix, ip))
			return true;
	}
	return false;
}

static const struct range *scan(const struct world *w, unsigned domain, const struct ip_addr *ip)
{
	const struct range *best = NULL;

	for (unsigned i = 0; i < w->count; i++) {
		const struct range *r = &w->range[i];

		if ((r->domain == domain || r->domain == DOMAINS) &&
		    prefix_contains(&r->prefix, ip) &&
		    !(r->kind == OWNER_DYNAMIC && hidden(w, r, domain, ip)) && better(r, best))
			best = r;
	}
	return best;
}

static void check(const struct world *w, const struct loaded *t, unsigned domain,
		  const struct ip_addr *ip)
{
	struct owner owner = inventory_owner(t->inv, (uint16_t)domain, ip);
	const struct range *want = scan(w, domain, ip);
	char text[IP_TEXT_SIZE];

	for (unsigned i = 0; i < HOSTS; i++) {
		if (ip_equal(&w->host[i], ip)) {
			assert_int_equal(owner.tenant, TENANT_FIRST);
			return;
		}
	}
	if (owner.kind != (want == NULL ? OWNER_NONE : want->kind))
		print_message("%s in %u: %u, wanted %d /%d\n%s", ip_format(ip, text), domain,
			      owner.kind, want == NULL ? 0 : (int)want->kind,
			      want == NULL ? 0 : want->prefix.length, w->text);
	assert_int_equal(owner.kind, want == NULL ? OWNER_NONE : want->kind);
	if (owner.kind == OWNER_PREFIX)
		assert_int_equal(owner.tenant, TENANT_FIRST + want->who);
	else if (owner.kind != OWNER_NONE)
		assert_int_equal(inventory_segment(t->inv, owner.segment)->domain, domain);
}

static void test_against_scan(void **state)
{
	struct world *w = malloc(sizeof *w);
	unsigned kinds[8] = {0};

	(void)state;
	assert_non_null(w);
	for (unsigned round = 0; round < 40; round++) {
		unsigned domains = round % 2 == 0 ? 1 : DOMAINS;
		struct loaded t;

		memset(w, 0, sizeof *w);
		w->x = 0x9e3779b97f4a7c15u * (round + 1);
		make_world(w, domains);
		load_good(&t, w->text);
		for (unsigned i = 0; i < 2000; i++) {
			/* near the edges of what there is, where mistakes are */
			struct ip_addr ip = w->range[draw(w, w->count)].prefix.addr;
			unsigned domain = draw(w, domains);

			for (unsigned flips = draw(w, 4); flips > 0; flips--)
				ip.b[draw(w, 2) ? 12 + draw(w, 4) : 2 + draw(w, 4)] ^=
				    (uint8_t)(1u << draw(w, 8));
			check(w, &t, domain, &ip);
			kinds[inventory_owner(t.inv, (uint16_t)domain, &ip).kind]++;
		}
		for (unsigned i = 0; i < HOSTS; i++)
			check(w, &t, 0, &w->host[i]);
		unload(&t);
	}
	free(w);
	assert_true(kinds[OWNER_NONE] > 100 && kinds[OWNER_PREFIX] > 100 &&
		    kinds[OWNER_SEGMENT] > 100 && kinds[OWNER_DYNAMIC] > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_scan)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
