"""The Edge TPU in a child process of its own, because its delegate aborts the whole process where others raise.

Parent and child share one memory file: the parent resizes the frame straight into its input part, the child copies it to
the delegate, invokes, and copies the outputs back; one byte each way says so. Rules: an answer that does not come within
HANG_S_MAX means a dead child; memory and model files are made once, before vision gives up the right to write files, and
serve every child after; a child dies with its parent. What is done when one dies is left to `firmware.vision.fallback`.
"""

from __future__ import annotations

import argparse
import contextlib
import mmap
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware.clock import stopwatch_s
from firmware.errors import ModelError
from firmware.vision.coral import LIBRARY
from firmware.vision.tensors import Interpreter, Signature, Tensor

HANG_S_MAX: Final = 2.0  # the slowest invoke on USB 2 is 0.13 s; a stuck transfer never ends
BUILD_S_MAX: Final = 30.0  # loads firmware over USB, which makes the device come back under another number
SHARED_BYTES: Final = 8 << 20  # input and outputs: 640x640x3 in and 8,400 x 84 out are 2 MB
_ALIGN: Final = 64  # a cache line
_GO, _DONE = b"g", b"d"


class Hello(msgspec.Struct, frozen=True):
    """The child's first line: what it built, or why it could not."""

    signature: Signature | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """Views into the memory that both processes see."""

    input: NDArray[Any]
    outputs: tuple[NDArray[Any], ...]


