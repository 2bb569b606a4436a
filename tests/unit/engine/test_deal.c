/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_deal.c - frames dealt out to workers: each to its own, once, whole and in order, and all
 * workers know what time it is, however many they are and however slow.
 *
 * What is expected is what one reader sees that reads the same captures by itself.
 */
#include "unit/capture/bytes.h"

#include <time.h>

#include "deal.h"
#include "reading.h"
#include "worker.h"

#define MAX_FRAMES 50000
#define MAX_WORKERS 4
#define FILES 3
#define LARGEST ((uint32_t)256 << 10)
#define START_S 1700000000u

struct seen {
	uint64_t number, ts_ns, now_ns;
	uint32_t caplen, mixed;
	unsigned owner;
	bool empty; /* tells the time only */
};

struct taker {
	struct worker worker;
	struct deal *deal;
	struct seen *seen; /* up to twice MAX_FRAMES */
	unsigned count;
	long nap_ns; /* before frames are looked at */
	pthread_t thread;
};

struct table {
	struct shared shared;
	struct reading reading;
	struct deal *deal;
	const char *file[FILES];
};

static struct bytes b;
static struct seen expected[MAX_FRAMES];
static unsigned expected_count;
static uint64_t expected_jumps;
static struct taker takers[MAX_WORKERS];

/* ---- captures -------------------------------------------------------------------------------- */

static void begin_file(void)
{
	bytes_begin(&b, false);
	put(&b, 0xa1b2c3d4, 4);
	put(&b, 2, 2);
	put(&b, 4, 2);
	put(&b, 0, 8);
	put(&b, 65535, 4);
	put(&b, LINK_ETHERNET, 4);
}

static void put_record(uint64_t us, uint32_t caplen)
{
	put(&b, us / 1000000, 4);
	put(&b, us % 1000000, 4);
	put(&b, caplen, 4);
	put(&b, caplen < 60 ? 60 : caplen, 4);
}

/* IPv4 between two of so many hosts; the rest of the frame is noise. */
static void put_packet(uint64_t us, uint32_t caplen, uint64_t *seed, unsigned hosts)
{
	uint32_t noise = next_random(seed);
	size_t at;

	put_record(us, caplen);
	at = b.len;
	put_fill(&b, 0, caplen);
	for (uint32_t i = 0; i < caplen; i++)
		b.at[at + i] = (uint8_t)(noise + i * 7);
	if (caplen < 64)
		return;
	memcpy(b.at + at + 12, "\x08\x00\x45\x00\x00\x1c", 6);
	memcpy(b.at + at + 26, "\x0a\x00\x00", 3);
	b.at[at + 29] = (uint8_t)(next_random(seed) % hosts);
	memcpy(b.at + at + 30, "\x0a\x00\x01", 3);
	b.at[at + 33] = (uint8_t)(next_random(seed) % hosts);
}

static uint32_t any_size(uint64_t *seed)
{
	switch (next_random(seed) % 200) {
	case 0:
		return LARGEST - next_random(seed) % 100;
	case 1:
		return next_random(seed) % LARGEST;
	case 2:
		return 0;
	default:
		return 40 + next_random(seed) % 1500;
	}
}

/* Sizes of all kinds; time stands still, runs, jumps, and is wrong at times. */
static void any_frames(unsigned frames, uint64_t seed)
{
	uint64_t us = START_S * UINT64_C(1000000);

	begin_file();
	for (unsigned n = 0; n < frames; n++) {
		uint32_t dice = next_random(&seed) % 100;

		us += dice < 3 ? 1500000 : dice < 50 ? 0 : 3000;
		put_packet(dice == 99 ? us - 5000000 : us, any_size(&seed), &seed, 40);
	}
}

/* ---- the table ------------------------------------------------------------------------------- */

static void set_table(struct table *t, unsigned workers)
{
	struct err err = {0};

	t->shared = (struct shared){.workers = workers};
	hash_key_init(&t->shared.key, 3);
	t->reading = (struct reading){.source = &capture_savefile, .files = t->file};
	while (t->reading.file_count < FILES && t->file[t->reading.file_count] != NULL)
		t->reading.file_count++;
	assert_int_equal(reading_open(&t->reading, &err), 0);
	assert_int_equal(deal_new(&t->deal, &t->shared, &t->reading, &err), 0);
}

static void clear_table(struct table *t)
{
	deal_free(t->deal);
	reading_close(&t->reading);
}

static void note(struct seen *s, const struct frame *frame, uint64_t now_ns)
{
	*s = (struct seen){.number = frame->number,
			   .ts_ns = frame->ts_ns,
			   .now_ns = now_ns,
			   .caplen = frame->caplen,
			   .empty = frame->data == NULL};
	for (uint32_t i = 0; i < frame->caplen; i++)
		s->mixed = s->mixed * 31 + frame->data[i];
}

