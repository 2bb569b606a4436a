#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BULKHEAD - every file is held to clang's warnings; those of gcc stop the build itself.
top=$(cd "$(dirname "$0")/../.." && pwd)
if make -C "$top" --no-print-directory -s BUILD="$(dirname "$1")" warnings; then
	echo "1 passed, 0 failed"
else
	echo "0 passed, 1 failed"
	exit 1
fi
