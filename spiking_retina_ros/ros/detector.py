"""
The detector node as a program.

Importing ROS and the network takes longer than a signal may wait, so that happens inside ``run``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from spiking_retina_ros.ros.process import run

if TYPE_CHECKING:
    from spiking_retina_ros.ros.detector_node import DetectorNode


def main(arguments: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; return the exit status."""
    return run(_node, arguments)


def _node() -> DetectorNode:
    from spiking_retina_ros.ros.detector_node import DetectorNode

    return DetectorNode()


if __name__ == '__main__':
    sys.exit(main())
