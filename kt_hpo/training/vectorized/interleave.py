"""Trainings that share one thread of Python, each of which goes on while others calculate.

A training is a generator. It yields what is calculated for it in another thread, and is continued
when that is there. So all callbacks, errors and Ctrl-C stay in the thread of the search.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Training = Generator["Future[Any]", None, T]
"""Yields what it waits for, and returns what came of it."""


class _Turn(Generic[T]):
    """A training that has begun: what it waits for, or what it returned."""

    def __init__(self, training: Training[T]) -> None:
        self._training = training
        self.awaited: Future[Any] | None = None
        self.go_on()

    def go_on(self) -> None:
        try:
            self.awaited = next(self._training)
        except StopIteration as end:
            self.awaited, self.returned = None, end.value


def in_turns(trainings: Iterator[Training[T]], at_once: int) -> Iterator[T]:
    """Runs trainings, some at a time.

    Args:
        trainings: The trainings, each taken when it is to begin.
        at_once: How many run at a time at most.

    Yields:
        What they return, in the order in which they began.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> def training(number, threads):
        ...     square = threads.submit(pow, number, 2)
        ...     yield square
        ...     return square.result()
        >>> with ThreadPoolExecutor(2) as threads:
        ...     list(in_turns((training(number, threads) for number in range(4)), at_once=2))
        [0, 1, 4, 9]
    """
    begun: deque[_Turn[T]] = deque()
    while True:
        waiting = [turn.awaited for turn in begun if turn.awaited is not None]
        begun.extend(_Turn(training) for training in islice(trainings, at_once - len(waiting)))
        if not begun:
            return
        if begun[0].awaited is None:
            yield begun.popleft().returned
            continue
        wait([turn.awaited for turn in begun if turn.awaited], return_when=FIRST_COMPLETED)
        for turn in begun:
            if turn.awaited is not None and turn.awaited.done():
                turn.go_on()
