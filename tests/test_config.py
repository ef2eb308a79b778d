"""What a configuration file means, and what is said when it is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.config import (
    TEXT_BYTES_MAX,
    CameraConfig,
    Config,
    LineConfig,
    StatusConfig,
    TrackerConfig,
    UplinkConfig,
    ZoneConfig,
    examine,
    parse,
)
from firmware.errors import ConfigError

EXAMPLES = Path(__file__).parent.parent / "examples"
GOOD = """site = "demo"
disclosure = "events"
[[camera]]
name = "door"
source = "picamera2"
[[camera.line]]
name = "entrance"
start = [0.10, 0.80]
end = [0.90, 0.80]
[[camera.zone]]
name = "till"
kind = "queue"
polygon = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.6], [0.1, 0.6]]
service_side = 2
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "shop.toml")
    return caught.value.faults


def fault(text: str) -> str:
    (one,) = faults(text)
    return one


def with_line(keys: str) -> str:
    return GOOD.replace("end = [0.90, 0.80]\n", f"end = [0.90, 0.80]\n{keys}\n")


def with_zone(keys: str) -> str:
    return GOOD + keys + "\n"


def test_the_fixed_names_become_structs() -> None:
    """The names every site uses are read into frozen structs, with defaults for the rest."""
    config = parse(GOOD, "shop.toml")
    assert config == Config(
        site="demo",
        camera=(
            CameraConfig(
                name="door",
                source="picamera2",
                line=(LineConfig("entrance", (0.1, 0.8), (0.9, 0.8)),),
                zone=(ZoneConfig("till", ((0.1, 0.1), (0.5, 0.1), (0.5, 0.6), (0.1, 0.6)), kind="queue", service_side=2),),
            ),
        ),
    )


def test_whole_numbers_are_taken_where_numbers_are() -> None:
    """`start = [0, 1]` means the same as `[0.0, 1.0]`."""
    assert parse(GOOD.replace("[0.10, 0.80]", "[0, 1]"), "f").camera[0].line[0].start == (0.0, 1.0)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_the_examples_are_configurations(path: Path) -> None:
    """What we hand out as an example parses."""
    assert parse(path.read_text(encoding="utf-8"), path.name).site == "demo"


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    """Five mistakes in five places give five lines, first to last."""
    text = (
        GOOD.replace("disclosure", "disclosur").replace("picamera2", "camera").replace("[0.10, 0.80]", "[0.1]").replace('"queue"', '"line"')
    )
    told = faults(text + "servce_side = 1\n")
    assert [int(one.split(":")[1]) for one in told] == [2, 5, 8, 12, 15]


def test_an_unknown_key_gets_the_nearest_known_one() -> None:
    """A slip of the pen is answered with what was meant."""
    assert fault(with_line("dead_band_shar = 0.1")) == (
        'shop.toml:10: unknown key dead_band_shar in line "entrance" of camera "door"; did you mean dead_band_share?'
    )


def test_a_key_under_the_wrong_header_is_sent_home() -> None:
    """What belongs at the top but stands below a [[table]] is the commonest mistake in TOML, and is told as such."""
    assert fault(with_zone('opening_hours = "24/7"')) == (
        'shop.toml:15: unknown key opening_hours in zone "till" of camera "door"; '
        "it belongs at the top of the file, above the first [table]"
    )
    assert "it belongs in [[camera.zone]]" in fault(with_line("exit_s = 1.0"))


@pytest.mark.parametrize("key", ["name", "source"])
def test_a_missing_key_is_told_where_its_table_begins(key: str) -> None:
    """What is missing has no line: its table has."""
    text = re.sub(rf"^{key} = .*\n", "", GOOD, count=1, flags=re.MULTILINE)
    assert fault(text).startswith(f"shop.toml:3: {key} is missing in camera")