/* Alone, by the same captures. */
static void expect(struct table *t, unsigned workers)
{
	static struct packet_stack stack;
	struct packet_time time = {0};
	struct frame_batch batch;

	set_table(t, workers);
	expected_count = 0;
	expected_jumps = 0;
	while (reading_next(&t->reading, &batch))
		for (unsigned i = 0; i < batch.count; i++) {
			struct seen *s = &expected[expected_count++];

			assert_true(expected_count < MAX_FRAMES);
			expected_jumps += packet_time_advance(&time, batch.frame[i].ts_ns);
			note(s, &batch.frame[i], time.now_ns);
			s->owner = spread_owner(&t->shared, &batch.frame[i], &stack);
		}
	clear_table(t);
}

static void *take(void *context)
{
	struct taker *k = context;
	struct timespec nap = {.tv_nsec = k->nap_ns};
	struct portion p;

	while (deal_next(k->deal, &k->worker, &p)) {
		if (k->nap_ns != 0)
			(void)nanosleep(&nap, NULL);
		for (unsigned i = 0; i < p.count; i++)
			note(&k->seen[k->count++], &p.frame[i], p.now_ns[i]);
	}
	return NULL;
}

static void sit_down(struct table *t, unsigned index, long nap_ns)
{
	struct taker *k = &takers[index];

	k->worker.shared = &t->shared;
	k->worker.index = index;
	k->worker.stats = (struct stats){0};
	k->deal = t->deal;
	k->count = 0;
	k->nap_ns = nap_ns;
	if (k->seen == NULL)
		k->seen = calloc(2 * MAX_FRAMES, sizeof *k->seen);
	assert_non_null(k->seen);
	assert_int_equal(pthread_create(&k->thread, NULL, take, k), 0);
}

static void compare_frames(unsigned workers)
{
	unsigned at[MAX_WORKERS] = {0};
	uint64_t jumps = 0;

	for (unsigned n = 0; n < expected_count; n++) {
		const struct seen *e = &expected[n], *s;
		struct taker *k = &takers[e->owner];

		while (at[e->owner] < k->count && k->seen[at[e->owner]].empty)
			at[e->owner]++;
		assert_true(at[e->owner] < k->count);
		s = &k->seen[at[e->owner]++];
		assert_int_equal(s->number, e->number);
		assert_true(s->ts_ns == e->ts_ns && s->now_ns == e->now_ns);
		assert_true(s->caplen == e->caplen && s->mixed == e->mixed);
	}
	for (unsigned i = 0; i < workers; i++) {
		for (; at[i] < takers[i].count; at[i]++)
			assert_true(takers[i].seen[at[i]].empty);
		jumps += stat_get(&takers[i].worker.stats, STAT_CLOCK_BACK);
	}
	assert_int_equal(jumps, expected_jumps);
}

/* Each second begins for all of them with the same frame, and so does the end come. */
static void compare_time(const struct taker *k)
{
	uint64_t second = 0;
	unsigned at = 0;

	for (unsigned n = 0; n < expected_count; n++) {
		const struct seen *e = &expected[n];

		if (e->now_ns / NS_PER_SEC == second)
			continue;
		second = e->now_ns / NS_PER_SEC;
		while (at < k->count && k->seen[at].number < e->number)
			at++;
		assert_true(at < k->count);
		assert_int_equal(k->seen[at].number, e->number);
		assert_true(k->seen[at].now_ns == e->now_ns);
	}
	for (at = 1; at < k->count; at++)
		assert_true(k->seen[at - 1].number <= k->seen[at].number);
	assert_true(k->count > 0);
	assert_int_equal(k->seen[at - 1].number, expected[expected_count - 1].number);
	assert_true(k->seen[at - 1].now_ns == expected[expected_count - 1].now_ns);
}

