"""Objects cut from photographs and pasted onto others: more buoys, on other water."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spiking_retina_ros.datasets.augment import Sample
from spiking_retina_ros.detections import FloatArray, ImageArray

# Around the box, as a share of its sides: room for the soft edge.
MARGIN = 0.15
SMALLEST_CUT_OUT = 14
LARGEST_CUT_OUT = 220


@dataclass(frozen=True)
class PasteSettings:
    """
    With ``chance``, up to ``most`` objects of ``class_name`` are pasted onto a view.

    Their heights lie in ``height``, as shares of the view's height, evenly over the logarithm;
    small ones land high (far away, near where a horizon is likely), large ones low.
    """

    chance: float = 0.0
    class_name: str = 'buoy'
    most: int = 3
    height: tuple[float, float] = (0.02, 0.2)


@dataclass(frozen=True)
class CutOut:
    """A picture (H, W, 3) uint8, its opacity (H, W, 1) in [0, 1] and the object's box in it."""

    image: ImageArray
    opacity: FloatArray
    box: FloatArray


class CutOuts:
    """The objects of one label found in photographs; None means that there are none."""

    def __init__(self, label: int | None) -> None:
        self.label = label
        self.items: list[CutOut] = []

    def collect(self, sample: Sample) -> None:
        """Cut out the sample's objects that are large enough and overlap no other object."""
        for index in np.flatnonzero(sample.labels == self.label):
            box = sample.boxes[index]
            width, height = box[2] - box[0], box[3] - box[1]
            fits = min(width, height) >= SMALLEST_CUT_OUT and height <= LARGEST_CUT_OUT
            if fits and not _overlaps(np.delete(sample.boxes, index, axis=0), box):
                self.items.append(_cut(sample.image, box))

    def paste(self, sample: Sample, settings: PasteSettings, rng: np.random.Generator) -> Sample:
        """Return the sample with a few of the collected objects, never over its own."""
        if not self.items or rng.random() >= settings.chance:
            return sample
        image, boxes, labels = sample.image.copy(), sample.boxes, sample.labels
        for _ in range(int(rng.integers(1, settings.most + 1))):
            item = self.items[rng.integers(len(self.items))]
            box = _paste_one(image, boxes, item, settings, rng)
            if box is not None:
                boxes = np.vstack([boxes, box[None]])
                labels = np.append(labels, self.label)
        return Sample(image, boxes, labels)


def _cut(image: ImageArray, box: FloatArray) -> CutOut:
    margin = MARGIN * (box[2:] - box[:2])
    low = np.maximum(np.floor(box[:2] - margin), 0).astype(int)
    high = np.minimum(np.ceil(box[2:] + margin), image.shape[1::-1]).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]].copy()
    inside = box - np.tile(low, 2)
    y, x = np.ogrid[: part.shape[0], : part.shape[1]]
    centre, half = (inside[:2] + inside[2:]) / 2, (inside[2:] - inside[:2]) / 2
    # A superellipse that just holds the box's middle and fades out over its margin.
    distance = ((np.abs(x + 0.5 - centre[0]) / half[0]) ** 4) + (
        (np.abs(y + 0.5 - centre[1]) / half[1]) ** 4
    )
    opacity = np.clip((1.6 - distance) / 0.8, 0, 1).astype(np.float32)
    return CutOut(part, opacity[:, :, None], inside.astype(np.float32))


def _paste_one(
    image: ImageArray,
    boxes: FloatArray,
    item: CutOut,
    settings: PasteSettings,
    rng: np.random.Generator,
) -> FloatArray | None:
    """Paste in place; return the box, or None where it would not fit or cover an object."""
    height, width = image.shape[:2]
    wanted = np.exp(rng.uniform(*np.log(settings.height)))
    factor = min(1.5, float(wanted * height / (item.box[3] - item.box[1])))
    size = (np.array(item.image.shape[1::-1]) * factor).round().astype(int)
    low, high = np.log(settings.height)
    nearness = (np.log(wanted) - low) / max(high - low, 1e-6)
    foot = height * (0.48 + 0.3 * nearness + rng.uniform(-0.05, 0.2))
    left, top = int(rng.uniform(0, max(1, width - size[0]))), int(foot - size[1])
    if size.min() < 3 or top < 0 or top + size[1] > height or left + size[0] > width:
        return None
    scale = size / np.array(item.image.shape[1::-1])
    box = (item.box * np.tile(scale, 2) + np.array([left, top] * 2)).astype(np.float32)
    if _overlaps(boxes, box):
        return None
    shape = (int(size[0]), int(size[1]))
    mode = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    part = cv2.resize(item.image, shape, interpolation=mode)
    opacity = cv2.resize(item.opacity, shape, interpolation=mode)[:, :, None]
    if rng.random() < 0.5:
        part, opacity = part[:, ::-1], opacity[:, ::-1]
        middle = left + shape[0] / 2
        box[[0, 2]] = 2 * middle - box[[2, 0]]
    target = image[top : top + shape[1], left : left + shape[0]]
    # The light of the place it comes to: half way to the new surroundings' brightness.
    shift = 0.5 * (float(target.mean()) - float(part.mean()))
    lit = np.clip(part + np.clip(shift, -50, 50), 0, 255)
    target[:] = (target * (1 - opacity) + lit * opacity).astype(np.uint8)
    return box


def _overlaps(boxes: FloatArray, box: FloatArray) -> bool:
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    return bool((high > low).all(axis=1).any())