LIMITS = [
    (with_line("dead_band_share = 0.6"), 10, "from 0.02 to 0.5 (share of box height)"),
    (with_line("dead_band_share = nan"), 10, "a number from 0.02 to 0.5"),
    (with_line("settle_s = inf"), 10, "a number from 0.5 to 60 (s)"),
    (with_line("settle_s = 0"), 10, "a number from 0.5 to 60 (s)"),
    (with_line('settle_s = "3"'), 10, "without quotes"),
    (with_line('in = "up"'), 10, 'one of "left", "right"'),
    (with_line("staff = 1"), 10, "true or false"),
    (GOOD.replace("[0.90, 0.80]", "[576, 345]"), 9, "pixels?"),
    (GOOD.replace("[0.90, 0.80]", "[0.9, true]"), 9, "[x, y] with both from 0 to 1"),
    (GOOD.replace("[0.90, 0.80]", "{x = 0.9, y = 0.8}"), 9, "[x, y] with both from 0 to 1"),
    (GOOD.replace("], [0.1, 0.6]]", "]]").replace(", [0.5, 0.6]", ""), 13, "3 to 64"),
    (GOOD.replace("[0.5, 0.6], ", "\n [0.5, 7],\n"), 14, "both from 0 to 1"),
    (with_zone("enter_s = -1"), 15, "from 0 to 10"),
    (with_zone("dwell_s_min = 2020-01-01"), 15, "a number"),
    (GOOD.replace('site = "demo"', 'site = ""'), 1, "text of 1 to 64 characters"),
    (GOOD.replace('site = "demo"', f'site = "{"x" * 65}"'), 1, "text of 1 to 64 characters"),
    ("window_s = 3601\n" + GOOD, 1, "from 5 to 3600 (s)"),
    ("window_s = 99999999999999999999999\n" + GOOD, 1, "a huge number"),
    ("epoch_s = [299, 900]\n" + GOOD, 1, "from 300 to 900"),
    ("epoch_s = [300, 901]\n" + GOOD, 1, "from 300 to 900"),
    ("epoch_s = 300\n" + GOOD, 1, "from 300 to 900"),
    (GOOD + "[camera.tracker]\ncapacity = 7\n", 16, "from 8 to 4096 (tracks)"),
    (GOOD + "[camera.still]\nmap = 1\n", 16, "true or false"),
    (GOOD + "[uplink]\nflush_s = 1.0\n", 16, "from 5 to 900"),
    (GOOD + "[uplink]\nspool_bytes_max = 1024\n", 16, "from 2097152"),
    (GOOD + "[status]\nport = 443\n", 16, "from 1024 to 65535"),
    (GOOD + "[status]\ninterfaces = ['eth0', '']\n", 16, "interfaces"),
    (GOOD.replace('"picamera2"', '"picamera2"\nfps_max = 0.5'), 6, "from 1 to 60 (frames/s)"),
    (GOOD.replace('"picamera2"', '"picamera2"\nthreads = 65'), 6, "from 0 to 64"),
    (GOOD.replace('"picamera2"', '"picamera2"\ntiling = "3x3"'), 6, '"2x2"'),
    (GOOD.replace('"picamera2"', '"picamera2"\nperson_height_share = [0.1]'), 6, "person_height_share"),
]


@pytest.mark.parametrize(("text", "line", "words"), LIMITS)
def test_a_value_beyond_its_limits_is_told_with_them(text: str, line: int, words: str) -> None:
    """Type and limits are checked, and what would fit is said."""
    one = fault(text)
    assert one.startswith(f"shop.toml:{line}: ")
    assert words in one
    assert "; " in one


