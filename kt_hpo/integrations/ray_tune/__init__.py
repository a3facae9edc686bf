"""A hypermodel for those who write Ray Tune code themselves: its space, its training, its record.

Ray's searchers propose, Ray's schedulers stop, pause and exploit, and the record is like that of
any other search. Ray sends no usage reports then, unless `RAY_USAGE_STATS_ENABLED` says so.
"""

import os

from kt_hpo.optional import require
from kt_hpo.startup import quiet_tensorflow

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
require("ray.tune", "ray")

# An actor of Ray's imports Keras here, before it unpickles what is the user's.
with quiet_tensorflow():
    from kt_hpo.integrations.ray_tune.models import load_model
    from kt_hpo.integrations.ray_tune.recorder import Recorder
    from kt_hpo.integrations.ray_tune.space import param_space
    from kt_hpo.integrations.ray_tune.trainables import trainable

__all__ = ["Recorder", "load_model", "param_space", "trainable"]
