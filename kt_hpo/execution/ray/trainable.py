"""What Ray Tune runs on a node: one trial after the other, in a process that stays.

This module travels there as it is. To import it with its package would import Keras before the
process knows its backend, its threads and its GPUs.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import ray
from ray import tune

ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class RayTrainable(tune.Trainable):
    """Runs the trial it is configured with, in one step."""

    def setup(self, config: dict[str, Any], **arguments: Any) -> None:
        """Unpacks the search, once a process.

        Args:
            config: Ray's configuration of the first trial.
            **arguments: What `worker_process.open_worker` takes, and `environment`: environment
                variables to be set before Keras is imported; `folder` and `path`: where the
                search's process is, and looks modules up.
        """
        # Advice to reuse the processes, which stay as it is.
        logging.getLogger("ray.tune").setLevel(logging.ERROR)
        os.environ.update(arguments.pop("environment"))
        # What lies there on this node too, is found from here as from there.
        folder = Path(arguments.pop("folder"))
        if folder.is_dir():
            os.chdir(folder)
        sys.path += [place for place in arguments.pop("path") if place not in sys.path]
        from kt_hpo.startup import quiet_tensorflow

        with quiet_tensorflow():
            from kt_hpo.execution.ray.worker_process import open_worker
        self._worker = open_worker(**arguments)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next trial.

        Args:
            new_config: Ray's configuration of it.

        Returns:
            True: the process can be used again.
        """
        return True

    def step(self) -> dict[str, Any]:
        """Runs the trial from beginning to end.

        Returns:
            What Ray is to know of it.
        """
        return {"done": True, "status": self._worker.run(self.trial_id)}
