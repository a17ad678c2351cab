"""One sea under one sky: draws its picture for any attitude, time and set of objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spiking_retina_ros.datasets.sea.coast import Coast, draw_coast
from spiking_retina_ros.datasets.sea.compose import Actor, blend, turn_canvas, visible_boxes
from spiking_retina_ros.datasets.sea.foam import add_wake, foam_texture
from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.optics import Attitude, Optics, Window, window_of
from spiking_retina_ros.datasets.sea.reflection import add_reflection
from spiking_retina_ros.datasets.sea.sky import draw_sky, mean_sky
from spiking_retina_ros.datasets.sea.sprite import Sprite, draw_sprite
from spiking_retina_ros.datasets.sea.water import Water
from spiking_retina_ros.datasets.sea.waves import SeaState
from spiking_retina_ros.detections import FloatArray, ImageArray

_LEAST_SPEED = 0.4  # m/s; slower things leave no wake
_FLYING = 1.0  # metres; what is so high above the water mirrors elsewhere, if at all
_LEAST_REFLECTION = 4  # pixels; smaller things mirror in less than a pixel


@dataclass(frozen=True)
class Shot:
    """A picture (H, W, 3) uint8 BGR, its boxes (N, 4) xyxy and class names, farthest first."""

    image: ImageArray
    boxes: FloatArray
    class_names: tuple[str, ...]


class Stage:
    """
    Sky, coast and sea of one scene.

    ``window`` bounds the part of the level canvas that may be asked for. Sky and coast are drawn
    once; ``shoot`` draws sea and objects.
    """

    def __init__(
        self,
        optics: Optics,
        window: Window,
        light: Light,
        state: SeaState,
        coast: Coast,
        rng: np.random.Generator,
    ) -> None:
        self.optics, self.light, self.state = optics, light, state
        self._window = window
        sky = draw_sky(optics, window, light, rng)
        shore = draw_coast(sky, optics, window, light, coast, rng)
        dither = rng.random(sky.shape, np.float32)  # hides the steps of 8 bits in smooth skies
        self._backdrop = np.clip(sky * 254 + dither, 0, 255).astype(np.uint8)
        self._water = Water(optics, window, light, state, rng, shore)
        self._texture = foam_texture(rng)
        self._haze = mean_sky(light, np.zeros(1))[0]

    def shoot(
        self,
        attitude: Attitude,
        actors: Sequence[Actor],
        *,
        time: float = 0.0,
        travelled: float = 0.0,
        effects: bool = True,
    ) -> Shot:
        """
        Return the picture at a time in seconds, the camera having gone ``travelled`` metres.

        Without ``effects`` objects leave neither reflection nor wake, so that a picture differs
        from that of the empty sea by the objects alone.
        """
        window = _clipped(window_of(self.optics, [attitude]), self._window)
        canvas = self._backdrop[
            window.top - self._window.top : window.bottom - self._window.top,
            window.left - self._window.left : window.right - self._window.left,
        ].copy()
        slopes = self._water.slopes(window, time, travelled)
        self._water.draw(canvas, window, slopes)
        sprites = []
        for actor in sorted(actors, key=lambda item: -item.pose.z):
            sprite = draw_sprite(
                actor.solid, actor.pose, self.optics, window, self.light, self._haze
            )
            if sprite is None or not _meets(sprite, window):
                continue
            sprites.append((actor, sprite))
            if effects:
                self._add_effects(canvas, window, slopes, actor, sprite, travelled)
            blend(canvas, window, sprite)
        boxes, names = visible_boxes(sprites, self.optics, attitude)
        return Shot(turn_canvas(canvas, window, self.optics, attitude), boxes, names)

    def _add_effects(
        self,
        canvas: ImageArray,
        window: Window,
        slopes: np.ndarray,
        actor: Actor,
        sprite: Sprite,
        travelled: float,
    ) -> None:
        first, light, optics = self._water.first, self.light, self.optics
        afloat = actor.pose.heave < _FLYING
        if afloat and sprite.opacity.shape[0] >= _LEAST_REFLECTION:
            rough = self.state.roughness
            add_reflection(canvas, window, slopes, first, sprite, optics, light, rough)
        if actor.speed > _LEAST_SPEED:
            add_wake(
                canvas,
                window,
                first,
                actor.solid,
                actor.pose,
                actor.speed,
                self._texture,
                optics,
                light,
                travelled,
            )


def _clipped(window: Window, limits: Window) -> Window:
    return Window(
        max(window.left, limits.left),
        max(window.top, limits.top),
        min(window.right, limits.right),
        min(window.bottom, limits.bottom),
    )


def _meets(sprite: Sprite, window: Window) -> bool:
    rows, columns = sprite.opacity.shape
    beside = sprite.left >= window.right or sprite.left + columns <= window.left
    above_or_below = sprite.top >= window.bottom or sprite.top + rows <= window.top
    return not (beside or above_or_below)
