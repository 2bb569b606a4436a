/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.c - the rules built into the binary, from rules/ by way of embed.sh, so that the sensor
 * judges from any folder.
 */
#include "ruleset.h"

#include "core_rules.h"

const struct core_rules *core_rules(unsigned *count)
{
	*count = sizeof core_rules_built_in / sizeof core_rules_built_in[0];
	return core_rules_built_in;
}
