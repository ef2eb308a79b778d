#!/usr/bin/env bash
# Makes dist/passerby-VERSION.tar.gz: the wheel, the units, the installer; with --wheels also everything it depends on, for a
# machine without a network (a Raspberry Pi with a 64-bit system: --wheels aarch64 3.13).
#
#   packaging/build.sh                       the wheel is installed with its dependencies from the usual index
#   packaging/build.sh --wheels aarch64 3.13 everything is in the archive, but numpy: that is the distribution's
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
machine='' version=''
if [ "${1:-}" = --wheels ]; then
    machine="${2:?which machine, for instance aarch64}" version="${3:?which Python, for instance 3.13}"
elif [ "$#" -gt 0 ]; then
    sed -n '2,6p' "$0" >&2
    exit 2
fi

stage="$(mktemp -d)"
trap 'rm -rf "$stage"' EXIT
"$python" -m pip wheel -q --no-deps --wheel-dir "$stage/build" .
wheel="$(basename "$stage"/build/passerby-*.whl)"
name="$(echo "$wheel" | cut -d- -f1-2)"
mkdir -p "$stage/$name/wheels" dist
cp "$stage/build/$wheel" "$stage/$name/"
cp -r systemd docs/systemd.md LICENSE packaging/install.sh "$stage/$name/"
# The versions that were tested, without hashes: a constraint, not a demand, for the distribution's numpy stays (and of
# backports-strenum, which newer Pythons do not need, any version will do).
tested() { sed -n 's/^\([a-z0-9._-]*==[^\\]*[^\\ ]\).*/\1/p' "$1" | grep -vE '^(numpy|backports-strenum)=='; }
tested requirements/dev.txt >"$stage/$name/constraints.txt"
if [ -n "$machine" ]; then
    # uv decides for the machine's Python what pip would decide for this one: which of two versions, which package at all.
    "$python" -m uv pip compile -q --python-version "$version" --python-platform "$machine-manylinux_2_28" --no-header --no-annotate --no-emit-index-url \
        -c "$stage/$name/constraints.txt" --extra litert pyproject.toml >"$stage/chosen.txt"
    tested "$stage/chosen.txt" >"$stage/$name/constraints.txt"
    grep -o '^backports-strenum' "$stage/chosen.txt" | cat "$stage/$name/constraints.txt" - >"$stage/wanted.txt"
    "$python" -m pip download -q --dest "$stage/$name/wheels" --only-binary=:all: --no-deps --python-version "$version" \
        --platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
        -r "$stage/wanted.txt"
fi
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner -czf "dist/$name.tar.gz" "$name"
echo "dist/$name.tar.gz"
