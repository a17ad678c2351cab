"""
The stages between an analog network and its spiking copy, each runnable by itself.

analog -> normalised and clipped to what rates can say (the cost of saturation) -> the same with
the integers' rounding (the cost of narrow weights) -> spiking. The two stages in the middle are
rebuilt from the checkpoint and the model file, so that any model file can be examined.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

import torch
from torch import Tensor

from spiking_retina_ros.conversion.convert import finetuned_populations, plan_input
from spiking_retina_ros.conversion.finetuned_file import FineTuned
from spiking_retina_ros.conversion.floating import decode, run_float
from spiking_retina_ros.conversion.normalise import normalise
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.parse import parse
from spiking_retina_ros.conversion.populations import FloatNetwork, build_populations
from spiking_retina_ros.conversion.quantise import dequantise
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.spiking.model_file import content_hash
from spiking_retina_ros.spiking.network import IntegerImage, SpikingNetwork
from spiking_retina_ros.spiking.topology import Population

# Weights further than this from the checkpoint's, as a share of their channel's largest, are not
# its own: rounding to 8 bits moves them by 1/254, and by more where a threshold is coarse.
LARGEST_ROUNDING = 0.1


@dataclass(frozen=True)
class Stages:
    """
    The stages of one model file, all on its topology.

    ``normalised`` and ``quantised`` work on rates (float32) and take the spiking network's integer
    input; with clipping they are what the two names in the middle of the chain mean.
    """

    normalised: FloatNetwork
    quantised: FloatNetwork
    network: SpikingNetwork


def rebuild_stages(
    analog: RetinaNet,
    network: SpikingNetwork,
    *,
    name: str,
    finetuned: FineTuned | None = None,
) -> Stages:
    """
    Rebuild the stages of the model ``network``, called ``name`` in errors.

    The weights are those of ``finetuned`` where the model was converted from such a checkpoint,
    else the analog network's. Raises UserError where the model was converted from another
    checkpoint, or with options that are not known here.
    """
    options = _options(network, name)
    expected = RetinaNetConfig.from_dict(network.detector)
    if analog.config != expected:
        changed = [
            item.name
            for item in fields(expected)
            if getattr(expected, item.name) != getattr(analog.config, item.name)
        ]
        raise UserError(
            f'{name}: the model was converted from another network than the checkpoint: their '
            f'configurations differ in {", ".join(changed)}'
        )
    populations = _source(analog, network, options, name, finetuned)
    if populations.topology != network.topology:
        raise UserError(
            f'{name}: the checkpoint converts to another topology than the model has; convert it '
            'again, or give the checkpoint it was made from'
        )
    scales = {
        population.name: (
            network.parameter(population, 'scale').double(),
            network.parameter(population, 'shift').double(),
        )
        for population in network.topology.populations
    }
    _, input_scale = plan_input(analog.config)
    normalised = normalise(populations, scales, input_scale)
    quantised = dequantise(network)
    _check_same_weights(normalised, quantised, network, name)
    return Stages(to_single(normalised), to_single(quantised), network)


def _source(
    analog: RetinaNet,
    network: SpikingNetwork,
    options: ConversionOptions,
    name: str,
    finetuned: FineTuned | None,
) -> FloatNetwork:
    """Return the populations, in analog units, that the model was converted from."""
    if 'finetuned' not in network.provenance:
        return build_populations(parse(analog), options)
    if finetuned is None:
        raise UserError(
            f'{name}: the model was converted from a checkpoint fine-tuned for it, which is '
            'needed beside the analog one; give it with --finetuned'
        )
    return finetuned_populations(finetuned, options)


def output_maps(
    stage: FloatNetwork, image: IntegerImage, *, clip: bool = True
) -> tuple[list[Tensor], list[Tensor]]:
    """Return class and box maps, float32 (1, C, H, W) per level, of a stage that works on rates."""
    with torch.inference_mode():
        rates = run_float(stage, torch.from_numpy(image)[None].float(), clip=clip)
    maps = []
    for name, values in zip(stage.topology.outputs, rates, strict=True):
        population = stage.topology[name]
        assert isinstance(population, Population)
        maps.append(decode(stage, population, values).float())
    levels = len(maps) // 2
    return maps[:levels], maps[levels:]


def to_single(network: FloatNetwork) -> FloatNetwork:
    """Return the network in float32, twice as fast as the float64 it was computed in."""
    return FloatNetwork(
        network.topology, {key: value.float() for key, value in network.tensors.items()}
    )


def analog_hash(analog: RetinaNet) -> str:
    """Return a hash of an analog network's structure and weights."""
    weights = {key: value for key, value in analog.state_dict().items() if value.numel()}
    return content_hash(json.dumps(analog.config.to_dict(), sort_keys=True), weights)


def simulation_hash(network: SpikingNetwork) -> str:
    """
    Return a hash of what decides a spiking network's answers: its integers and how they are read.

    Unlike the model file's own hash it does not change with the recommended window or the figures
    stored beside it.
    """
    return content_hash(_reading(network), network.tensors)


def stage_hash(stage: FloatNetwork, network: SpikingNetwork) -> str:
    """Return a hash of what decides the answers of a stage in the middle of the chain."""
    return content_hash(_reading(network), stage.tensors)


def _reading(network: SpikingNetwork) -> str:
    """Describe what is not numbers: topology, preprocessing, and how outputs become boxes."""
    return json.dumps(
        [network.topology.as_dict(), asdict(network.preprocessing), network.detector],
        sort_keys=True,
    )


def _options(network: SpikingNetwork, name: str) -> ConversionOptions:
    values = network.provenance.get('options')
    if not isinstance(values, dict):
        raise UserError(f'{name}: the model file does not say with which options it was converted')
    try:
        return ConversionOptions(**values)
    except TypeError as error:
        raise UserError(
            f'{name}: the model file has options of another version: {error}'
        ) from error


def _check_same_weights(
    normalised: FloatNetwork, quantised: FloatNetwork, network: SpikingNetwork, name: str
) -> None:
    """Compare channel by channel; what rounding explains is the same."""
    for population in network.topology.populations:
        for synapse in population.synapses:
            weight = normalised.tensors[synapse.weight]
            peak = weight.abs().flatten(1).amax(1).clamp(min=1e-12)
            units = network.parameter(population, 'threshold').double()
            step = 2 ** (0 if synapse.diagonal else network.fraction_bits(population)) / units
            allowed = torch.maximum(LARGEST_ROUNDING * peak, step)[:, None, None, None]
            if bool(((weight - quantised.tensors[synapse.weight]).abs() > allowed).any()):
                raise UserError(
                    f"{name}: {synapse.weight} is not the checkpoint's: the model was converted "
                    'from other weights; give the checkpoint it was made from'
                )
