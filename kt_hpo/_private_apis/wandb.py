"""What the agent of Weights & Biases keeps to itself."""

from __future__ import annotations

from typing import Any


def stop_agent(agent: Any) -> bool:
    """Has an agent take no more runs of its sweep.

    Args:
        agent: The agent.

    Returns:
        Whether it ends now; without the name of today it ends with the program.
    """
    if not hasattr(agent, "_exit_flag"):
        return False
    agent._exit_flag = True
    return True
