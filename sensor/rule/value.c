/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.c - values of a field's type as text: reading what a rule says, printing what a finding
 * has, and setting a field of a test's event.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/yaml_doc.h"
#include "bulkhead/clock.h"
#include "bulkhead/tenant.h"
#include "field.h"

#define RISK_BITS 64
#define ROLE_BITS 32
#define VLAN_MAX 4095

static bool fail(char *why, size_t size, const char *what, const char *text, const char *right)
{
	(void)snprintf(why, size, "\"%.60s\" is no %s; %s", text, what, right);
	return false;
}

/* Digits with an optional sign; what follows them is in *rest. */
static bool parse_digits(const char *text, int64_t *out, const char **rest)
{
	bool negative = *text == '-';
	uint64_t n = 0;
	const char *p = text + (negative ? 1 : 0);

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n) || n > INT64_MAX)
			return false;
	}
	*out = negative ? -(int64_t)n : (int64_t)n;
	*rest = p;
	return true;
}

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit time_units[] = {
    {"us", 1000},
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", 60000000000},
    {"h", INT64_C(3600000000000)},
    {NULL, 0},
};
static const struct unit size_units[] = {
    {"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0},
};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static bool parse_quantity(const char *text, const struct unit *units, int64_t *out)
{
	const char *rest;
	int64_t n;

	if (!parse_digits(text, &n, &rest))
		return false;
	if (n == 0 && *rest == '\0') {
		*out = 0;
		return true;
	}
	for (; units->name != NULL; units++) {
		if (strcmp(rest, units->name) == 0)
			return !__builtin_mul_overflow(n, units->factor, out);
	}
	return false;
}

static bool parse_ip(const char *text, struct literal *out, char *why, size_t size)
{
	bool host_bits = false;

	if (ip_parse(text, &out->prefix.addr)) {
		out->prefix.length = 128;
		return true;
	}
	if (!prefix_parse(text, &out->prefix, &host_bits))
		return fail(why, size, "IP address or prefix", text, "write 10.0.0.1 or fd00::/8");
	if (host_bits)
		return fail(why, size, "prefix", text, "bits are set behind its length");
	return true;
}

static bool parse_scale(int value, const char *what, const char *text, const char *right,
			struct literal *out, char *why, size_t size)
{
	out->number = value;
	return value >= 0 || fail(why, size, what, text, right);
}

static bool parse_bool(const char *text, struct literal *out, char *why, size_t size)
{
	out->number = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
	if (out->number || strcmp(text, "no") == 0 || strcmp(text, "false") == 0)
		return true;
	return fail(why, size, "truth value", text, "write yes or no");
}

/* The names of a set of bits are asked of whoever defines them, bit by bit. */
static bool parse_risk(const char *text, struct literal *out, char *why, size_t size)
{
	const char *names[RISK_BITS + 1] = {NULL};
	unsigned count = 0;
	const char *near;

	for (unsigned i = 0; i < RISK_BITS; i++) {
		const char *name = dpi_risk_name(UINT64_C(1) << i);

		/* Bits without a name are given out as their number. */
		if (*name == '\0' || (*name >= '0' && *name <= '9'))
			continue;
		if (strcasecmp(name, text) == 0) {
			out->bits = UINT64_C(1) << i;
			return true;
		}
		names[count++] = name;
	}
	near = nearest_name(text, names);
	(void)snprintf(why, size, "\"%.60s\" is no risk nDPI knows%s%s%s", text,
		       near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
		       near == NULL ? "" : "\"?");
	return false;
}

static bool parse_role(const char *text, struct literal *out, char *why, size_t size)
{
	out->bits = role_parse(text);
	if (out->bits != 0)
		return true;
	return fail(why, size, "role", text,
		    "there are server router dhcp dns load-balancer proxy nat vtep monitor "
		    "hypervisor");
}

static bool parse_proto(const char *text, struct literal *out, char *why, size_t size)
{
	char buf[8];
	const char *rest;

	if (parse_digits(text, &out->number, &rest) && *rest == '\0' && out->number >= 0 &&
	    out->number <= UINT8_MAX)
		return true;
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		if (strcasecmp(ip_proto_name((uint8_t)i, buf), text) == 0) {
			out->number = i;
			return true;
		}
	}
	return fail(why, size, "protocol", text, "write TCP, UDP, ICMP or a number up to 255");
}

