/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_incident.c - the life of an incident: when it is told, what it counts, when it ends.
 *
 * Most cases are tables of steps with a scripted clock.  After each step the state changes that
 * came out, written as text, must be exactly those expected.
 */
#include "unit/alert/sample.h"

struct told {
	char text[4096];
	size_t len;
	uint64_t exposed; /* over everything */
	char id[ALERT_ID_SIZE];
	char last_json[ALERT_JSON_SIZE];
};

static void note(void *context, const struct alert *alert)
{
	struct told *told = context;
	int n;

	n = snprintf(told->text + told->len, sizeof told->text - told->len,
		     "%s%s %u %s %s n=%llu b=%llu x=%llu", told->len > 0 ? "; " : "",
		     alert_op_name(alert->op), alert->seq, severity_name(alert->severity),
		     alert->confidence, (unsigned long long)alert->count,
		     (unsigned long long)alert->bytes, (unsigned long long)alert->exposed);
	told->len += (size_t)n;
	if (told->len > sizeof told->text / 2)
		told->len = 1; /* many: only that something was told matters */
	told->exposed += alert->exposed;
	memcpy(told->id, alert->id, sizeof told->id);
	assert_int_equal(strlen(alert->json), alert->json_len);
	memcpy(told->last_json, alert->json, alert->json_len + 1);
}

enum act { RAISE, TICK, FINISH, SUPPRESS, ACK, SOC_CLOSE };

struct step {
	enum act act;
	unsigned at; /* seconds after START; of SUPPRESS: until, 0 for good */
	unsigned group;
	enum severity severity;
	enum confidence confidence;
	enum attribution attribution;
	const char *app;
	const char *expect;
};

struct world {
	struct incidents *in;
	struct stats stats;
	struct told told;
};

static void world_open(struct world *w, const struct incidents_config *config)
{
	struct err err = {0};

	memset(w, 0, sizeof *w);
	w->in = incidents_new(config, note, &w->told, &w->stats, &err);
	assert_non_null(w->in);
}

static void raise_at(struct world *w, uint64_t ts_ns, const struct step *s)
{
	struct verdict verdict = sample_verdict(s->group);
	struct finding finding;

	sample_finding(&finding);
	finding.ts_ns = ts_ns;
	finding.confidence = s->confidence;
	finding.attribution = s->attribution;
	finding.bytes = 100;
	memset(&finding.app, 0, sizeof finding.app);
	if (s->app != NULL) {
		finding.app.flags = APP_SURE;
		(void)snprintf(finding.app.proto, sizeof finding.app.proto, "%s", s->app);
	}
	verdict.severity = s->severity;
	incidents_raise(w->in, &finding, &verdict, "0123456789abcdef", "shared");
}

static void run(struct world *w, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct step *s = &steps[i];
		uint64_t now = START + s->at * SEC;

		w->told.len = 0;
		w->told.text[0] = '\0';
		switch (s->act) {
		case RAISE:
			raise_at(w, now, s);
			break;
		case TICK:
			incidents_tick(w->in, now);
			break;
		case FINISH:
			incidents_finish(w->in, now, "end of capture");
			break;
		case SUPPRESS:
			incidents_suppress(w->in, w->told.id, s->at == 0 ? 0 : now);
			break;
		case ACK:
		case SOC_CLOSE:
			incidents_acknowledge(w->in, w->told.id, s->act == SOC_CLOSE, now);
			break;
		}
		if (strcmp(w->told.text, s->expect) != 0)
			fail_msg("step %zu: told \"%s\", expected \"%s\"", i, w->told.text,
				 s->expect);
	}
}

static void play(const struct step *steps, size_t count, struct world *w, uint32_t capacity)
{
	struct incidents_config config = sample_config();

	config.capacity = capacity;
	world_open(w, &config);
	run(w, steps, count);
}

#define PLAY(steps, w, capacity) play(steps, sizeof(steps) / sizeof(steps)[0], w, capacity)
#define H SEVERITY_HIGH
#define C SEVERITY_CRITICAL

