"""Training scenes: boxes that hold people, and variety."""

from __future__ import annotations

import numpy as np

from firmware.vision.shop.training import VISIBLE_MIN, render_training_scene

SCENES = [render_training_scene(np.random.default_rng(seed), (160, 128)) for seed in range(24)]


def test_one_state_is_one_scene() -> None:
    """The same generator state gives the same bytes and boxes."""
    pixels, boxes = render_training_scene(np.random.default_rng(5), (160, 128))
    np.testing.assert_array_equal(pixels, SCENES[5][0])
    np.testing.assert_array_equal(boxes, SCENES[5][1])


def test_pictures_and_boxes_have_their_shapes() -> None:
    """RGB of the size asked for; boxes with area inside the picture, with a visible share worth learning from."""
    for pixels, boxes in SCENES:
        assert pixels.shape == (128, 160, 3)
        assert pixels.dtype == np.uint8
        assert boxes.shape[1] == 5
        assert ((boxes[:, :4] >= 0) & (boxes[:, :4] <= 1)).all()
        assert (boxes[:, 2:4] > boxes[:, :2]).all()
        assert ((boxes[:, 4] >= VISIBLE_MIN) & (boxes[:, 4] <= 1)).all()


def test_scenes_vary() -> None:
    """Dark and light, empty and crowded, small people and large ones, colour and grey all occur."""
    counts = [len(boxes) for _, boxes in SCENES]
    heights = np.concatenate([boxes[:, 3] - boxes[:, 1] for _, boxes in SCENES])
    means = [float(pixels.mean()) for pixels, _ in SCENES]
    grey = [bool((pixels[..., 0] == pixels[..., 1]).all()) for pixels, _ in SCENES]
    assert min(counts) <= 1
    assert max(counts) >= 8
    assert heights.min() < 0.12
    assert heights.max() > 0.4
    assert max(means) - min(means) > 60
    assert 0 < sum(grey) < len(grey)


def test_boxes_hold_something() -> None:
    """Without people the same generator draws other pixels where the boxes are: a box's inside differs from its rim more often than not."""
    differs = total = 0
    for pixels, boxes in SCENES:
        for x0, y0, x1, y1, visible in boxes:
            left, top, right, bottom = int(x0 * 160), int(y0 * 128), int(np.ceil(x1 * 160)), int(np.ceil(y1 * 128))
            if visible < 0.9 or bottom - top < 24 or left < 4 or right > 156:
                continue
            inside = pixels[top:bottom, left:right].astype(float).reshape(-1, 3).mean(axis=0)
            beside = np.concatenate((pixels[top:bottom, left - 4 : left], pixels[top:bottom, right : right + 4]), axis=1)
            total += 1
            differs += int(np.abs(inside - beside.astype(float).reshape(-1, 3).mean(axis=0)).max() > 6)
    assert total > 10
    assert differs / total > 0.7
