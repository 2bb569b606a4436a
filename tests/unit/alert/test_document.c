/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_document.c - the alert document: what it says, and that it is always sound.
 *
 * Documents are written to a file and held to docs/alert.schema.json by check_schema.py with a
 * real validator; three JSON parsers must read each alike.
 */
#include "unit/alert/sample.h"

#include <ctype.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK "tests/unit/alert/check_schema.py"
#define SCHEMA "docs/alert.schema.json"
#define CHECK_MAPPINGS "tests/unit/alert/check_mappings.py"
#define MAPPINGS "docs/mappings.md"

struct written {
	FILE *file;
	char path[64];
	unsigned documents;
	size_t longest;
	struct alert last;
	char json[ALERT_JSON_SIZE];
};

static void written_open(struct written *w)
{
	int fd;

	memset(w, 0, sizeof *w);
	(void)snprintf(w->path, sizeof w->path, "/tmp/bulkhead-alerts-XXXXXX");
	fd = mkstemp(w->path);
	assert_true(fd >= 0);
	w->file = fdopen(fd, "w");
	assert_non_null(w->file);
}

static void assert_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (!isprint((unsigned char)*text) || (unsigned char)*text > 0x7e)
			fail_msg("byte %02x in a flat field", (unsigned char)*text);
}

static void write_line(void *context, const struct alert *alert)
{
	struct written *w = context;

	assert_true(alert->json_len < ALERT_JSON_SIZE);
	assert_int_equal(strlen(alert->json), alert->json_len);
	assert_int_equal(fwrite(alert->json, 1, alert->json_len, w->file), alert->json_len);
	assert_int_equal(fputc('\n', w->file), '\n');
	w->documents++;
	if (alert->json_len > w->longest)
		w->longest = alert->json_len;
	assert_printable(alert->sensor);
	assert_printable(alert->site);
	assert_printable(alert->actor);
	assert_printable(alert->actor_host);
	assert_printable(alert->victim);
	assert_printable(alert->victim_host);
	assert_printable(alert->app);
	w->last = *alert;
	memcpy(w->json, alert->json, alert->json_len + 1);
	w->last.json = w->json;
}

static void mappings_check(struct written *w)
{
	char command[256];
	int status;

	assert_int_equal(fflush(w->file), 0);
	(void)snprintf(command, sizeof command, "/usr/bin/python3 %s %s %s", CHECK_MAPPINGS,
		       MAPPINGS, w->path);
	status = system(command);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s: " MAPPINGS " does not hold", w->path);
}

/* Validates every Nth document and compares parsers on all; then the file goes. */
static void written_check(struct written *w, unsigned every)
{
	char command[256];
	int status;

	assert_int_equal(fclose(w->file), 0);
	(void)snprintf(command, sizeof command, "/usr/bin/python3 %s --every %u %s %s", CHECK,
		       every, SCHEMA, w->path);
	status = system(command);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s: the documents are not sound (needs python3-jsonschema, jq)", w->path);
	(void)unlink(w->path);
}

static struct incidents *incidents_for(struct written *w, struct stats *stats)
{
	struct incidents_config config = sample_config();
	struct err err = {0};
	struct incidents *in;

	config.in_iface = "eth1";
	in = incidents_new(&config, write_line, w, stats, &err);
	assert_non_null(in);
	return in;
}

/* ---- what it says ------------------------------------------------------------------------- */

