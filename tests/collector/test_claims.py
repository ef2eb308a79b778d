"""Claims, T27: used, expired, of another site, two at once; on both engines, and over real TLS to a real process."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import threading
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from collector.claims import Verdict, claim_states, take_claims, use_claim
from collector.database import Database, open_database
from collector.enrolment import revoke
from firmware.errors import DataError, StorageError, UplinkError
from firmware.uplink.delivery import Delivery
from firmware.uplink.enroller import Renewal, enrol
from firmware.uplink.enrolment import Claim, read_claim, read_enrol, write_enrol
from firmware.uplink.envelope import device_id
from firmware.uplink.exchange import read_answer, write_request
from firmware.uplink.keys import load_device_keys
from firmware.uplink.segment import Spooled
from firmware.uplink.sender import Sender
from firmware.uplink.tls import authority_context, tls_context
from provisioning.certificates import make_device
from provisioning.claim import new_claim
from provisioning.site import init_site, load_authority, load_card
from tests.collector.test_app import envelopes

NOW = datetime.now(UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAY_MS = 86_400_000


def claim_in(site: Path, name: str, hours: float = 72, enrol_url: str = "https://127.0.0.1:1", now: datetime = NOW) -> Claim:
    made = new_claim(site, name, site.parent / f"{name}.claim", enrol_url, (now, hours))
    return read_claim(made.file.read_text())


def asked(claim: Claim, identity: Ed25519PrivateKey | None = None) -> bytes:
    return write_enrol(claim, identity or Ed25519PrivateKey.generate(), generate_private_key(SECP256R1()))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    init_site(tmp_path / "site", "Shop", 1, ["127.0.0.1"], None, NOW)
    return tmp_path / "site"


def use(database: Database, body: bytes, now_ms: int = NOW_MS) -> Verdict:
    return use_claim(database, read_enrol(body), now_ms).verdict


def test_a_claim_makes_one_device_once(site: Path, database: Database) -> None:
    """T27: the first identity is enrolled; another with the same claim is refused and counted; the first may ask again."""
    claim, first = claim_in(site, "door"), Ed25519PrivateKey.generate()
    assert take_claims(database, site / "claims", NOW_MS) == 1
    assert take_claims(database, site / "claims", NOW_MS) == 0
    assert use(database, asked(claim, first)) is Verdict.TAKEN
    assert use(database, asked(claim)) is Verdict.USED
    assert use(database, asked(claim, first)) is Verdict.TAKEN
    device = device_id(first.public_key())
    rows = database.rows("SELECT device, name FROM device")
    assert [(bytes(row[0]), row[1]) for row in rows] == [(device, "door")]
    (state,) = claim_states(database, NOW_MS)
    assert (state.state, state.refused, state.device) == ("used", 1, device)


def test_a_claim_that_has_expired_enrols_nobody(site: Path, database: Database) -> None:
    """T27: 72 hours and a second later it is worth nothing, and so it stays in a collector that first hears of it then."""
    claim = claim_in(site, "door")
    take_claims(database, site / "claims", NOW_MS)
    assert use(database, asked(claim), NOW_MS + 3 * DAY_MS + 1000) is Verdict.EXPIRED
    assert database.rows("SELECT count(*) FROM device") == [(0,)]
    claim_in(site, "late", hours=1)
    assert take_claims(database, site / "claims", NOW_MS + DAY_MS) == 0
    assert use(database, asked(claim), NOW_MS + DAY_MS) is Verdict.TAKEN


def test_a_claim_of_another_site_is_unknown(site: Path, tmp_path: Path, database: Database) -> None:
    """T27: also when a thief writes our site's id into the request: the digest is over both."""
    init_site(tmp_path / "other", "Other", 1, ["127.0.0.1"], None, NOW)
    foreign = claim_in(tmp_path / "other", "door")
    claim_in(site, "ours")
    take_claims(database, site / "claims", NOW_MS)
    assert use(database, asked(foreign)) is Verdict.UNKNOWN
    ours = load_card(site / "site.toml")
    dressed = Claim(foreign.secret, ours.name, foreign.enrol, ours.suite, ours.recipient, ours.receipt, foreign.authority)
    assert use(database, asked(dressed)) is Verdict.UNKNOWN
    assert database.rows("SELECT count(*) FROM device") == [(0,)]


