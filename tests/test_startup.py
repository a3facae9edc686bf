"""What TensorFlow says of itself."""

import logging

from models import blobs, build

import kt_hpo

ADVICE = "tf.function retracing"


def test_no_advice_about_tracing_is_given_in_a_notebook_of_searches(tmp_path):
    x, y = blobs(40)
    said = []

    class Listener(logging.Handler):
        def emit(self, record):
            said.append(record.getMessage())

    logger, listener = logging.getLogger("tensorflow"), Listener()
    logger.addHandler(listener)
    try:
        for number in range(4):
            tuner = kt_hpo.RandomSearch(
                build, "val_loss", max_trials=1, directory=tmp_path, project_name=str(number)
            )
            tuner.search(x, y, validation_split=0.5, verbose=0)
            tuner.fit_best(x, y)
    finally:
        logger.removeHandler(listener)
    assert not [words for words in said if ADVICE in words]