static void test_the_manuals_example(void **state)
{
	static const char expected[] =
	    "{\"timestamp\":\"2026-01-01T09:48:00.000400+0000\",\"event_type\":\"alert\","
	    "\"flow_id\":845071656123186,\"in_iface\":\"eth1\",\"vlan\":[100],"
	    "\"src_ip\":\"10.20.0.21\",\"src_port\":40000,\"dest_ip\":\"198.51.100.7\","
	    "\"dest_port\":443,\"proto\":\"TCP\",\"app_proto\":\"tls\","
	    "\"ether\":{\"src_mac\":\"02:ac:00:00:00:a1\",\"dest_mac\":\"02:00:5e:00:00:01\"},"
	    "\"community_id\":\"1:bPzPDYaXsxsWok4xGBaT7mPM9Qg=\","
	    "\"alert\":{\"action\":\"allowed\",\"gid\":7001,\"signature_id\":1001,\"rev\":1,"
	    "\"category\":\"Cross-tenant relay\",\"severity\":1,"
	    "\"signature\":\"BH-1001 acme/a1 relays TLS of globex/b1 to gw\","
	    "\"metadata\":{\"signature_severity\":[\"Critical\"],"
	    "\"mitre_technique_id\":[\"T1557\",\"T1040\"]}},"
	    "\"bulkhead\":{\"v\":1,\"alert_id\":\"%s\",\"op\":\"open\",\"seq\":1,"
	    "\"status\":\"open\",\"rule\":\"BH-1001\",\"kind\":\"relay.forward\","
	    "\"severity\":\"critical\",\"confidence\":\"proof\",\"attribution\":\"consistent\","
	    "\"actor\":{\"tenant\":\"acme\",\"host\":\"a1\",\"mac\":\"02:ac:00:00:00:a1\","
	    "\"ip\":\"10.20.0.11\",\"port\":\"leaf12/eth3\"},"
	    "\"victim\":{\"tenant\":\"globex\",\"host\":\"b1\",\"mac\":\"02:61:00:00:00:b1\","
	    "\"ip\":\"10.20.0.21\"},"
	    "\"peer\":{\"ip\":\"198.51.100.7\",\"tenant\":\"external\"},"
	    "\"next\":{\"name\":\"gw\",\"tenant\":\"infrastructure\",\"role\":\"router\","
	    "\"mac\":\"02:00:5e:00:00:01\",\"ip\":\"10.20.0.1\"},\"segment\":\"shared\","
	    "\"app\":{\"proto\":\"TLS\",\"category\":\"Web\",\"host\":\"mail.globex.example\","
	    "\"encrypted\":true,\"cleartext_credentials\":false},"
	    "\"count\":1,\"bytes\":1000,\"first_seen\":\"2026-01-01T09:48:00.000400Z\","
	    "\"last_seen\":\"2026-01-01T09:48:00.000400Z\","
	    "\"evidence\":{\"frames\":[6,7],\"ttl_delta\":-1,\"delay_us\":400},"
	    "\"sensor\":\"leaf12\",\"site\":\"rbx\",\"inventory_rev\":\"0123456789abcdef\","
	    "\"version\":\"" BULKHEAD_VERSION "\"}}";
	struct verdict verdict = sample_verdict(1);
	struct stats stats = {0};
	struct incidents *in;
	struct finding finding;
	struct written w;
	char text[ALERT_JSON_SIZE];

	(void)state;
	written_open(&w);
	in = incidents_for(&w, &stats);
	sample_finding(&finding);
	incidents_raise(in, &finding, &verdict, "0123456789abcdef", "shared");
	(void)snprintf(text, sizeof text, expected, w.last.id);
	assert_string_equal(w.json, text);
	assert_string_equal(w.last.kind, "relay.forward");
	assert_string_equal(w.last.rule, "BH-1001");
	assert_string_equal(w.last.actor, "acme");
	assert_string_equal(w.last.actor_host, "a1");
	assert_string_equal(w.last.actor_mac, "02:ac:00:00:00:a1");
	assert_string_equal(w.last.victim, "globex");
	assert_string_equal(w.last.victim_host, "b1");
	assert_string_equal(w.last.app, "TLS");
	assert_string_equal(w.last.vlan, "100");
	assert_string_equal(w.last.cid, "1:bPzPDYaXsxsWok4xGBaT7mPM9Qg=");
	assert_string_equal(w.last.message, "acme/a1 relays TLS of globex/b1 to gw");
	assert_string_equal(w.last.confidence, "proof");
	assert_string_equal(w.last.status, "open");
	assert_string_equal(w.last.sensor, "leaf12");
	assert_string_equal(w.last.site, "rbx");
	incidents_finish(in, finding.ts_ns, "end of capture");
	incidents_free(in);
	written_check(&w, 1);
}