static bool parse_kind(const char *text, const char *const *kinds, char *why, size_t size)
{
	const char *near;

	for (const char *const *k = kinds; *k != NULL; k++) {
		if (strcmp(*k, text) == 0)
			return true;
	}
	near = nearest_name(text, kinds);
	(void)snprintf(why, size, "\"%.60s\" is no kind of finding%s%s%s", text,
		       near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
		       near == NULL ? "" : "\"?");
	return false;
}

static bool parse_vlan(const char *text, struct literal *out, char *why, size_t size)
{
	if (parse_quantity(text, no_units, &out->number) && out->number >= 0 &&
	    out->number <= VLAN_MAX)
		return true;
	return fail(why, size, "VLAN", text, "write a number from 0 (untagged) to 4095");
}

bool literal_parse(enum field_type type, const char *text, const char *const *kinds,
		   struct literal *out, char *why, size_t size)
{
	struct mac_addr mac;

	*out = (struct literal){.text = text};
	switch (type) {
	case FIELD_HOST:
		return strchr(text, '/') != NULL ||
		       fail(why, size, "host", text, "write tenant/host");
	case FIELD_KIND:
		return parse_kind(text, kinds, why, size);
	case FIELD_CONFIDENCE:
		return parse_scale(confidence_parse(text), "confidence", text,
				   "write indicator, strong or proof", out, why, size);
	case FIELD_ATTRIBUTION:
		return parse_scale(attribution_parse(text), "attribution", text,
				   "write claimed, consistent or attested", out, why, size);
	case FIELD_NUMBER:
		return parse_quantity(text, no_units, &out->number) ||
		       fail(why, size, "number", text, "write digits without a unit");
	case FIELD_SIZE:
		return parse_quantity(text, size_units, &out->number) ||
		       fail(why, size, "size", text, "write a number of B, KiB, MiB or GiB");
	case FIELD_DURATION:
		return parse_quantity(text, time_units, &out->number) ||
		       fail(why, size, "duration", text,
			    "write a number and one of us, ms, s, m, h");
	case FIELD_BOOL:
		return parse_bool(text, out, why, size);
	case FIELD_IP:
		return parse_ip(text, out, why, size);
	case FIELD_MAC:
		if (!mac_parse(text, &mac))
			return fail(why, size, "MAC", text, "write six pairs of hex digits");
		out->number = (int64_t)mac_to_u64(mac);
		return true;
	case FIELD_ROLES:
		return parse_role(text, out, why, size);
	case FIELD_RISKS:
		return parse_risk(text, out, why, size);
	case FIELD_PROTO:
		return parse_proto(text, out, why, size);
	case FIELD_VLAN:
		return parse_vlan(text, out, why, size);
	default:
		return true;
	}
}

/* ---- printing ----------------------------------------------------------------------------- */

static void print_duration(struct field_value *value)
{
	/* The largest unit that loses nothing: "400us", "2ms", "1m". */
	size_t unit = sizeof time_units / sizeof time_units[0] - 2;

	while (unit > 0 && value->number % time_units[unit].factor != 0)
		unit--;
	(void)snprintf(value->scratch, sizeof value->scratch, "%" PRId64 "%s",
		       value->number / time_units[unit].factor, time_units[unit].name);
}

