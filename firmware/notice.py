"""What the entrance notice and the facts sheet say: composed from the device's own configuration, in the words of a language.

Rules: every sentence is about what this configuration does, level, cameras, receiver and all; nothing legal is promised.
A camera without a purpose has no notice. Languages are plain files in `notice_texts`, all with the same keys. Left to
others: paper (`firmware.notice_pdf`), files and the date (`firmware.commands.notice`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Final
from urllib.parse import urlsplit

import msgspec

from firmware.config import CameraConfig, Config, LineConfig, ZoneConfig
from firmware.errors import ConfigError, DataError

Words = Mapping[str, str]
ENGLISH: Final = "en"
FOLDER: Final = "notice_texts"
EVENT_DAYS: Final = 30  # the collector's default; a test holds the two together
PURPOSES_MAX: Final = 3  # of the first layer: what can be read while walking past


class Who(msgspec.Struct, frozen=True):
    """What the configuration does not know: who answers for it, and for how long the receiver keeps single events."""

    controller: str = ""
    contact: str = ""
    event_days: int = EVENT_DAYS


class Origin(msgspec.Struct, frozen=True):
    """Which configuration, and when: `digest` is the start of the file's SHA-256."""

    digest: str
    date: str


class Section(msgspec.Struct, frozen=True):
    """A heading and what stands below it."""

    heading: str
    items: tuple[str, ...]


class Notice(msgspec.Struct, frozen=True):
    """Two layers: what is read in passing, and what is read by who wants to know."""

    title: str
    first: tuple[str, ...]
    labelled: tuple[tuple[str, str], ...]
    more: str
    second_title: str
    sections: tuple[Section, ...]
    made: str


class FactSheet(msgspec.Struct, frozen=True):
    """Facts for who writes an impact assessment."""

    title: str
    sections: tuple[Section, ...]
    made: str


def languages() -> tuple[str, ...]:
    """The codes of the languages there are files for, English first."""
    names = (file.name for file in resources.files("firmware").joinpath(FOLDER).iterdir())
    return tuple(sorted((name.removesuffix(".toml") for name in names if name.endswith(".toml")), key=lambda code: (code != ENGLISH, code)))


def words_of(language: str) -> Words:
    """The words of a language.

    Raises:
        ConfigError: there is no such language.
        DataError: its file lacks words, or has some that nobody asks for.
    """
    if language not in languages():
        raise ConfigError(f"no notice in {language!r}", f"there are: {', '.join(languages())}")
    words, english = _read(language), _read(ENGLISH)
    if odd := sorted(words.keys() ^ english.keys()):
        raise DataError(f"{FOLDER}/{language}.toml: {', '.join(odd[:5])} missing or unknown", f"the keys are those of {ENGLISH}.toml")
    return words


def notice(config: Config, words: Words, who: Who, origin: Origin) -> Notice:
    """The entrance notice.

    Raises:
        ConfigError: a camera has no purpose, or there is no camera.
    """
    _require_purposes(config)
    blank = "_" * 24
    purposes = tuple(dict.fromkeys(camera.purpose for camera in config.camera))
    more = len(purposes) - PURPOSES_MAX
    shown = (*purposes[:PURPOSES_MAX], *([words["and_more"].format(count=more)] if more > 0 else []))
    picture = words["no_picture_rtsp" if _networked(config) else "no_picture"]
    return Notice(
        title=words["title"],
        first=(picture, words["no_face"], _filled(words, f"first_{_level(config)}", config, who)),
        labelled=(
            (words["why"], "\n".join(shown)),
            (words["controller"], who.controller or blank),
            (words["contact"], who.contact or blank),
        ),
        more=words["more"],
        second_title=words["second_title"],
        sections=tuple(_second_layer(config, words, who)),
        made=words["made"].format(site=config.site, digest=origin.digest, date=origin.date),
    )


def fact_sheet(config: Config, words: Words, who: Who, origin: Origin) -> FactSheet:
    """Facts for an impact assessment. Raises ConfigError as `notice`."""
    _require_purposes(config)
    measures = ["processes", *(["network"] if len(_networked(config)) < len(config.camera) else [])]
    measures += [*(["network_rtsp"] if _networked(config) else []), *(["spool"] if config.uplink.keys else [])]
    measures += ["small"] if _level(config) != "nothing" else []
    sections = (
        Section(words["facts_site"], (config.site,)),
        Section(words["facts_hours"], (config.opening_hours or words["facts_hours_unknown"],)),
        Section(words["facts_cameras"], tuple(_camera(camera, words) for camera in config.camera)),
        Section(words["facts_data"], (*_counted(config, words), words["sums"].format(window=_window(config, words)))),
        Section(words["facts_level"], (words[f"facts_level_{config.disclosure}"],)),
        Section(words["facts_pseudonym"], (words["facts_pseudonym_text"].format(epoch=_epoch(config, words)),)),
        Section(words["leaves_heading"], _leaves(config, words, who)),
        Section(words["facts_receiver"], (_receiver(config, words),)),
        Section(words["facts_kept"], _kept(config, words, who)),
        Section(words["facts_measures"], tuple(words[f"facts_measure_{measure}"] for measure in measures)),
        Section(words["not_heading"], tuple(words[f"not_{what}"] for what in ("picture", "sound", "face", "again"))),
        Section(words["controller"], (who.controller or words["to_fill_in"], who.contact or words["to_fill_in"])),
        Section(words["facts_open"], (words["facts_open_items"],)),
    )
    made = words["made"].format(site=config.site, digest=origin.digest, date=origin.date)
    return FactSheet(words["facts_title"], sections, made)


