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
inside() { chroot "$root" env -i QEMU_CPU=cortex-a76 PATH=/usr/sbin:/usr/bin:/sbin:/bin:/opt/passerby/bin HOME=/srv LANG=C.UTF-8 NUMBA_CACHE_DIR=/var/cache/passerby-vision/numba "$@"; }
# As the unit does: vision gives up every right of root's first, and then may not read its own user's compiled kernels.
as_vision() { inside setpriv --reuid passerby-vision --regid passerby-vision --clear-groups env HOME=/var/cache/passerby-vision "$@"; }
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT

step "install.sh"
inside /bin/bash /srv/passerby/install.sh
step "versions"
inside passerby --version
inside /opt/passerby/bin/python -c 'import platform, numpy, numba; print(platform.machine(), platform.python_version(), "numpy", numpy.__version__, numpy.__file__, "numba", numba.__version__)'
step "passerby doctor"
inside passerby doctor || true  # no camera and no clock chip here, and an emulator has no seccomp: the wall fails, and says so
step "passerby bench"
as_vision passerby bench --frames 10
step "passerby replay of a short clip"
as_vision /opt/passerby/bin/python -c 'import json
from firmware.vision.simulated_source import SimulatedBoxes, parse
boxes = SimulatedBoxes(parse("sim-boxes:?people=12&minutes=1&fps=5"))
with open("/var/cache/passerby-vision/clip.jsonl", "w") as out:
    while (seen := boxes.read()) is not None:
        out.write(json.dumps({"t": round(seen.t_s, 3), "boxes": seen.boxes.tolist(), "scores": seen.scores.tolist()}) + "\n")'
as_vision passerby replay /var/cache/passerby-vision/clip.jsonl --config /srv/prove.toml
step "a minute of passerby run, after a minute in which it starts"
as_vision passerby run --config /srv/prove.toml --json --seconds 120 | tee "$root/srv/run.jsonl"
inside /opt/passerby/bin/python -c 'import json
windows = [json.loads(line) for line in open("/srv/run.jsonl") if line.startswith("{")]
seen_s = sum(each["window"]["audit"]["observed_ms"] for each in windows) / 1000
print(f"{len(windows)} windows, {seen_s:.0f} s seen")
raise SystemExit(seen_s < 55.0)'
step "done"
