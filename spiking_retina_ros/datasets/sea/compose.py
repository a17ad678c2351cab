"""Puts sky, coast, water and objects together, turns the picture and finds the visible boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.foam import add_reflection, add_wake
from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.mesh import Mesh
from spiking_retina_ros.datasets.sea.noise import FloatImage
from spiking_retina_ros.datasets.sea.optics import Attitude, Optics, Window, canvas_to_image
from spiking_retina_ros.datasets.sea.sprite import Pose, Sprite, draw_sprite

SEEN_OPACITY = 0.25  # a pixel belongs to an object that covers at least this share of it
LEAST_SIDE = 3.0
LEAST_AREA = 12
LEAST_VISIBLE = 0.3


@dataclass(frozen=True)
class Actor:
    """An object afloat; ``speed`` in m/s makes its wake, ``class_name`` None is a distractor."""

    mesh: Mesh
    pose: Pose
    class_name: str | None
    speed: float = 0.0


def place_actors(
    canvas: FloatImage,
    slopes: FloatImage,
    first_row: int,
    actors: Sequence[Actor],
    *,
    optics: Optics,
    window: Window,
    light: Light,
    roughness: float,
    texture: FloatImage,
    haze: FloatImage,
    effects: bool = True,
) -> list[tuple[Actor, Sprite]]:
    """Draw the actors onto ``canvas``, farthest first; return those that were drawn."""
    ordered = sorted(actors, key=lambda actor: -actor.pose.z)
    drawn = []
    for actor in ordered:
        sprite = draw_sprite(actor.mesh, actor.pose, optics, light)
        if sprite is None:
            continue
        clear = float(np.exp(-actor.pose.z / light.visibility))
        colour = haze + (sprite.colour - haze) * clear
        hazed = Sprite(
            colour.astype(np.float32), sprite.opacity, sprite.left, sprite.top, sprite.waterline
        )
        drawn.append((actor, hazed))
        if effects:
            add_reflection(canvas, slopes, first_row, hazed, optics, window, light, roughness)
            if actor.speed > 0.5:
                add_wake(
                    canvas,
                    first_row,
                    actor.mesh,
                    actor.pose,
                    actor.speed,
                    texture,
                    optics,
                    window,
                    light,
                )
        _blend(canvas, hazed, window)
    return drawn


def _blend(canvas: FloatImage, sprite: Sprite, window: Window) -> None:
    found = _overlap(sprite, window.shape, window.left, window.top)
    if found is None:
        return
    here, there = found
    part = canvas[here]
    part += (sprite.colour[there] - part) * sprite.opacity[there][..., None]


def _overlap(
    sprite: Sprite, shape: tuple[int, int], left: int, top: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Return the slices of an array at (left, top) and of the sprite where the two meet."""
    rows, columns = sprite.opacity.shape
    y0, x0 = max(sprite.top - top, 0), max(sprite.left - left, 0)
    y1 = min(sprite.top - top + rows, shape[0])
    x1 = min(sprite.left - left + columns, shape[1])
    if y0 >= y1 or x0 >= x1:
        return None
    dy, dx = top - sprite.top, left - sprite.left
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 + dy, y1 + dy), slice(x0 + dx, x1 + dx))


def visible_boxes(
    drawn: Sequence[tuple[Actor, Sprite]], optics: Optics, attitude: Attitude
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """
    Return boxes (N, 4) float32 xyxy in image pixels and N class names.

    A box holds exactly the pixels whose area its object covers by ``SEEN_OPACITY`` or more after
    nearer objects and the picture's edge have taken their part: the box of pixel columns 3 to 7 is
    (3, 8). Objects that are tiny or mostly hidden get no box.
    """
    matrix = canvas_to_image(optics, attitude)
    covers = [_warp_opacity(sprite, matrix, optics) for _, sprite in drawn]
    boxes, names = [], []
    for index, (actor, _) in enumerate(drawn):
        cover = covers[index]
        if cover is None or actor.class_name is None:
            continue
        whole = int((cover.opacity >= SEEN_OPACITY).sum())
        visible = cover.opacity.copy()
        for nearer in covers[index + 1 :]:
            found = (
                None if nearer is None else _overlap(nearer, visible.shape, cover.left, cover.top)
            )
            if nearer is not None and found is not None:
                visible[found[0]] *= 1.0 - nearer.opacity[found[1]]
        seen = visible >= SEEN_OPACITY
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        count = int(seen.sum())
        if count < LEAST_AREA or count < LEAST_VISIBLE * whole:
            continue
        box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
        if min(box[2] - box[0], box[3] - box[1]) < LEAST_SIDE:
            continue
        boxes.append(box + np.array([cover.left, cover.top] * 2, np.float32))
        names.append(actor.class_name)
    return np.array(boxes, np.float32).reshape(-1, 4), tuple(names)


def _warp_opacity(sprite: Sprite, matrix: NDArray[np.float64], optics: Optics) -> Sprite | None:
    """Turn a sprite's opacity as the canvas is turned; clip it to the picture."""
    rows, columns = sprite.opacity.shape
    corners = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1]], float)
    corners[:, :2] += (sprite.left, sprite.top)
    mapped = matrix @ corners.T
    mapped = mapped[:2] / mapped[2]
    left, top = np.floor(np.maximum(mapped.min(axis=1) - 1, 0)).astype(int)
    limit = (optics.width, optics.height_pixels)
    right, bottom = np.ceil(np.minimum(mapped.max(axis=1) + 2, limit)).astype(int)
    if left >= right or top >= bottom:
        return None
    before = np.array([[1, 0, sprite.left], [0, 1, sprite.top], [0, 0, 1]], float)
    after = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], float)
    opacity = np.asarray(
        cv2.warpPerspective(
            sprite.opacity,
            after @ matrix @ before,
            (int(right - left), int(bottom - top)),
            flags=cv2.INTER_LINEAR,
        ),
        np.float32,
    )
    return Sprite(np.empty((0, 0, 3), np.float32), opacity, int(left), int(top), sprite.waterline)


def turn_canvas(
    canvas: FloatImage, window: Window, optics: Optics, attitude: Attitude
) -> FloatImage:
    """Return the picture (H, W, 3) a camera at ``attitude`` sees of the level canvas."""
    shift = np.array([[1, 0, window.left], [0, 1, window.top], [0, 0, 1]], float)
    picture = cv2.warpPerspective(
        canvas,
        canvas_to_image(optics, attitude) @ shift,
        (optics.width, optics.height_pixels),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(picture, np.float32)
