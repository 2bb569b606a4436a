#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# install-packages.sh LIST... - installs what is missing of dist/packages-LIST.txt.
#
# Says nothing and needs no rights when all is there.  Uses sudo when not root.
set -eu

dist=$(cd "$(dirname "$0")" && pwd)
missing=
for list in "$@"; do
	while read -r package rest; do
		case $package in '' | '#'*) continue ;; esac
		state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || :)
		[ "$state" = "install ok installed" ] || missing="$missing $package"
	done <"$dist/packages-$list.txt"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || {
	echo "install-packages: no apt-get here; install what corresponds to:$missing" >&2
	exit 1
}
as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "install-packages: need root (or sudo) to install:$missing" >&2
		exit 1
	}
	as_root=sudo
fi
echo "install-packages: installing$missing" >&2
# $missing is a list of words, meant to be split.
# shellcheck disable=SC2086
{
	$as_root apt-get -q update >&2
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
		$missing >&2
}
