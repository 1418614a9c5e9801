#!/usr/bin/env bash
# Writes tests/data/rods.md from what the tests print: every row is a quantity, its reference, ours and the error.
set -euo pipefail
cd "$(dirname "$0")/../.."
rows="$(cargo test --release --locked --no-default-features --test core -- rods shift:: --nocapture --test-threads 1 | grep -E '^\| (B[0-9]+|wall) ')"
{
    echo "# Rods: quantity, reference, ours, error"
    echo
    echo "Made by \`tests/data/make_tables.sh\` from the tests \`rods*\` and \`shift\` of \`tests/core\`, which assert the limits."
    echo
    echo "| test | quantity | reference | ours | error | limit |"
    echo "|---|---|---|---|---|---|"
    sort -s -t'|' -k2,2V <<<"$rows"
} > tests/data/rods.md
