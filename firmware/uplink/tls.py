"""TLS as the device speaks it: version 1.3, the site's own authority and no other, dates believed only with a clock.

A board without a clock boots in 1970 and must deliver all the same: while the wall clock says earlier than this build,
it is certainly wrong, and the dates of certificates are not checked. What is delivered is sealed and acknowledged by
signature, and a certificate that is fetched is checked by itself.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from firmware.clock import BUILT_MS
from firmware.errors import UplinkError

BUILT: Final = datetime.fromtimestamp(BUILT_MS / 1000, UTC)  # no clock that says earlier is right
_NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME


def tls_context(folder: Path, *, clock_is_wrong: bool = False) -> ssl.SSLContext:
    """With our client certificate, from a device folder (tls.pem, tls.key, ca.pem).

    Raises:
        UplinkError: a certificate is missing or damaged.
    """
    try:
        context = authority_context((folder / "ca.pem").read_text(encoding="ascii"), clock_is_wrong=clock_is_wrong)
        context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
    except (OSError, ssl.SSLError, ValueError) as error:
        raise UplinkError(
            f"cannot read the certificates in {folder}: {error}", "passerby enrol or passerby-provision device new makes them"
        ) from error
    return context


def authority_context(authority: str, *, clock_is_wrong: bool = False) -> ssl.SSLContext:
    """Without a certificate of our own: for enrolment, and for renewing one that has ended. `authority` is PEM.

    Raises:
        ssl.SSLError: it is no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if clock_is_wrong:
        context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    context.load_verify_locations(cadata=authority)
    return context
