#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh BULKHEAD - delivery under faults, with the driver that was built beside the binary.
exec "$(dirname "$0")/redis_faults.py" "$(dirname "$1")/tests/scenario/delivery_driver"
