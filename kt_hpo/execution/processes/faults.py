"""How a worker ended, in words."""

from __future__ import annotations

import os
import signal

_USUALLY = {
    signal.SIGKILL: ", as the system does when memory runs out",
    signal.SIGSEGV: ", a crash in native code",
    signal.SIGBUS: ", as when a mapped file is cut or its disk is full",
    signal.SIGABRT: ", a crash in native code",
}


def in_words(status: int) -> str:
    """Words how a process ended.

    Args:
        status: Its wait status.

    Returns:
        A sentence.

    Example:
        >>> in_words(11)
        'The worker was killed by SIGSEGV, a crash in native code.'
    """
    if os.WIFSIGNALED(status):
        stopped_by = signal.Signals(os.WTERMSIG(status))
        return f"The worker was killed by {stopped_by.name}{_USUALLY.get(stopped_by, '')}."
    return f"The worker ended by itself, with exit status {os.WEXITSTATUS(status)}."
