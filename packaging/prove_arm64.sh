#!/usr/bin/env bash
# Proves the installer on the system of a Raspberry Pi without one: an arm64 Debian Trixie under emulation, from nothing.
# Installs the archive, then doctor, warm kernels, bench, the replay of a short clip, and a minute of run. Needs root, mmdebstrap, arch-test and
# qemu-user-static (with its binfmt entry); takes a quarter of an hour of one core, for every instruction is emulated.
#
#   packaging/build.sh --wheels aarch64 3.13
#   packaging/prove_arm64.sh dist/passerby-0.1.0.tar.gz [MIRROR]
set -euo pipefail
archive="$(realpath "${1:?the archive that packaging/build.sh made}")"
mirror="${2:-}"
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "run this as root" >&2; exit 1; }
for tool in mmdebstrap arch-test qemu-aarch64-static; do command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install mmdebstrap arch-test qemu-user-static" >&2; exit 1; }; done
root="${ROOT:-$(mktemp -d)}"
began="$(date +%s)"
step() { echo "== $(( $(date +%s) - began )) s: $*"; }

step "an arm64 Trixie in $root"
[ -x "$root/usr/bin/python3" ] || mmdebstrap --arch=arm64 --variant=apt --include=python3,python3-venv,python3-numpy,systemd,util-linux trixie "$root" ${mirror:+"$mirror"}
install -d "$root/srv/passerby"
tar -C "$root/srv/passerby" --strip-components=1 -xzf "$archive"
cat >"$root/srv/prove.toml" <<'TOML'
site = "emulated"
window_s = 5
[[camera]]
name = "shop"
source = "sim:?people=60&minutes=2&size=320x240"
fps_max = 2.0
[[camera.line]]
name = "entrance"
start = [0.1, 0.6]
end = [0.9, 0.6]
[status]
enabled = false
TOML
# A Raspberry Pi 5's core: LLVM then compiles for what a device has. With all that an emulator can pretend to have it takes hours.
inside=(chroot "$root" env -i QEMU_CPU=cortex-a76 PATH=/usr/sbin:/usr/bin:/sbin:/bin:/opt/passerby/bin HOME=/srv LANG=C.UTF-8 NUMBA_CACHE_DIR=/var/cache/passerby-vision/numba)
# As the unit does: vision gives up every right of root's first, and then may not read its own user's compiled kernels.
as_vision=("${inside[@]}" setpriv --reuid passerby-vision --regid passerby-vision --clear-groups env HOME=/var/cache/passerby-vision)
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT

step "install.sh"
"${inside[@]}" /bin/bash /srv/passerby/install.sh
step "versions"
"${inside[@]}" passerby --version
"${inside[@]}" /opt/passerby/bin/python -c 'import platform, numpy, numba; print(platform.machine(), platform.python_version(), "numpy", numpy.__version__, numpy.__file__, "numba", numba.__version__)'
step "passerby doctor"
"${inside[@]}" passerby doctor || true  # no camera and no clock chip here, and an emulator has no seccomp: the wall fails, and says so
step "passerby bench"
"${as_vision[@]}" passerby bench --frames 10
step "passerby replay of a short clip"
"${as_vision[@]}" /opt/passerby/bin/python -c 'import json
from firmware.vision.simulated_source import SimulatedBoxes, parse
boxes = SimulatedBoxes(parse("sim-boxes:?people=12&minutes=1&fps=5"))
with open("/var/cache/passerby-vision/clip.jsonl", "w") as out:
    while (seen := boxes.read()) is not None:
        out.write(json.dumps({"t": round(seen.t_s, 3), "boxes": seen.boxes.tolist(), "scores": seen.scores.tolist()}) + "\n")'
"${as_vision[@]}" passerby replay /var/cache/passerby-vision/clip.jsonl --config /srv/prove.toml
step "a minute of passerby run, once it sees"
"${as_vision[@]}" passerby run --config /srv/prove.toml --json --seconds 900 >"$root/srv/run.jsonl" &
running=$!
seen_s() { awk 'match($0, /"observed_ms": [0-9]+/) { ms += substr($0, RSTART + 15, RLENGTH - 15) } END { print int(ms / 1000) }' "$root/srv/run.jsonl"; }
while kill -0 "$running" 2>/dev/null && [ "$(seen_s)" -lt 60 ]; do sleep 5; done
kill -TERM "$running" || true
wait "$running"
echo "$(wc -l <"$root/srv/run.jsonl") windows, $(seen_s) s seen"
[ "$(seen_s)" -ge 60 ]
step "done"
