"""
Vectors of integers inside numba: a tile of channels as one value.

numba leaves vectors to LLVM's auto-vectoriser, which does not find a neuron update that ends in a
bit mask. LLVM itself has vectors of any length and splits them into whatever registers the
processor has (AVX-512, AVX2, NEON), so these few operations, written once, serve every machine.

A *tile*, ``tile32()`` or ``tile64()``, says how many lanes a vector has. It is a type without a
value: kernels compile once for each.
A *mask* is one bit per lane; in memory it is one or two uint32 words, channel 0 in bit 0.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202, ANN201
# numba's intrinsics take typing contexts and LLVM builders: annotations would only repeat names.

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic, models, register_model


class TileType(types.Opaque):
    """How many lanes a tile of channels has."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f'tile{lanes}')


class VectorType(types.Type):
    """``lanes`` signed integers of ``bits`` bits each."""

    def __init__(self, bits: int, lanes: int) -> None:
        self.bits = bits
        self.lanes = lanes
        super().__init__(name=f'int{bits}x{lanes}')


register_model(TileType)(models.OpaqueModel)


@register_model(VectorType)
class VectorModel(models.PrimitiveModel):
    """A VectorType is an LLVM vector."""

    def __init__(self, dmm, fe_type) -> None:
        super().__init__(dmm, fe_type, _llvm(fe_type))


def _llvm(vector: VectorType) -> ir.VectorType:
    return ir.VectorType(ir.IntType(vector.bits), vector.lanes)


def _pointer(builder, buffer, offset, target):
    """Return the address of ``buffer[offset]`` as a ``target``*."""
    return builder.bitcast(builder.gep(buffer, [offset]), target.as_pointer())