static void test_counts_and_updates_once_a_window(void **state)
{
	static const struct step steps[] = {
	    {RAISE, 0, 1, H, 1, 1, NULL, "open 1 high strong n=1 b=100 x=100"},
	    {RAISE, 1, 1, H, 1, 1, NULL, ""},
	    {RAISE, 2, 1, H, 1, 1, NULL, ""},
	    {TICK, 59, 0, 0, 0, 0, NULL, ""},
	    {TICK, 60, 0, 0, 0, 0, NULL, "update 2 high strong n=3 b=300 x=200"},
	    /* nothing new: nothing told */
	    {TICK, 120, 0, 0, 0, 0, NULL, ""},
	    {TICK, 200, 0, 0, 0, 0, NULL, ""},
	    /* the window has long passed: told at once */
	    {RAISE, 201, 1, H, 1, 1, NULL, "update 3 high strong n=4 b=400 x=100"},
	    {RAISE, 202, 1, H, 1, 1, NULL, ""},
	    {RAISE, 261, 1, H, 1, 1, NULL, "update 4 high strong n=6 b=600 x=200"},
	    {RAISE, 262, 1, H, 1, 1, NULL, ""},
	    /* quiet from 262 on; the update at 321 comes first */
	    {TICK, 321, 0, 0, 0, 0, NULL, "update 5 high strong n=7 b=700 x=100"},
	    {TICK, 861, 0, 0, 0, 0, NULL, ""},
	    {TICK, 862, 0, 0, 0, 0, NULL, "close 6 high strong n=7 b=700 x=0"},
	    {TICK, 2000, 0, 0, 0, 0, NULL, ""},
	};
	struct world w;

	(void)state;
	PLAY(steps, &w, 4);
	assert_int_equal(w.told.exposed, 700);
	assert_int_equal(incidents_open(w.in), 0);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_OPENED), 1);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_UPDATED), 4);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_CLOSED), 1);
	assert_non_null(strstr(w.told.last_json, "\"reason\":\"quiet\""));
	incidents_free(w.in);
}

static void test_escalations_are_told_at_once(void **state)
{
	static const struct step steps[] = {
	    {RAISE, 0, 1, H, 0, 0, NULL, "open 1 high indicator n=1 b=100 x=100"},
	    {RAISE, 1, 1, H, 1, 0, NULL, "update 2 high strong n=2 b=200 x=100"},
	    {RAISE, 2, 1, H, 1, 1, NULL, "update 3 high strong n=3 b=300 x=100"},
	    {RAISE, 3, 1, C, 1, 1, NULL, "update 4 critical strong n=4 b=400 x=100"},
	    {RAISE, 4, 1, C, 1, 1, "TLS", "update 5 critical strong n=5 b=500 x=100"},
	    /* another application, a lower severity, a weaker finding: no escalation */
	    {RAISE, 5, 1, C, 1, 1, "HTTP", ""},
	    {RAISE, 6, 1, H, 0, 0, NULL, ""},
	    {RAISE, 7, 1, H, 2, 2, NULL, "update 6 critical proof n=8 b=800 x=300"},
	    {FINISH, 8, 0, 0, 0, 0, NULL, "close 7 critical proof n=8 b=800 x=0"},
	};
	struct world w;

	(void)state;
	PLAY(steps, &w, 4);
	assert_non_null(strstr(w.told.last_json, "\"attribution\":\"attested\""));
	assert_non_null(strstr(w.told.last_json, "\"app_proto\":\"tls\""));
	assert_non_null(strstr(w.told.last_json, "\"reason\":\"end of capture\""));
	incidents_free(w.in);
}

static void test_a_weaker_finding_of_another_flow_names_no_application(void **state)
{
	struct incidents_config config = sample_config();
	struct verdict verdict = sample_verdict(1);
	struct finding finding;
	struct world w;

	(void)state;
	world_open(&w, &config);
	sample_finding(&finding);
	finding.app = (struct app){0};
	incidents_raise(w.in, &finding, &verdict, "r", "s");
	sample_finding(&finding);
	finding.confidence = CONFIDENCE_INDICATOR;
	finding.flow_id++;
	incidents_raise(w.in, &finding, &verdict, "r", "s");
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_UPDATED), 0);
	/* ... but of the same flow it does. */
	finding.flow_id--;
	incidents_raise(w.in, &finding, &verdict, "r", "s");
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_UPDATED), 1);
	assert_non_null(strstr(w.told.last_json, "\"confidence\":\"proof\""));
	assert_non_null(strstr(w.told.last_json, "\"app_proto\":\"tls\""));
	incidents_free(w.in);
}

