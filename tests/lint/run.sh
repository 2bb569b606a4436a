#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh - the lint's own test; run.py is the lint.
exec "$(dirname "$0")/selftest.py"
