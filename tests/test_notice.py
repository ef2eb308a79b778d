"""The words of notice and facts sheet: they say what this configuration does, in every language, and nothing else."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from collector.retention import EVENT_DAYS as COLLECTOR_EVENT_DAYS
from firmware import notice as module
from firmware.config import Config, parse
from firmware.errors import ConfigError, DataError
from firmware.notice import EVENT_DAYS, Notice, Origin, Who, fact_sheet, languages, notice, words_of

ORIGIN = Origin("0123456789ab", "2026-11-20")
UPLINK = '[uplink]\nurl = "https://collector.example:8444"\nkeys = "/k"\nspool = "/s"\nspool_bytes_max = 8388608\n'
CAMERA = """
[[camera]]
name = "door"
source = "picamera2"
[[camera.line]]
name = "entrance"
start = [0.1, 0.7]
end = [0.9, 0.7]
[[camera.line]]
name = "goods"
start = [0.8, 0.2]
end = [0.8, 0.6]
staff = true
[[camera.zone]]
name = "shelf"
polygon = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3]]
[[camera.zone]]
name = "till"
kind = "queue"
polygon = [[0.5, 0.1], [0.7, 0.1], [0.7, 0.3]]
"""


def shop(top: str = 'purpose = "Planning staff"', cameras: str = CAMERA, uplink: str = UPLINK) -> Config:
    return parse(f'site = "north"\n{top}\n{cameras}\n{uplink}', "shop.toml")


def second_layer(config: Config, language: str = "en", who: Who | None = None) -> str:
    made = notice(config, words_of(language), who or Who(), ORIGIN)
    return "\n".join(f"{section.heading}\n" + "\n".join(section.items) for section in made.sections)


def english(config: Config) -> Notice:
    return notice(config, words_of("en"), Who(), ORIGIN)


def test_everything_that_counts_is_named() -> None:
    """Each line and zone by its name, staff apart, the queue as what it is."""
    text = second_layer(shop())
    assert "Line “entrance”: how many people go in and out\n" in text
    assert "Line “goods” (staff)" in text
    assert "Area “shelf”: how many people are in it" in text
    assert "Queue “till”: how many people wait" in text


@pytest.mark.parametrize(
    ("level", "says", "silent"),
    [
        ("windows", "The sums alone", "random number in place of a name"),
        ("events", "each crossing and visit with its time and a random number", "place and size"),
        ("boxes", "the place and size of the person in the view", "The sums alone"),
    ],
)
def test_each_level_says_what_leaves(level: str, says: str, silent: str) -> None:
    """No more and no less than the level lets out."""
    text = second_layer(shop(f'purpose = "Planning staff"\ndisclosure = "{level}"'))
    assert says in text
    assert silent not in text
    assert "collector.example" in text


@pytest.mark.parametrize(
    ("uplink", "says"),
    [
        ("", "Nothing is sent or stored"),
        ('[uplink]\nkeys = "/k"\nspool = "/s"\n', "Nothing is sent. The counts are kept on the device, encrypted"),
    ],
)
def test_what_is_not_sent_is_not_said_to_be(uplink: str, says: str) -> None:
    """Whatever the level: without keys nothing lasts, without an address nothing is sent."""
    config = shop(uplink=uplink)
    text = second_layer(config)
    assert says in text
    assert "At the receiver" not in text
    assert english(config).first[-1] == "Nothing is sent from the device."


def test_a_network_camera_is_told_of() -> None:
    """Its pictures cross the shop's network: both layers and the facts say so, and do not promise the wall."""
    config = shop(cameras=CAMERA.replace("picamera2", "rtsp://camera.example/1"))
    assert "pictures go over the network of this site" in english(config).first[0]
    assert "is not kept off the network" in second_layer(config)
    assert "kept off every network" not in second_layer(config)
    facts = str(fact_sheet(config, words_of("en"), Who(), ORIGIN))
    assert "Weaker here" in facts
    assert "gives up the network" not in facts


def test_times_are_those_of_the_configuration() -> None:
    """Windows, epochs, days and mebibytes."""
    text = second_layer(shop('purpose = "x"\nwindow_s = 900\nepoch_s = [300, 450]'), who=Who(event_days=7))
    assert "sums over 15 minutes" in text
    assert "every 5 to 7.5 minutes" in text
    assert "visits 7 days" in text
    assert "at most 8 MiB" in text


def test_every_camera_needs_a_purpose() -> None:
    """All that lack one are named at once; blanks are none."""
    cameras = CAMERA + CAMERA.replace('"door"', '"back"')
    for make in (notice, fact_sheet):
        with pytest.raises(ConfigError) as error:
            make(shop('purpose = "  "', cameras), words_of("en"), Who(), ORIGIN)
        assert len(error.value.faults) == 2
        assert 'camera "back" has no purpose; write purpose = ' in error.value.faults[1]


def test_a_camera_s_own_purpose_stands_beside_the_others() -> None:
    """The first layer lists each once, and not more than can be read in passing."""
    cameras = "".join(CAMERA.replace('"door"', f'"c{n}"\npurpose = "purpose {n % 5}"') for n in range(6))
    label, text = english(shop("", cameras)).labelled[0]
    assert (label, text) == ("Why", "purpose 0\npurpose 1\npurpose 2\nand 2 more: see the next page")


def test_who_is_responsible_is_printed_or_left_to_write() -> None:
    """The configuration does not know; nothing is made up."""
    made = notice(shop(), words_of("en"), Who(controller="Shop Ltd"), ORIGIN)
    assert made.labelled[1] == ("Responsible", "Shop Ltd")
    assert set(made.labelled[2][1]) == {"_"}


def test_the_days_are_the_collector_s() -> None:
    """What the notice says without being told is what the collector does without being told."""
    assert EVENT_DAYS == COLLECTOR_EVENT_DAYS


@pytest.mark.parametrize("language", languages())
def test_languages_have_the_same_words_and_the_same_gaps(language: str) -> None:
    """A sentence that lost its number in translation is found here."""
    words, english_words = words_of(language), words_of("en")
    assert {key: gaps(text) for key, text in words.items()} == {key: gaps(text) for key, text in english_words.items()}
    for level in ("windows", "events", "boxes"):
        made = str(notice(shop(f'purpose = "x"\ndisclosure = "{level}"'), words, Who(), ORIGIN))
        assert "{" not in made


@pytest.mark.parametrize("language", languages())
def test_every_word_is_used(language: str) -> None:
    """No sentence lies about in a file that no configuration can bring out."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    built = ("first_", "leaves_", "facts_level_", "facts_source_", "facts_measure_", "not_", "line", "area", "queue")
    assert [key for key in words_of(language) if f'"{key}"' not in source and not key.startswith(built)] == []


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_a_language_we_have_not_is_refused() -> None:
    """With those there are."""
    with pytest.raises(ConfigError, match="there are: en, de"):
        words_of("../en")


def test_a_language_that_lacks_a_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before paper is printed with a hole in it."""
    read = module._read
    monkeypatch.setattr(module, "_read", lambda code: {k: v for k, v in read(code).items() if (code, k) != ("de", "title")})
    with pytest.raises(DataError, match=r"de\.toml: title missing"):
        words_of("de")