RULES = [
    (GOOD.replace("[0.90, 0.80]", "[0.10, 0.80]"), 9, "no length"),
    (GOOD + '[[camera]]\nname = "Door"\nsource = "sim:"\n', 16, "twice"),
    (with_line('[[camera.line]]\nname = "entrance"\nstart = [0.1, 0.1]\nend = [0.2, 0.2]'), 11, "the first is on line 7"),
    (GOOD.replace('"entrance"', '"\\u202Eentrance"'), 7, "U+202E"),
    (GOOD.replace('"entrance"', '"en\\ttrance"'), 7, "U+0009"),
    (GOOD.replace('"picamera2"', '"picamera2"\nmodel = "a\\u0000b"'), 6, "U+0000"),
    (GOOD.replace('"entrance"', '"  "'), 7, "blank"),
    (GOOD.replace('"entrance"', '"entrance "'), 7, "blank"),
    (GOOD.replace('"door"', '"../door"'), 4, "name of a file"),
    (GOOD.replace("service_side = 2", "service_side = 4"), 14, "sides 0 to 3"),
    (GOOD.replace('kind = "queue"\n', ""), 13, "service_side on an area"),
    (GOOD.replace(", [0.1, 0.6]]", ", [0.1, 0.6], [0.1, 0.1]]"), 13, "repeats the first"),
    (GOOD.replace("[0.5, 0.1],", "[0.5, 0.1], [0.5, 0.1],"), 13, "same point"),
    (GOOD.replace('"events"', '"boxes"'), 2, "needs a purpose"),
    ("window_s = 7\n" + GOOD, 1, "the nearest that does is 6"),
    ("window_s = 1000\n" + GOOD, 1, "the nearest that does is 900"),
    ("epoch_s = [900, 300]\n" + GOOD, 1, "write epoch_s = [300, 900]"),
    ('opening_hours = "Mon 9-17"\n' + GOOD, 1, "unknown days"),
    (GOOD.replace('"picamera2"', '"webcam"'), 5, "not a kind of source"),
    (GOOD.replace('"picamera2"', '"picamera3"'), 5, "not a kind of source"),
    (GOOD.replace('"picamera2"', '"v4l2:video0"'), 5, "no device under /dev"),
    (GOOD.replace('"picamera2"', '"http://camera/stream"'), 5, "rtsp, nothing else"),
    (GOOD.replace('"picamera2"', '"rtsp:///stream"'), 5, "has no host"),
    (GOOD.replace('"picamera2"', '"picamera2"\nperson_height_share = [0.5, 0.1]'), 6, "shrinks"),
    (GOOD + "[camera.tracker]\nscore_high = 0.3\nscore_low = 0.4\n", 17, "above score_high"),
    (GOOD + '[uplink]\nurl = "http://collector.example"\n', 16, "is not https"),
    (GOOD + '[uplink]\nurl = "collector.example"\n', 16, "is not https"),
    (GOOD + '[uplink]\nurl = "https://user:secret@collector.example"\n', 16, "password"),
    (GOOD + '[uplink]\nurl = "https://"\n', 16, "no host"),
    (GOOD + '[uplink]\nkeys = "/k"\n', 16, "keys without a spool"),
    (GOOD + '[uplink]\nurl = "https://c.example:99999"\n', 16, "not an address"),
    (GOOD + '[uplink]\nurl = "https://c.example/?a=b"\n', 16, "query"),
]


@pytest.mark.parametrize(("text", "line", "words"), RULES)
def test_keys_that_contradict_each_other_are_told(text: str, line: int, words: str) -> None:
    """What no type can say is checked too: each with its line and a hint."""
    one = fault(text)
    assert one.startswith(f"shop.toml:{line}: ")
    assert words in one
    assert "; " in one


@pytest.mark.parametrize(
    "source",
    [
        "picamera2",
        "picamera2:1",
        "v4l2:/dev/video0",
        "rtsp://10.0.0.7/stream",
        "rtsps://u:p@cam:8554/1",
        "a b.MP4",
        "./x.mkv",
        "sim:",
        "sim:?seed=7",
        "sim-boxes:",
        "RTSP://cam/1",
        "d.jsonl",
    ],
)
def test_every_kind_of_source_is_taken(source: str) -> None:
    """The sources that vision reads are sources here."""
    assert parse(GOOD.replace("picamera2", source), "f").camera[0].source == source


