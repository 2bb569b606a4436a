#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh FILE... - writes rule files to stdout as a C table, for core.c.
set -eu
export LC_ALL=C

echo '/* Made by sensor/rule/embed.sh from rules/: change those. */'
echo 'static const struct core_rules core_rules_built_in[] = {'
for file in "$@"; do
	printf '{ "%s",\n' "$file"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$/\\n"/' "$file"
	printf ', %s },\n' "$(wc -c <"$file")"
done
echo '};'