/* The least a detector may state: nothing but a kind. */
static void test_a_bare_finding(void **state)
{
	static const struct rule rule = {.id = "BH-9001", .number = 9001, .category = "Health"};
	struct verdict verdict = {.rule = &rule, .severity = SEVERITY_LOW};
	struct finding finding = {.kind = "health.drop", .ts_ns = START, .count = 1};
	struct stats stats = {0};
	struct incidents *in;
	struct written w;

	(void)state;
	finding.frame_count = 1; /* without a number: there was no frame */
	written_open(&w);
	in = incidents_for(&w, &stats);
	incidents_raise(in, &finding, &verdict, NULL, NULL);
	assert_non_null(strstr(w.json, "\"actor\":{\"tenant\":\"unknown\",\"host\":\"unknown\"}"));
	assert_non_null(strstr(w.json, "\"victim\":{\"tenant\":\"unknown\",\"host\":\"unknown\"}"));
	assert_null(strstr(w.json, "src_ip"));
	assert_null(strstr(w.json, "peer"));
	assert_null(strstr(w.json, "mitre"));
	assert_null(strstr(w.json, "sanitised"));
	assert_non_null(strstr(w.json, "\"evidence\":{\"frames\":[]}"));
	assert_string_equal(w.last.vlan, "");
	assert_string_equal(w.last.cid, "");
	incidents_free(in);
	written_check(&w, 1);
}

static void vary(struct finding *f, unsigned i)
{
	static const uint8_t v6[16] = {0xfd, 0, 0, 0x10, [15] = 0x21};
	static const uint8_t protos[] = {6, 17, 1, 58, 132, 47, 89};

	f->confidence = (enum confidence)(i % 3);
	f->attribution = (enum attribution)(i / 3 % 3);
	f->vlan_count = (uint8_t)(i % 4);
	for (unsigned n = 0; n < PACKET_MAX_TAGS; n++)
		f->vlan[n] = (uint16_t)(n * 100); /* the first is a priority tag */
	f->has_vni = i % 2;
	f->vni = 5001;
	f->has_flow = i % 5 != 0;
	f->flow_id = UINT64_MAX - i;
	f->tuple.proto = protos[i % sizeof protos];
	f->has_ether = i % 3 != 0;
	if (i % 2 == 0)
		f->tuple.src = f->tuple.dst = f->victim.ip = ip_from_v6(v6);
	f->actor.has_ip = i % 4 != 0;
	f->actor.has_mac = i % 6 != 0;
	if (i % 7 == 0)
		f->next.tenant = NULL;
	if (i % 5 == 0)
		f->peer.tenant = NULL;
	f->next.roles = 1u << (i % 11);
	f->app.risks = i % 3 == 0 ? UINT64_MAX : UINT64_C(1) << (i % 64);
	f->app.flags = (uint16_t)(APP_SURE | (i % 2 ? APP_CLEARTEXT_CREDENTIALS : APP_ENCRYPTED));
	(void)snprintf(f->app.proto, sizeof f->app.proto, "%s", i % 2 ? "FTP_CONTROL" : "SMBv23");
	(void)snprintf(f->app.service, sizeof f->app.service, "%s", i % 3 ? "" : "Google");
	finding_detail_text(f, "dns", "10.0.0.66");
	finding_detail_text(f, "dns", "10.0.0.67");
	finding_detail_uint(f, "servers", i);
	f->has_ttl_delta = i % 2;
	f->frame[0].number = i;
}

static void test_every_shape_is_valid(void **state)
{
	struct stats stats = {0};
	struct incidents *in;
	struct written w;

	(void)state;
	written_open(&w);
	in = incidents_for(&w, &stats);
	for (unsigned i = 0; i < 330; i++) {
		struct verdict verdict = sample_verdict(i % 40);
		struct finding finding;

		sample_finding(&finding);
		vary(&finding, i);
		finding.ts_ns += i * 7 * SEC;
		verdict.severity = (enum severity)(i / 40 % SEVERITY_MAX);
		incidents_raise(in, &finding, &verdict, "r", i % 2 ? "shared" : NULL);
		incidents_tick(in, finding.ts_ns);
		if (i == 1) {
			assert_non_null(strstr(w.json, "\"app_proto\":\"ftp\""));
			assert_non_null(strstr(w.json, "\"dns\":\"10.0.0.66\",\"dns_2\":"
						       "\"10.0.0.67\",\"servers\":\"1\""));
		}
		if (i == 3) {
			assert_string_equal(w.last.vlan, "100,200");
			assert_non_null(strstr(w.json, "\"vlan\":[100,200]"));
			assert_string_equal(w.last.app, "FTP_CONTROL.Google");
		}
	}
	incidents_finish(in, START + 3000 * SEC, "end of capture");
	assert_true(w.documents > 500);
	incidents_free(in);
	mappings_check(&w);
	written_check(&w, 1);
}