def test_of_many_at_once_one_wins(site: Path, url: str) -> None:
    """T27: eight connections, eight identities, one claim, ten times: exactly one device each time."""
    open_database(url).close()
    for round_number in range(10):
        claim = claim_in(site, f"door-{round_number}")
        database = open_database(url)
        take_claims(database, site / "claims", NOW_MS)
        database.close()
        barrier = threading.Barrier(8)

        def run(_: int, claim: Claim = claim, barrier: threading.Barrier = barrier) -> Verdict:
            mine, body = open_database(url), asked(claim)
            try:
                barrier.wait(30)
                return use(mine, body)
            finally:
                mine.close()

        with ThreadPoolExecutor(8) as pool:
            verdicts = list(pool.map(run, range(8)))
        assert sorted(verdict.value for verdict in verdicts) == ["taken"] + ["used"] * 7
    database = open_database(url)
    assert database.rows("SELECT count(*) FROM device") == [(10,)]
    database.close()


def test_a_revoked_identity_does_not_come_back_with_a_new_claim(site: Path, database: Database) -> None:
    """T27, T29: and the claim is not spent on it."""
    thief = Ed25519PrivateKey.generate()
    old, new = claim_in(site, "old"), claim_in(site, "new")
    take_claims(database, site / "claims", NOW_MS)
    assert use(database, asked(old, thief)) is Verdict.TAKEN
    assert revoke(database, device_id(thief.public_key()))
    assert use(database, asked(new, thief)) is Verdict.REVOKED
    assert use(database, asked(new)) is Verdict.TAKEN


def test_a_damaged_record_is_said(site: Path, database: Database) -> None:
    """With its file's name."""
    (site / "claims").mkdir()
    (site / "claims" / "x.toml").write_text('digest = "00"\nname = "x"\n')
    with pytest.raises(DataError, match=r"x\.toml is no claim record"):
        take_claims(database, site / "claims", NOW_MS)


@dataclass
class Letters:
    """An outbox in a list."""

    left: list[Spooled]

    def newest(self, bytes_max: int, skip: Container[tuple[bytes, int]]) -> Sequence[Spooled]:
        return self.left[::-1]

    def oldest(self, bytes_max: int, skip: Container[tuple[bytes, int]]) -> Sequence[Spooled]:
        return []

    def acknowledge(self, stream: bytes, through: int | None, sparse: tuple[int, ...]) -> None:
        self.left = [each for each in self.left if through is None or each.seq > through]


@dataclass
class Enrolling:
    """A site and its collector's process."""

    site: Path
    uplink: int
    enrol: int

    def claim(self, name: str, hours: float = 72, now: datetime = NOW) -> Path:
        path = self.site.parent / f"{name}.claim"
        new_claim(self.site, name, path, f"https://127.0.0.1:{self.enrol}", (now, hours))
        database = open_database(str(self.site / "collector.db"))
        take_claims(database, self.site / "claims", NOW_MS)
        database.close()
        return path

    def post(self, path: str, body: bytes, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
        trusted = context or authority_context((self.site / "ca.pem").read_text())

        async def posting() -> tuple[int, bytes]:
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"https://127.0.0.1:{self.enrol}{path}", data=body, ssl=trusted) as response,
            ):
                return response.status, await response.read()

        return asyncio.run(posting())


