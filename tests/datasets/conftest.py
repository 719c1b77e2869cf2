"""Fixtures that data sets share with training."""

from tests.training.conftest import _one_thread, samples, small_encoder, table  # noqa: F401
