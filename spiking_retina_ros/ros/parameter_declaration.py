"""Declare the parameter table on a node, and read it back as Settings."""

from __future__ import annotations

from collections.abc import Iterable

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    ParameterType,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros.parameters import PARAMETERS, ParameterSpec, Settings

_TYPES = {
    'bool': ParameterType.PARAMETER_BOOL,
    'integer': ParameterType.PARAMETER_INTEGER,
    'double': ParameterType.PARAMETER_DOUBLE,
    'string': ParameterType.PARAMETER_STRING,
    'string_array': ParameterType.PARAMETER_STRING_ARRAY,
}


def declare(node: Node) -> Settings:
    """Declare every parameter and return the values; a wrong override raises UserError."""
    for spec in PARAMETERS:
        default = list(spec.default) if isinstance(spec.default, tuple) else spec.default
        try:
            node.declare_parameter(spec.name, default, descriptor(spec))
        except InvalidParameterTypeException as error:
            raise UserError(
                f'parameter {spec.name}: expected a value of type {spec.type_name}, such as '
                f'{spec.default!r}: {error}'
            ) from error
        except InvalidParameterValueException as error:
            raise UserError(
                f'parameter {spec.name}: expected {spec.range_text or spec.type_name}: {error}'
            ) from error
    settings = current(node)
    problems = settings.problems()
    if problems:
        raise UserError('parameter ' + '; '.join(problems))
    return settings


def current(node: Node, changes: Iterable[Parameter] = ()) -> Settings:
    """Return the settings as they are, or as they would be after ``changes``."""
    values = {spec.name: node.get_parameter(spec.name).value for spec in PARAMETERS}
    values.update({item.name: item.value for item in changes if item.name in values})
    return Settings.from_values(values)


def descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    """Describe one parameter the way ROS 2 tools show and enforce it."""
    message = ParameterDescriptor(
        name=spec.name,
        type=_TYPES[spec.type_name],
        description=spec.description,
        additional_constraints=' | '.join(spec.choices),
        read_only=not spec.live,
    )
    if spec.minimum is not None and spec.maximum is not None:
        if spec.type_name == 'integer':
            limits = IntegerRange(from_value=int(spec.minimum), to_value=int(spec.maximum), step=1)
            message.integer_range = [limits]
        else:
            floats = FloatingPointRange(from_value=spec.minimum, to_value=spec.maximum, step=0.0)
            message.floating_point_range = [floats]
    return message
