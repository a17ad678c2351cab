"""The synthetic sea camera: pictures of a sea with exact boxes of its boats and buoys."""

from __future__ import annotations

from spiking_retina_ros.datasets.sea.camera import SeaCamera, SeaCameraConfig
from spiking_retina_ros.datasets.sea.frame import SeaFrame
from spiking_retina_ros.datasets.sea.still import render_still
from spiking_retina_ros.datasets.sea_bag import write_sea_bag
from spiking_retina_ros.datasets.sea_coco import write_coco_set

__all__ = [
    'SeaCamera',
    'SeaCameraConfig',
    'SeaFrame',
    'render_still',
    'write_coco_set',
    'write_sea_bag',
]