static void test_a_guessed_label_is_none(void **state)
{
	struct incidents_config config = sample_config();
	struct verdict verdict = sample_verdict(1);
	struct finding finding;
	struct world w;

	(void)state;
	world_open(&w, &config);
	sample_finding(&finding);
	finding.app.flags = 0;
	incidents_raise(w.in, &finding, &verdict, "r", "s");
	assert_null(strstr(w.told.last_json, "app_proto"));
	assert_null(strstr(w.told.last_json, "\"app\""));
	incidents_free(w.in);
}

static void test_full_table_closes_the_longest_untouched(void **state)
{
	static const struct step steps[] = {
	    {RAISE, 0, 1, H, 1, 1, NULL, "open 1 high strong n=1 b=100 x=100"},
	    {RAISE, 1, 2, H, 1, 1, NULL, "open 1 high strong n=1 b=100 x=100"},
	    {RAISE, 2, 1, H, 1, 1, NULL, ""}, /* 2 is the oldest now */
	    {RAISE, 3, 3, C, 1, 1, NULL,
	     "close 2 high strong n=1 b=100 x=0; open 1 critical strong n=1 b=100 x=100"},
	    {RAISE, 4, 4, C, 1, 1, NULL,
	     "close 2 high strong n=2 b=200 x=100; open 1 critical strong n=1 b=100 x=100"},
	    {FINISH, 5, 0, 0, 0, 0, NULL,
	     "close 2 critical strong n=1 b=100 x=0; close 2 critical strong n=1 b=100 x=0"},
	};
	struct world w;

	(void)state;
	PLAY(steps, &w, 2);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_EVICTED), 2);
	incidents_free(w.in);
}

static void test_suppression_is_counted_and_ends(void **state)
{
	static const struct step steps[] = {
	    {RAISE, 0, 1, H, 1, 1, NULL, "open 1 high strong n=1 b=100 x=100"},
	    {SUPPRESS, 1000, 0, 0, 0, 0, NULL, ""},
	    {RAISE, 1, 1, C, 1, 1, NULL, ""}, /* would have been told: counted */
	    {RAISE, 2, 1, C, 1, 1, NULL, ""},
	    {TICK, 62, 0, 0, 0, 0, NULL, ""}, /* counted */
	    /* closing is told, with all that was counted */
	    {TICK, 700, 0, 0, 0, 0, NULL, "close 2 critical strong n=3 b=300 x=200"},
	    /* a new episode of the same group stays silent, and so does its close */
	    {RAISE, 750, 1, H, 1, 1, NULL, ""}, /* counted */
	    {RAISE, 751, 2, H, 1, 1, NULL, "open 1 high strong n=1 b=100 x=100"},
	    {RAISE, 999, 1, H, 1, 1, NULL, ""}, /* counted */
	    /* time is up: its first word is an open */
	    {RAISE, 1060, 1, H, 1, 1, NULL, "open 1 high strong n=3 b=300 x=300"},
	    {FINISH, 1061, 0, 0, 0, 0, NULL,
	     "close 2 high strong n=3 b=300 x=0; close 2 high strong n=1 b=100 x=0"},
	};
	struct world w;

	(void)state;
	PLAY(steps, &w, 4);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_SUPPRESSED), 4);
	incidents_free(w.in);
}

static void test_suppressed_for_good(void **state)
{
	static const struct step steps[] = {
	    {RAISE, 0, 1, H, 1, 1, NULL, "open 1 high strong n=1 b=100 x=100"},
	    {SUPPRESS, 0, 0, 0, 0, 0, NULL, ""},
	    {TICK, 600, 0, 0, 0, 0, NULL, "close 2 high strong n=1 b=100 x=0"},
	    {RAISE, 4000000, 1, H, 1, 1, NULL, ""},
	    {FINISH, 4000001, 0, 0, 0, 0, NULL, ""},
	};
	struct world w;

	(void)state;
	PLAY(steps, &w, 4);
	assert_int_equal(incidents_open(w.in), 0);
	incidents_suppress(w.in, "no such id", 0);
	incidents_acknowledge(w.in, "no such id", true, START);
	incidents_free(w.in);
}

