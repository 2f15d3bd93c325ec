#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares the sources with the table of docs/architecture.md: a room (folder of src/) may include the
# headers and use the symbols of itself, of the rooms that it depends on, and of those that these depend
# on; and it depends only on rooms further down. The symbols are those of the object files, so that a
# function declared in sumi.h belongs to the room that defines it.
# Usage: layers_test.sh SOURCE_FOLDER OBJECT_FOLDER...
set -euo pipefail

cd "$1"
shift
failures=0
complain() {
    echo "layers: $*" >&2
    failures=$((failures + 1))
}

# ---- The table ----

declare -A reach # of each room: all that it may use, " a b c "
# shellcheck disable=SC2016 # these are Markdown's backquotes
table=$(grep -P '^\| `src/[a-z]+/` \|' docs/architecture.md)
mapfile -t rooms < <(grep -oP '^\| `src/\K[a-z]+' <<<"$table")
[ "${#rooms[@]}" -gt 0 ] || complain "docs/architecture.md has no table of rooms"
[ "$(printf '%s\n' "${rooms[@]}" | sort)" = "$(find src -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)" ] \
    || complain "docs/architecture.md: the table does not name each folder of src/ once"
for ((i = ${#rooms[@]} - 1; i >= 0; i--)); do # from the ground up
    room=${rooms[i]}
    reach[$room]=" $room "
    stands=$(grep -oP "^\| \`src/$room/\`.*\| \K[^|]+(?= \|\$)" <<<"$table")
    for below in ${stands//,/ }; do
        [ -d "src/$below" ] || continue # a library, or words
        [ -n "${reach[$below]:-}" ] || complain "docs/architecture.md: $room stands on $below, which is not below it"
        reach[$room]+="${reach[$below]:-}"
    done
done

# ---- Includes ----

for room in "${rooms[@]}"; do
    while IFS=: read -r file line used; do
        [[ ${reach[$room]} == *" $used "* ]] || complain "$file:$line includes a header of $used, on which $room does not stand"
    done < <(grep -rnoP '^#include "\K[a-z]+(?=/)' "src/$room" || true)
done
while read -r found; do
    complain "$found: the command sees only sumi.h"
done < <(grep -rnP "^#include \"($(IFS='|'; echo "${rooms[*]}"))/" tool || true)

# ---- Symbols ----

symbols=$(mktemp)
trap 'rm -f "$symbols"' EXIT
for folder in "$@"; do
    (
        cd "$folder"
        find "${rooms[@]}" -name '*.o' 2>/dev/null || true
    ) | while read -r object; do # those of sources that are no more may be left from other builds
        if [ -f "src/${object%.o}" ]; then echo "$folder/$object"; fi
    done | xargs -r nm -A -P | sed -E "s#^$folder/([a-z]+)/([^ ]*)\.o: #\1 \2 #"
done | awk '{ print $1, $2, $3, $4 }' >"$symbols" # room, file, symbol, type
checked=0
while read -r room file symbol owner; do
    checked=$((checked + 1))
    [[ ${reach[$room]} == *" $owner "* ]] \
        || complain "src/$room/$file uses $symbol of $owner, on which $room does not stand"
done < <(awk 'NR == FNR { if ($4 ~ /^[TDBRVW]$/) owner[$3] = $1; next }
    $4 == "U" && ($3 in owner) && owner[$3] != $1 { print $1, $2, $3, owner[$3] }' \
    "$symbols" "$symbols")
[ "$checked" -gt 500 ] || complain "only $checked uses of symbols between rooms were found: are these the objects?"

[ "$failures" -eq 0 ] || exit 1
echo "${#rooms[@]} rooms use $checked symbols of each other, all as docs/architecture.md has it."
