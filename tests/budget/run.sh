#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BULKHEAD - the part of the benchmark that no noise disturbs: instructions a packet
# against their budget, and no allocation on the packet path.
exec "$(dirname "$0")/../bench/check.py" "$@"