/* More than are kept: the one used longest ago speaks again, and that is counted. */
static void test_suppressions_are_bounded(void **state)
{
	enum { ROOM = 4096, MORE = 3 };
	struct step s = {RAISE, 0, 1, H, 1, 1, NULL, ""};
	struct world w;

	(void)state;
	play(NULL, 0, &w, ROOM + MORE + 1);
	for (unsigned i = 0; i < ROOM + MORE; i++) {
		s.group = i + 1;
		raise_at(&w, START + i * SEC, &s);
		incidents_suppress(w.in, w.told.id, 0);
		assert_int_equal(stat_get(&w.stats, STAT_STATE_EVICTED),
				 i < ROOM ? 0 : i + 1 - ROOM);
	}
	incidents_suppress(w.in, w.told.id, 0); /* once more: it is there */
	assert_int_equal(stat_get(&w.stats, STAT_STATE_EVICTED), MORE);
	incidents_free(w.in);
}

/* Budgets of actors that were not accused for long are forgotten, which is no loss. */
static void test_forgotten_budgets_are_counted(void **state)
{
	enum { ROOM = 16384, MORE = 5 };
	struct verdict verdict = sample_verdict(0);
	struct finding finding;
	struct world w;

	(void)state;
	play(NULL, 0, &w, 16);
	sample_finding(&finding);
	for (unsigned i = 0; i < ROOM + MORE; i++) {
		verdict.group_lo = i;
		finding.actor.tenant_id = TENANT_FIRST + i;
		finding.ts_ns = START + i * SEC;
		incidents_raise(w.in, &finding, &verdict, "0123456789abcdef", "shared");
	}
	incidents_tick(w.in, START + ROOM * SEC);
	incidents_tick(w.in, START + ROOM * SEC);
	assert_int_equal(stat_get(&w.stats, STAT_STATE_FORGOTTEN), MORE);
	incidents_free(w.in);
}

static void test_the_soc_acknowledges_and_closes(void **state)
{
	static const struct step steps[] = {
	    {RAISE, 0, 1, H, 1, 1, NULL, "open 1 high strong n=1 b=100 x=100"},
	    {ACK, 5, 0, 0, 0, 0, NULL, "update 2 high strong n=1 b=100 x=0"},
	    {ACK, 6, 0, 0, 0, 0, NULL, ""},
	    {RAISE, 7, 1, H, 1, 1, NULL, ""},
	    {RAISE, 65, 1, H, 1, 1, NULL, "update 3 high strong n=3 b=300 x=200"},
	    {SOC_CLOSE, 70, 0, 0, 0, 0, NULL, "close 4 high strong n=3 b=300 x=0"},
	    {SOC_CLOSE, 71, 0, 0, 0, 0, NULL, ""},
	    /* it goes on: another alert */
	    {RAISE, 72, 1, H, 1, 1, NULL, "open 1 high strong n=1 b=100 x=100"},
	};
	struct world w;
	char first[ALERT_ID_SIZE];

	(void)state;
	PLAY(steps, &w, 4);
	memcpy(first, w.told.id, sizeof first);
	run(&w, &(struct step){FINISH, 80, 0, 0, 0, 0, NULL, "close 2 high strong n=1 b=100 x=0"},
	    1);
	assert_string_equal(first, w.told.id);
	incidents_free(w.in);
}

static void test_status_of_an_acknowledged_alert(void **state)
{
	struct incidents_config config = sample_config();
	struct verdict verdict = sample_verdict(1);
	struct finding finding;
	struct world w;

	(void)state;
	world_open(&w, &config);
	sample_finding(&finding);
	incidents_raise(w.in, &finding, &verdict, "r", "s");
	assert_non_null(strstr(w.told.last_json, "\"status\":\"open\""));
	incidents_acknowledge(w.in, w.told.id, false, finding.ts_ns);
	assert_non_null(strstr(w.told.last_json, "\"status\":\"acknowledged\""));
	incidents_finish(w.in, finding.ts_ns, "bye");
	assert_non_null(strstr(w.told.last_json, "\"status\":\"closed\",\"reason\":\"bye\""));
	incidents_free(w.in);
}

static void test_a_clock_that_jumps_back(void **state)
{
	static const struct step steps[] = {
	    {RAISE, 1000, 1, H, 1, 1, NULL, "open 1 high strong n=1 b=100 x=100"},
	    {RAISE, 10, 1, H, 1, 1, NULL, ""},
	    {TICK, 10, 0, 0, 0, 0, NULL, ""},
	    {TICK, 1060, 0, 0, 0, 0, NULL, "update 2 high strong n=2 b=200 x=100"},
	    {TICK, 1600, 0, 0, 0, 0, NULL, "close 3 high strong n=2 b=200 x=0"},
	};
	struct world w;

	(void)state;
	PLAY(steps, &w, 4);
	assert_non_null(strstr(w.told.last_json, "\"last_seen\":\"2026-01-01T10:04:40.000000Z\""));
	incidents_free(w.in);
}

