"""The sky: a gradient, the glow around the sun, and clouds on a plane above the camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from spiking_retina_ros.datasets.sea.light import Light
from spiking_retina_ros.datasets.sea.noise import FloatImage, fractal_noise, smoothstep
from spiking_retina_ros.datasets.sea.optics import Optics, Window


def clear_sky(light: Light, elevation: NDArray[np.floating]) -> FloatImage:
    """Return the colour (..., 3) BGR of a cloudless sky at elevations in radians."""
    rise = np.clip(np.asarray(elevation, np.float32), 0.0, None)[..., None]
    horizon, middle, zenith = (
        np.array(colour, np.float32) for colour in (light.horizon, light.middle, light.zenith)
    )
    lower = 1.0 - np.exp(-rise / 0.13)
    upper = 1.0 - np.exp(-np.clip(rise - 0.05, 0.0, None) / 0.45)
    colour = horizon + (middle - horizon) * lower
    return (colour + (zenith - colour) * upper).astype(np.float32)


def mean_sky(light: Light, elevation: NDArray[np.floating]) -> FloatImage:
    """Return the sky colour with the clouds averaged in: what rough water mirrors."""
    clouds = 0.5 * (np.array(light.cloud_lit) + np.array(light.cloud_shade))
    share = (0.85 * light.cover * smoothstep(np.asarray(elevation, np.float32), 0.0, 0.25))[
        ..., None
    ]
    clear = clear_sky(light, elevation)
    return (clear + (clouds.astype(np.float32) - clear) * share).astype(np.float32)


def draw_sky(optics: Optics, window: Window, light: Light, rng: np.random.Generator) -> FloatImage:
    """
    Return the canvas (rows, columns, 3) float32 BGR in [0, 1] with the sky above the horizon.

    Rows below the horizon hold the horizon's colour, which the water covers.
    """
    centre_x, centre_y = optics.centre
    rows, columns = window.shape
    y = (centre_y - (np.arange(rows, dtype=np.float32) + window.top)) / optics.focal
    x = ((np.arange(columns, dtype=np.float32) + window.left) - centre_x) / optics.focal
    elevation = np.arctan(np.clip(y, 0.0, None))
    canvas = np.repeat(clear_sky(light, elevation)[:, None], columns, axis=1)
    sky_rows = int(np.clip(np.ceil(centre_y) - window.top + 1, 0, rows))
    if sky_rows == 0:
        return canvas
    part = canvas[:sky_rows]
    angle = _sun_angle(light, x, y[:sky_rows])
    _add_glow(part, light, angle)
    _add_clouds(part, light, rng, x, y[:sky_rows], angle)
    canvas[sky_rows:] = canvas[sky_rows - 1]
    return np.clip(canvas, 0.0, 1.0)


def _sun_angle(light: Light, x: FloatImage, y: FloatImage) -> FloatImage:
    """Return the angle (rows, columns) between each pixel's ray and the sun, in radians."""
    sun = light.sun_direction
    dot = x[None, :] * sun[0] + y[:, None] * sun[1] + sun[2]
    norm = np.sqrt(1.0 + x[None, :] ** 2 + y[:, None] ** 2)
    return np.arccos(np.clip(dot / norm, -1.0, 1.0)).astype(np.float32)


def _add_glow(part: FloatImage, light: Light, angle: FloatImage) -> None:
    """Brighten the sky around the sun; an overcast sky keeps only the widest glow."""
    open_sky = 1.0 - 0.9 * smoothstep(np.array(light.cover), 0.7, 0.95)
    glow = np.array(light.glow, np.float32)
    wide = 0.45 * np.exp(-angle / 0.5) * (0.4 + 0.6 * open_sky)
    close = 0.9 * np.exp(-angle / 0.07) * open_sky
    disc = smoothstep(-angle, -0.0075, -0.0045) * 1.2 * open_sky
    if light.sun_elevation < -0.005:
        disc = disc * 0.0
    part += (glow - part) * np.clip(wide, 0, 1)[..., None]
    part += (close + disc)[..., None] * (0.3 + 0.7 * glow)


def _add_clouds(
    part: FloatImage,
    light: Light,
    rng: np.random.Generator,
    x: FloatImage,
    y: FloatImage,
    angle: FloatImage,
) -> None:
    """Blend clouds in; they flatten towards the horizon because they lie on a plane."""
    stretch = {'cumulus': 1.0, 'cirrus': 0.35, 'layers': 0.6}[light.cloud_kind]
    field = fractal_noise(rng, (512, 512), slope=2.0, stretch=1.0 / stretch, low=2.0)
    depth = 1.0 / (np.clip(y, 0.0, None) + 0.09)
    scale = {'cumulus': 52.0, 'cirrus': 60.0, 'layers': 40.0}[light.cloud_kind]
    offset = rng.uniform(0, 512, 2)
    map_x = (x[None, :] * depth[:, None] * scale + offset[0]).astype(np.float32)
    map_y = np.repeat((depth * scale * 0.8 + offset[1])[:, None], x.size, axis=1).astype(np.float32)
    density = cv2.remap(field, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    sunward = (9.0 * np.sin(light.sun_azimuth), -6.0 if np.cos(light.sun_azimuth) > 0 else 6.0)
    towards_sun = cv2.remap(
        field,
        map_x + np.float32(sunward[0]),
        map_y + np.float32(sunward[1]),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    threshold = float(np.quantile(field, 1.0 - np.clip(light.cover, 0.02, 0.98)))
    softness = {'cumulus': 0.7, 'cirrus': 1.6, 'layers': 1.2}[light.cloud_kind]
    alpha = smoothstep(np.asarray(density, np.float32), threshold, threshold + softness)
    alpha *= {'cumulus': 0.95, 'cirrus': 0.55, 'layers': 0.85}[light.cloud_kind]
    alpha *= (0.15 + 0.85 * smoothstep(y, 0.0, 0.14))[:, None]
    lit = np.clip(0.55 + 0.45 * (density - towards_sun) - 0.18 * (density - threshold - 0.6), 0, 1)
    lit = np.clip(lit + 0.4 * np.exp(-angle / 0.25), 0, 1)[..., None]
    bright, shade = np.array(light.cloud_lit, np.float32), np.array(light.cloud_shade, np.float32)
    part += (shade + (bright - shade) * lit - part) * alpha[..., None]
