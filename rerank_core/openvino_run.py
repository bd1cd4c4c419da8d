"""How a graph runs on OpenVINO here: on the cores that this process may use, in the precision asked for."""

from __future__ import annotations

import os
from typing import Any

import openvino as ov
import openvino.properties as properties
import openvino.properties.hint as hints


def can_bf16(core: ov.Core) -> bool:
    """Whether OpenVINO multiplies bfloat16 on this processor."""
    return "BF16" in core.get_property("CPU", properties.device.capabilities)


def request_of(core: ov.Core, graph: ov.Model, precision: ov.Type, threads: int) -> Any:
    """The graph compiled, as an infer request; not for two threads at once. `threads` 0: a thread a core."""
    settings = {
        hints.inference_precision: precision,
        hints.performance_mode: hints.PerformanceMode.LATENCY,
        hints.enable_cpu_pinning: False,  # other processes of a small machine need the cores too
        properties.inference_num_threads: threads,
    }
    return core.compile_model(graph, "CPU", settings).create_infer_request()


def threads() -> int:
    """OMP_NUM_THREADS where it is set, as torch takes it; else 0, with which OpenVINO takes a thread a core."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() else 0
