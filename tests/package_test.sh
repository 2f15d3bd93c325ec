#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs each Debian package in a bare root of its own and uses it there: the library alone loads,
# the headers build a program, the command trains and samples. Skips, with exit code 77, where no
# root can be made. Part of scripts/release, since it takes minutes.
# Usage: package_test.sh FOLDER_OF_PACKAGES [SUITE]
set -euo pipefail

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
[ "$(id -u)" -eq 0 ] || skip "a root of its own needs root's rights"
command -v debootstrap >/dev/null || skip "there is no debootstrap"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bare=${PACKAGE_ROOT:-$work/bare.tar} # a tar of a bare root, if there is one already
if [ ! -e "$bare" ]; then
    debootstrap --variant=minbase "$suite" "$work/bare" http://deb.debian.org/debian \
        >"$work/log" 2>&1 || skip "debootstrap failed: $(tail -n 1 "$work/log")"
    tar -C "$work/bare" -cf "$bare" .
fi

# in_root NAME COMMAND: runs a shell's command in a root of that name.
in_root() {
    # shellcheck disable=SC2016 # the inner shell expands them
    unshare --mount --pid --fork --propagation private bash -c '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
            OMP_WAIT_POLICY=passive DEBIAN_FRONTEND=noninteractive sh -ec "$2"' - "$work/$1" "$2"
}

# A fresh root with some of the packages in it, and what apt finds that they need.
install_in() {
    local name=$1 file files=()
    shift
    mkdir "$work/$name"
    tar -C "$work/$name" -xf "$bare"
    cp -L /etc/resolv.conf "$work/$name/etc/resolv.conf"
    mkdir "$work/$name/packages"
    for file in "$@"; do
        cp "$packages/${file}_"*.deb "$work/$name/packages"
        files+=("/packages/${file}_*.deb")
    done
    in_root "$name" "apt-get update -qq && apt-get install -y -qq --no-install-recommends ${files[*]}" \
        >"$work/log" 2>&1 || fail "$name: cannot be installed: $(tail -n 5 "$work/log")"
}

install_in library libsumi0.1
in_root library 'ldd /usr/lib/*/libsumi.so.0.1' | grep -q 'not found' && fail "a library is missing"

install_in command libsumi0.1 sumi
in_root command 'sumi --version && sumi train points --quiet --set train.steps=5 --out /run/points \
    && sumi sample /run/points -n 4 -o /run/four.npy && test -s /run/four.npy' \
    || fail "the command does not work"

install_in headers libsumi0.1 libsumi-dev
cp "$(dirname "$0")"/install/example.c "$work/headers/root"
# shellcheck disable=SC2016 # the shell in the root expands them
in_root headers 'apt-get install -y -qq --no-install-recommends gcc libc6-dev pkg-config >/dev/null
    cd /root && cc example.c -o example $(pkg-config --cflags --libs sumi)
    ./example $(pkg-config --modversion sumi)' || fail "the headers do not build a program"
echo "package: each package works in a bare $suite"