@pytest.mark.parametrize(
    "url", ["https://c.example", "https://c.example:8444/base", "https://[::1]:8444", "http://127.0.0.1:8444", "http://localhost:1"]
)
def test_a_collector_is_reached_by_https_or_on_this_machine(url: str) -> None:
    """Plain http stays inside the machine."""
    assert parse(GOOD + f'[uplink]\nurl = "{url}"\n', "f").uplink.url == url


def test_boxes_leave_for_a_purpose_of_the_device_or_of_each_camera() -> None:
    """A camera without a purpose of its own has the device's; one without either is told."""
    boxes = GOOD.replace('"events"', '"boxes"')
    whole = parse('purpose = "research"\n' + boxes, "f")
    assert whole.camera[0].purpose == "research"
    own = parse(boxes.replace('"picamera2"', '"picamera2"\npurpose = "tuning"'), "f")
    assert (own.purpose, own.camera[0].purpose) == ("", "tuning")
    told = faults(boxes.replace('"picamera2"', '"picamera2"\npurpose = "tuning"') + '[[camera]]\nname = "back"\nsource = "sim:"\n')
    assert [one.partition("; ")[0] for one in told] == ['shop.toml:2: disclosure = "boxes" needs a purpose for camera "back"']


def test_what_is_unreadable_does_not_shift_the_lines_of_what_follows() -> None:
    """A rule broken in the third line of a camera is told there, though the first line could not be read at all."""
    text = with_line('[[camera.line]]\nname = "two"\n[[camera.line]]\nname = "three"\nstart = [0.5, 0.5]\nend = [0.5, 0.5]')
    told = faults(text)
    assert [int(one.split(":")[1]) for one in told] == [10, 10, 15]
    assert "start is missing" in told[0] + told[1]
    assert "no length" in told[2]


def test_too_many_tables_of_a_kind_are_refused() -> None:
    """A device has a limit of cameras, told where the first too many begins."""
    text = 'site = "s"\n' + "".join(f'[[camera]]\nname = "{n}"\nsource = "sim:"\n' for n in range(9))
    assert fault(text) == "shop.toml:26: 9 times [[camera]]; at most 8 are allowed"


@pytest.mark.parametrize(
    ("text", "words"), [("camera = 3\n", "list of tables"), ("uplink = 3\n", "not a table"), ("camera = [3]\n", "not a table")]
)
def test_a_value_where_a_table_belongs_is_told(text: str, words: str) -> None:
    """A table written as a value says how to write it."""
    one = fault('site = "s"\n' + text)
    assert one.startswith("shop.toml:2: ")
    assert words in one


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("site = demo\n", 1, 'text stands in quotes: site = "demo"'),
        ('site = "s"\nsite = "t"\n', 2, "not TOML"),
        ('a = 1\nsite: "s"\n', 2, "equals sign"),
        ('site = "s"\n[[camera]\n', 2, "not TOML"),
        ('site = "s', 1, "not TOML"),
        ("a = " + "9" * 5000, 1, "not TOML"),
        ("a = 1\nb = " + "[" * 40 + "]" * 40, 2, "deeper"),
        ("a = " + "[" * 5000 + "]" * 5000, 1, "nested too deep"),
        ("#" * (TEXT_BYTES_MAX + 1), 1, "larger than 64 KiB"),
        ('site = "a\x00b"', 1, "not TOML"),
    ],
)
def test_a_text_that_is_no_toml_has_one_fault_with_its_line(text: str, line: int, words: str) -> None:
    """Syntax errors are one line that tells where and what to do."""
    one = fault(text)
    assert one.startswith(f"shop.toml:{line}: ")
    assert words in one
    assert "\n" not in one


def test_windows_line_ends_and_a_byte_order_mark_are_taken() -> None:
    """What Notepad saves is a configuration too, with the right lines."""
    assert parse("\ufeff" + GOOD.replace("\n", "\r\n"), "f") == parse(GOOD, "f")
    assert fault(("\ufeff" + with_line("x = 1")).replace("\n", "\r\n")).startswith("shop.toml:10: ")


