"""A conversion at several numbers of steps, ready to be scored."""

from __future__ import annotations

from collections.abc import Sequence

from spiking_retina_ros.conversion.convert import Conversion, conversion_at
from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.evaluation.bench import Subject
from spiking_retina_ros.evaluation.stages import rebuild_stages
from spiking_retina_ros.evaluation.transient import search_transients
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.network import Window

TRANSIENT_IMAGES = 8


def candidates(
    conversion: Conversion,
    analog: RetinaNet,
    calibration: Sequence[ImageArray],
    steps: Sequence[int],
    *,
    name: str,
    finetuned: FineTuned | None = None,
    engine: str = 'event',
    threads: int | None = None,
    quiet: bool = False,
) -> list[Subject]:
    """
    Return the conversion's network with a window per number of steps, or one network for each.

    Fitted thresholds and biases belong to a number of steps, so those networks differ. A concurrent
    window ignores the transient with the least output error on ``calibration``, BGR images.
    ``finetuned`` is the checkpoint that was converted, if it was not ``analog``.
    """
    network = conversion.network
    phased = [Window(number, 0, 'phased') for number in steps]
    if conversion.options.for_one_window:
        return [
            Subject(name, _at(conversion, window, calibration).network, (window,))
            for window in phased
        ]
    if network.window.schedule == 'phased':
        return [Subject(name, network, tuple(phased), finetuned)]
    searches = search_transients(
        rebuild_stages(analog, network, name=name, finetuned=finetuned),
        calibration[:: -(-len(calibration) // TRANSIENT_IMAGES)],
        steps=steps,
        engine=engine,
        threads=threads,
        quiet=quiet,
    )
    return [Subject(name, network, tuple(search.window for search in searches), finetuned)]


def _at(conversion: Conversion, window: Window, calibration: Sequence[ImageArray]) -> Conversion:
    same = window == conversion.network.window
    return conversion if same else conversion_at(conversion, window, calibration)
