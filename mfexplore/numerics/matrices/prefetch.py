"""Asking for memory ahead of its use, in loops that jump to random rows of a large array but know where to.

The processor guesses the next address only where addresses are in order. For a thousand bytes at a random place it
would wait as long as it then computes.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from mfexplore.numerics.kernel import inline_kernel
from mfexplore.numerics.matrices.aligned import LINE


@intrinsic
def touch(context: Any, array: Any, i: Any, j: Any) -> Any:
    """Ask for the cache line of one element of a 2-d array, and do not wait for it."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = signature.args[0]
        here = context.make_array(kind)(context, builder, values[0])
        place = cgutils.get_item_pointer(context, builder, kind, here, values[1:])
        address = builder.bitcast(place, ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [address.type], ir.FunctionType(ir.VoidType(), [address.type, word, word, word])
        )
        read, kept_close, data = word(0), word(3), word(1)
        builder.call(function, [address, read, kept_close, data])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), generate


@inline_kernel
def prefetch_row(array, i):
    """Ask for a whole row of a 2-d array; nothing changes but the time that its next use takes."""
    for j in range(0, array.shape[1], LINE // array.itemsize):
        touch(array, i, j)
