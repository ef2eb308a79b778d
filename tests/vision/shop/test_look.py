"""What simulated people look like."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from firmware.vision.shop.look import Looks, mannequin, random_looks


def crowd(seed: int = 1, people: int = 2000) -> Looks:
    return random_looks(np.random.default_rng(seed), people)


def test_one_seed_dresses_people_alike() -> None:
    """The same generator state gives the same people."""
    for field in fields(Looks):
        np.testing.assert_array_equal(getattr(crowd(3), field.name), getattr(crowd(3), field.name))


def test_people_have_the_sizes_of_people() -> None:
    """Grown people of 1.5 to 2 m, some children, nobody else."""
    height = crowd().height_m
    assert height.min() >= 1.0
    assert height.max() < 2.0
    assert 0.04 < (height < 1.45).mean() < 0.13
    assert 1.66 < np.median(height[height > 1.45]) < 1.74


def test_clothes_vary() -> None:
    """Dark and bright, plain and patterned, skirts, bags and hats all occur, none always."""
    looks = crowd()
    brightness = looks.top.mean(axis=1)
    assert (brightness < 60).mean() > 0.15
    assert (brightness > 180).mean() > 0.08
    for worn in (looks.skirt > 0, looks.backpack > 0, looks.bag > 0, looks.brim > 0, looks.hair_long > 0, looks.pattern > 0):
        assert 0.01 < worn.mean() < 0.75


def test_colours_are_levels() -> None:
    """Every colour stays inside what eight bits hold."""
    looks = crowd()
    for colour in (looks.skin, looks.hair, looks.top, looks.top2, looks.legs, looks.shoes, looks.bag_colour):
        assert colour.min() >= 0
        assert colour.max() <= 255


def test_taking_rows_takes_all_of_a_person() -> None:
    """Person five of the crowd is person zero of the selection, in every attribute."""
    looks = crowd(people=9)
    taken = looks.take(np.array([5, 2]))
    for field in fields(Looks):
        np.testing.assert_array_equal(getattr(taken, field.name)[0], getattr(looks, field.name)[5])


def test_a_mannequin_has_no_face_and_no_hair() -> None:
    """One pale colour for skin and head, the clothes unchanged."""
    looks = crowd(people=5)
    figure = mannequin(looks)
    assert (figure.skin == figure.hair).all()
    assert not figure.hair_long.any()
    np.testing.assert_array_equal(figure.top, looks.top)
