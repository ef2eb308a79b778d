#!/usr/bin/env bash
# Installs Passerby on Raspberry Pi OS or Debian (64 bit): a virtual environment at /opt/passerby with the distribution's own
# numpy and picamera2, accounts, folders, units; and compiles the kernels, so that the first picture is counted at once.
# Run it again to upgrade: configuration, keys and spool stay; kernels are compiled anew.
#
#   sudo ./install.sh
#
# PREFIX=/elsewhere puts the program elsewhere (for a trial; the units expect /opt/passerby).
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
prefix="${PREFIX:-/opt/passerby}"
say() { echo "passerby: $*" >&2; }
fail() { say "$*"; exit 1; }

[ "$(id -u)" = 0 ] || fail "run this as root: sudo $0"
case "$(uname -m)" in aarch64 | x86_64) ;; *) fail "$(uname -m) is not supported: install the 64-bit system" ;; esac
python=/usr/bin/python3  # the distribution's: picamera2 and libcamera exist for no other
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed: Bookworm, Trixie"

# What the distribution provides. picamera2 exists on Raspberry Pi OS only; elsewhere a USB or network camera is used.
export DEBIAN_FRONTEND=noninteractive
wanted=()
"$python" -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv)
"$python" -c 'import numpy' 2>/dev/null || wanted+=(python3-numpy)
if apt-cache show python3-picamera2 >/dev/null 2>&1; then wanted+=(python3-picamera2); fi
if [ "${#wanted[@]}" -gt 0 ]; then
    apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null || fail "apt-get could not install ${wanted[*]}: apt-get update, and try again"
fi
numpy="$("$python" -c 'import numpy; print(numpy.__file__)')"

say "installing into $prefix"
"$python" -m venv --system-site-packages "$prefix"
from=(-c "$here/constraints.txt")
if compgen -G "$here/wheels/*.whl" >/dev/null; then from+=(--no-index --find-links "$here/wheels"); fi
"$prefix/bin/python" -m pip install -q --disable-pip-version-check --upgrade --upgrade-strategy only-if-needed "${from[@]}" "$(echo "$here"/passerby-*.whl)[litert]"
"$prefix/bin/python" -m pip install -q --disable-pip-version-check --no-deps --force-reinstall --no-index "$here"/passerby-*.whl
[ "$("$prefix/bin/python" -c 'import numpy; print(numpy.__file__)')" = "$numpy" ] || fail "pip put another numpy over the distribution's: picamera2 would break"

say "accounts, folders, units"
install -d /etc/sysusers.d /etc/tmpfiles.d /etc/systemd/system /usr/share/doc/passerby
install -m 644 "$here/systemd/passerby.sysusers" /etc/sysusers.d/passerby.conf
install -m 644 "$here/systemd/passerby.tmpfiles" /etc/tmpfiles.d/passerby.conf
install -m 644 "$here/systemd/"*.service "$here/systemd/"*.socket /etc/systemd/system/
install -m 644 "$here/systemd.md" "$here/LICENSE" /usr/share/doc/passerby/
systemd-sysusers passerby.conf
systemd-tmpfiles --create passerby.conf

say "compiling for this processor (a minute or two on a Raspberry Pi)"
cache=/var/cache/passerby-vision
install -d -o passerby-vision -g passerby-vision -m 700 "$cache"
rm -rf "$cache/numba"
setpriv --reuid passerby-vision --regid passerby-vision --clear-groups env HOME="$cache" NUMBA_CACHE_DIR="$cache/numba" "$prefix/bin/passerby" warm

if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable -q passerby-wall.socket passerby-daemon.service passerby-vision@0.service
    systemctl try-restart passerby-daemon.service 'passerby-vision@*.service'
fi
say "done. Next: a configuration at /etc/passerby/passerby.toml (passerby check), keys (passerby enrol), then:"
say "systemctl start passerby-wall.socket passerby-daemon passerby-vision@0; passerby prove --config /etc/passerby/passerby.toml"