/* slow: how long the first worker sleeps over each portion. */
static void play(struct table *t, unsigned workers, long slow_ns)
{
	expect(t, workers);
	set_table(t, workers);
	for (unsigned i = 0; i < workers; i++)
		sit_down(t, i, i == 0 ? slow_ns : 0);
	for (unsigned i = 0; i < workers; i++)
		assert_int_equal(pthread_join(takers[i].thread, NULL), 0);
	compare_frames(workers);
	for (unsigned i = 0; i < workers; i++)
		compare_time(&takers[i]);
	clear_table(t);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void to_each_his_own(void **state)
{
	char name[NAME_SIZE];
	struct table t = {.file = {name}};
	int fd;

	(void)state;
	any_frames(8000, 1);
	fd = as_file(b.at, b.len, name);
	for (unsigned workers = 1; workers <= MAX_WORKERS; workers++) {
		play(&t, workers, 0);
		assert_int_equal(expected_count, 8000);
		assert_int_equal(t.reading.err.code, 0);
		assert_true(expected_jumps > 10);
	}
	assert_int_equal(close(fd), 0);
}

/* Others wait for him; what he holds is not written over. */
static void a_slow_worker(void **state)
{
	char name[NAME_SIZE];
	struct table t = {.file = {name}};
	int fd;

	(void)state;
	any_frames(8000, 2);
	fd = as_file(b.at, b.len, name);
	play(&t, 3, 3 * (long)NS_PER_MS);
	assert_int_equal(close(fd), 0);
}

/* More records than a hand can hold of one window, all of them the first worker's. */
static void one_has_all(void **state)
{
	char name[NAME_SIZE];
	struct table t = {.file = {name}};
	int fd;

	(void)state;
	begin_file();
	for (unsigned n = 0; n < 40000; n++)
		put_record(n * UINT64_C(300000), 0);
	fd = as_file(b.at, b.len, name);
	play(&t, 2, 0);
	assert_int_equal(expected_count, 40000);
	assert_int_equal(close(fd), 0);
}

/* What is wrong with one capture ends that one alone, and is told once. */
static void several_captures(void **state)
{
	char cut[NAME_SIZE], whole[NAME_SIZE];
	struct table t = {.file = {cut, whole, NULL}};
	int fd[2];

	(void)state;
	any_frames(900, 3);
	fd[0] = as_file(b.at, b.len - 1, cut);
	any_frames(700, 4);
	fd[1] = as_file(b.at, b.len, whole);
	play(&t, 2, 0);
	assert_int_equal(expected_count, 899 + 700);
	assert_int_equal(expected[expected_count - 1].number, expected_count);
	assert_int_equal(t.reading.err.code, ERR_DATA);
	assert_non_null(strstr(t.reading.err.text, cut));
	assert_non_null(strstr(t.reading.err.text, "after frame 899: the file is truncated"));
	t.file[1] = "/nonexistent/x.pcap";
	t.file[2] = whole;
	play(&t, 4, 0);
	assert_int_equal(expected_count, 899 + 700);
	assert_int_equal(t.reading.err.code, ERR_NOINPUT);
	assert_non_null(strstr(t.reading.err.text, "/nonexistent/x.pcap"));
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(close(fd[i]), 0);
}

static void nothing_in_it(void **state)
{
	char name[NAME_SIZE];
	struct table t = {.file = {name}};
	int fd;

	(void)state;
	begin_file();
	fd = as_file(b.at, b.len, name);
	set_table(&t, 2);
	for (unsigned i = 0; i < 2; i++)
		sit_down(&t, i, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(takers[i].thread, NULL), 0);
		assert_int_equal(takers[i].count, 0);
	}
	clear_table(&t);
	assert_int_equal(close(fd), 0);
}

/* What a pipe has just now is dealt without waiting for more, and the wait for more can be
 * stopped. */
static void a_pipe_that_pauses(void **state)
{
	char name[NAME_SIZE];
	struct table t = {.file = {name}};
	struct portion p;
	int ends[2];

	(void)state;
	any_frames(3, 5);
	assert_int_equal(pipe(ends), 0);
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
	assert_int_equal(write(ends[1], b.at, b.len - 1), (ssize_t)b.len - 1);
	set_table(&t, 2);
	for (unsigned i = 0; i < 2; i++) {
		takers[i].worker.shared = &t.shared;
		takers[i].worker.index = i;
		assert_true(deal_next(t.deal, &takers[i].worker, &p));
		assert_int_equal(p.frame[p.count - 1].number, 2);
	}
	sit_down(&t, 0, 0);
	sit_down(&t, 1, 0);
	(void)nanosleep(&(struct timespec){.tv_nsec = 20 * (long)NS_PER_MS}, NULL);
	atomic_store(&t.shared.stop, true);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(takers[i].thread, NULL), 0);
		assert_int_equal(takers[i].count, 0);
	}
	clear_table(&t);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(to_each_his_own), cmocka_unit_test(a_slow_worker),
	    cmocka_unit_test(one_has_all),     cmocka_unit_test(several_captures),
	    cmocka_unit_test(nothing_in_it),   cmocka_unit_test(a_pipe_that_pauses),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (unsigned i = 0; i < MAX_WORKERS; i++)
		free(takers[i].seen);
	free(b.at);
	return failed;
}
