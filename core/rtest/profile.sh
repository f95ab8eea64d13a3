#!/usr/bin/env bash
# core/rtest/profile.sh [SECONDS]: what the server's CPU time is spent on, as the table of docs/profile.md.
#
# It builds rtcd and rtest, starts rtcd in a folder of its own, and samples it by perf under each load. A sample in the kernel
# counts for its system call; one outside for the function that it lies in, with what the compiler put into that function.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-5}
works=("message 64 16" "message 1000 1" "chat 100 1")

cargo build --quiet --release -p rtcd -p rtest
bin=$PWD/target/release
folder=$(mktemp -d) && cd "$folder"
export RTCD_RTC_LISTEN=127.0.0.1:28080 RTCD_API_LISTEN=127.0.0.1:22539
"$bin/rtcd" > rtcd.log 2>&1 & server=$!
trap 'kill $server; rm -r "$folder"' EXIT
until grep -qs 'is up' rtcd.log; do kill -0 $server; done

for work in "${works[@]}"; do
    read -r name connections in_flight <<< "$work"
    "$bin/rtest" load --url ws://$RTCD_RTC_LISTEN/rtc --work "$name" --connections "$connections" --in-flight "$in_flight" \
        --spread --warmup 2 --seconds "$seconds" --pid $server --json load.json > load.log & load=$!
    until grep -qs warm-up load.log; do kill -0 $load; done
    perf record --quiet --freq 1999 -g --pid $server --output perf.data -- sleep "$seconds" 2>/dev/null
    wait $load || { cat load.log; exit 1; }
    cost=$(grep -o '"cpu_us_per_unit": *[0-9.]*' load.json | grep -o '[0-9.]*$')
    perf script --input perf.data --fields ip,sym 2>/dev/null | awk -v RS= -v cost="$cost" -v work="$name $connections × $in_flight" '
        function kind(stack, leaf) {
            if (stack ~ /x64_sys_(sendto|sendmsg|write|writev)/) return "kernel: send"
            if (stack ~ /x64_sys_(recvfrom|recvmsg|read|readv)/) return "kernel: receive"
            if (stack ~ /x64_sys_epoll/) return "kernel: epoll"
            if (stack ~ /x64_sys_futex/) return "kernel: futex, the wake-up of a thread"
            if (leaf ~ /^ffff/) return "kernel: other"
            if (leaf ~ /mem(cpy|move|set|cmp)/) return "copying, clearing and comparing memory"
            if (leaf ~ /malloc|calloc|realloc|free|_int_|unlink_chunk|alloc_perturb|_rjem_/) return "allocator"
            if (leaf ~ /tungstenite|actor::(socket|websocket|io)|from_utf8|utf8/) return "WebSocket"
            if (leaf ~ /jsip::message::encode/) return "jsip: encode"
            if (leaf ~ /jsip::message|serde_json|core::str/) return "jsip: decode, URIs"
            if (leaf ~ /jsip::|foldhash/) return "jsip: stack"
            if (leaf ~ /bytes::|bytestring::/) return "counted byte buffers"
            if (leaf ~ /rtcd_|slp_|futures_|hashbrown|slab::|papaya/) return "dispatch and tasks"
            if (leaf ~ /tokio|mio::|std::|clock_gettime|__vdso/) return "tokio, clock"
            return "other"
        }
        { split($0, frames, "\n"); leaf = frames[1]; sub(/^[ \t]+/, "", leaf); count[kind($0, leaf)]++; all++ }
        END {
            printf "%s\t%s\t%.2f µs\t100 %%\n", work, "**together**", cost
            for (k in count) printf "%s\t%s\t%.2f µs\t%.0f %%\n", work, k, cost * count[k] / all, 100 * count[k] / all
        }'
done | awk -F'\t' '
    function row(first, each,   i, line) { for (i = 1; i <= n; i++) line = line " " each[first, works[i]] " |"; return "| " first " |" line }
    !($1 in name) { works[++n] = $1; name["spent on", $1] = $1; name["---", $1] = "---"; name[$1] }
    { share[$2, $1] = $3 ", " $4; rows[$2] }
    END { print row("spent on", name) "\n" row("---", name); fflush(); for (k in rows) print row(k, share) | "sort" }'