def _second_layer(config: Config, words: Words, who: Who) -> Iterator[Section]:
    purposes = (words["purpose_camera"].format(camera=camera.name, purpose=camera.purpose) for camera in config.camera)
    yield Section(words["purpose_heading"], tuple(purposes))
    yield Section(words["recorded_heading"], (*_counted(config, words), words["sums"].format(window=_window(config, words))))
    yield Section(words["not_heading"], tuple(words[f"not_{what}"] for what in ("picture", "sound", "face", "again")))
    networked = _networked(config)
    walls = (words["picture_rtsp"].format(camera=camera.name) for camera in networked)
    yield Section(words["picture_heading"], (words["picture"], *walls, *(() if networked else (words["picture_wall"],))))
    yield Section(words["leaves_heading"], _leaves(config, words, who))
    yield Section(words["kept_heading"], _kept(config, words, who))
    find = "rights_find_windows" if config.disclosure == "windows" else "rights_find"
    yield Section(words["rights_heading"], (words["rights"], words[find]))


def _counted(config: Config, words: Words) -> tuple[str, ...]:
    counted: list[str] = []
    for camera in config.camera:
        places = [_line(line, words) for line in camera.line] + [_zone(zone, words) for zone in camera.zone]
        counted += places or [words["total"].format(camera=camera.name)]
    return tuple(counted)


def _line(line: LineConfig, words: Words) -> str:
    return words["line_staff" if line.staff else "line"].format(name=line.name)


def _zone(zone: ZoneConfig, words: Words) -> str:
    kind = "area_staff" if zone.staff else zone.kind
    return words[kind].format(name=zone.name)


def _leaves(config: Config, words: Words, who: Who) -> tuple[str, ...]:
    if not config.uplink.keys:
        return (words["leaves_shown"],)
    if not config.uplink.url:
        return (words["leaves_spooled"],)
    leaves = _filled(words, f"leaves_{config.disclosure}", config, who)
    return (leaves,) if config.disclosure == "windows" else (leaves, words["pseudonym"].format(epoch=_epoch(config, words)))


def _kept(config: Config, words: Words, who: Who) -> tuple[str, ...]:
    if not config.uplink.keys:
        return (words["kept_shown"],)
    if not config.uplink.url:
        return (_filled(words, "kept_device_spooled", config, who),)
    there = "kept_windows" if config.disclosure == "windows" else "kept_events"
    return (_filled(words, "kept_device", config, who), _filled(words, there, config, who))


def _receiver(config: Config, words: Words) -> str:
    return words["facts_receiver_none"] if _level(config) == "nothing" else words["facts_receiver_text"].format(host=_host(config))


def _camera(camera: CameraConfig, words: Words) -> str:
    kind = next((kind for kind in ("picamera2", "v4l2", "rtsp") if camera.source.startswith(kind)), "other")
    return words["facts_camera"].format(camera=camera.name, source=words[f"facts_source_{kind}"], purpose=camera.purpose)


def _filled(words: Words, key: str, config: Config, who: Who) -> str:
    mebibytes = config.uplink.spool_bytes_max // 2**20
    window, epoch = _window(config, words), _epoch(config, words)
    return words[key].format(window=window, epoch=epoch, host=_host(config), mebibytes=mebibytes, days=who.event_days)


def _level(config: Config) -> str:
    """What leaves: nothing without an address and keys, whatever the disclosure level says."""
    return config.disclosure if config.uplink.keys and config.uplink.url else "nothing"


def _networked(config: Config) -> tuple[CameraConfig, ...]:
    return tuple(camera for camera in config.camera if camera.source.startswith("rtsp"))


def _host(config: Config) -> str:
    return urlsplit(config.uplink.url).hostname or ""


def _window(config: Config, words: Words) -> str:
    whole = config.window_s >= 120 and config.window_s % 60 == 0
    return words["minutes"].format(count=config.window_s // 60) if whole else words["seconds"].format(count=config.window_s)


def _epoch(config: Config, words: Words) -> str:
    least, most = (f"{seconds / 60:.3g}" for seconds in config.epoch_s)
    return words["minutes"].format(count=least) if least == most else words["minutes_between"].format(least=least, most=most)


def _require_purposes(config: Config) -> None:
    if not config.camera:
        raise ConfigError("no [[camera]]: there is nothing to give notice of", "see docs/configuration.md")
    faults = tuple(
        f'camera "{camera.name}" has no purpose; write purpose = "..." at the top of the configuration or in its [[camera]]'
        for camera in config.camera
        if not camera.purpose.strip()
    )
    if faults:
        raise ConfigError(faults[0], faults=faults)


def _read(language: str) -> dict[str, str]:
    text = resources.files("firmware").joinpath(FOLDER, f"{language}.toml").read_text(encoding="utf-8")
    try:
        return msgspec.convert(tomllib.loads(text), dict[str, str])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{FOLDER}/{language}.toml: {error}", 'each line is key = "text"') from error
