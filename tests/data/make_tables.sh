#!/usr/bin/env bash
# Writes tests/data/rods.md, blood.md and xray.md from what the tests print: every row is a quantity, its reference, ours and the
# error. With a name, only that table.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Title, tests that make it in words, first words of its rows, filters of the tests.
table() {
    local name="$1" title="$2" made_by="$3" rows_of="$4"
    shift 4
    local rows
    rows="$(cargo test --release --locked --no-default-features --test core -- "$@" --nocapture --test-threads 1 |
        grep -E "^\| ($rows_of)")"
    {
        echo "# $title: quantity, reference, ours, error"
        echo
        echo "Made by \`tests/data/make_tables.sh\` from the tests $made_by of \`tests/core\`, which assert the limits."
        echo
        echo "| test | quantity | reference | ours | error | limit |"
        echo "|---|---|---|---|---|---|"
        sort -s -t'|' -k2,2V <<<"$rows"
    } > "tests/data/$name.md"
}

only="${1:-}"
if [[ -z "$only" || "$only" == rods ]]; then
    table rods Rods '`rods*` and `shift`' '(B[0-9]+|wall) ' rods shift::
fi
if [[ -z "$only" || "$only" == blood ]]; then
    table blood Blood '`blood`' '(flow|contrast|injector|line|pelvis|patient): ' blood::
fi
if [[ -z "$only" || "$only" == xray ]]; then
    table xray X-ray '`xray`' '(B[0-9]+|path|scatter|noise|wire|contrast|lag|metal|limit|wedge|motion|posture) ' xray::
fi
