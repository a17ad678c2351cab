"""
Narrower expansions for a trained EfficientNet-Lite0, without training it again.

Most neurons of its spiking copy sit in the expansions at high resolution. A block projects its
inner channels z to its output linearly, so that the best projection of fewer channels is a matter
of least squares (He et al. 2017, Luo et al. 2017); `channel_choice` says which stay. Later blocks
are fitted to the original's output from the slimmed network's input, so that they mend what the
earlier ones did.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.channel_choice import Squares, choose_channels
from spiking_retina_ros.retinanet.efficientnet import (
    EfficientNetLite0,
    InvertedBottleneck,
    expansion_widths,
)
from spiking_retina_ros.retinanet.network import RetinaNet
from spiking_retina_ros.retinanet.preprocess import preprocess

BODY = 'backbone.body.'
NORM = ('weight', 'bias', 'running_mean', 'running_var')


@dataclass(frozen=True)
class SlimmedBlock:
    """
    What became of a block: its inner width, and the error of its output.

    ``error`` is the squared error over the variance of the original's output, on the images it was
    fitted to; the errors of the blocks before are in it.
    """

    block: int
    before: int
    after: int
    error: float


def slim(
    network: RetinaNet, images: Sequence[ImageArray], widths: Mapping[int, int]
) -> tuple[RetinaNet, tuple[SlimmedBlock, ...]]:
    """
    Return a copy whose blocks have the inner widths given by block number, and what that cost.

    Block 0 is the stem with the first depthwise convolution. ``images`` are BGR (H, W, 3) uint8; a
    few dozen suffice. Raises UserError for another backbone, without images, and for a width that
    is none or more than the block has.
    """
    body = network.backbone.body
    if not isinstance(body, EfficientNetLite0):
        raise UserError(
            f'expected a network with backbone efficientnet_lite0, which has expansions, '
            f'found {network.config.backbone}'
        )
    if not images:
        raise UserError('expected at least one image to fit the projections to')
    present = list(network.config.expansion_channels or expansion_widths())
    _check(present, widths)
    current = network
    reports = []
    inputs = [preprocess(image, network.config)[0] for image in images]
    wanted, given = inputs, inputs
    with torch.inference_mode():
        for index in range(max(widths, default=-1) + 1):
            outputs = [_advance(body, index, x) for x in wanted]
            if index in widths:
                squares = _squares(current, index, given, outputs)
                kept, projection, error = choose_channels(squares, widths[index])
                reports.append(SlimmedBlock(index, present[index], len(kept), error))
                present[index] = len(kept)
                current = _narrowed(current, index, kept, projection, tuple(present))
            given = [_advance(_body(current), index, x) for x in given]
            wanted = outputs
    return current, tuple(reports)


def _check(present: Sequence[int], widths: Mapping[int, int]) -> None:
    for block, width in widths.items():
        if not 0 <= block < len(present):
            raise UserError(f'expected blocks 0 to {len(present) - 1}, found {block}')
        if not 1 <= width <= present[block]:
            raise UserError(
                f'block {block}: expected 1 to {present[block]} channels, found {width}'
            )


def _body(network: RetinaNet) -> EfficientNetLite0:
    assert isinstance(network.backbone.body, EfficientNetLite0)
    return network.backbone.body


def _block(body: EfficientNetLite0, index: int) -> InvertedBottleneck:
    block = body.blocks[index]
    assert isinstance(block, InvertedBottleneck)
    return block


def _entered(body: EfficientNetLite0, index: int, x: Tensor) -> Tensor:
    """Return what block ``index`` gets: the stem belongs to the first one."""
    return body.act0(body.bn0(body.conv_stem(x))) if index == 0 else x


def _advance(body: EfficientNetLite0, index: int, x: Tensor) -> Tensor:
    """Return the output of block ``index`` (1, O, H, W)."""
    output: Tensor = body.blocks[index](_entered(body, index, x))
    return output


def _squares(
    network: RetinaNet, index: int, given: Sequence[Tensor], outputs: Sequence[Tensor]
) -> Squares:
    """Sum up the equations that the block's projection has to solve, in float64."""
    block = _block(_body(network), index)
    sums: list[Tensor] = []
    places = 0
    for x, output in zip(given, outputs, strict=True):
        x = _entered(_body(network), index, x)
        target = (output - x if block.has_shortcut else output)[0].flatten(1).double()
        inner = block.inner(x)[0].flatten(1).double()
        inner = torch.cat([inner, torch.ones_like(inner[:1])])
        found = [inner @ inner.T, inner @ target.T, (target**2).sum(1)]
        sums = [a + b for a, b in zip(sums, found, strict=True)] if sums else found
        places += target.shape[1]
    return Squares(sums[0], sums[1], sums[2], places)


def _narrowed(
    network: RetinaNet, index: int, kept: Tensor, projection: Tensor, widths: tuple[int, ...]
) -> RetinaNet:
    """Return the network with only the kept inner channels of a block, projected anew."""
    weights = dict(network.state_dict())
    block = f'{BODY}blocks.{index}.'
    first, norm = ('conv_stem', 'bn0') if index == 0 else (f'blocks.{index}.expand_conv', '')
    norm = BODY + norm if norm else f'{block}bn0'
    selected = [f'{BODY}{first}.weight', f'{block}depthwise_conv.weight']
    selected += [f'{name}.{part}' for name in (norm, f'{block}bn1') for part in NORM]
    weights.update({key: weights[key][kept] for key in selected})
    # The normalisation after the projection stays: only its bias takes up the constant.
    after = _block(_body(network), index).bn2
    scale = after.scale_and_shift()[0].double()
    fitted = torch.where(scale != 0, projection[:-1] / scale, torch.zeros_like(scale)).T
    weights[f'{block}project_conv.weight'] = fitted.float()[:, :, None, None].contiguous()
    weights[f'{block}bn2.bias'] = (projection[-1] + after.running_mean * scale).float()
    config = dataclasses.replace(network.config, expansion_channels=widths)
    narrowed = RetinaNet(config)
    narrowed.load_state_dict(weights)
    return narrowed.eval()