def views(memory: mmap.mmap, signature: Signature) -> Shared:
    """The tensors of a signature laid out in shared memory, each at a cache line, the same way on both sides.

    Raises:
        ModelError: they do not fit.
    """
    arrays: list[NDArray[Any]] = []
    at = 0
    for tensor in (signature.inputs[0], *signature.outputs):
        size = _size(tensor)
        if at + size > len(memory):
            raise ModelError(f"the model's tensors need more than {len(memory)} bytes", "a smaller input is wanted for the Edge TPU")
        arrays.append(np.ndarray(tensor.shape, tensor.dtype, memory, at))
        at += -(-size // _ALIGN) * _ALIGN
    return Shared(arrays[0], tuple(arrays[1:]))


def _size(tensor: Tensor) -> int:
    return int(np.prod(tensor.shape)) * np.dtype(tensor.dtype).itemsize


def child_command(library: str = LIBRARY) -> list[str]:
    """The real child; tests start others that speak the same bytes."""
    return [sys.executable, "-m", "firmware.vision.edgetpu", "--library", library]


class EdgeTpu:
    """A child that runs one model. `start` it, poll `ready`, then use it as an Interpreter until it raises ModelError.

    After ModelError it is dead and may be started again; the files it shares with its children stay the same.
    """

    signature: Signature

    def __init__(self, content: bytes, command: Sequence[str]) -> None:
        """Make the shared files; nothing runs yet."""
        self._command = list(command)
        self._model_fd, self._memory_fd = _memory_file("model", content), _memory_file("tensors", size=SHARED_BYTES)
        self._memory = mmap.mmap(self._memory_fd, SHARED_BYTES)
        self._child: subprocess.Popen[bytes] | None = None
        self._answers = -1
        self._line = b""
        self._shared: Shared | None = None
        self._started_s = 0.0

    def start(self) -> None:
        """Start a child without waiting for it.

        Raises:
            ModelError: the system gives no process.
        """
        self.stop()
        answers, theirs = os.pipe()
        try:
            self._child = subprocess.Popen(
                [*self._command, "--model-fd", str(self._model_fd), "--memory-fd", str(self._memory_fd), "--answer-fd", str(theirs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(self._model_fd, self._memory_fd, theirs),
            )
        except OSError as error:
            os.close(answers)
            raise ModelError(f"no process for the Edge TPU: {error.strerror}", "restart the device") from error
        finally:
            os.close(theirs)
        self._answers, self._line, self._started_s = answers, b"", stopwatch_s()

    def ready(self, timeout_s: float = 0.0) -> bool:
        """Whether the child has built its model; waits at most so long.

        Raises:
            ModelError: it could not, died, or takes longer than BUILD_S_MAX.
        """
        if self._shared is not None:
            return True
        end_s = stopwatch_s() + timeout_s
        while b"\n" not in self._line:
            read = self._read(max(0.0, end_s - stopwatch_s()))
            if read is None:
                if stopwatch_s() - self._started_s > BUILD_S_MAX:
                    self._die("it built nothing in time")
                return False
            self._line += read
        hello = msgspec.json.decode(self._line, type=Hello)
        if hello.signature is None:
            self._die(hello.error)
        else:
            self.signature = hello.signature
            self._shared = views(self._memory, hello.signature)
        return self._shared is not None

    def input(self) -> NDArray[Any]:
        """See Interpreter."""
        return self._alive().input

    def invoke(self) -> None:
        """See Interpreter. Raises ModelError when the child dies of it or does not answer within HANG_S_MAX."""
        self._alive()
        assert self._child is not None
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(_GO)
            self._child.stdin.flush()
        except OSError:
            self._die("it died")
        if self._read(HANG_S_MAX) is None:
            self._die(f"it hung for {HANG_S_MAX:g} s")

    def outputs(self) -> tuple[NDArray[Any], ...]:
        """See Interpreter."""
        return self._alive().outputs

    def _alive(self) -> Shared:
        if self._shared is None:
            raise ModelError("the Edge TPU is not running", "start it")
        return self._shared

    def _read(self, timeout_s: float) -> bytes | None:
        """What the child says next; None when it says nothing in time. Raises ModelError when it is gone."""
        ready, _, _ = select.select([self._answers], [], [], timeout_s)
        if not ready:
            return None
        read = os.read(self._answers, 65536)
        if not read:
            self._die("it died")
        return read

    def _die(self, why: str) -> None:
        code = self.stop()
        signal = f" of signal {-code}" if why == "it died" and code is not None and code < 0 else ""
        raise ModelError(f"Edge TPU: {why}{signal}", "check its cable and power supply; the CPU does the work meanwhile")

    def stop(self) -> int | None:
        """End the child, by force; its exit code. May be called twice."""
        self._shared = None
        if self._child is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):  # a moment for one that is dying anyway, to learn of what
            self._child.wait(0.05)
        self._child.kill()
        code = self._child.wait()
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        os.close(self._answers)
        self._child, self._answers = None, -1
        return code

    def close(self) -> None:
        """See Interpreter: ends the child and releases the shared files."""
        self.stop()
        if self._memory_fd >= 0:
            os.close(self._memory_fd)
            os.close(self._model_fd)
            self._memory_fd = self._model_fd = -1
        with contextlib.suppress(BufferError):  # somebody still looks at its last outputs: the memory goes with them
            self._memory.close()


def _memory_file(name: str, content: bytes = b"", size: int = 0) -> int:
    """A file in memory, without a name in any folder; its descriptor."""
    descriptor = os.memfd_create(f"passerby-{name}")
    try:
        os.ftruncate(descriptor, size or len(content))
        if content:
            os.pwrite(descriptor, content, 0)
    except OSError as error:
        os.close(descriptor)
        raise ModelError(f"no memory to share with the Edge TPU's process: {error.strerror}", "free some") from error
    return descriptor


def serve(interpreter: Interpreter, memory: mmap.mmap, commands: IO[bytes], answers: IO[bytes]) -> None:
    """The child's life: say what was built, then invoke once for each byte that comes, until none does."""
    answers.write(msgspec.json.encode(Hello(interpreter.signature)) + b"\n")
    answers.flush()
    shared = views(memory, interpreter.signature)
    while commands.read(1) == _GO:
        np.copyto(interpreter.input(), shared.input)
        interpreter.invoke()
        for mine, theirs in zip(interpreter.outputs(), shared.outputs, strict=True):
            np.copyto(theirs, mine)
        answers.write(_DONE)
        answers.flush()


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments of a child."""
    parser = argparse.ArgumentParser(prog="passerby-edgetpu", description=__doc__)
    parser.add_argument("--library", dest="delegate", default=LIBRARY)
    for name in ("--model-fd", "--memory-fd", "--answer-fd"):
        parser.add_argument(name, type=int, required=True)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m firmware.vision.edgetpu`: started by `EdgeTpu`, never by hand."""
    from firmware.vision.confine import die_with_parent
    from firmware.vision.interpreter import LITERT, build

    arguments = parse(argv)
    die_with_parent()
    content = os.pread(arguments.model_fd, os.fstat(arguments.model_fd).st_size, 0)
    with os.fdopen(arguments.answer_fd, "wb") as answers:
        try:
            interpreter = build(LITERT, content, 1, library=arguments.delegate)
            serve(interpreter, mmap.mmap(arguments.memory_fd, SHARED_BYTES), sys.stdin.buffer, answers)
        except ModelError as error:
            answers.write(msgspec.json.encode(Hello(error=error.what)) + b"\n")
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
