"""The real signatures of picamera2, read from its source: libcamera, which it imports, exists on Raspberry Pi OS only."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
from pathlib import Path

EMPTY = inspect.Parameter.empty


def source_of(module: str) -> Path | None:
    """The file of a module of the installed picamera2, None where it is not installed."""
    try:
        files = importlib.metadata.distribution("picamera2").files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if str(file) == f"picamera2/{module}.py"), None)


def text_of(module: str) -> str:
    """The source of a module of the installed picamera2."""
    path = source_of(module)
    assert path is not None
    return path.read_text(encoding="utf-8")


def signatures(module: str, of: str) -> dict[str, inspect.Signature]:
    """Methods of a class by name, without `self`; of several definitions the last one counts (the others are overloads)."""
    tree = ast.parse(text_of(module))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == of)
    return {node.name: _signature(node.args) for node in found.body if isinstance(node, ast.FunctionDef) and not _is_property(node)}


def _is_property(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "property" or ast.unparse(decorator).endswith(".setter") for decorator in node.decorator_list)


def _signature(arguments: ast.arguments) -> inspect.Signature:
    names = [*arguments.posonlyargs, *arguments.args]
    given = [EMPTY] * (len(names) - len(arguments.defaults)) + [None] * len(arguments.defaults)
    parameters = [
        inspect.Parameter(name.arg, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
        for name, default in zip(names, given, strict=True)
    ]
    for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(inspect.Parameter(name.arg, inspect.Parameter.KEYWORD_ONLY, default=EMPTY if default is None else None))
    if arguments.kwarg:
        parameters.append(inspect.Parameter(arguments.kwarg.arg, inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(parameters[1:])
