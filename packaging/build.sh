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
grep -E '^[a-z0-9._-]+==' requirements/dev.txt | sed 's/ *\\$//' | grep -vE '^(numpy|backports-strenum)==' >"$stage/$name/constraints.txt"
if [ -n "$machine" ]; then
    "$python" -m pip download -q --dest "$stage/$name/wheels" --only-binary=:all: --python-version "$version" \
        --platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
        -c "$stage/$name/constraints.txt" "$stage/$name/$wheel[litert]"
    rm -f "$stage/$name/wheels/"numpy-*.whl "$stage/$name/wheels/passerby-"*.whl
fi
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner -czf "dist/$name.tar.gz" "$name"
echo "dist/$name.tar.gz"