@pytest.fixture(scope="module")
def enrolling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enrolling]:
    folder = tmp_path_factory.mktemp("enrolling")
    init_site(folder / "site", "Shop", 1, ["127.0.0.1"], None, NOW)
    command = [sys.executable, "-m", "collector", "serve", "--site", str(folder / "site"), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ports = [int(process.stdout.readline().rpartition(":")[2]) for _ in range(2)]
        yield Enrolling(folder / "site", *ports)
        process.terminate()
        assert process.wait(30) == 0


def test_a_device_enrols_over_tls_and_delivers(enrolling: Enrolling, tmp_path: Path) -> None:
    """From the claim file to a signed acknowledgement: keys made by the device, the claim overwritten, the count in the books."""
    path = enrolling.claim("door")
    secret = read_claim(path.read_text()).secret.hex()
    done = asyncio.run(enrol(path, tmp_path / "keys", NOW))
    assert (done.name, done.site, path.exists()) == ("door", "Shop", False)
    assert timedelta(days=29) < done.ends - NOW < timedelta(days=31)
    assert all(secret not in file.read_text() for file in (tmp_path / "keys").iterdir())
    assert (tmp_path / "keys" / "identity.key").stat().st_mode & 0o777 == 0o600
    keys = load_device_keys(tmp_path / "keys")
    assert keys.enrol_url == f"https://127.0.0.1:{enrolling.enrol}"
    body = write_request(envelopes(keys, 2))

    async def deliver() -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"https://127.0.0.1:{enrolling.uplink}/v1/uplink", data=body, ssl=tls_context(keys.folder)) as response,
        ):
            return await response.read()

    assert read_answer(asyncio.run(deliver()), keys.receipt, body, keys.device).acknowledged[0].through == 1


def test_a_used_and_an_expired_claim_are_said_in_words(enrolling: Enrolling, tmp_path: Path) -> None:
    """T27 over TLS: 409 and 410, each one clear line; the files of the refused device hold no certificate."""
    path = enrolling.claim("till")
    copy = path.read_text()
    asyncio.run(enrol(path, tmp_path / "first", NOW))
    path.write_text(copy)
    with pytest.raises(UplinkError, match="used by another device"):
        asyncio.run(enrol(path, tmp_path / "second", NOW))
    assert not (tmp_path / "second" / "tls.pem").exists()
    assert path.exists()
    ended = enrolling.claim("ended", hours=2 / 3600)  # from when this file was read
    threading.Event().wait(max(0.0, (NOW + timedelta(seconds=2.1) - datetime.now(UTC)).total_seconds()))
    with pytest.raises(UplinkError, match="expired"):
        asyncio.run(enrol(ended, tmp_path / "third", NOW))
    with pytest.raises(StorageError, match="enrolled device"):
        asyncio.run(enrol(path, tmp_path / "first", NOW))


def test_a_claim_of_another_site_fails_at_the_certificate(enrolling: Enrolling, tmp_path: Path) -> None:
    """T27: the device trusts the authority in its claim alone, so nothing of it is even sent to a stranger."""
    init_site(tmp_path / "other", "Other", 1, ["127.0.0.1"], None, NOW)
    made = new_claim(tmp_path / "other", "door", tmp_path / "door.claim", f"https://127.0.0.1:{enrolling.enrol}", (NOW, 72))
    with pytest.raises(UplinkError, match="not the site's collector"):
        asyncio.run(enrol(made.file, tmp_path / "keys", NOW))
    claim = read_claim(made.file.read_text())
    assert enrolling.post("/v1/enrol", asked(claim))[0] == 403


def test_two_processes_with_one_claim_get_one_certificate(enrolling: Enrolling, tmp_path: Path) -> None:
    """T27: the same claim on two cards, at the same moment, over TLS."""
    path = enrolling.claim("twin")
    copies = [tmp_path / f"{index}.claim" for index in range(4)]
    for copy in copies:
        copy.write_text(path.read_text())

    async def together() -> list[object]:
        return await asyncio.gather(*(enrol(copy, tmp_path / f"keys-{copy.stem}", NOW) for copy in copies), return_exceptions=True)

    said = asyncio.run(together())
    assert sum(not isinstance(each, Exception) for each in said) == 1
    assert sum("used by another" in str(each) for each in said) == 3
    assert sum(copy.exists() for copy in copies) == 3


def test_what_is_no_request_is_refused(enrolling: Enrolling) -> None:
    """T21, T26: noise, a turned bit anywhere, too much, another path, another verb."""
    claim = read_claim(enrolling.claim("noise").read_text())
    body = asked(claim)
    for at in range(0, len(body), 37):
        turned = bytearray(body)
        turned[at] ^= 1
        assert enrolling.post("/v1/enrol", bytes(turned))[0] == 400
    assert enrolling.post("/v1/enrol", b"\xdd\xff\xff\xff\xff" * 50)[0] == 400
    assert enrolling.post("/v1/enrol", bytes(5000))[0] == 413
    assert enrolling.post("/v1/uplink", body)[0] == 404
    assert enrolling.post("/v1/renew", body)[0] == 400


