"""How a detector is run: engine, steps, and where to look again."""

from __future__ import annotations

import argparse

from spiking_retina_ros.evaluation.any_detector import AnyDetector
from spiking_retina_ros.tiling import Strip


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how a spiking network is run."""
    parser.add_argument('--engine', default='event', help='reference, dense or event')
    parser.add_argument('--steps', type=int, help='simulated steps (default: recommended)')
    parser.add_argument('--threads', type=int, help="the engine's threads")


def add_strip_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where to look again at full resolution; see `strip_from`."""
    parser.add_argument(
        '--strip-height',
        type=float,
        default=0.0,
        help='share of the image, around the horizon, to look at again at full resolution',
    )
    parser.add_argument(
        '--strip-centre', type=float, default=0.45, help='where its middle lies, 0 at the top'
    )


def strip_from(arguments: argparse.Namespace) -> Strip | None:
    """Return the strip asked for, None without one."""
    if not arguments.strip_height:
        return None
    return Strip(arguments.strip_height, arguments.strip_centre)


def detector_from(arguments: argparse.Namespace) -> AnyDetector:
    """Load the detector that model, strip and ``add_model_arguments`` describe."""
    return AnyDetector.load(
        arguments.model,
        engine=arguments.engine,
        steps=arguments.steps,
        threads=arguments.threads,
        strip=strip_from(arguments),
    )
