"""Objects cut from photographs and pasted onto others: more buoys, on other water."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spiking_retina_ros.datasets.augment import Sample
from spiking_retina_ros.detections import FloatArray, ImageArray

# Around the box, as a share of its sides: shows what the surroundings look like.
MARGIN = 0.15
SMALLEST_CUT_OUT = 14
LARGEST_CUT_OUT = 220
# A cut is believed if it fills this share of the box and spans most of its width and height.
FOUND_SHARE = (0.25, 0.95)
FOUND_EXTENT = 0.8


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
        self.groups: dict[int, list[CutOut]] = {}

    def collect(self, sample: Sample, group: int = 0) -> None:
        """
        Cut out the sample's objects that are large enough and overlap no other object.

        Each group is pasted as often as every other, however many objects it has: a large
        synthetic set must not crowd out the photographs.
        """
        for index in np.flatnonzero(sample.labels == self.label):
            box = sample.boxes[index]
            width, height = box[2] - box[0], box[3] - box[1]
            fits = min(width, height) >= SMALLEST_CUT_OUT and height <= LARGEST_CUT_OUT
            if fits and not _overlaps(np.delete(sample.boxes, index, axis=0), box):
                cut_out = _cut(sample.image, box)
                if cut_out is not None:
                    self.groups.setdefault(group, []).append(cut_out)

    def paste(self, sample: Sample, settings: PasteSettings, rng: np.random.Generator) -> Sample:
        """Return the sample with a few of the collected objects, never over its own."""
        if self.label is None or not self.groups or rng.random() >= settings.chance:
            return sample
        image, boxes, labels = sample.image.copy(), sample.boxes, sample.labels
        for _ in range(int(rng.integers(1, settings.most + 1))):
            group = list(self.groups.values())[rng.integers(len(self.groups))]
            item = group[rng.integers(len(group))]
            box = _paste_one(image, boxes, item, settings, rng)
            if box is not None:
                boxes = np.vstack([boxes, box[None]])
                labels = np.append(labels, self.label)
        return Sample(image, boxes, labels)


def _cut(image: ImageArray, box: FloatArray) -> CutOut | None:
    """Return the object without its surroundings (GrabCut), or None where they look alike."""
    margin = MARGIN * (box[2:] - box[:2])
    low = np.maximum(np.floor(box[:2] - margin), 0).astype(int)
    high = np.minimum(np.ceil(box[2:] + margin), image.shape[1::-1]).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]].copy()
    inside = (box - np.tile(low, 2)).astype(np.float32)
    corner = inside[:2].round().astype(int)
    size = inside[2:].round().astype(int) - corner
    mask = np.zeros(part.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # GrabCut's k-means starts at random
    rectangle = (*corner.tolist(), *size.tolist())
    cv2.grabCut(part, mask, rectangle, *models, 4, cv2.GC_INIT_WITH_RECT)
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.float32)
    share = float(found.sum()) / float(size.prod())
    if not FOUND_SHARE[0] <= share <= FOUND_SHARE[1]:
        return None
    rows, columns = np.nonzero(found)
    extent = np.array([np.ptp(columns) + 1, np.ptp(rows) + 1])
    if (extent < FOUND_EXTENT * size).any():
        return None
    opacity = np.asarray(cv2.GaussianBlur(found, (0, 0), 0.8), np.float32)
    return CutOut(part, opacity[:, :, None], inside)


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
