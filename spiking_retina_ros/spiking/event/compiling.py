"""How kernels are compiled."""

from __future__ import annotations

# mypy: ignore-errors
from numba import njit

# Kernels are only called by other kernels: no wrappers for the interpreter, and no checks for a
# division by zero.
kernel = njit(nogil=True, error_model='numpy', no_cpython_wrapper=True, no_cfunc_wrapper=True)
