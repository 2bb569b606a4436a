/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_faults.c - inventory and settings when memory is short or a file cannot be opened: refused
 * as a whole, with a reason, whichever call it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bulkhead/clock.h"
#include "bulkhead/options.h"
#include "bulkhead/tenant.h"
#include "unit/faults.h"

#define NOW (UINT64_C(1767225600) * NS_PER_SEC)

static int load(const char *path, struct inventory **inv, struct problems *problems,
		struct err *err)
{
	*problems = (struct problems){0};
	*err = (struct err){0};
	return inventory_load(&path, 1, NOW, inv, problems, err);
}

static void inventories(void **state)
{
	/* Between them they have something of everything. */
	static const char *const paths[] = {"dist/inventory.yaml", "pcaps/inventory.yaml",
					    "pcaps/trick.yaml", "pcaps/lookalike.yaml"};
	struct problems problems;
	struct inventory *inv;
	struct err err;
	int code;

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		unsigned failed = 0;

		FAULTS_EACH(code = load(paths[i], &inv, &problems, &err), hit)
		{
			failed += hit;
			if ((code == 0) == hit || (inv == NULL) != hit)
				fail_msg("%s: %s: code %d: %s", paths[i], fault_name(), code,
					 err.text);
			assert_true(!hit || err.text[0] != '\0');
			inventory_unref(inv);
			problems_fini(&problems);
		}
		assert_true(failed > 30);
	}
}

static int settings(struct options *options, struct problems *problems, struct err *err)
{
	*problems = (struct problems){0};
	*err = (struct err){0};
	return options_load(options, "dist/bulkhead.yaml", problems, err);
}

static void all_settings(void **state)
{
	struct problems problems;
	struct options options;
	struct err err;
	unsigned failed = 0;
	int code;

	(void)state;
	FAULTS_EACH(code = settings(&options, &problems, &err), hit)
	{
		failed += hit;
		if ((code == 0) == hit)
			fail_msg("%s: code %d: %s", fault_name(), code, err.text);
		assert_true(!hit || err.text[0] != '\0');
		options_free(&options);
		problems_fini(&problems);
	}
	assert_true(failed > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(inventories),
	    cmocka_unit_test(all_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
