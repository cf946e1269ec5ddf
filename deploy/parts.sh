#!/bin/sh
# See that the Debian packages in parts.txt are installed. As root, install what
# is missing; otherwise print the line to run, and fail.
set -eu

here=$(dirname "$0")
wanted=$(sed 's/#.*//' "$here/parts.txt")

missing=""
for part in $wanted; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$part" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $part"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "The tests need what these Debian packages hold:$missing" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "The tests need Debian packages. Run, then try again:" >&2
    echo "    sudo apt-get update && sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "Installing$missing"
apt-get update -qq
# $missing is a list of names: it is meant to be split.
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
