"""The whole conversion: parse, fold, group, calibrate, normalise, quantise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from spiking_retina_ros.conversion.bias_calibration import calibrate_biases
from spiking_retina_ros.conversion.calibrate import Calibration, calibrate
from spiking_retina_ros.conversion.calibration_cache import CalibrationCache
from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.conversion.fit_thresholds import (
    MOST_IMAGES,
    Spread,
    fit_scales,
    measure_spread,
)
from spiking_retina_ros.conversion.normalise import InputScale, Scales, choose_scales, normalise
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.parse import parse
from spiking_retina_ros.conversion.populations import (
    FloatNetwork,
    build_populations,
    with_neurons,
)
from spiking_retina_ros.conversion.quantise import quantise
from spiking_retina_ros.conversion.scale_groups import ScaleGroups
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.network import Preprocessing, SpikingNetwork, Window


@dataclass(frozen=True)
class Conversion:
    """
    A converted network together with the stages it went through, for reports and tests.

    ``analog`` and ``normalised`` have the same topology as ``network``; the analog one takes
    preprocessed images (rgb - mean) / std, the other two the integer input. ``scales`` are those
    of the percentiles and ``spread`` how activations lie below them, if thresholds were fitted.
    """

    network: SpikingNetwork
    analog: FloatNetwork
    normalised: FloatNetwork
    calibration: Calibration
    options: ConversionOptions
    scales: Scales
    spread: Spread


def convert(
    detector: RetinaNet,
    images: Sequence[ImageArray],
    options: ConversionOptions,
    *,
    window: Window,
    cache: CalibrationCache | None = None,
) -> Conversion:
    """
    Convert a trained RetinaNet, calibrated on BGR images (H, W, 3) uint8 of any sizes.

    With a ``cache`` a calibration that was done before is taken from there.

    Raises UserError where the network has an operation that is not converted, or the images do not
    suffice for calibration.
    """
    if options.for_one_window:
        _require_phased(window)
    config = detector.config
    preprocessing, input_scale = plan_input(config)
    analog = build_populations(parse(detector), options)
    groups = ScaleGroups(analog.topology)
    calibration = _calibration(analog, groups, images, options, (preprocessing, input_scale), cache)
    scales = choose_scales(analog.topology, groups, calibration, options)
    spread: Spread = {}
    if options.fit_thresholds:
        few = images[:: -(-len(images) // MOST_IMAGES)]
        inputs = (analog_input(image, preprocessing, input_scale) for image in few)
        spread = measure_spread(analog, groups, scales, inputs, count=len(few))
    normalised = normalise(analog, scales, input_scale)
    network = SpikingNetwork(
        analog.topology,
        quantise(normalised, options),
        preprocessing,
        window,
        config.class_names,
        config.to_dict(),
        {'options': options.as_dict(), 'calibration': {'images': len(images)}},
    )
    _check_outputs(network, config)
    percentiles = Conversion(network, analog, normalised, calibration, options, scales, spread)
    return conversion_at(percentiles, window, images)


def conversion_at(
    conversion: Conversion, window: Window, images: Sequence[ImageArray]
) -> Conversion:
    """Return the conversion for another window: what belongs to a number of steps is made anew."""
    options, normalised = conversion.options, conversion.normalised
    network = replace(conversion.network, window=window)
    if not options.for_one_window:
        return replace(conversion, network=network)
    topology = network.topology
    if options.fit_thresholds:
        groups = ScaleGroups(topology)
        scales = fit_scales(
            topology, groups, conversion.scales, conversion.spread, options, steps=window.steps
        )
        _, input_scale = plan_input(RetinaNetConfig.from_dict(network.detector))
        normalised = normalise(conversion.analog, scales, input_scale)
    network = replace(network, tensors=quantise(normalised, options))
    if options.calibrate_biases:
        network = calibrate_biases(normalised, network, images)
    return replace(conversion, network=network, normalised=normalised)


def convert_finetuned(
    finetuned: FineTuned, options: ConversionOptions, *, window: Window
) -> Conversion:
    """
    Convert a network that was fine-tuned for it: its learned thresholds are the scales.

    Of the options those about neurons and integers apply; the thresholds replace the percentiles.
    Raises UserError naming the layer whose learned threshold is missing, or for options that the
    network was not trained for.
    """
    if options.shift or not options.fuse_additions or options.readout != 'current':
        raise UserError(
            'a fine-tuned network is converted with the fast normalisation it was trained for; '
            'use --normalisation fast, without --no-fuse-additions and with --readout current'
        )
    if options.for_one_window:
        raise UserError(
            'a fine-tuned network has learned its thresholds and biases for its number of steps; '
            'leave --fit-thresholds and --calibrate-biases out'
        )
    config = finetuned.config
    preprocessing, input_scale = plan_input(config)
    analog = finetuned_populations(finetuned, options)
    topology = analog.topology
    groups = ScaleGroups(topology)
    scales: Scales = {}
    for population in topology.populations:
        threshold = finetuned.thresholds.get(groups.of(population.name))
        if threshold is None:
            raise UserError(
                f'{population.name}: the checkpoint has no learned threshold for it; it is not '
                'whole, so fine-tune again (train --finetune-for-conversion)'
            )
        scales[population.name] = (threshold.double(), torch.zeros_like(threshold).double())
    normalised = normalise(analog, scales, input_scale)
    calibration = Calibration({}, {}, 0, options.lower_percentile, options.upper_percentile)
    network = SpikingNetwork(
        topology,
        quantise(normalised, options),
        preprocessing,
        window,
        config.class_names,
        config.to_dict(),
        {'options': options.as_dict(), 'finetuned': {'levels': finetuned.levels}},
    )
    _check_outputs(network, config)
    return Conversion(network, analog, normalised, calibration, options, scales, {})


def finetuned_populations(finetuned: FineTuned, options: ConversionOptions) -> FloatNetwork:
    """Return the fine-tuned weights on populations with the neurons of ``options``."""
    topology = with_neurons(finetuned.network.topology, options)
    return FloatNetwork(topology, finetuned.network.tensors)


def _require_phased(window: Window) -> None:
    if window.schedule != 'phased':
        raise UserError(
            'thresholds and biases are fitted to a phased window, in which a count is a rounded '
            'activation; use --schedule phased, or leave --fit-thresholds and --calibrate-biases '
            'out'
        )


def _calibration(
    analog: FloatNetwork,
    groups: ScaleGroups,
    images: Sequence[ImageArray],
    options: ConversionOptions,
    input_plan: tuple[Preprocessing, InputScale],
    cache: CalibrationCache | None,
) -> Calibration:
    key = ''
    if cache is not None:
        key = cache.key(analog, images, options, input_plan)
        if (known := cache.load(key)) is not None:
            return known
    calibration = calibrate(
        analog,
        groups,
        (analog_input(image, *input_plan) for image in images),
        count=len(images),
        lower_percentile=options.lower_percentile,
        upper_percentile=options.upper_percentile,
    )
    if cache is not None:
        cache.store(key, calibration)
    return calibration


def plan_input(config: RetinaNetConfig) -> tuple[Preprocessing, InputScale]:
    """
    Return the integer preprocessing and what its values mean to the analog network.

    The analog input is (rgb - mean) / std, the integer one rgb - round(mean); so an integer x
    stands for shift + scale * x with scale = 1 / std and shift = (round(mean) - mean) / std.
    """
    red, green, blue = (round(value) for value in config.mean)
    offset = (red, green, blue)
    scale = tuple(1.0 / value for value in config.std)
    shift = tuple(
        (whole - mean) / std
        for whole, mean, std in zip(offset, config.mean, config.std, strict=True)
    )
    return Preprocessing(config.input_size, offset), InputScale(scale, shift)


def analog_input(
    image: ImageArray, preprocessing: Preprocessing, input_scale: InputScale
) -> Tensor:
    """Return the analog network's input (3, H, W) float32 for a BGR image."""
    integers, _ = preprocessing(image)
    scale = torch.tensor(input_scale.scale, dtype=torch.float32)[:, None, None]
    shift = torch.tensor(input_scale.shift, dtype=torch.float32)[:, None, None]
    return torch.from_numpy(integers).float() * scale + shift


def _check_outputs(network: SpikingNetwork, config: RetinaNetConfig) -> None:
    channels = [
        len(network.parameter(population, 'bias')) for population in network.output_populations
    ]
    levels = len(channels) // 2
    anchors = config.anchors_per_place
    expected = [anchors * config.classes] * levels + [anchors * 4] * levels
    if channels != expected:
        raise UserError(f'expected output channels {expected}, found {channels}')