def test_a_config_is_there_in_spite_of_faults_for_tools_that_go_on() -> None:
    """One wrong threshold does not hide the geometry from the checks: it holds its default."""
    examined = examine(with_line("settle_s = 99"))
    assert len(examined.faults) == 1
    assert examined.config is not None
    assert examined.config.camera[0].line[0].settle_s == 3.0


@pytest.mark.parametrize("struct", [Config, CameraConfig, LineConfig, ZoneConfig, TrackerConfig, UplinkConfig, StatusConfig])
def test_configuration_cannot_be_changed_or_take_the_unknown(struct: type[msgspec.Struct]) -> None:
    """Each part is frozen and closed."""
    assert struct.__struct_config__.frozen
    assert struct.__struct_config__.forbid_unknown_fields


FAULT = re.compile(r"shop\.toml:(\d+): \S[^\n]*")
PIECES = st.one_of(
    st.sampled_from(
        [
            "[",
            "]",
            "[[camera]]",
            "[[camera.line]]",
            "[camera.tracker]",
            '"',
            "'''",
            "=",
            ",",
            "{",
            "}",
            "\n",
            "\\",
            "#",
            ".",
            "name",
            "camera",
        ]
    ),
    st.sampled_from(["nan", "inf", "-1", "1e400", "9" * 30, "true", "[]", "{}", "1979-05-27", '"x"', "0x7f", "0.5"]),
    st.sampled_from(["\x00", "é", "\U0001f600", "\u202e", "\r", "\ufeff"]),
)
SOURCES = st.sampled_from([GOOD, *(path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.toml")))])


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good configuration with a few cuts, insertions and swapped lines."""
    text = draw(SOURCES)
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(text))), draw(st.sampled_from([0, 0, 1, 3, 20]))
        text = text[:at] + draw(st.one_of(PIECES, st.just(""), st.text(max_size=3))) + text[at + length :]
    if draw(st.booleans()):
        rows = text.split("\n")
        a, b = draw(st.integers(0, len(rows) - 1)), draw(st.integers(0, len(rows) - 1))
        rows[a], rows[b] = rows[b], rows[a]
        text = "\n".join(rows)
    return text


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_no_text_brings_anything_but_faults_with_lines_in_the_file(text: str) -> None:
    """Whatever happens to a file, parse gives a Config or a ConfigError whose every fault is one line with a line of the file."""
    told: tuple[str, ...] = ()
    try:
        parse(text, "shop.toml")
    except ConfigError as error:
        told = error.faults or ("nothing",)
    for one in told:
        match = FAULT.fullmatch(one)
        assert match, one
        assert 1 <= int(match[1]) <= text.count("\n") + 1


VALUES = st.recursive(
    st.one_of(st.none().map(lambda _: '""'), st.integers().map(str), st.floats().map(repr), st.booleans().map(lambda b: str(b).lower()))
    | st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"\\'), max_size=8).map(lambda text: f'"{text}"'),
    lambda inner: st.lists(inner, max_size=4).map(lambda parts: f"[{', '.join(parts)}]") | inner.map(lambda part: f"{{ name = {part} }}"),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([line for line in GOOD.split("\n") if "=" in line]), VALUES)
def test_any_value_in_any_key_is_taken_or_told_on_its_line(line: str, value: str) -> None:
    """A wrong value is told on the line where it stands, and nowhere else but where it is needed."""
    key = line.partition(" = ")[0]
    text = GOOD.replace(line, f"{key} = {value}", 1)
    at = 1 + text[: text.index(f"{key} = {value}")].count("\n")
    examined = examine(text)
    assert {one.line for one in examined.faults} <= ({at, 14} if key == "polygon" else {at})  # fewer corners, and side 2 is none of them