/* ---- ids ---------------------------------------------------------------------------------- */

static void id_of(const char *sensor, uint64_t group, uint64_t ts_ns, char out[ALERT_ID_SIZE])
{
	struct incidents_config config = sample_config();
	struct step s = {.group = (unsigned)group, .severity = H};
	struct world w;

	config.sensor = sensor;
	world_open(&w, &config);
	raise_at(&w, ts_ns, &s);
	memcpy(out, w.told.id, ALERT_ID_SIZE);
	incidents_free(w.in);
}

static void test_ids_depend_on_rule_group_sensor_and_start(void **state)
{
	char id[5][ALERT_ID_SIZE];

	(void)state;
	id_of("leaf12", 1, START, id[0]);
	id_of("leaf12", 1, START, id[1]);
	id_of("leaf13", 1, START, id[2]);
	id_of("leaf12", 2, START, id[3]);
	id_of("leaf12", 1, START + 1, id[4]);
	assert_string_equal(id[0], id[1]);
	assert_int_equal(strlen(id[0]), 32);
	assert_int_equal(strspn(id[0], "0123456789abcdef"), 32);
	for (unsigned i = 2; i < 5; i++)
		assert_string_not_equal(id[0], id[i]);
	/* Fixed for ever: what a re-run of an old capture gives must be found in old alerts. */
	assert_string_equal(id[0], "9def4324c463f2a30931b08f68652469");
}

static void test_an_episode_reopened_in_the_same_nanosecond_is_another(void **state)
{
	struct incidents_config config = sample_config();
	struct step s = {.group = 1, .severity = H};
	char first[ALERT_ID_SIZE];
	struct world w;

	(void)state;
	config.capacity = 1;
	world_open(&w, &config);
	raise_at(&w, START, &s);
	memcpy(first, w.told.id, sizeof first);
	s.group = 2;
	raise_at(&w, START, &s);
	s.group = 1;
	raise_at(&w, START, &s);
	assert_string_not_equal(first, w.told.id);
	incidents_free(w.in);
}

/* ---- many --------------------------------------------------------------------------------- */

struct digest {
	uint64_t hash;
	uint64_t states[3];
	uint64_t exposed;
};

static void mix(struct digest *d, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		d->hash = (d->hash ^ p[i]) * UINT64_C(1099511628211);
}

static void digest(void *context, const struct alert *alert)
{
	struct digest *d = context;

	mix(d, alert->json, alert->json_len);
	d->states[alert->op]++;
	d->exposed += alert->exposed;
}