static void print_bits(enum field_type type, struct field_value *value)
{
	size_t used = 0;

	value->scratch[0] = '\0';
	for (unsigned i = 0; i < (type == FIELD_ROLES ? ROLE_BITS : RISK_BITS); i++) {
		uint64_t bit = UINT64_C(1) << i;
		int n;

		if ((value->bits & bit) == 0)
			continue;
		n = snprintf(value->scratch + used, sizeof value->scratch - used, "%s%s",
			     used == 0 ? "" : ", ",
			     type == FIELD_ROLES ? role_name((uint32_t)bit) : dpi_risk_name(bit));
		if (n < 0 || (size_t)n >= sizeof value->scratch - used)
			return;
		used += (size_t)n;
	}
}

static void print_vlans(const struct finding *finding, struct field_value *value)
{
	size_t used = 0;

	value->scratch[0] = '\0';
	for (unsigned i = 0; i < finding->vlan_count; i++)
		used += (size_t)snprintf(value->scratch + used, sizeof value->scratch - used,
					 "%s%u", i == 0 ? "" : ",", (unsigned)finding->vlan[i]);
}

static void print_number(enum field_type type, struct field_value *value)
{
	struct mac_addr mac;

	switch (type) {
	case FIELD_CONFIDENCE:
		(void)snprintf(value->scratch, sizeof value->scratch, "%s",
			       confidence_name((enum confidence)value->number));
		break;
	case FIELD_ATTRIBUTION:
		(void)snprintf(value->scratch, sizeof value->scratch, "%s",
			       attribution_name((enum attribution)value->number));
		break;
	case FIELD_BOOL:
		(void)snprintf(value->scratch, sizeof value->scratch, "%s",
			       value->number ? "yes" : "no");
		break;
	case FIELD_DURATION:
		print_duration(value);
		break;
	case FIELD_MAC:
		for (unsigned i = 0; i < sizeof mac.b; i++)
			mac.b[i] = (uint8_t)((uint64_t)value->number >> (40 - 8 * i));
		(void)mac_format(mac, value->scratch);
		break;
	default:
		(void)snprintf(value->scratch, sizeof value->scratch, "%" PRId64, value->number);
		break;
	}
}

const char *field_print(const struct field_ref *ref, const struct finding *finding,
			struct field_value *value)
{
	enum field_type type = ref->field->type;
	const char *text = value->scratch;
	const struct party *party;

	field_get(ref, finding, value);
	if (!value->present)
		return ref->field->absent;
	switch (type) {
	case FIELD_HOST:
		/* Templates write {actor.tenant}/{actor.host}. */
		party = (const void *)((const char *)finding + ref->field->offset);
		text = party->host == NULL ? "" : party->host;
		break;
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_KIND:
	case FIELD_DETAIL:
		(void)snprintf(value->scratch, sizeof value->scratch, "%.*s",
			       (int)(value->len < FIELD_TEXT_SIZE ? value->len : FIELD_TEXT_SIZE),
			       value->text);
		break;
	case FIELD_IP:
		(void)ip_format(&value->ip, value->scratch);
		break;
	case FIELD_ROLES:
	case FIELD_RISKS:
		print_bits(type, value);
		break;
	case FIELD_VLAN:
		print_vlans(finding, value);
		break;
	case FIELD_PROTO:
		text = ip_proto_name((uint8_t)value->number, value->scratch);
		break;
	default:
		print_number(type, value);
		break;
	}
	return *text == '\0' ? ref->field->absent : text;
}

/* ---- setting: the events of tests --------------------------------------------------------- */

static bool set_host(struct party *party, const char *text, char *why, size_t size)
{
	const char *slash = strchr(text, '/');

	if (slash == NULL) {
		party->host = text;
		return true;
	}
	/* "acme/a1": the tenant stands beside it, this must be the same one. */
	if (strcmp(party->tenant, "unknown") != 0 &&
	    (strlen(party->tenant) != (size_t)(slash - text) ||
	     strncmp(party->tenant, text, (size_t)(slash - text)) != 0))
		return fail(why, size, "host of that tenant", text, "name one tenant");
	if (strcmp(party->tenant, "unknown") == 0)
		return fail(why, size, "host of a known tenant", text,
			    "give the tenant before the host");
	party->host = slash + 1;
	return true;
}

