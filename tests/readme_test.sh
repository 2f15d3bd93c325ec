#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares the pages with the sources: the README's program is examples/sample.c and compiles, the
# targets of links exist, and so do the files, functions and recipe keys that pages name; every solver is
# in the theory and every recipe in the gallery.
# Usage: readme_test.sh SOURCE_FOLDER
# shellcheck disable=SC2016 # the patterns hold backquotes, which are those of the pages
set -euo pipefail

cd "$1"
pages=(README.md VERSIONING.md CONTRIBUTING.md docs/*.md)
failures=0

complain() {
    echo "readme: $*" >&2
    failures=$((failures + 1))
}

# ---- The program ----

if ! awk '/^```$/ { inside = 0 } inside { print } /^```c$/ { inside = 1 }' README.md \
    | diff - <(tail -n +2 examples/sample.c); then
    complain "the program in README.md is not examples/sample.c"
fi
${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only examples/sample.c \
    || complain "examples/sample.c does not compile"

# ---- Links and names ----

# Matches of a pattern in a page, without the text around them, each once.
matches() {
    grep -oP "$2" "$1" | sort -u || true
}

for page in "${pages[@]}"; do
    while read -r target; do
        [ -e "$(dirname "$page")/${target%%#*}" ] || complain "$page: the link to $target is dead"
    done < <(matches "$page" '\[[^]]*\]\(\K(?!https?:|#)[^)]+(?=\))')
    while read -r path; do
        case $path in *ROOM* | *NAME*) continue ;; esac # placeholders
        compgen -G "$path" >/dev/null || complain "$page: there is no $path"
    done < <(matches "$page" \
        '`\K(src|include|tests|tool|fuzz|examples|recipes|scripts|cmake|\.ci)/[^` ]*(?=`)')
    while read -r name; do
        grep -rqw "$name" include src || complain "$page: there is no $name"
    done < <(matches "$page" '\b(sumi_[a-z_]*[a-z]|SUMI_(OK|STOPPED|ERROR_[A-Z]+))\b(?!_test)')
    while read -r name; do # functions and members, and values of recipes and options
        case $name in *_proxy) continue ;; esac # of the environment
        grep -rqw "$name" include src tests || complain "$page: there is no $name in the sources"
    done < <(matches "$page" '`\K[a-z0-9]+_[a-z0-9_]+(?=`)')
    while read -r key; do
        grep -rzqP "OPTION\(\s*\"$key\"" --include=*.c src || complain "$page: no recipe key $key"
    done < <(matches "$page" '`\K(data|model|noise|train|sample)\.(?!c`|h`|safetensors`|diffusion_model)[a-z_]+')
done

# ---- Solvers and recipes ----

while read -r name; do
    grep -qF "\`$name\`" docs/theory.md || complain "docs/theory.md does not mention the solver $name"
done < <(grep -hoP '^\s+\.name = "\K[^"]+' src/solvers/*.c)
for recipe in recipes/*.ini; do
    name=$(basename "$recipe" .ini)
    grep -qE "train $name( |\$)" docs/gallery.md || complain "docs/gallery.md does not show $name"
done

[ "$failures" -eq 0 ] || exit 1
echo "The program of README.md compiles; ${#pages[@]} pages agree with the sources."