/* Frame numbers: the first four and the last four, each once. */
static void test_frame_numbers(void **state)
{
	struct verdict verdict = sample_verdict(1);
	struct stats stats = {0};
	struct incidents *in;
	struct written w;

	(void)state;
	written_open(&w);
	in = incidents_for(&w, &stats);
	for (unsigned i = 1; i <= 40; i++) {
		struct finding finding;

		sample_finding(&finding);
		finding.frame[0].number = i;
		finding.frame[1].number = i + 1; /* comes again as the next one's first */
		if (i >= 5)			 /* a window later: told */
			finding.ts_ns += 60 * SEC;
		incidents_raise(in, &finding, &verdict, "r", "s");
		if (i == 5)
			assert_non_null(strstr(w.json, "\"frames\":[1,2,3,4,5,6]"));
		if (i == 3) {
			incidents_acknowledge(in, w.last.id, false, finding.ts_ns);
			assert_non_null(strstr(w.json, "\"frames\":[1,2,3,4]"));
		}
	}
	incidents_finish(in, START, "end of capture");
	assert_non_null(strstr(w.json, "\"frames\":[1,2,3,4,38,39,40,41]"));
	incidents_free(in);
	written_check(&w, 1);
}

/* ---- hostile strings ---------------------------------------------------------------------- */

#define FIELDS 12

/* Puts len bytes where field number n of a finding comes from the wire or a file. */
static void poison(struct finding *f, unsigned n, char *text, size_t len)
{
	char *fixed[] = {f->app.host, f->app.proto, f->app.service, f->app.category, f->app.ja3};
	size_t size[] = {sizeof f->app.host, sizeof f->app.proto, sizeof f->app.service,
			 sizeof f->app.category, sizeof f->app.ja3};
	const char **name[] = {&f->actor.tenant, &f->actor.host, &f->actor.port,
			       &f->victim.host,	 &f->peer.host,	 &f->next.host};

	if (n < 5) {
		memset(fixed[n], 0, size[n]);
		memcpy(fixed[n], text, len < size[n] ? len : size[n] - 1);
	} else if (n < 11) {
		*name[n - 5] = text;
	} else {
		finding_detail(f, "token", text, len);
	}
}

/* Every byte value in every position class of every string. */
static void test_every_byte_in_every_string(void **state)
{
	struct stats stats = {0};
	struct incidents *in;
	struct written w;
	uint64_t group = 0;

	(void)state;
	written_open(&w);
	in = incidents_for(&w, &stats);
	for (unsigned field = 0; field < FIELDS; field++)
		for (unsigned byte = 0; byte < 256; byte++)
			for (unsigned at = 0; at < 3; at++) {
				struct verdict verdict = sample_verdict(group++);
				char text[12] = "abcdefghi";
				struct finding finding;

				text[at * 4] = (char)byte;
				sample_finding(&finding);
				/* As fast as one actor's alerts are told of at once. */
				finding.ts_ns = START + group * (SEC / 50);
				poison(&finding, field, text, 9);
				incidents_raise(in, &finding, &verdict, "r", "s");
			}
	incidents_finish(in, START + group * (SEC / 50), "end of capture");
	assert_int_equal(w.documents, 2 * FIELDS * 256 * 3);
	incidents_free(in);
	written_check(&w, 37);
}

