"""What a model costs: invoke time beside the yardstick in one run, and memory over the bare runtime.

Times are taken turn by turn, model and yardstick in alternation, one thread; the fastest of many invokes stands for each, since on a shared
machine everything else only adds. Memory is the peak resident size of a fresh process with the model minus that of one without.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

ROUNDS = 40
INVOKES = 4  # in a row, so that caches are warm as they are in a camera's loop

_PEAK = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
for path in sys.argv[1:]:
    interpreter = Interpreter(path, num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    interpreter.set_tensor(source["index"], np.zeros(source["shape"], source["dtype"]))
    for _ in range(20):
        interpreter.invoke()
# Not getrusage: its peak survives exec, so that a child starts with its parent's.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def invoke_ms(paths: Sequence[Path]) -> list[float]:
    """The fastest invoke of each model in milliseconds, measured turn by turn on one thread of LiteRT."""
    interpreters = [_opened(path) for path in paths]
    best = [float("inf")] * len(paths)
    for _ in range(ROUNDS):
        for index, interpreter in enumerate(interpreters):
            for _ in range(INVOKES):
                begin = perf_counter()
                interpreter.invoke()
                best[index] = min(best[index], (perf_counter() - begin) * 1e3)
    return best


def _opened(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    picture = np.random.default_rng(1).integers(0, 255, source["shape"])
    interpreter.set_tensor(source["index"], picture.astype(source["dtype"]))
    return interpreter


def memory_mb(path: Path) -> float:
    """Megabytes at the peak that one model adds to a process with the bare runtime."""
    return (_peak_kb(str(path)) - _peak_kb()) / 1024


def _peak_kb(*paths: str) -> int:
    done = subprocess.run([sys.executable, "-c", _PEAK, *paths], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])
