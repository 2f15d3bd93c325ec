#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs each Debian package in a separate bare root and uses it there: the library alone loads, the
# headers build a program, with the shared and with the static library, the command trains and samples.
# Skips with exit code 77 if no root can be created. It takes minutes, and is a part of
# scripts/release.
# Usage: package_test.sh FOLDER_OF_PACKAGES [SUITE]
#   PACKAGE_ROOT   archive of a bare root (scripts/make-root), kept for the next time
set -euo pipefail

here=$(dirname "$(realpath "$0")")
packages=$(realpath "$1")
suite=${2:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
skip() {
    echo "package: skipped: $*"
    exit 77
}
fail() {
    echo "package: $*" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bare=${PACKAGE_ROOT:-$work/bare.tar}

# in_root NAME COMMAND: runs a shell's command in a root of that name.
in_root() {
    "$here/../scripts/in-root" "$work/$1" OMP_WAIT_POLICY=passive sh -ec "$2"
}

# A new root with some of the packages and their dependencies from apt.
install_in() {
    local name=$1 package files=()
    shift
    "$here/../scripts/make-root" "$suite" "$bare" "$work/$name" 2>"$work/log" \
        || skip "$(tail -n 1 "$work/log")"
    mkdir "$work/$name/packages"
    for package in "$@"; do
        cp "$packages/${package}_"*.deb "$work/$name/packages"
        files+=("/packages/${package}_*.deb")
    done
    in_root "$name" "apt-get update -qq && apt-get install -y -qq --no-install-recommends ${files[*]}" \
        >"$work/log" 2>&1 || fail "$name: cannot be installed: $(tail -n 5 "$work/log")"
}

library=$(basename "$(find "$packages" -name 'libsumi[0-9]*_*.deb' ! -name '*-dbgsym_*')")
library=${library%%_*}
[ -n "$library" ] || fail "$packages has no package of the library"

install_in library "$library"
in_root library "ldd /usr/lib/*/libsumi.so.${library#libsumi}" >"$work/log" || fail "no library"
if grep 'not found' "$work/log"; then fail "the library's package lacks what it needs"; fi
rm -rf "$work/library"

install_in command "$library" sumi
in_root command 'sumi --version && sumi train points --quiet --set train.steps=5 --out /run/points \
    && sumi sample /run/points -n 4 -o /run/four.npy && test -s /run/four.npy' \
    || fail "the command does not work"
rm -rf "$work/command"

install_in headers "$library" libsumi-dev
cp "$here/install/example.c" "$work/headers/root"
# shellcheck disable=SC2016 # the shell in the root expands them
in_root headers 'apt-get install -y -qq --no-install-recommends gcc libc6-dev pkg-config >/dev/null
    cd /root && cc example.c -o example $(pkg-config --cflags --libs sumi)
    ./example $(pkg-config --modversion sumi)' || fail "the headers do not build a program"
suggested=$(in_root headers "dpkg-query -W -f='\${Suggests}' libsumi-dev" | tr -d ',')
# shellcheck disable=SC2016 # the shell in the root expands them
in_root headers "apt-get install -y -qq --no-install-recommends $suggested >/dev/null"'
    rm /usr/lib/*/libsumi.so
    cd /root && cc example.c -o example $(pkg-config --cflags sumi) \
        $(pkg-config --static --libs sumi)
    ./example $(pkg-config --modversion sumi)' || fail "the static library does not build a program"
echo "package: each package works in a bare $suite"