static void test_sanitised_is_said(void **state)
{
	struct verdict verdict = sample_verdict(1);
	struct stats stats = {0};
	struct finding finding;
	struct incidents *in;
	struct written w;

	(void)state;
	written_open(&w);
	in = incidents_for(&w, &stats);
	sample_finding(&finding);
	(void)snprintf(finding.app.host, sizeof finding.app.host,
		       "good\xe2\x80\xae"
		       "evil");
	incidents_raise(in, &finding, &verdict, "r", "s");
	assert_non_null(strstr(w.json, "\"host\":\"good\\u202eevil\""));
	assert_non_null(strstr(w.json, "\"sanitised\":true"));
	assert_null(strstr(w.json, "truncated"));
	incidents_free(in);
	written_check(&w, 1);
}

/* Everything as long as it can be, made of what grows most when escaped. */
static void worst_case(struct written *w, char byte)
{
	struct stats stats = {0};
	struct incidents_config config = sample_config();
	struct rule rule = sample_rule;
	struct verdict verdict = sample_verdict(1);
	struct err err = {0};
	struct finding f;
	struct incidents *in;
	char text[300];

	memset(text, byte, sizeof text - 1);
	text[sizeof text - 1] = '\0';
	config.sensor = config.site = config.in_iface = text;
	rule.category = text;
	rule.attack_count = RULE_MAX_ATTACK;
	for (unsigned i = 0; i < RULE_MAX_ATTACK; i++)
		rule.attack[i] = "T1557.002";
	verdict.rule = &rule;
	memset(verdict.message, '<', sizeof verdict.message - 1);
	sample_finding(&f);
	f.vlan_count = PACKET_MAX_TAGS;
	for (unsigned i = 0; i < PACKET_MAX_TAGS; i++)
		f.vlan[i] = 4095;
	f.has_vni = true;
	f.vni = UINT32_MAX;
	f.count = f.bytes = f.delay_us = UINT64_MAX;
	f.app.risks = UINT64_MAX;
	for (unsigned field = 0; field < 11; field++)
		poison(&f, field, text, sizeof text - 1);
	memset(f.app.ja3s, byte, sizeof f.app.ja3s - 1);
	f.tuple.src = f.tuple.dst = f.actor.ip = f.victim.ip = f.peer.ip = f.next.ip =
	    ip_from_v6((const uint8_t[16]){0xfd, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55,
					   0x55, 0x66, 0x66, 0x77, 0x77, 0x88, 0x88});
	f.peer.has_mac = true;
	f.next.roles = ROLE_LOAD_BALANCER;
	f.actor.tenant = f.victim.tenant = f.peer.tenant = f.next.tenant = text;
	f.peer.host = text + 1;
	f.victim.port = f.next.port = f.peer.port = text;
	for (unsigned i = 0; i < FINDING_DETAILS; i++)
		finding_detail(&f, "a_rather_long_name", text, sizeof text - 1);
	for (unsigned i = 0; i < FINDING_FRAMES; i++)
		f.frame[i] = (struct finding_frame){.number = (UINT64_C(1) << 53) - 1 - i};
	f.frame_count = FINDING_FRAMES;
	in = incidents_new(&config, write_line, w, &stats, &err);
	assert_non_null(in);
	incidents_raise(in, &f, &verdict, text, text);
	for (unsigned i = 0; i < FINDING_FRAMES; i++)
		f.frame[i].number -= FINDING_FRAMES;
	incidents_raise(in, &f, &verdict, text, text);
	incidents_finish(in, UINT64_C(4102444800) * SEC, text);
	incidents_free(in);
}

static void test_the_longest_document_fits(void **state)
{
	struct written w;

	(void)state;
	written_open(&w);
	worst_case(&w, '\x01');
	printf("every byte six times as long: %zu bytes\n", w.last.json_len);
	assert_non_null(strstr(w.json, "\"truncated\":true"));
	worst_case(&w, '\xff');
	worst_case(&w, '<');
	worst_case(&w, 'x');
	worst_case(&w, '"');
	printf("longest document: %zu of %d bytes\n", w.longest, ALERT_JSON_SIZE);
	written_check(&w, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_manuals_example),
	    cmocka_unit_test(test_a_bare_finding),
	    cmocka_unit_test(test_every_shape_is_valid),
	    cmocka_unit_test(test_frame_numbers),
	    cmocka_unit_test(test_every_byte_in_every_string),
	    cmocka_unit_test(test_sanitised_is_said),
	    cmocka_unit_test(test_the_longest_document_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
