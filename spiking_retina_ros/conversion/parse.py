"""From a torch module to an ``AnalogGraph``: traced, batch norm folded, the unknown refused."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from spiking_retina_ros.conversion.graph import (
    Addition,
    AnalogGraph,
    Convolution,
    Operation,
    Relu,
)
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.retinanet.layers import FrozenBatchNorm2d
from spiking_retina_ros.retinanet.layers import UpsampleLike as UpsampleLikeModule
from spiking_retina_ros.retinanet.network import trace
from spiking_retina_ros.spiking.topology import INPUT, Concatenation, MaxPool, UpsampleLike

ADDITIONS = (operator.add, operator.iadd, torch.add)
RELUS = (torch.relu, functional.relu)
TRANSPARENT = (nn.Identity, nn.Dropout, nn.Dropout2d)


def parse(network: nn.Module, *, input_channels: int = 3) -> AnalogGraph:
    """
    Return the graph of a network in evaluation mode; its weights are copied to float32.

    Convolutions (strided, dilated, grouped), batch norm, ReLU, ReLU6, max-pooling, addition,
    nearest upsampling to another map's size and concatenation of channels are known. Raises
    UserError naming the node, its type and its place for anything else, and naming the key for
    weights that are not finite.
    """
    if network.training:
        raise UserError('expected a network in evaluation mode; call .eval() on it first')
    return _Parser(trace(network), input_channels).parse()


class _Parser:
    """Walks the traced nodes once; ``_alias`` maps every fx node to the operation it stands for."""

    def __init__(self, traced: fx.GraphModule, input_channels: int) -> None:
        self._traced = traced
        self._modules = dict(traced.named_modules())
        self._alias: dict[str, str] = {}
        self._operations: dict[str, Operation] = {}
        self._weights: dict[str, Tensor] = {}
        self._channels = {INPUT: input_channels}
        self._outputs: tuple[str, ...] = ()
        # convolution layer -> the batch norm folded into it, and the operations it applies to
        self._norms: dict[str, str] = {}
        self._normed: set[str] = set()

    def parse(self) -> AnalogGraph:
        for node in self._traced.graph.nodes:
            if node.op == 'placeholder':
                self._alias[node.name] = INPUT
            elif node.op == 'output':
                self._outputs = tuple(self._source(item) for item in _flatten(node.args[0]))
            elif node.op == 'call_module':
                self._module(node)
            elif node.op in ('call_function', 'call_method'):
                self._function(node)
            else:
                raise _refusal(node, f'{node.op} {node.target!r}')
        self._check_norms()
        self._check_finite()
        return AnalogGraph(
            tuple(self._operations.values()), self._outputs, self._weights, self._channels
        )

    def _module(self, node: fx.Node) -> None:
        module = self._modules[str(node.target)]
        if isinstance(module, TRANSPARENT):
            self._alias[node.name] = self._source(node.args[0])
        elif isinstance(module, nn.Conv2d):
            self._convolution(node, module)
        elif isinstance(module, (nn.BatchNorm2d, FrozenBatchNorm2d)):
            self._batch_norm(node, module)
        elif isinstance(module, (nn.ReLU, nn.ReLU6)):
            maximum = 6.0 if isinstance(module, nn.ReLU6) else None
            self._add(node, Relu(node.name, self._source(node.args[0]), maximum))
        elif isinstance(module, nn.MaxPool2d):
            self._max_pool(node, module)
        elif isinstance(module, UpsampleLikeModule):
            source, like = (self._source(item) for item in node.args)
            self._add(node, UpsampleLike(node.name, source, like))
        else:
            raise _refusal(node, type(module).__name__)

    def _function(self, node: fx.Node) -> None:
        if node.target in ADDITIONS or node.target in ('add', 'add_'):
            if node.kwargs or not all(isinstance(item, fx.Node) for item in node.args):
                raise _refusal(node, 'addition of something that is not a map')
            first, second = (self._source(item) for item in node.args)
            self._add(node, Addition(node.name, first, second))
        elif node.target in RELUS or node.target in ('relu', 'relu_'):
            self._add(node, Relu(node.name, self._source(node.args[0]), None))
        elif node.target is torch.cat and _argument(node, 1, 'dim', 0) == 1:
            inputs = tuple(self._source(item) for item in _flatten(node.args[0]))
            channels = sum(self._channels[name] for name in inputs)
            self._add(node, Concatenation(node.name, inputs), channels)
        else:
            raise _refusal(node, getattr(node.target, '__name__', str(node.target)))

    def _convolution(self, node: fx.Node, module: nn.Conv2d) -> None:
        if module.padding_mode != 'zeros' or isinstance(module.padding, str):
            raise _refusal(
                node, f'Conv2d with padding {module.padding!r} of mode {module.padding_mode!r}'
            )
        layer = str(node.target)
        if f'{layer}.weight' not in self._weights:  # a shared layer is called several times
            self._weights[f'{layer}.weight'] = module.weight.detach().float().clone()
            bias = torch.zeros(module.out_channels) if module.bias is None else module.bias
            self._weights[f'{layer}.bias'] = bias.detach().float().clone()
        operation = Convolution(
            node.name,
            self._source(node.args[0]),
            layer,
            _pair(module.stride),
            _pair(module.padding),
            _pair(module.dilation),
            module.groups,
        )
        self._add(node, operation, module.out_channels)

    def _batch_norm(self, node: fx.Node, module: nn.BatchNorm2d | FrozenBatchNorm2d) -> None:
        """Fold into the convolution before it, or become a depthwise 1x1 convolution."""
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is None:
            raise _refusal(node, 'BatchNorm2d without running statistics')
        scale, shift = _scale_and_shift(module)
        argument = node.args[0]
        assert isinstance(argument, fx.Node)
        before = self._operations.get(self._source(argument))
        layer = str(node.target)
        if isinstance(before, Convolution) and len(argument.users) == 1:
            self._alias[node.name] = before.name
            first_time = before.layer not in self._norms
            if self._norms.setdefault(before.layer, layer) != layer:
                raise _refusal(node, 'a convolution shared between different batch norms')
            self._normed.add(before.name)
            if first_time:
                weight, bias = f'{before.layer}.weight', f'{before.layer}.bias'
                self._weights[weight] = self._weights[weight] * scale[:, None, None, None]
                self._weights[bias] = self._weights[bias] * scale + shift
            return
        self._weights[f'{layer}.weight'] = scale[:, None, None, None].clone()
        self._weights[f'{layer}.bias'] = shift.clone()
        channels = len(scale)
        source = self._source(argument)
        operation = Convolution(node.name, source, layer, (1, 1), (0, 0), (1, 1), channels)
        self._add(node, operation, channels)

    def _max_pool(self, node: fx.Node, module: nn.MaxPool2d) -> None:
        if module.ceil_mode or _pair(module.dilation) != (1, 1) or module.return_indices:
            raise _refusal(node, 'MaxPool2d with ceil_mode, dilation or return_indices')
        kernel, stride = _pair(module.kernel_size), _pair(module.stride)
        source = self._source(node.args[0])
        self._add(node, MaxPool(node.name, source, kernel, stride, _pair(module.padding)))

    def _add(self, node: fx.Node, operation: Operation, channels: int | None = None) -> None:
        self._alias[node.name] = operation.name
        self._operations[operation.name] = operation
        self._channels[operation.name] = channels or self._channels[operation.sources[0]]

    def _source(self, item: Any) -> str:
        if not isinstance(item, fx.Node):
            raise UserError(f'expected a map as input of an operation, found {item!r}')
        return self._alias[item.name]

    def _check_norms(self) -> None:
        """Refuse a shared convolution that is normalised in one place and not in another."""
        for operation in self._operations.values():
            if not isinstance(operation, Convolution) or operation.name in self._normed:
                continue
            if operation.layer in self._norms:
                raise UserError(
                    f'node {operation.name!r} in {operation.layer!r}: a convolution that has batch '
                    'norm after it in one place and not in another is not converted'
                )

    def _check_finite(self) -> None:
        for key, value in self._weights.items():
            if not bool(torch.isfinite(value).all()):
                raise UserError(
                    f'{key} holds NaN or infinite values; a network that was trained to the end '
                    'has none, so take an earlier checkpoint'
                )


def _scale_and_shift(module: nn.BatchNorm2d | FrozenBatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return float32 (C,) tensors with y = x * scale + shift."""
    assert module.running_mean is not None
    assert module.running_var is not None
    scale = (module.running_var.double() + module.eps).rsqrt()
    if module.weight is not None:
        scale = scale * module.weight.detach().double()
    shift = -module.running_mean.double() * scale
    if module.bias is not None:
        shift = shift + module.bias.detach().double()
    return scale.float(), shift.float()


def _refusal(node: fx.Node, kind: str) -> UserError:
    place = f' in {node.target!r}' if node.op == 'call_module' else ''
    inputs = ', '.join(item.name for item in node.all_input_nodes)
    return UserError(
        f'node {node.name!r}{place}: {kind} is not converted (reads {inputs or "nothing"}); known '
        'are Conv2d, BatchNorm2d, ReLU, ReLU6, MaxPool2d, addition, nearest upsampling '
        '(UpsampleLike) and concatenation of channels'
    )


def _argument(node: fx.Node, position: int, name: str, default: Any) -> Any:
    return node.args[position] if len(node.args) > position else node.kwargs.get(name, default)


def _flatten(item: Any) -> list[Any]:
    if isinstance(item, (tuple, list)):
        return [leaf for entry in item for leaf in _flatten(entry)]
    return [item]


def _pair(value: Any) -> tuple[int, int]:
    return (int(value[0]), int(value[1])) if isinstance(value, tuple) else (int(value), int(value))
