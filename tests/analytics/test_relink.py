"""Tracks become people: ids are a hint, geometry decides."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from firmware.analytics.people import People
from firmware.analytics.relink import Relinker
from firmware.analytics.relink_memory import Rules
from firmware.vision.track import Tracks

BOX = (0.1, 0.3)


class Stage:
    """Feeds a relinker with feet under ids; remembers when each id was born."""

    def __init__(self, relinker: Relinker | None = None, fps: float = 10.0) -> None:
        self.relinker = relinker or Relinker()
        self.fps = fps
        self.frame = 0
        self.born: dict[int, tuple[float, tuple[float, ...]]] = {}

    def show(self, *feet: tuple[int, float, float]) -> People:
        t_s = self.frame / self.fps
        self.frame += 1
        boxes = {key: (x - BOX[0] / 2, y - BOX[1], x + BOX[0] / 2, y) for key, x, y in sorted(feet)}
        for key, box in boxes.items():
            self.born.setdefault(key, (t_s, box))
        count = len(boxes)
        return self.relinker.step(
            Tracks(
                t_s,
                np.array(list(boxes), np.int64),
                np.array(list(boxes.values())).reshape(-1, 4),
                np.full(count, 0.9),
                np.ones(count, np.bool_),
                np.array([self.born[key][0] for key in boxes]),
                np.array([self.born[key][1] for key in boxes]).reshape(-1, 4),
                np.zeros(count),
            )
        )


def test_one_track_is_one_person_until_gone() -> None:
    """A person keeps one id, and is gone exactly once, `relink_s_max` after the last sight."""
    stage = Stage(Relinker(relink_s_max=2.0))
    ids = {int(stage.show((7, 0.5, 0.3 + 0.01 * i)).ids[0]) for i in range(20)}
    gone = [(i, people.gone) for i in range(40) if (people := stage.show()).gone]
    assert len(ids) == 1
    assert gone == [(20, (ids.pop(),))]


def test_an_id_that_changes_every_few_frames_stays_one_person() -> None:
    """The old id vanishes and a new one goes on at the same place: inherited, every time."""
    stage = Stage()
    seen = [stage.show((i // 3, 0.5, 0.3 + 0.015 * i)) for i in range(30)]
    assert {int(people.ids[0]) for people in seen} == {1}
    assert sum(people.relinked for people in seen) == 9


def test_a_new_id_after_missed_frames_stays_one_person() -> None:
    """Three missed frames, and another id where the walk should be by then."""
    stage = Stage()
    for i in range(10):
        stage.show((1, 0.5, 0.3 + 0.02 * i))
    for _ in range(3):
        stage.show()
    assert stage.show((2, 0.5, 0.3 + 0.02 * 13)).ids.tolist() == [1]


def test_ids_exchanged_in_one_frame_are_seen_through() -> None:
    """Two people, a metre apart, whose ids are exchanged: each stays who they were."""
    stage = Stage()
    for i in range(10):
        stage.show((1, 0.4, 0.3 + 0.02 * i), (2, 0.6, 0.5 - 0.01 * i))
    people = stage.show((2, 0.4, 0.5), (1, 0.6, 0.4))
    feet = {int(person): round(float(box[0] + box[2]) / 2, 3) for person, box in zip(people.ids, people.boxes, strict=True)}
    assert feet == {1: 0.4, 2: 0.6}


def test_an_id_that_jumps_across_the_room_is_somebody_else() -> None:
    """Nobody walks half the picture in a tenth of a second."""
    stage = Stage()
    for i in range(10):
        stage.show((1, 0.2, 0.5 + 0.001 * i))
    assert stage.show((1, 0.8, 0.5)).ids.tolist() == [2]


def test_two_abreast_are_never_one() -> None:
    """Two people side by side, both with new ids in every frame, stay two."""
    stage = Stage()
    seen = [stage.show((2 * i, 0.45, 0.3 + 0.015 * i), (2 * i + 1, 0.55, 0.3 + 0.015 * i)) for i in range(20)]
    assert {tuple(people.ids.tolist()) for people in seen} == {(1, 2)}


def test_a_second_person_beside_a_lost_one_is_somebody_new() -> None:
    """Who was seen at the same time cannot be the same, even if one of them is lost now."""
    stage = Stage()
    for i in range(10):
        stage.show((1, 0.45, 0.3 + 0.02 * i), (2, 0.55, 0.3 + 0.02 * i))
    for i in range(10, 13):
        people = stage.show((2, 0.55, 0.3 + 0.02 * i))
    assert people.ids.tolist() == [2]


def test_memory_is_bounded() -> None:
    """More lost people than room: those lost longest are given up and reported as gone, and no id comes twice."""
    stage = Stage(Relinker(capacity=4, relink_s_max=1e9, rules=Rules()._replace(doubt=1e9)), fps=0.2)
    gone: list[int] = []
    newest = 0
    for i in range(200):
        group = i // 2
        people = stage.show(*((4 * group + k, 0.2 * k + 0.17 * (group % 2), 0.4 + 0.5 * (group % 2)) for k in range(4)))
        gone += people.gone
        newest = max([newest, *people.ids.tolist()])
        assert newest - len(gone) <= 8
    assert newest > 50
    assert len(gone) == len(set(gone))


def test_a_predicted_box_is_shown_but_is_no_sight() -> None:
    """A track that coasts keeps its person in view, unseen; it does not keep them for ever."""
    relinker = Relinker(relink_s_max=1.0)
    box = np.array([[0.4, 0.2, 0.5, 0.6]])

    def show(t_s: float, *, seen: bool, present: bool = True) -> People:
        n = int(present)
        ids, one = np.full(n, 5, np.int64), np.ones(n)
        return relinker.step(Tracks(t_s, ids, box[:n], one, np.full(n, seen), np.zeros(n), box[:n], one))

    assert show(0.0, seen=True).seen.tolist() == [True]
    coasting = show(0.5, seen=False)
    assert (coasting.ids.tolist(), coasting.seen.tolist()) == ([1], [False])
    assert show(1.4, seen=False, present=False).gone == (1,)


def test_somebody_who_comes_as_another_leaves_is_somebody_else() -> None:
    """Once doors are known, whoever appears there right after somebody walked out is new, even under the old id."""
    stage = Stage()
    person = 0
    for _ in range(12):
        for i in range(16):  # walks out through the door at the bottom
            people = stage.show((person, 0.5, 0.4 + 0.03 * i))
        person += 1
        for _ in range(40):
            stage.show()
        for i in range(16):  # comes in by it
            stage.show((person, 0.5, 0.85 - 0.03 * i))
        person += 1
        for _ in range(50):
            stage.show()
    for i in range(16):
        people = stage.show((person, 0.5, 0.4 + 0.03 * i))
    leaving = people.ids.tolist()
    for _ in range(9):
        stage.show()
    coming = [stage.show((person, 0.5, 0.85 - 0.03 * i)).ids.tolist() for i in range(10)]
    assert leaving not in coming
    assert coming[0] == coming[-1]


def test_without_compiling_the_answer_is_the_same() -> None:
    """Bit for bit the same people with NUMBA_DISABLE_JIT=1."""
    program = (
        "import hashlib, sys\n"
        "from benchmarks.doorway import Place, Sensor, scene\n"
        "from firmware.analytics.relink import Relinker\n"
        "made = scene({'peeks': 6, 'abreast': 6}, Place(), Sensor(10, 4, 0.2, 0.05, 0.02), 5)\n"
        "relinker, digest = Relinker(), hashlib.sha256()\n"
        "for tracks in made.tracks:\n"
        "    people = relinker.step(tracks)\n"
        "    digest.update(people.ids.tobytes() + people.boxes.tobytes() + people.born_s.tobytes() + repr(people.gone).encode())\n"
        "digest.update(bytes().join(table.tobytes() for table in relinker._memory))\n"
        "print(digest.hexdigest())\n"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "NUMBA_DISABLE_JIT": off}, capture_output=True, check=True, text=True
        ).stdout
        for off in ("0", "1")
    }
    assert len(answers) == 1
    assert len(answers.pop()) == 65


def stood_and_hidden(hidden_s: float, *, shift: float = 0.0) -> tuple[int, int]:
    """Somebody walks in, stands for ten seconds, is hidden, and a track under a new id begins there: the first and the last person."""
    stage = Stage()
    for i in range(20):
        people = stage.show((1, 0.5, 0.3 + 0.02 * i))
    first = int(people.ids[0])
    for _ in range(100):
        stage.show((1, 0.5, 0.68))
    for _ in range(int(hidden_s * 10)):
        stage.show()
    for _ in range(10):
        people = stage.show((2, 0.5 + shift, 0.68))
    return first, int(people.ids[0])


def test_who_stood_and_was_hidden_for_long_is_the_same() -> None:
    """At a display people are hidden for as long as somebody stands in front of them: fifteen seconds later they are who they were."""
    for hidden_s in (2.5, 6.0, 15.0):
        first, last = stood_and_hidden(hidden_s)
        assert first == last


def test_somebody_else_who_stands_elsewhere_is_not_the_hidden_one() -> None:
    """Two box heights beside where somebody is hidden, six seconds later, a new track is somebody new."""
    first, last = stood_and_hidden(6.0, shift=0.35)
    assert first != last
