"""Progress on standard error for work that takes longer than a breath; nothing where nobody watches.

Standard output stays clean for results. The bar is rich's; on a pipe or in a log it is not drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")


def bar() -> Progress:
    """A progress bar on standard error that vanishes when done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def tracked(items: Sequence[Item], description: str) -> Iterator[Item]:
    """The items, one by one, with a bar."""
    with bar() as progress:
        yield from progress.track(items, description=description)
