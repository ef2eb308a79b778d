"""Video files: every frame, its time, its way up; and what is no video."""

from __future__ import annotations

import socket
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from firmware.errors import SourceError
from firmware.vision.frame import Frame
from firmware.vision.video_file import VideoFile
from tests.data_folder import DATA, needs_data
from tests.vision.clips import turn, write_clip, write_sound


def frames_of(path: Path, fps_max: float | None = None, threads: int = 1) -> list[Frame]:
    source = VideoFile(path, fps_max, threads)
    try:
        out = []
        while (frame := source.read()) is not None:
            out.append(frame)
        return out
    finally:
        source.close()


def test_every_frame_arrives_with_its_time(tmp_path: Path) -> None:
    """Thirty frames at ten a second: thirty frames from 0 s on, RGB, of the file's size."""
    frames = frames_of(write_clip(tmp_path / "a.mp4", [number / 10 for number in range(30)]))
    assert [frame.t_s for frame in frames] == pytest.approx([number / 10 for number in range(30)])
    assert all(frame.pixels.shape == (48, 64, 3) and frame.pixels.dtype == np.uint8 for frame in frames)
    assert [frame.dropped for frame in frames] == [0] * 30


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    """What was red on the left is red on the left."""
    last = frames_of(write_clip(tmp_path / "a.mp4", [number / 10 for number in range(20)]))[-1].pixels
    left, right = last[:, 8:24].reshape(-1, 3).mean(axis=0), last[:, 40:56].reshape(-1, 3).mean(axis=0)
    assert left[0] > 180
    assert left[1:].max() < 40
    assert right.max() < 40


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts", "mov"])
def test_the_usual_containers_open(tmp_path: Path, suffix: str) -> None:
    """MP4, Matroska, AVI, MPEG-TS and MOV all give the frames that were written."""
    codec = "libx264" if suffix == "ts" else "mpeg4"
    assert len(frames_of(write_clip(tmp_path / f"a.{suffix}", [number / 25 for number in range(25)], codec=codec))) == 25


def test_a_variable_frame_rate_stays_one(tmp_path: Path) -> None:
    """Times come from the file's stamps, not from counting frames."""
    times = [0.0, 0.1, 0.15, 1.4, 1.5, 2.9]
    assert [frame.t_s for frame in frames_of(write_clip(tmp_path / "a.mp4", times))] == pytest.approx(times)


def test_times_begin_at_the_first_frame(tmp_path: Path) -> None:
    """A recording cut out of a longer one still begins at 0 s."""
    frames = frames_of(write_clip(tmp_path / "a.mkv", [100.0, 100.5, 101.0]))
    assert [frame.t_s for frame in frames] == pytest.approx([0.0, 0.5, 1.0])


