"""Reading a parsed tree into a struct, with every fault and its line."""

from __future__ import annotations

from typing import Annotated

import msgspec

from firmware.config_keys import key
from firmware.struct_reader import Fault, homes, line_of, read, where


class Lamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A small struct of the tests' own."""

    name: Annotated[str, key("", "Name.", min_length=1, max_length=8)]
    watts: Annotated[float, key("W", "Power.", ge=1, le=100)] = 40.0


class Room(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A struct with a list of tables."""

    size: Annotated[int, key("m2", "Size.", ge=1, le=999)]
    lamp: Annotated[tuple[Lamp, ...], key("", "Lamps.", max_length=2)] = ()


def test_a_good_tree_becomes_the_struct() -> None:
    """Without faults, with defaults for what is not said."""
    reading = read(Room, {"size": 12, "lamp": [{"name": "a"}]}, {(): 1})
    assert reading.value == Room(12, (Lamp("a"),))
    assert reading.faults == ()


def test_faults_have_the_line_of_their_key_or_of_the_nearest_table() -> None:
    """What is missing stands where its table stands."""
    lines = {(): 1, ("lamp",): 3, ("lamp", 0): 3, ("lamp", 0, "watts"): 4}
    reading = read(Room, {"size": 12, "lamp": [{"watts": 0}]}, lines)
    assert [(fault.line, fault.what) for fault in reading.faults] == [
        (3, "name is missing in lamp 1"),
        (4, "watts = 0 does not fit in lamp 1"),
    ]
    assert "a number from 1 to 100 (W), or leave it out for 40.0" in reading.faults[1].hint


def test_what_could_be_read_is_there_in_spite_of_faults() -> None:
    """A wrong value gives its default, a table without its name is left out, and both are remembered."""
    tree = {"size": 12, "lamp": [{"watts": 5}, {"name": "b", "watts": 500}]}
    reading = read(Room, tree, {(): 1})
    assert reading.value == Room(12, (Lamp("b", 40.0),))
    assert reading.kept == {("lamp",): (1,)}
    assert reading.wrong == {("lamp",), ("lamp", 1, "watts")}


def test_a_struct_without_a_required_key_is_none() -> None:
    """There is no default for what must be said."""
    assert read(Room, {}, {(): 1}).value is None


def test_more_tables_than_allowed_are_one_fault_at_the_first_too_many() -> None:
    """The limit is told, and the rest is not read."""
    lines = {(): 1, ("lamp", 2): 9}
    reading = read(Room, {"size": 1, "lamp": [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d"}]}, lines)
    assert reading.faults == (Fault(9, "4 times [[lamp]]", "at most 2 are allowed"),)
    assert len(reading.value.lamp) == 2


def test_every_key_has_a_home_and_the_outermost_wins() -> None:
    """Where a misplaced key belongs is told from the structs themselves."""
    assert dict(homes(Room)) == {
        "name": "in [[lamp]]",
        "watts": "in [[lamp]]",
        "lamp": "in the file as [[lamp]]",
        "size": "at the top of the file, above the first [table]",
    }


def test_a_path_is_told_by_the_names_of_its_tables() -> None:
    """By number where a table has no name."""
    tree = {"camera": [{"name": "door", "line": [{"name": "in"}, {}]}]}
    assert where(tree, ("camera", 0, "line", 0)) == ' in line "in" of camera "door"'
    assert where(tree, ("camera", 0, "line", 1)) == ' in line 2 of camera "door"'
    assert where(tree, ()) == ""


def test_a_path_without_a_line_stands_where_its_parent_does() -> None:
    """Up to the top of the file."""
    assert line_of({(): 1, ("a",): 7}, ("a", 0, "b")) == 7
    assert line_of({(): 1}, ("a", 0, "b")) == 1
