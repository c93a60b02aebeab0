#!/bin/sh
# Links with cc and GNU ld, which tells every file that it opens. Writes their names to $LINK_TRACE, and fails when a
# libcrypto or libssl is among them that lies outside the folder $LINK_ALLOWED.
set -eu
said=$(cc "$@" -fuse-ld=bfd -Wl,--verbose)
printf '%s\n' "$said" | sed -n 's/^attempt to open \(.*\) succeeded$/\1/p' > "$LINK_TRACE"
if grep -E '(^|/)lib(crypto|ssl)[.-][^/]*$' "$LINK_TRACE" | grep -v -F "$LINK_ALLOWED/"; then
    echo "an OpenSSL was opened" >&2
    exit 1
fi