def test_a_certificate_that_ended_long_ago_is_renewed(enrolling: Enrolling, tmp_path: Path) -> None:
    """F21, T29: after 60 days offline mutual TLS is refused; the identity gets a new certificate, a revoked one gets none."""
    asyncio.run(enrol(enrolling.claim("offline"), tmp_path / "keys", NOW))
    keys = load_device_keys(tmp_path / "keys")
    renewal = Renewal(keys.folder, keys.identity, keys.enrol_url)
    assert not renewal.due(0.0, NOW + timedelta(days=5), 0.0)
    assert renewal.due(0.0, NOW + timedelta(days=12), 0.0)
    assert renewal.due(0.0, NOW + timedelta(days=60), 0.0)
    assert renewal.due(0.0, datetime.fromtimestamp(0, UTC), 1000.0)
    assert not renewal.due(0.0, datetime.fromtimestamp(0, UTC), 10.0)
    before = x509.load_pem_x509_certificate((keys.folder / "tls.pem").read_bytes())
    asyncio.run(renewal.renew(0.0, NOW))
    after = x509.load_pem_x509_certificate((keys.folder / "tls.pem").read_bytes())
    assert after.serial_number != before.serial_number
    assert after.public_key() == before.public_key()
    assert not renewal.due(100.0, NOW + timedelta(days=60), 0.0)  # asked within the hour
    tls_context(keys.folder)
    database = open_database(str(enrolling.site / "collector.db"))
    assert revoke(database, keys.device)
    database.close()
    with pytest.raises(UplinkError, match="does not know"):
        asyncio.run(renewal.renew(0.0, NOW))


def test_somebody_else_cannot_renew_for_a_device(enrolling: Enrolling, tmp_path: Path) -> None:
    """T22: a renewal in another's name is not signed by that identity."""
    asyncio.run(enrol(enrolling.claim("victim"), tmp_path / "keys", NOW))
    keys = load_device_keys(tmp_path / "keys")
    thief = Renewal(keys.folder, Ed25519PrivateKey.generate(), keys.enrol_url)
    with pytest.raises(UplinkError, match="does not know"):
        asyncio.run(thief.renew(0.0, NOW))


def test_a_sender_whose_certificate_ended_renews_it_and_delivers(enrolling: Enrolling, tmp_path: Path) -> None:
    """F21, end to end: certificate 60 days old, TLS refuses it; the sender renews by itself and the envelopes arrive."""
    asyncio.run(enrol(enrolling.claim("sleeper"), tmp_path / "keys", NOW))
    keys = load_device_keys(tmp_path / "keys")
    authority, authority_key = load_authority(enrolling.site, None)
    tls_key = load_pem_private_key((keys.folder / "tls.key").read_bytes(), None)
    old = make_device(authority, authority_key, tls_key.public_key(), keys.device.hex(), NOW - timedelta(days=60))  # type: ignore[arg-type]
    (keys.folder / "tls.pem").write_bytes(old.public_bytes(Encoding.PEM))

    async def story() -> tuple[str, Letters]:
        delivery, outbox = (
            Delivery(lambda: 0.0),
            Letters([Spooled("batches", b"stream-1", seq, e) for seq, e in enumerate(envelopes(keys, 3))]),
        )
        url, renewal = f"https://127.0.0.1:{enrolling.uplink}", Renewal(keys.folder, keys.identity, keys.enrol_url)
        sender = Sender(url, keys.folder, keys.device, keys.receipt, lambda: datetime.now(UTC), renewal)
        request = delivery.compose(0.0, outbox)
        assert request is not None
        await sender.exchange(delivery, outbox, request, lambda: 0.0)
        refused, left = sender.last_error, len(outbox.left)
        assert (bool(refused), left) == (True, 3)
        await sender.keep_certificate(lambda: 1.0)
        await sender.exchange(delivery, outbox, request, lambda: 1.0)
        await sender.close()
        assert sender.renewals == 1
        return sender.last_error, outbox

    error, outbox = asyncio.run(story())
    assert (error, outbox.left) == ("", [])
