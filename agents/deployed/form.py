"""What a form of policies is: how arrays become actions."""

import abc
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from agents.deployed.layers import Arrays
from datasets.types import EnvironmentSpec


class Form(abc.ABC):
  """P policies of one form and one shape, that act on R rows each.

  A row's action depends, bit for bit, on R but neither on the other rows nor on
  the other policies. It holds buffers: one thread at a time may call it.

  Attributes:
    has_distribution: whether it can tell from which normal distribution it
      draws when it explores. What cannot is explored around by its caller.
  """

  has_distribution: ClassVar[bool] = False

  @staticmethod
  @abc.abstractmethod
  def check(arrays: Arrays) -> EnvironmentSpec:
    """The widths of a policy.

    Raises:
      ValueError: something is missing, superfluous, misshapen or not finite.
    """

  @abc.abstractmethod
  def __init__(self, policies: Sequence[Arrays], rows: int):
    """Takes the weights, which must not change any more.

    Args:
      policies: at least one, all checked and of one shape.
      rows: how many observations each of them gets at a time.
    """

  @abc.abstractmethod
  def __call__(self, observations: np.ndarray) -> np.ndarray:
    """[P, R, S] to what they do without exploration, [P, R, A] in [-1, 1]."""

  def distribution(self) -> tuple[np.ndarray, np.ndarray]:
    """Of the last call: mean, unclipped, and deviation, both [P, R, A].

    The next call overwrites them.
    """
    raise NotImplementedError
