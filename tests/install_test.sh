#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs into a temporary folder, builds the programs of tests/install with it in another folder, with
# pkg-config and with CMake, in C and in C++, and runs them. The programs of examples/ are built in the
# same way, and the one that needs no model is run.
# Usage: install_test.sh SOURCE_FOLDER BUILD_FOLDER VERSION
set -euo pipefail

source=$1 build=$2 version=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "install: $*" >&2
    exit 1
}

# Both a staging folder, as packagers use it, and a prefix.
DESTDIR=$work/stage cmake --install "$build" --prefix /opt/sumi >"$work/install.log" \
    || fail "cmake --install failed: $(cat "$work/install.log")"
DESTDIR=$work/stage cmake --install "$build" --prefix /opt/sumi --component static \
    >>"$work/install.log" || fail "installing the static library failed: $(cat "$work/install.log")"
mv "$work/stage/opt/sumi" "$work/moved" # what is installed may be moved
prefix=$work/moved

for header in sumi.h sumi_graph.h; do
    [ -f "$prefix/include/$header" ] || fail "the header $header is missing"
done
[ -f "$prefix/share/bash-completion/completions/sumi" ] || fail "bash's completion is missing"
page=$(find "$prefix" -name sumi.1)
[ -n "$page" ] || fail "the man page is missing"
if command -v man >/dev/null; then
    warnings=$(man --warnings -l "$page" 2>&1 >/dev/null || true)
    [ -z "$warnings" ] || fail "the man page has faults: $warnings"
fi
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name sumi.pc)")
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion sumi)" = "$version" ] || fail "pkg-config names another version"

# The library exports what the header declares, and nothing else. (A name with a dot is the
# compiler's, such as the lock of a critical section.)
declared=$(grep -ohE '\bsumi_[a-z_0-9]+\(' "$prefix"/include/sumi*.h | tr -d '(' | sort -u)
exported=$(nm -D --defined-only "$(find "$prefix" -name libsumi.so)" \
    | awk '$3 !~ /[.]/ { print $3 }' | sort -u)
differing=$(diff <(echo "$declared") <(echo "$exported") | grep '^[<>]' || true)
[ -z "$differing" ] || fail "header (<) and library (>) differ: $differing"

# Another minor version has another name, since its binary interface may differ.
soname=$(readelf -d "$(find "$prefix" -name libsumi.so)" | grep -oP 'SONAME.*\[\K[^]]+')
[ "$soname" = "libsumi.so.${version%.*}" ] || fail "the shared library calls itself $soname"

# The static library adds no other names to a program.
archive=$(find "$prefix" -name libsumi.a)
[ -n "$archive" ] || fail "the static library is missing"
others=$(nm --defined-only --extern-only "$archive" | awk 'NF == 3 { print $3 }' | grep -v '^sumi_' \
    || true)
[ -z "$others" ] || fail "the static library also defines $others"

if [ -x "$prefix/bin/sumi" ]; then
    "$prefix/bin/sumi" --version | grep -qF "$version" || fail "the command names another version"
fi
LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name libsumi.so)")
export LD_LIBRARY_PATH

mkdir "$work/else"
cp "$source"/tests/install/* "$work/else"
cd "$work/else"
# shellcheck disable=SC2046 # the flags are several words
{
    ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags sumi) \
        example.c -o by_pkgconfig_c $(pkg-config --libs sumi)
    ${CXX:-c++} -std=c++11 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags sumi) \
        example.cpp -o by_pkgconfig_cpp $(pkg-config --libs sumi)
}
for example in "$source"/examples/*.c; do
    # shellcheck disable=SC2046
    ${CC:-cc} -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Werror $(pkg-config --cflags sumi) \
        "$example" -o "$(basename "$example" .c)" $(pkg-config --libs sumi) -lm
done
./own_denoiser || fail "the example with a denoiser of its own failed"
./memory >memory.png || fail "the example with a model in memory failed"
head -c 4 memory.png | grep -q PNG || fail "the example with a model in memory wrote no PNG"
./by_pkgconfig_c "$version" || fail "the C program failed"
./by_pkgconfig_cpp "$version" | grep -qF "a graph of two nodes" \
    || fail "the C++ program failed"

if ! cmake -S . -B by_cmake -DCMAKE_PREFIX_PATH="$prefix" >"$work/cmake.log" 2>&1 \
    || ! cmake --build by_cmake >>"$work/cmake.log" 2>&1; then
    fail "building with CMake failed: $(cat "$work/cmake.log")"
fi
by_cmake/example_c "$version" || fail "the C program of CMake failed"
by_cmake/example_cpp "$version" || fail "the C++ program of CMake failed"
by_cmake/example_static "$version" || fail "the program of CMake with the static library failed"

# The same with pkg-config, without a shared library that could be linked instead.
find "$prefix" -name 'libsumi.so*' -delete
unset LD_LIBRARY_PATH
# shellcheck disable=SC2046
${CC:-cc} -std=c11 $(pkg-config --cflags sumi) example.c -o static_c \
    $(pkg-config --static --libs sumi)
./static_c "$version" || fail "the C program with the static library failed"
if ldd static_c | grep -q libsumi; then fail "the static library was not taken"; fi