static uint32_t lcg(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* A storm of many groups over a small table; everything that can happen does. */
static struct digest storm(uint64_t *raised)
{
	struct incidents_config config = sample_config();
	struct digest d = {.hash = UINT64_C(14695981039346656037)};
	struct stats stats = {0};
	struct incidents *in;
	struct err err = {0};
	struct finding finding;
	uint64_t now = START;
	uint32_t random = 7;

	config.capacity = 50;
	in = incidents_new(&config, digest, &d, &stats, &err);
	assert_non_null(in);
	*raised = 0;
	for (unsigned i = 0; i < 20000; i++) {
		struct verdict verdict = sample_verdict(lcg(&random) % 80);

		sample_finding(&finding);
		now += lcg(&random) % (4 * SEC);
		finding.ts_ns = now;
		finding.confidence = (enum confidence)(lcg(&random) % 3);
		finding.frame[0].number = 2 * i + 1;
		finding.frame[1].number = 2 * i + 2;
		verdict.severity = (enum severity)(lcg(&random) % SEVERITY_MAX);
		*raised += finding.bytes;
		incidents_raise(in, &finding, &verdict, "r", "s");
		incidents_tick(in, now);
		assert_true(incidents_open(in) <= 50);
	}
	incidents_finish(in, now, "end of capture");
	assert_int_equal(incidents_open(in), 0);
	assert_int_equal(d.states[ALERT_OPEN], d.states[ALERT_CLOSE]);
	assert_int_equal(d.states[ALERT_OPEN], stat_get(&stats, STAT_ALERTS_OPENED));
	assert_int_equal(d.states[ALERT_UPDATE], stat_get(&stats, STAT_ALERTS_UPDATED));
	assert_true(stat_get(&stats, STAT_ALERTS_EVICTED) > 100);
	incidents_free(in);
	return d;
}

static void test_two_runs_are_byte_identical_and_nothing_is_lost(void **state)
{
	uint64_t raised;
	struct digest one = storm(&raised);
	struct digest two = storm(&raised);

	(void)state;
	assert_true(one.hash == two.hash);
	assert_int_equal(one.exposed, raised);
}

static void raise_by(struct world *w, uint32_t actor, unsigned group, uint64_t ts_ns)
{
	struct verdict verdict = sample_verdict(group);
	struct finding finding;

	sample_finding(&finding);
	finding.ts_ns = ts_ns;
	finding.actor.tenant_id = actor;
	w->told.len = 0;
	incidents_raise(w->in, &finding, &verdict, "0123456789abcdef", "shared");
}

#define MANY 1000
#define AT_ONCE 256
#define A_SECOND 100

static void test_who_opens_too_many_delays_nobody_else(void **state)
{
	struct incidents_config config = sample_config();
	struct world w;

	(void)state;
	config.capacity = MANY + 10;
	world_open(&w, &config);
	for (unsigned group = 1; group <= MANY; group++)
		raise_by(&w, 5, group, START);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_OPENED), AT_ONCE);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_HELD), MANY - AT_ONCE);
	raise_by(&w, 6, MANY + 1, START + 1);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_OPENED), AT_ONCE + 1);
	/* More of the same is counted, and told in turn. */
	raise_by(&w, 5, MANY, START + 2);
	assert_int_equal(w.told.len, 0);
	w.told.len = 0;
	incidents_tick(w.in, START + SEC);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_OPENED), AT_ONCE + 1 + A_SECOND);
	/* At the end of a capture nothing is left untold. */
	incidents_finish(w.in, START + SEC, "end of capture");
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_OPENED), MANY + 1);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_CLOSED), MANY + 1);
	incidents_free(w.in);
}

static void test_who_opens_too_many_pushes_out_his_own(void **state)
{
	struct incidents_config config = sample_config();
	struct world w;

	(void)state;
	config.capacity = AT_ONCE + 10;
	world_open(&w, &config);
	raise_by(&w, 6, MANY + 1, START);
	for (unsigned group = 1; group <= MANY; group++)
		raise_by(&w, 5, group, START + group);
	assert_true(stat_get(&w.stats, STAT_ALERTS_EVICTED) > 0);
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_CLOSED), 0); /* who was told of stays */
	raise_by(&w, 6, MANY + 1, START + SEC);
	assert_int_equal(w.told.len, 0); /* still the same episode */
	assert_int_equal(stat_get(&w.stats, STAT_ALERTS_OPENED), AT_ONCE + 1);
	incidents_free(w.in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_counts_and_updates_once_a_window),
	    cmocka_unit_test(test_escalations_are_told_at_once),
	    cmocka_unit_test(test_a_weaker_finding_of_another_flow_names_no_application),
	    cmocka_unit_test(test_a_guessed_label_is_none),
	    cmocka_unit_test(test_full_table_closes_the_longest_untouched),
	    cmocka_unit_test(test_suppression_is_counted_and_ends),
	    cmocka_unit_test(test_suppressed_for_good),
	    cmocka_unit_test(test_suppressions_are_bounded),
	    cmocka_unit_test(test_forgotten_budgets_are_counted),
	    cmocka_unit_test(test_the_soc_acknowledges_and_closes),
	    cmocka_unit_test(test_status_of_an_acknowledged_alert),
	    cmocka_unit_test(test_a_clock_that_jumps_back),
	    cmocka_unit_test(test_ids_depend_on_rule_group_sensor_and_start),
	    cmocka_unit_test(test_an_episode_reopened_in_the_same_nanosecond_is_another),
	    cmocka_unit_test(test_who_opens_too_many_delays_nobody_else),
	    cmocka_unit_test(test_who_opens_too_many_pushes_out_his_own),
	    cmocka_unit_test(test_two_runs_are_byte_identical_and_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
