/* SPDX-License-Identifier: Apache-2.0 */
/* test_finding.c - the list detectors write to, and the names of its scales. */
#include "unit/rule/rule_test.h"

static void list_is_bounded_and_counts(void **state)
{
	static struct findings list;
	struct finding *last = NULL;

	(void)state;
	memset(&list, 0xff, sizeof list);
	list.count = 0;
	list.dropped = 0;
	for (int i = 0; i < FINDINGS_MAX; i++) {
		last = findings_add(&list);
		assert_non_null(last);
		assert_int_equal(last->count, 1);
		assert_int_equal(last->segment, SEGMENT_NONE);
		assert_null(last->kind);
		assert_false(last->actor.has_mac);
	}
	assert_ptr_equal(last, &list.finding[FINDINGS_MAX - 1]);
	assert_null(findings_add(&list));
	assert_null(findings_add(&list));
	assert_int_equal(list.dropped, 2);
	assert_int_equal(list.count, FINDINGS_MAX);
}

static void details_are_cut_and_bounded(void **state)
{
	struct finding f = {0};
	char big[300];

	(void)state;
	memset(big, 'x', sizeof big);
	finding_detail(&f, "big", big, sizeof big);
	assert_int_equal(strlen(f.detail[0].text), DETAIL_TEXT_SIZE - 1);
	finding_detail(&f, "none", NULL, 0);
	assert_string_equal(f.detail[1].text, "");
	finding_detail(&f, "nul", "good\0evil", 9);
	assert_int_equal(strlen(f.detail[2].text), 9);
	assert_string_not_equal(f.detail[2].text, "good");
	finding_detail_text(&f, "text", "10.0.0.1");
	assert_string_equal(f.detail[3].text, "10.0.0.1");
	finding_detail_uint(&f, "most", UINT64_MAX);
	assert_string_equal(f.detail[4].text, "18446744073709551615");
	for (int i = 5; i < 20; i++)
		finding_detail_text(&f, "more", "x");
	assert_int_equal(f.detail_count, FINDING_DETAILS);
}

static void names_go_both_ways(void **state)
{
	(void)state;
	for (int s = SEVERITY_INFORMATIONAL; s < SEVERITY_MAX; s++)
		assert_int_equal(severity_parse(severity_name((enum severity)s)), s);
	for (int c = CONFIDENCE_INDICATOR; c <= CONFIDENCE_PROOF; c++)
		assert_int_equal(confidence_parse(confidence_name((enum confidence)c)), c);
	for (int a = ATTRIBUTION_CLAIMED; a <= ATTRIBUTION_ATTESTED; a++)
		assert_int_equal(attribution_parse(attribution_name((enum attribution)a)), a);
	assert_string_equal(severity_name(SEVERITY_CRITICAL), "critical");
	assert_string_equal(confidence_name(CONFIDENCE_INDICATOR), "indicator");
	assert_string_equal(attribution_name(ATTRIBUTION_ATTESTED), "attested");
	assert_int_equal(severity_parse("Critical"), -1);
	assert_int_equal(severity_parse(""), -1);
	assert_int_equal(confidence_parse("proofs"), -1);
	assert_int_equal(attribution_parse("unknown"), -1);
	assert_string_equal(severity_name(SEVERITY_MAX), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(list_is_bounded_and_counts),
	    cmocka_unit_test(details_are_cut_and_bounded),
	    cmocka_unit_test(names_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