def test_a_rate_thins_evenly(tmp_path: Path) -> None:
    """At most five a second of thirty leaves every sixth, at its own time, and none of the others count as dropped."""
    frames = frames_of(write_clip(tmp_path / "a.mp4", [number / 30 for number in range(60)]), fps_max=5.0)
    assert [frame.t_s for frame in frames] == pytest.approx([number / 5 for number in range(10)], abs=1.5e-3)
    assert sum(frame.dropped for frame in frames) == 0


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_turned_recording_stands_upright(tmp_path: Path, quarters: int) -> None:
    """A display matrix of clockwise quarter turns moves the red left half where players show it."""
    pixels = frames_of(turn(write_clip(tmp_path / "a.mp4", [number / 10 for number in range(20)]), quarters))[-1].pixels
    assert pixels.shape == ((48, 64, 3), (64, 48, 3))[quarters % 2]
    red = pixels[:, :, 0].astype(float)
    levels = [red[:, :12].mean(), red[:12].mean(), red[:, -12:].mean(), red[-12:].mean()]  # left, top, right, bottom
    assert int(np.argmax(levels)) == quarters


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_threads_do_not_change_the_frames(tmp_path: Path, threads: int) -> None:
    """One thread or as many as the decoder likes: the same bytes."""
    path = write_clip(tmp_path / "a.mp4", [number / 10 for number in range(12)], codec="libx264")
    expected = frames_of(path, threads=1)
    found = frames_of(path, threads=threads)
    assert len(found) == len(expected)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"hello, world\n" * 200, "is not a video"),
        (b"[project]\nname = 'x'\n" * 50, "is not a video"),
        (b"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/x.ts\n", "is not a video"),
        (bytes(5000), "is not a video"),
    ],
)
def test_what_is_no_video_says_so(tmp_path: Path, content: bytes, says: str) -> None:
    """Empty, text, a playlist that points elsewhere, zeros: one line with a hint, and nothing else is opened."""
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=says) as caught:
        VideoFile(path)
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_playlist_opens_nothing_elsewhere(tmp_path: Path) -> None:
    """A file that names an address on the network is refused without a single connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        path = tmp_path / "shop.m3u8"
        path.write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:{listener.getsockname()[1]}/x.ts\n#EXT-X-ENDLIST\n"
        )
        with pytest.raises(SourceError, match="is not a video"):
            VideoFile(path)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_missing_files_folders_and_sound_say_so(tmp_path: Path) -> None:
    """No such file, a folder, a file with sound only: each its own words."""
    with pytest.raises(SourceError, match="there is no file"):
        VideoFile(tmp_path / "nope.mp4")
    with pytest.raises(SourceError, match="is a folder"):
        VideoFile(tmp_path)
    with pytest.raises(SourceError, match="no video stream, only sound"):
        VideoFile(write_sound(tmp_path / "a.mp4"))


def test_a_file_cut_off_at_its_head_does_not_open(tmp_path: Path) -> None:
    """An MP4 whose index was not written whole is not a video."""
    path = write_clip(tmp_path / "a.mov", [number / 10 for number in range(50)])
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SourceError, match="not a video, or it was cut off"):
        VideoFile(path)


def test_a_file_cut_off_in_the_middle_gives_its_frames_and_then_an_error(tmp_path: Path) -> None:
    """Half a recording must not pass for the whole: the frames that are there, then a SourceError with both lengths."""
    path = write_clip(tmp_path / "a.mp4", [number / 10 for number in range(150)], size=(160, 120), noise=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    source = VideoFile(path)
    count = 0
    with pytest.raises(SourceError, match=r"cut off|broken"):  # noqa: PT012  (the count up to the error is the point)
        while source.read() is not None:
            count += 1
    source.close()
    assert 60 < count < 120


def test_reading_after_close_is_the_end(tmp_path: Path) -> None:
    """A closed file gives None, and closing twice is nothing."""
    source = VideoFile(write_clip(tmp_path / "a.mp4", [0.0, 0.1]))
    source.close()
    source.close()
    assert source.read() is None


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Three hundred frames cost no more memory than thirty: nothing keeps them."""
    source = VideoFile(write_clip(tmp_path / "a.mp4", [number / 30 for number in range(300)], size=(320, 240)), threads=1)
    for _ in range(30):
        source.read()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    while source.read() is not None:
        pass
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    source.close()
    assert grown < 320 * 240 * 3 * 2


@needs_data
@pytest.mark.data
@pytest.mark.parametrize("path", sorted((DATA / "videos" / "intel_sample_videos").glob("*.gif")), ids=lambda path: path.stem)
def test_the_sample_previews_open(path: Path) -> None:
    """Every preview GIF gives its frames with rising times."""
    frames = frames_of(path)
    times = [frame.t_s for frame in frames]
    assert len(frames) > 20
    assert times == sorted(set(times))


@needs_data
@pytest.mark.data
def test_the_sample_video_has_its_frames() -> None:
    """The one-by-one clip: 1394 frames at ten a second."""
    source = VideoFile(DATA / "videos" / "intel_sample_videos" / "one-by-one-person-detection.mp4", fps_max=1.0, threads=1)
    times = []
    while (frame := source.read()) is not None:
        times.append(frame.t_s)
    source.close()
    assert source.seconds == pytest.approx(139.4, abs=0.2)
    assert times == pytest.approx([float(number) for number in range(140)], abs=0.01)