static bool set_chars(char *at, size_t room, const char *text, char *why, size_t size)
{
	size_t len = strlen(text);

	if (len >= room) {
		(void)snprintf(why, size, "longer than %zu bytes", room - 1);
		return false;
	}
	memcpy(at, text, len + 1);
	return true;
}

static bool set_integer(const struct field *field, void *at, const struct literal *literal,
			char *why, size_t size)
{
	static const int64_t most[] = {[STORE_U8] = UINT8_MAX,
				       [STORE_U16] = UINT16_MAX,
				       [STORE_U32] = UINT32_MAX,
				       [STORE_U64] = INT64_MAX,
				       [STORE_I32] = INT32_MAX};
	int64_t n = literal->number;

	if (field_class(field->type) == CLASS_BITS) {
		if (field->store == STORE_U32)
			*(uint32_t *)at |= (uint32_t)literal->bits;
		else
			*(uint64_t *)at |= literal->bits;
		return true;
	}
	if (field->store == STORE_FLAG) {
		if (n != 0)
			*(uint16_t *)at |= field->size;
		return true;
	}
	if (field->type == FIELD_DURATION)
		n /= (int64_t)NS_PER_US;
	if (n > most[field->store] || n < (field->store == STORE_I32 ? INT32_MIN : 0)) {
		(void)snprintf(why, size, "%" PRId64 " is out of range", n);
		return false;
	}
	if (field->store == STORE_U8)
		*(uint8_t *)at = (uint8_t)n;
	else if (field->store == STORE_U16)
		*(uint16_t *)at = (uint16_t)n;
	else if (field->store == STORE_U32)
		*(uint32_t *)at = (uint32_t)n;
	else if (field->store == STORE_I32)
		*(int32_t *)at = (int32_t)n;
	else
		*(uint64_t *)at = (uint64_t)n;
	return true;
}

static bool add_vlan(struct finding *finding, int64_t vlan, char *why, size_t size)
{
	if (vlan == 0)
		return true;
	if (finding->vlan_count == PACKET_MAX_TAGS) {
		(void)snprintf(why, size, "more than %d tags", PACKET_MAX_TAGS);
		return false;
	}
	finding->vlan[finding->vlan_count++] = (uint16_t)vlan;
	return true;
}

static bool set_ip(void *at, const struct literal *literal, char *why, size_t size)
{
	if (literal->prefix.length != 128)
		return fail(why, size, "address", literal->text, "an event has one address");
	*(struct ip_addr *)at = literal->prefix.addr;
	return true;
}

bool field_set(const struct field_ref *ref, struct finding *finding, const char *text,
	       const char *const *kinds, char *why, size_t size)
{
	const struct field *field = ref->field;
	void *at = (char *)finding + field->offset;
	struct literal literal;

	if (field->store == STORE_PARTY)
		return set_host(at, text, why, size);
	if (!literal_parse(field->type, text, kinds, &literal, why, size))
		return false;
	if (field->present != FIELD_ALWAYS)
		*(bool *)((char *)finding + field->present) = true;
	switch (field->store) {
	case STORE_POINTER:
		*(const char **)at = text;
		return true;
	case STORE_CHARS:
		return set_chars(at, field->size, text, why, size);
	case STORE_MAC:
		return mac_parse(text, at);
	case STORE_IP:
		return set_ip(at, &literal, why, size);
	case STORE_VLANS:
		return add_vlan(finding, literal.number, why, size);
	case STORE_DETAIL:
		if (finding->detail_count == FINDING_DETAILS) {
			(void)snprintf(why, size, "more than %d details", FINDING_DETAILS);
			return false;
		}
		finding_detail_text(finding, ref->detail, text);
		return true;
	default:
		return set_integer(field, at, &literal, why, size);
	}
}
