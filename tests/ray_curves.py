"""Experiments of Ray Tune's, and one whose actors need no TensorFlow."""

import numpy as np
from ray import tune

import kt_hpo


class Curve(tune.Trainable):
    """Reports the values of its config, epoch by epoch, and trains nothing."""

    def setup(self, config):
        if not config["values"]:
            raise ArithmeticError("no values")
        self.epoch = 0

    def step(self):
        value = self.config["values"][self.epoch]
        self.epoch += 1
        if value is None:
            raise ArithmeticError("no value")
        return {"val_loss": np.float32(value), "done": self.epoch == len(self.config["values"])}

    def reset_config(self, new_config):
        self.setup(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir):
        return {"epoch": self.epoch}

    def load_checkpoint(self, checkpoint):
        self.epoch = checkpoint["epoch"]


class Descent(tune.Trainable):
    """Lowers its loss in each of four epochs, the faster the higher `rate`, from 1 on."""

    def setup(self, config):
        self.epoch, self.loss = 0, 1.0

    def step(self):
        self.epoch += 1
        self.loss *= 1 - 10 * self.config["rate"]
        return {"val_loss": self.loss, "done": self.epoch == 4}

    def reset_config(self, new_config):
        self.setup(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir):
        return {"epoch": self.epoch, "loss": self.loss}

    def load_checkpoint(self, checkpoint):
        self.epoch, self.loss = checkpoint["epoch"], checkpoint["loss"]


def fit(trainable, folder, space, scheduler=None, samples=1, callbacks=(), run=None, **config):
    """Runs an experiment of Ray Tune's, recorded as the project `r`."""
    tuner = tune.Tuner(
        trainable,
        param_space=space,
        tune_config=tune.TuneConfig(
            metric="val_loss",
            mode="min",
            num_samples=samples,
            scheduler=scheduler,
            reuse_actors=True,
            **config,
        ),
        run_config=tune.RunConfig(
            name="t",
            storage_path=str(folder / "ray"),
            verbose=0,
            callbacks=[kt_hpo.ray.Recorder(folder, "r", "val_loss"), *callbacks],
            **(run or {}),
        ),
    )
    return tuner.fit(), kt_hpo.open_study(folder / "r")
