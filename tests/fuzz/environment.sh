# SPDX-License-Identifier: Apache-2.0
# environment.sh - how a fuzz target has to be started; read by the scripts of this folder.

# quarantine: enough for a use after free, too little to swap.  setarch -R: clang's sanitizers of
# this age do not start on kernels with more random address bits.
fuzz_run() {
	(
		shm=/dev/shm
		[ -w $shm ] || shm=/tmp
		TMPDIR=$(mktemp -d $shm/bulkhead.XXXXXX) || exit 1
		trap 'rm -rf "$TMPDIR"' EXIT
		trap 'exit 130' INT TERM HUP
		export TMPDIR
		ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16:allocator_may_return_null=1 \
			UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 setarch -R "$@"
	)
}