def _splat(builder, scalar, lanes: int):
    vector = ir.VectorType(scalar.type, lanes)
    one = builder.insert_element(
        ir.Constant(vector, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def _tile(lanes: int):
    @intrinsic
    def tile(typingctx):
        def codegen(context, builder, signature, arguments):
            return context.get_dummy_value()

        return TileType(lanes)(), codegen

    return tile


tile32 = _tile(32)
tile64 = _tile(64)


@intrinsic
def lanes_of(typingctx, tile):
    """Return the number of lanes of a tile, a constant."""

    def codegen(context, builder, signature, arguments):
        return ir.Constant(ir.IntType(64), tile.lanes)

    return types.int64(tile), codegen


@intrinsic
def load(typingctx, array, offset, tile):
    """Return ``array[offset : offset + lanes]``."""
    vector = VectorType(array.dtype.bitwidth, tile.lanes)

    def codegen(context, builder, signature, arguments):
        pointer = _pointer(builder, *arguments[:2], _llvm(vector))
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return vector(array, types.int64, tile), codegen


@intrinsic
def store(typingctx, array, offset, vector):
    """Write a vector to ``array[offset : offset + lanes]``."""
    assert array.dtype.bitwidth == vector.bits

    def codegen(context, builder, signature, arguments):
        pointer = _pointer(builder, *arguments[:2], _llvm(vector))
        builder.store(arguments[2], pointer, align=vector.bits // 8)
        return context.get_dummy_value()

    return types.none(array, types.int64, vector), codegen


def _splatting(bits: int):
    @intrinsic
    def splat(typingctx, scalar, tile):
        vector = VectorType(bits, tile.lanes)

        def codegen(context, builder, signature, arguments):
            narrow = builder.trunc(arguments[0], ir.IntType(bits))
            return _splat(builder, narrow, vector.lanes)

        return vector(types.int64, tile), codegen

    return splat


# A vector whose lanes are all the same int64 scalar, cut down to so many bits.
splat16 = _splatting(16)
splat32 = _splatting(32)


def _widening(bits: int):
    @intrinsic
    def widen(typingctx, vector):
        wide = VectorType(bits, vector.lanes)

        def codegen(context, builder, signature, arguments):
            if vector.bits == bits:
                return arguments[0]
            return builder.sext(arguments[0], _llvm(wide))

        return wide(vector), codegen

    return widen


widen16 = _widening(16)
widen32 = _widening(32)


@intrinsic
def narrow16(typingctx, vector):
    """Return the low 16 bits of every lane."""
    narrow = VectorType(16, vector.lanes)

    def codegen(context, builder, signature, arguments):
        return builder.trunc(arguments[0], _llvm(narrow))

    return narrow(vector), codegen


def _elementwise(name: str):
    @intrinsic
    def operation(typingctx, left, right):
        assert left == right

        def codegen(context, builder, signature, arguments):
            return getattr(builder, name)(*arguments)

        return left(left, right), codegen

    return operation


add = _elementwise('add')
subtract = _elementwise('sub')
multiply = _elementwise('mul')
both = _elementwise('and_')
exclusive = _elementwise('xor')


def _choosing(name: str):
    @intrinsic
    def choose(typingctx, left, right):
        assert left == right

        def codegen(context, builder, signature, arguments):
            function = f'llvm.{name}.v{left.lanes}i{left.bits}'
            return _call(builder, function, _llvm(left), arguments)

        return left(left, right), codegen

    return choose


# The smaller and the larger of two, lane by lane.
least = _choosing('smin')
largest = _choosing('smax')


def _call(builder, name: str, result, arguments):
    """Call one of LLVM's own functions."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


@intrinsic
def bounded_quotient(typingctx, dividend, inverse, lowest, highest):
    """
    Return floor(dividend * inverse), within the bounds, lane by lane, in int32.

    ``inverse`` holds float32 numbers bit for bit. Each of the three roundings (of the dividend, of
    the inverse, of their product) is off by 2**-24 of its value at most, so that a quotient
    between bounds of less than 2**15 is off by less than 0.01, and its floor by at most one.
    """
    assert dividend.bits == 32

    def codegen(context, builder, signature, arguments):
        lanes = dividend.lanes
        floats = ir.VectorType(ir.FloatType(), lanes)
        value, inverse_bits, low, high = arguments
        product = builder.fmul(builder.sitofp(value, floats), builder.bitcast(inverse_bits, floats))
        low, high = builder.sitofp(low, floats), builder.sitofp(high, floats)
        product = builder.select(builder.fcmp_ordered('<', product, low), low, product)
        product = builder.select(builder.fcmp_ordered('>', product, high), high, product)
        floor = _call(builder, f'llvm.floor.v{lanes}f32', floats, [product])
        return builder.fptosi(floor, _llvm(dividend))

    return dividend(dividend, inverse, lowest, highest), codegen


@intrinsic
def absolute_sum(typingctx, vector):
    """Return the sum of the magnitudes of int32 lanes, an int64."""
    assert vector.bits == 32

    def codegen(context, builder, signature, arguments):
        zeros = ir.Constant(_llvm(vector), [0] * vector.lanes)
        negative = builder.icmp_signed('<', arguments[0], zeros)
        magnitude = builder.select(negative, builder.sub(zeros, arguments[0]), arguments[0])
        name = f'llvm.vector.reduce.add.v{vector.lanes}i32'
        total = _call(builder, name, ir.IntType(32), [magnitude])
        return builder.sext(total, ir.IntType(64))

    return types.int64(vector), codegen


@intrinsic
def shift_left(typingctx, vector, bits):
    """Return every lane shifted left by the same number of bits."""

    def codegen(context, builder, signature, arguments):
        narrow = builder.trunc(arguments[1], ir.IntType(vector.bits))
        return builder.shl(arguments[0], _splat(builder, narrow, vector.lanes))

    return vector(vector, types.int64), codegen


@intrinsic
def at_least(typingctx, left, right):
    """Return the mask ``left >= right``."""
    assert left == right

    def codegen(context, builder, signature, arguments):
        return builder.icmp_signed('>=', *arguments)

    return VectorType(1, left.lanes)(left, right), codegen


@intrinsic
def below(typingctx, left, right):
    """Return the mask ``left < right``."""
    assert left == right

    def codegen(context, builder, signature, arguments):
        return builder.icmp_signed('<', *arguments)

    return VectorType(1, left.lanes)(left, right), codegen


@intrinsic
def where(typingctx, mask, vector):
    """Return ``vector`` where the mask is set and zero elsewhere."""
    assert mask.bits == 1
    assert mask.lanes == vector.lanes

    def codegen(context, builder, signature, arguments):
        zeros = ir.Constant(_llvm(vector), [0] * vector.lanes)
        return builder.select(arguments[0], arguments[1], zeros)

    return vector(mask, vector), codegen


@intrinsic
def load_mask(typingctx, words, offset, tile):
    """Return the mask that starts at ``words[offset]``."""
    mask = VectorType(1, tile.lanes)

    def codegen(context, builder, signature, arguments):
        integer = ir.IntType(mask.lanes)
        pointer = _pointer(builder, *arguments[:2], integer)
        return builder.bitcast(builder.load(pointer, align=4), _llvm(mask))

    return mask(words, types.int64, tile), codegen


@intrinsic
def store_mask(typingctx, words, offset, mask):
    """Write a mask to ``words[offset]`` and return how many of its bits are set."""
    assert mask.bits == 1

    def codegen(context, builder, signature, arguments):
        integer = ir.IntType(mask.lanes)
        bits = builder.bitcast(arguments[2], integer)
        pointer = _pointer(builder, *arguments[:2], integer)
        builder.store(bits, pointer, align=4)
        return _extend(builder, builder.ctpop(bits))

    return types.int64(words, types.int64, mask), codegen


def _extend(builder, value):
    wide = ir.IntType(64)
    return value if value.type == wide else builder.zext(value, wide)


@intrinsic
def append_by_table(typingctx, target, offset, table, words, byte_offset, first):
    """
    List the set bits of one byte of ``words`` without a branch; return how many there are.

    ``first`` + the position of each goes to the uint16 array ``target[offset:]``, which needs room
    for eight, whatever their number. ``table`` is uint16 (256 * 8,): the positions per byte.
    """
    eight, wide = ir.VectorType(ir.IntType(16), 8), ir.IntType(64)

    def codegen(context, builder, signature, arguments):
        target_value, offset_value, table_value, words_value, byte_offset, first_value = arguments
        zero = ir.Constant(wide, 0)
        bytes_ = _pointer(builder, words_value, zero, ir.IntType(8))
        byte = builder.load(builder.gep(bytes_, [byte_offset]), align=1)
        index = builder.shl(builder.zext(byte, wide), ir.Constant(wide, 3))
        source = _pointer(builder, table_value, index, eight)
        base = _splat(builder, builder.trunc(first_value, ir.IntType(16)), 8)
        positions = builder.add(builder.load(source, align=2), base)
        pointer = _pointer(builder, target_value, offset_value, eight)
        builder.store(positions, pointer, align=2)
        return builder.zext(builder.ctpop(byte), wide)

    return types.int64(target, types.int64, table, words, types.int64, types.int64), codegen


@intrinsic
def append_by_compression(typingctx, target, offset, words, word_offset, first):
    """
    List the set bits of ``words[word_offset]``, see ``append_by_table``; needs room for 32.

    Worth it only where the processor can compress a vector of 16 bit lanes (AVX-512 VBMI2).
    """
    vector, integer = ir.VectorType(ir.IntType(16), 32), ir.IntType(32)

    def codegen(context, builder, signature, arguments):
        target_value, offset_value, words_value, word_offset, first_value = arguments
        source = _pointer(builder, words_value, word_offset, integer)
        word = builder.load(source, align=4)
        mask = builder.bitcast(word, ir.VectorType(ir.IntType(1), 32))
        base = _splat(builder, builder.trunc(first_value, ir.IntType(16)), 32)
        positions = builder.add(base, ir.Constant(vector, list(range(32))))
        kind = ir.FunctionType(vector, [vector, mask.type, vector])
        compress = cgutils.get_or_insert_function(
            builder.module, kind, 'llvm.experimental.vector.compress.v32i16'
        )
        packed = builder.call(compress, [positions, mask, ir.Constant(vector, ir.Undefined)])
        pointer = _pointer(builder, target_value, offset_value, vector)
        builder.store(packed, pointer, align=2)
        return builder.zext(builder.ctpop(word), ir.IntType(64))

    return types.int64(target, types.int64, words, types.int64, types.int64), codegen


@intrinsic
def append_levels(typingctx, rows, values, offset, levels, source, first):
    """
    List the 32 levels at ``levels[source]`` that are not zero; return how many they are.

    ``first`` + the position of each goes to the uint16 ``rows[offset:]``, the level itself to
    the int16 ``values[offset:]``; both need room for 32. See ``append_by_compression``.
    """
    vector = ir.VectorType(ir.IntType(16), 32)

    def codegen(context, builder, signature, arguments):
        rows_value, values_value, offset_value, levels_value, source_value, first = arguments
        found = builder.load(_pointer(builder, levels_value, source_value, vector), align=2)
        mask = builder.icmp_signed('!=', found, ir.Constant(vector, [0] * 32))
        base = _splat(builder, builder.trunc(first, ir.IntType(16)), 32)
        positions = builder.add(base, ir.Constant(vector, list(range(32))))
        nothing = ir.Constant(vector, ir.Undefined)
        name = 'llvm.experimental.vector.compress.v32i16'
        for target, what in ((rows_value, positions), (values_value, found)):
            packed = _call(builder, name, vector, [what, mask, nothing])
            builder.store(packed, _pointer(builder, target, offset_value, vector), align=2)
        bits = builder.bitcast(mask, ir.IntType(32))
        return builder.zext(builder.ctpop(bits), ir.IntType(64))

    return (
        types.int64(rows, values, types.int64, levels, types.int64, types.int64),
        codegen,
    )


@intrinsic
def fill8(typingctx, target, offset, value):
    """Write ``value`` to the eight uint16 entries ``target[offset : offset + 8]``."""
    eight = ir.VectorType(ir.IntType(16), 8)

    def codegen(context, builder, signature, arguments):
        splat = _splat(builder, builder.trunc(arguments[2], ir.IntType(16)), 8)
        pointer = _pointer(builder, *arguments[:2], eight)
        builder.store(splat, pointer, align=2)
        return context.get_dummy_value()

    return types.none(target, types.int64, types.int64), codegen


@intrinsic
def claim(typingctx, counter, index):
    """Add one to ``counter[index]`` (int64) and return what it was; safe between threads."""

    def codegen(context, builder, signature, arguments):
        pointer = _pointer(builder, *arguments, ir.IntType(64))
        return builder.atomic_rmw('add', pointer, ir.Constant(ir.IntType(64), 1), 'monotonic')

    return types.int64(counter, types.int64), codegen


def _where(name: str):
    @intrinsic
    def operation_where(typingctx, left, mask, right):
        assert mask.bits == 1
        assert left == right

        def codegen(context, builder, signature, arguments):
            result = getattr(builder, name)(arguments[0], arguments[2])
            return builder.select(arguments[1], result, arguments[0])

        return left(left, mask, right), codegen

    return operation_where


# (left, mask, right): left + right or left - right where the mask is set, left elsewhere.
add_where = _where('add')
subtract_where = _where('sub')
