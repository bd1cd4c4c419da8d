"""What this processor can do: the cross-encoder's products alone, at the rate of the fastest multiplication at hand.

No attention, no norms, nothing between the products, no padding: a backend with this arithmetic hardly goes below it.
Left out: measuring (rerank.py).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rerank_core.embedded import INNER, LAYERS, WIDTH

SHAPES = ((WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, INNER), (INNER, WIDTH))
"""(in, out) of a layer's four products."""
ROWS = 1024
"""Tokens a multiplication."""


def _made(rows: int, columns: int, dtype: torch.dtype) -> Tensor:
    if dtype == torch.int8:
        return torch.randint(-127, 128, (rows, columns), dtype=dtype)
    return torch.randn(rows, columns).to(dtype)


def products(tokens: int, dtype: torch.dtype) -> Callable[[], None]:
    """Every product that reading so many tokens takes; `dtype` is float32, bfloat16 or int8 (32-bit sums)."""
    parts = [ROWS] * (tokens // ROWS) + ([tokens % ROWS] if tokens % ROWS else [])
    # The right-hand side as each multiplication likes it best: (in, out) for int8, (out, in) transposed else.
    right = [_made(n, k, dtype) if dtype != torch.int8 else _made(k, n, dtype) for k, n in SHAPES]
    left = {(rows, k): _made(rows, k, dtype) for rows in set(parts) for k, _ in SHAPES}

    def work() -> None:
        with torch.inference_mode():
            for rows in parts:
                for _ in range(LAYERS):
                    for (k, _n), weight in zip(SHAPES, right, strict=True):
                        if dtype == torch.int8:
                            torch._int_mm(left[rows, k], weight)
                        else:
                            torch.nn.functional.linear(left[rows, k], weight)

    return work
