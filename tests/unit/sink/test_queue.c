/* SPDX-License-Identifier: Apache-2.0 */
/* test_queue.c - who gives way when the disk is slow. */
#include "unit/sink/support.h"

#include <pthread.h>

static bool put(struct queue *q, uint64_t n, enum alert_op op)
{
	struct alert alert;

	make_alert(&alert, n, op);
	return queue_put(q, &alert);
}

static void test_keeps_order_and_wraps(void **state)
{
	struct queue *q = queue_new(8, false, 0);
	uint64_t in = 0, out = 0;

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct stored *first;
		uint32_t n;

		for (int i = 0; i < 5; i++)
			assert_true(put(q, ++in, ALERT_OPEN));
		while (queue_used(q) > 0) {
			n = queue_take(q, &first);
			for (uint32_t i = 0; i < n; i++) {
				assert_int_equal(strtoul(first[i].alert.message, NULL, 10), ++out);
				assert_ptr_equal(first[i].alert.json, first[i].json);
			}
			queue_release(q, n);
		}
	}
	assert_int_equal(in, out);
	queue_free(q);
}

static void test_updates_give_way_first(void **state)
{
	struct queue *q = queue_new(8, false, NS_PER_MS);

	(void)state;
	for (uint64_t n = 1; n <= 6; n++)
		assert_true(put(q, n, ALERT_UPDATE));
	assert_false(put(q, 7, ALERT_UPDATE));
	assert_true(put(q, 8, ALERT_OPEN));
	assert_true(put(q, 9, ALERT_CLOSE));
	assert_false(put(q, 10, ALERT_OPEN)); /* full, and nobody takes: bounded wait */
	queue_free(q);
}

/* Once one has waited in vain the next do not. */
static void test_waits_in_vain_only_once(void **state)
{
	struct queue *q = queue_new(1, false, 50 * NS_PER_MS);
	uint64_t start;
	struct stored *first;

	(void)state;
	assert_true(put(q, 1, ALERT_OPEN));
	assert_false(put(q, 2, ALERT_OPEN));
	start = clock_monotonic();
	for (uint64_t n = 3; n < 100; n++)
		assert_false(put(q, n, ALERT_OPEN));
	assert_true(clock_monotonic() - start < 50 * NS_PER_MS);
	queue_release(q, queue_take(q, &first));
	assert_true(put(q, 100, ALERT_OPEN));
	queue_free(q);
}

static void *take_all(void *arg)
{
	struct queue *q = arg;
	struct stored *first;
	uint64_t sum = 0;
	uint32_t n;

	while ((n = queue_take(q, &first)) > 0) {
		for (uint32_t i = 0; i < n; i++)
			sum += strtoul(first[i].alert.message, NULL, 10);
		queue_release(q, n);
	}
	return (void *)(uintptr_t)sum;
}

static void test_lossless_across_threads(void **state)
{
	struct queue *q = queue_new(4, true, 30 * NS_PER_SEC);
	pthread_t thread;
	void *sum;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, take_all, q), 0);
	for (uint64_t n = 1; n <= 5000; n++)
		assert_true(put(q, n, ALERT_UPDATE));
	queue_close(q);
	assert_int_equal(pthread_join(thread, &sum), 0);
	assert_int_equal((uintptr_t)sum, 5000 * 5001 / 2);
	queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keeps_order_and_wraps),
	    cmocka_unit_test(test_updates_give_way_first),
	    cmocka_unit_test(test_waits_in_vain_only_once),
	    cmocka_unit_test(test_lossless_across_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
