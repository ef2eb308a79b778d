"""What the relinker remembers: everybody known, in view or lost, and the habits of this view. Tables of fixed capacity.

A person's foot has a filter of position and speed; places have counts of who appeared and who left there; the camera has
rates of missed boxes and changed ids. Rules: known people fill the first rows in the order of their ids; nothing grows;
plain arithmetic in a fixed order; kernels take tables and row numbers, for a tuple of many arrays handed from function to
function costs more than what is done with it. Left to others: who is whom (`relink`, `relink_odds`).

Source: the motion is the textbook filter for constant velocity with white acceleration (Bar-Shalom, Li, Kirubarajan,
*Estimation with Applications to Tracking and Navigation*, 2001, section 6.2).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.vision.matching import NONE

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Columns of `known`: id; id of the last track; row of the track in this frame or NONE; smoothed height; first and last sight.
K_ID, K_TRACK, K_ROW, K_HEIGHT, K_BORN_S, K_LAST_S = range(6)
# Filtered foot and its speed, the foot last seen, in frame heights; variances in square box heights, the same for both axes.
K_X, K_Y, K_SPEED_X, K_SPEED_Y, K_SEEN_X, K_SEEN_Y, K_P, K_PV, K_V = range(6, 15)
K_STRIDE = 15  # the fastest they walked of late, box heights per second
K_FOUND = 16  # greatest worth of a newcomer who was welcomed as somebody else since
K_HEAD_X, K_HEAD_Y = 17, 18  # the way they walked when they last walked, frame heights per second
K_BIRTH = 19  # first box, 0..1, four columns
KNOWN_COLUMNS: Final = 23

# Columns of `tracks`: row of the person who had this id, or NONE; foot and height in frame heights; when and as what it was born.
# ... and the greatest worth as anybody known, of a track nobody had before.
T_OWNER, T_BORN_S, T_X, T_Y, T_HEIGHT, T_BIRTH_X, T_BIRTH_Y, T_BIRTH_HEIGHT, T_KNOWN = range(9)
TRACK_COLUMNS: Final = 9

LIVE, NEXT_ID, GONE, RELINKED, DRESSED = 0, 1, 2, 3, 4  # places in `counters`; dressed: whether any track wears the staff colour
FRAME_S, LOOKS, MISSES, LINKS, SWITCHES, WATCHED_S, NOW_S = 0, 1, 2, 3, 4, 5, 6  # places in `habits`
HABITS_START = (0.0, 10.0, 1.0, 50.0, 1.5, 0.0, -1.0)
# Layers of `places`: how many people appeared here; were last seen on their way here; turned round here; seconds on the way here.
BIRTHS, LEAVES, TURNS, STAYS = 0, 1, 2, 3
LAYERS: Final = 4
UNKNOWN = -1
CELLS_X, CELLS_Y = 16, 12  # about a step wide where people are a third of the picture high
ABSENCE_MAX: Final = 8.0  # frames: longer absences are something else than missed boxes
LOOKS_MAX: Final = 4096.0  # sights over which misses are averaged
WATCHED_S_MAX: Final = 3600.0  # doors stay where they are, cameras do not: older births fade
HEIGHT_MIN: Final = 1e-4  # of the frame
LN_2: Final = 0.6931471805599453
LEFT_MIN: Final = 0.001  # chance of leaving: nobody is held for ever


class Rules(NamedTuple):
    """When a track is somebody we know. Lengths are shares of box height; a tuple because kernels take tuples."""

    relink_s_max: float = 4.0
    jitter: float = 0.04  # standard deviation of a foot point: detector noise and gait
    acceleration: float = 0.7  # white acceleration, box heights / s^1.5: people stroll, hesitate and turn
    speed: float = 1.0  # standard deviation of the unknown speed of someone just seen, box heights / s
    size: float = 0.2  # standard deviation of the ratio of two heights of one person
    gate: float = 16.0  # squared standard deviations up to which an id of somebody else can be a person's
    id_worth: float = 14.0  # what the same id is worth, in the same measure
    jump: float = 0.6  # the same id farther away than this ...
    jump_speed: float = 3.0  # ... and than anyone walks (box heights / s; a runner makes about 2.5) is somebody else
    gap_frames: float = 1.5  # between two sights: more is a gap, in which somebody else may have come
    switch_gap: float = 0.3  # chance that a track found again after a gap has a new id
    doubt: float = 1.0  # a new id is joined only at odds of about five to three: two people made one are two counts lost
    sure: float = 8.0  # odds of fifty to one are joined at once; else a newcomer who may be known ...
    unsure: float = -6.0  # ... at odds of one to twenty at least ...
    decide_s: float = 0.3  # ... is nobody yet for so long, until it shows which way they go
    exchange: float = 0.001  # chance that two people exchange their ids in one frame
    hidden: float = 0.03  # chance that somebody is hidden for longer than boxes are usually missed ...
    hidden_s: float = 1.5  # ... and for how long, on average
    turn_hz: float = 0.3  # how likely people turn or stop, per second, before that is learned for a place ...
    turn_min: float = 0.02  # ... and at least, for whatever was not seen yet
    turn_max: float = 0.5
    patience: float = 6.0  # who stood is remembered so many times longer: whoever stands in front of them stays for a while, too ...
    left_max: float = 0.3  # ... unless they left by then at least as likely as this
    stay: float = 0.7  # chance that who stood stands where they stood
    near: float = 0.15  # who turned is no farther from the last sight than this and the way they could walk ...
    aside: float = 0.1  # ... and as a rule no farther off that way than this ...
    aside_share: float = 0.15  # ... and this share of it
    walk: float = 0.3  # box heights per second, half a metre: slower is no walk, and who turns so turns on the spot
    stride_tau_s: float = 5.0  # how long it is remembered how fast somebody can walk: who turns has slowed down before
    ahead_s: float = 0.3  # people are on their way to where they would be after so long
    leave_hz: float = 0.1  # how likely people leave the view, per second, before that is learned for a place ...
    leave_s: float = 0.5  # ... and what that is worth, in seconds watched there
    birth_hz: float = 0.1  # how many people appear in a view, anywhere, before that is learned
    learn_s: float = 60.0  # what that is worth, against what was observed


class Memory(NamedTuple):
    """Everybody known, in the first `counters[LIVE]` rows, and the habits of this view."""

    known: Floats  # (P, KNOWN_COLUMNS)
    tracks: Floats  # (T, TRACK_COLUMNS) the tracks of this frame, measured
    column: Whole  # (T,) rows of those that are seen
    gone: Whole  # (P,) ids of those given up in this frame
    counters: Whole  # (5,)
    places: Floats  # (LAYERS, CELLS_Y, CELLS_X)
    habits: Floats  # (7,)


def new_memory(people_max: int, tracks_max: int) -> Memory:
    """Nobody known yet, and rates that any camera and tracker may have."""
    memory = Memory(
        known=np.zeros((people_max, KNOWN_COLUMNS)),
        tracks=np.zeros((tracks_max, TRACK_COLUMNS)),
        column=np.zeros(tracks_max, np.int64),
        gone=np.zeros(people_max, np.int64),
        counters=np.zeros(5, np.int64),
        places=np.zeros((LAYERS, CELLS_Y, CELLS_X)),
        habits=np.array(HABITS_START),
    )
    memory.counters[NEXT_ID] = 1
    return memory


@njit(cache=True, error_model="numpy")
def note_time(places: Floats, habits: Floats, t_s: float) -> None:
    """How far apart frames are, and how long was watched."""
    elapsed_s = t_s - habits[NOW_S]
    if habits[NOW_S] >= 0.0 and 0.0 < elapsed_s < 1.0:
        habits[FRAME_S] += (elapsed_s - habits[FRAME_S]) * (0.05 if habits[FRAME_S] > 0.0 else 1.0)
        habits[WATCHED_S] += elapsed_s
    habits[NOW_S] = t_s
    if habits[WATCHED_S] > WATCHED_S_MAX:
        habits[WATCHED_S] /= 2.0
        for layer in range(LAYERS):
            for i in range(CELLS_Y):
                for j in range(CELLS_X):
                    places[layer, i, j] /= 2.0


@njit(cache=True, error_model="numpy")
def note_sight(habits: Floats, gap_s: float, same_id: int, gap_frames: float) -> None:
    """Somebody was seen again after `gap_s`: how often are boxes missed, how often does this tracker change an id."""
    frames = gap_s / habits[FRAME_S] if habits[FRAME_S] > 0.0 else ABSENCE_MAX + 1.0
    if frames > ABSENCE_MAX:
        return
    if same_id == 1:
        habits[LOOKS] += max(frames, 1.0)
        habits[MISSES] += max(frames - 1.0, 0.0)
    if frames <= gap_frames:
        habits[LINKS] += 1.0
        habits[SWITCHES] += 1.0 - same_id
    if habits[LOOKS] > LOOKS_MAX:
        habits[LOOKS] /= 2.0
        habits[MISSES] /= 2.0
    if habits[LINKS] > LOOKS_MAX:
        habits[LINKS] /= 2.0
        habits[SWITCHES] /= 2.0


@njit(cache=True, error_model="numpy")
def chance_against(worth: float) -> float:
    """The chance that two sights are of two people, if the odds that they are of one are half the exponential of `worth`.

    By the straight pieces of which `relink_odds.log2` is made, and so the same on every machine.
    """
    bits = min(max(worth / 2.0 / LN_2, -60.0), 60.0)
    whole = math.floor(bits)
    return 1.0 / (1.0 + math.ldexp(1.0 + bits - whole, int(whole)))


@njit(cache=True, error_model="numpy")
def cell(x: float, y: float) -> tuple[int, int]:
    """Row and column of the cell of a point in 0..1; what lies outside belongs to the border."""
    return int(min(max(y, 0.0), 0.999999) * CELLS_Y), int(min(max(x, 0.0), 0.999999) * CELLS_X)


@njit(cache=True, error_model="numpy")
def way(known: Floats, p: int, aspect: float, ahead_s: float) -> tuple[int, int]:
    """The cell that person `p` was on the way to when last seen."""
    x = (known[p, K_X] + known[p, K_SPEED_X] * ahead_s) / aspect
    return cell(x, known[p, K_Y] + known[p, K_SPEED_Y] * ahead_s)


@njit(cache=True, error_model="numpy")
def note_place(places: Floats, layer: int, i: int, j: int, amount: float) -> None:
    """To a cell, and less to its neighbours."""
    for di in range(-1, 2):
        for dj in range(-1, 2):
            if 0 <= i + di < CELLS_Y and 0 <= j + dj < CELLS_X:
                places[layer, i + di, j + dj] += 0.25 * amount / (1 + abs(di)) / (1 + abs(dj))


@njit(cache=True, error_model="numpy")
def spread(known: Floats, p: int, dt: float, acceleration: float, jitter: float) -> float:
    """Variance of where person `p` is seen after `dt`, square box heights."""
    wander = acceleration * acceleration * dt * dt * dt / 3.0
    return known[p, K_P] + 2.0 * dt * known[p, K_PV] + dt * dt * known[p, K_V] + wander + jitter * jitter


@njit(cache=True, error_model="numpy")
def observe(known: Floats, p: int, x: float, y: float, height: float, t_s: float, rules: Rules) -> None:
    """Person `p` was seen at `t_s`: the filter takes it in."""
    dt = max(t_s - known[p, K_LAST_S], 0.0)
    a, b, c = known[p, K_P], known[p, K_PV], known[p, K_V]
    q = rules.acceleration * rules.acceleration
    a, b, c = a + 2.0 * dt * b + dt * dt * c + q * dt * dt * dt / 3.0, b + dt * c + q * dt * dt / 2.0, c + q * dt
    gain, gain_speed = a / (a + rules.jitter * rules.jitter), b / (a + rules.jitter * rules.jitter)
    at_x = known[p, K_X] + known[p, K_SPEED_X] * dt
    at_y = known[p, K_Y] + known[p, K_SPEED_Y] * dt
    known[p, K_X] = at_x + gain * (x - at_x)
    known[p, K_Y] = at_y + gain * (y - at_y)
    known[p, K_SPEED_X] += gain_speed * (x - at_x)
    known[p, K_SPEED_Y] += gain_speed * (y - at_y)
    known[p, K_SEEN_X] = x
    known[p, K_SEEN_Y] = y
    known[p, K_P] = (1.0 - gain) * a
    known[p, K_PV] = (1.0 - gain) * b
    known[p, K_V] = c - gain_speed * b
    known[p, K_HEIGHT] += (height - known[p, K_HEIGHT]) * 0.2
    known[p, K_LAST_S] = t_s
    known[p, K_FOUND] = -np.inf
    known[p, K_STRIDE] = max(known[p, K_STRIDE] * rules.stride_tau_s / (rules.stride_tau_s + dt), pace_of(known, p))


@njit(cache=True, error_model="numpy")
def pace_of(known: Floats, p: int) -> float:
    """How fast person `p` walks, box heights per second."""
    squares = known[p, K_SPEED_X] * known[p, K_SPEED_X] + known[p, K_SPEED_Y] * known[p, K_SPEED_Y]
    return math.sqrt(squares) / known[p, K_HEIGHT]


@njit(cache=True, error_model="numpy")
def stands(known: Floats, p: int, walk: float) -> bool:
    """Whether person `p` surely did not walk when last seen: somebody seen once may do anything."""
    still: bool = pace_of(known, p) < walk and known[p, K_V] < walk * walk
    return still


@njit(cache=True, error_model="numpy")
def left(memory: Memory, p: int, gap_s: float, aspect: float, rules: Rules) -> float:
    """Chance that person `p` has left the view since the last sight, as people do who go where they went."""
    i, j = way(memory.known, p, aspect, rules.ahead_s)
    rate = (memory.places[LEAVES, i, j] + rules.leave_hz * rules.leave_s) / (memory.places[STAYS, i, j] + rules.leave_s)
    return min(max(rate * gap_s, LEFT_MIN), 1.0)


@njit(cache=True, error_model="numpy")
def is_over(memory: Memory, p: int, gap_s: float, aspect: float, rules: Rules) -> bool:
    """Whether person `p`, unseen for so long, cannot be found again any more."""
    if gap_s <= rules.relink_s_max:
        return False
    if gap_s > rules.relink_s_max * rules.patience or not stands(memory.known, p, rules.walk):
        return True
    over: bool = left(memory, p, gap_s, aspect, rules) > rules.left_max
    return over


@njit(cache=True, error_model="numpy")
def turned_round(known: Floats, p: int, walk: float) -> bool:
    """Whether person `p` walks now, and against the way they walked before; remembers that they do."""
    if pace_of(known, p) < walk:
        return False
    back: bool = known[p, K_SPEED_X] * known[p, K_HEAD_X] + known[p, K_SPEED_Y] * known[p, K_HEAD_Y] < 0.0
    known[p, K_HEAD_X] = known[p, K_SPEED_X]
    known[p, K_HEAD_Y] = known[p, K_SPEED_Y]
    return back


@njit(cache=True, error_model="numpy")
def begin(known: Floats, p: int, x: float, y: float, height: float, t_s: float, rules: Rules) -> None:
    """Person `p` was first seen at `t_s`."""
    known[p, K_BORN_S] = t_s
    known[p, K_LAST_S] = t_s
    known[p, K_X] = x
    known[p, K_Y] = y
    known[p, K_SPEED_X] = 0.0
    known[p, K_SPEED_Y] = 0.0
    known[p, K_SEEN_X] = x
    known[p, K_SEEN_Y] = y
    known[p, K_HEIGHT] = height
    known[p, K_P] = rules.jitter * rules.jitter
    known[p, K_PV] = 0.0
    known[p, K_V] = rules.speed * rules.speed
    known[p, K_STRIDE] = 0.0
    known[p, K_FOUND] = -np.inf
    known[p, K_HEAD_X] = 0.0
    known[p, K_HEAD_Y] = 0.0


@njit(cache=True, error_model="numpy")
def forget_longest_lost(memory: Memory) -> None:
    """Make room: of those out of view, the one lost longest is gone."""
    known, counters = memory.known, memory.counters
    oldest = NONE
    for p in range(counters[LIVE]):
        if known[p, K_ROW] == NONE and (oldest == NONE or known[p, K_LAST_S] < known[oldest, K_LAST_S]):
            oldest = p
    memory.gone[counters[GONE]] = int(known[oldest, K_ID])
    counters[GONE] += 1
    for p in range(oldest + 1, counters[LIVE]):
        move(known, p, p - 1)
    counters[LIVE] -= 1


@njit(cache=True, error_model="numpy")
def move(known: Floats, source: int, target: int) -> None:
    """Row `target` becomes what row `source` is."""
    for c in range(KNOWN_COLUMNS):
        known[target, c] = known[source, c]
