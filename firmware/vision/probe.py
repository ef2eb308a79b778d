"""Builds and invokes a model in a process of its own, because a runtime dies on a damaged file instead of refusing it.

tflite-runtime reads the file's own offsets unchecked: half a file is a segmentation fault. So a file that no manifest
vouches for by its sha256 is first run here, `python -m firmware.vision.probe MODULE DELEGATE < model`, and what became of
the child is the answer. A file with a hash needs no probe.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from firmware.errors import ModelError
from firmware.vision.interpreter import build

PROBE_S_MAX: Final = 60.0  # a cold start of Python and one invoke of a large model on the slowest board, four times over


def probe(module: str, content: bytes, *, delegate: bool = True) -> None:
    """Run the model once in a child.

    Raises:
        ModelError: the child died or hung. What it merely refused is left for the caller to meet, in the runtime's words.
    """
    command = [sys.executable, "-m", "firmware.vision.probe", module, "1" if delegate else "0"]
    try:
        ended = subprocess.run(command, input=content, capture_output=True, timeout=PROBE_S_MAX, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"one invoke takes more than {PROBE_S_MAX:g} s", "the file is damaged, or far too large for this machine"
        ) from error
    except OSError as error:
        raise ModelError(
            f"the file cannot be tried in a process of its own: {error.strerror}", "give its sha256 in a manifest.toml"
        ) from error
    if ended.returncode < 0:
        raise ModelError(f"the runtime dies of the file (signal {-ended.returncode})", "it is cut short or damaged: fetch it again")


def main(argv: list[str]) -> int:
    """Build and invoke the model on standard input: 0 done, 4 refused; a signal ends us otherwise."""
    module, delegate = argv
    try:
        build(module, sys.stdin.buffer.read(), 1, delegate=delegate == "1").invoke()
    except ModelError as error:
        print(error, file=sys.stderr)  # the parent meets the same and says it
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
