"""
The arrays of a program inside numba: one pointer instead of two dozen array structures.

numba passes an array as seven values and every function that takes arrays grows by them; with all
arrays of ``layout.Memory`` as arguments the kernels took a minute to compile. Here they get one
pointer to a table of addresses; ``m.name`` is the buffer of that name, ``m.name[i]`` an element.
Nothing is checked at run time, neither types nor bounds.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202, ANN201

from __future__ import annotations

import operator
from typing import Any, get_args, get_type_hints

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core.extending import intrinsic, lower_builtin, models, register_model
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import (
    AbstractTemplate,
    AttributeTemplate,
    infer_getattr,
    infer_global,
    signature,
)
from numpy.typing import NDArray

from spiking_retina_ros.spiking.event.layout import Memory


def _element_types() -> dict[str, types.Integer]:
    """Return numba's type of an element of each array, read off the annotations of Memory."""
    hints: dict[str, Any] = get_type_hints(Memory)
    return {name: from_dtype(np.dtype(get_args(get_args(h)[1])[0])) for name, h in hints.items()}


ELEMENT_TYPES = _element_types()
SLOTS = {name: slot for slot, name in enumerate(Memory._fields)}


def addresses(memory: Memory) -> NDArray[np.int64]:
    """Return what ``memory_at`` needs; valid as long as ``memory`` lives."""
    for name, array in zip(Memory._fields, memory, strict=True):
        assert array.flags.c_contiguous
        assert from_dtype(array.dtype) == ELEMENT_TYPES[name], name
    return np.array([array.ctypes.data for array in memory], np.int64)


class MemoryType(types.Type):
    """The table of addresses."""

    def __init__(self) -> None:
        super().__init__(name='event_memory')


class BufferType(types.Type):
    """A pointer to integers."""

    def __init__(self, dtype: types.Integer) -> None:
        self.dtype = dtype
        super().__init__(name=f'buffer({dtype})')


@register_model(MemoryType)
class MemoryModel(models.PrimitiveModel):
    """A pointer to pointers."""

    def __init__(self, dmm, fe_type) -> None:
        super().__init__(dmm, fe_type, ir.IntType(8).as_pointer().as_pointer())


@register_model(BufferType)
class BufferModel(models.PrimitiveModel):
    """A pointer to the elements."""

    def __init__(self, dmm, fe_type) -> None:
        super().__init__(dmm, fe_type, ir.IntType(fe_type.dtype.bitwidth).as_pointer())


@intrinsic
def memory_at(typingctx, address):
    """Return the memory whose table lies at an address."""

    def codegen(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer().as_pointer())

    return MemoryType()(types.int64), codegen


@infer_getattr
class MemoryAttribute(AttributeTemplate):
    """``m.name`` is a buffer."""

    key = MemoryType

    def generic_resolve(self, typ, attr):
        """Return the type of a buffer by its name."""
        return BufferType(ELEMENT_TYPES[attr])


@lower_getattr_generic(MemoryType)
def _buffer(context, builder, typ, value, attr):
    slot = builder.gep(value, [ir.Constant(ir.IntType(64), SLOTS[attr])])
    address = builder.load(slot)
    # the table never changes, so that addresses can stay in registers whatever is written
    address.set_metadata('invariant.load', builder.module.add_metadata([]))
    return builder.bitcast(address, ir.IntType(ELEMENT_TYPES[attr].bitwidth).as_pointer())


@infer_global(operator.getitem)
class BufferGet(AbstractTemplate):
    """``buffer[i]``."""

    def generic(self, args, kws):
        """Return the signature when the first argument is a buffer."""
        if isinstance(args[0], BufferType):
            return signature(args[0].dtype, args[0], types.int64)
        return None


@infer_global(operator.setitem)
class BufferSet(AbstractTemplate):
    """``buffer[i] = value``."""

    def generic(self, args, kws):
        """Return the signature when the first argument is a buffer."""
        if isinstance(args[0], BufferType):
            return signature(types.none, args[0], types.int64, args[0].dtype)
        return None


@lower_builtin(operator.getitem, BufferType, types.int64)
def _get(context, builder, signature, arguments):
    return builder.load(builder.gep(arguments[0], [arguments[1]]))


@lower_builtin(operator.setitem, BufferType, types.int64, types.Any)
def _set(context, builder, signature, arguments):
    builder.store(arguments[2], builder.gep(arguments[0], [arguments[1]]))
    return context.get_dummy_value()


@intrinsic
def row_of(typingctx, buffer, offset):
    """Return the buffer that begins at an element of another."""

    def codegen(context, builder, signature, arguments):
        return builder.gep(arguments[0], [arguments[1]])

    return buffer(buffer, types.int64), codegen


@intrinsic
def call(typingctx, address, table, index, worker):
    """Call the worker (three int64, no result) at an address."""

    def codegen(context, builder, signature, arguments):
        integer = ir.IntType(64)
        kind = ir.FunctionType(ir.VoidType(), [integer] * 3)
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.none(types.int64, types.int64, types.int64, types.int64), codegen


def _buffer_at(element: types.Integer):
    @intrinsic
    def buffer_at(typingctx, address):
        def codegen(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], ir.IntType(element.bitwidth).as_pointer())

        return BufferType(element)(types.int64), codegen

    return buffer_at


# Buffers of int8 and int16 at an address.
buffer8_at = _buffer_at(types.int8)
buffer16_at = _buffer_at(types.int16)
