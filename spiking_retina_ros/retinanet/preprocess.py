"""From a BGR image to the network's input."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.letterbox import Letterbox
from spiking_retina_ros.retinanet.config import RetinaNetConfig


def preprocess(image: ImageArray, config: RetinaNetConfig) -> tuple[Tensor, Letterbox]:
    """
    Return a BGR image (H, W, 3) uint8 as float32 input (1, 3, H, W) and the way back.

    What the image does not cover is filled with ``config.mean``, the network's zero.
    """
    letterbox = Letterbox.fit((image.shape[0], image.shape[1]), config.input_size)
    boxed = letterbox.apply(image, fill=fill_colour(config))
    return normalise(to_rgb_tensor(boxed)[None], config), letterbox


def fill_colour(config: RetinaNetConfig) -> tuple[int, int, int]:
    """Return the mean colour as BGR."""
    red, green, blue = (round(value) for value in config.mean)
    return blue, green, red


def to_rgb_tensor(image: ImageArray) -> Tensor:
    """Return a BGR image (H, W, 3) as a contiguous RGB tensor (3, H, W), uint8."""
    return torch.from_numpy(np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1)))


def normalise(images: Tensor, config: RetinaNetConfig) -> Tensor:
    """Return uint8 RGB images (N, 3, H, W) as ``(rgb - mean) / std``, float32."""
    mean = torch.tensor(config.mean, device=images.device)[:, None, None]
    std = torch.tensor(config.std, device=images.device)[:, None, None]
    return (images.float() - mean) / std
