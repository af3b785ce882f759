#!/bin/bash
# Builds the compiled modules with AddressSanitizer and UndefinedBehaviorSanitizer in a copy of the
# tree, and runs tests on them there: `tools/sanitize.sh [PYTEST ARGUMENTS]`.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=build/sanitize
root=$PWD

mkdir -p "$copy"
# Only what differs, with the time of now: a file that was edited while an earlier build ran is
# older than what that build made of it, and would never be compiled.
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    if [[ -f $file ]] && ! cmp -s "$file" "$copy/$file"; then
        install -D -m "$(stat -c %a "$file")" "$file" "$copy/$file"
    fi
done
cd "$copy"
# The last -O counts; frame pointers make the reports readable.
export CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"
export LDFLAGS="-fsanitize=address,undefined"
"$root/.venv/bin/python" setup.py --quiet build_ext --inplace

# The interpreter itself is not instrumented and leaves memory to the end of the process; its own
# allocator would hide overruns.
export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
# Into files: pytest would swallow a report together with the process that it is about.
report=$PWD/report
rm -f "$report".*
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:log_path=$report"
export UBSAN_OPTIONS="print_stacktrace=1:log_path=$report"
trap 'cat "$report".* 2>/dev/null || true' EXIT
export PYTHONMALLOC=malloc PYTHONPATH=$PWD
"$root/.venv/bin/python" -c 'import nameserver._answer as m; print("sanitized:", m.__file__)'
"$root/.venv/bin/python" -m pytest -p no:cacheprovider -o timeout=600 "$@"
"$root/.venv/bin/python" -m tests.fuzz --packets "${FUZZ_PACKETS:-1000000}" --frames "${FUZZ_FRAMES:-200000}"
