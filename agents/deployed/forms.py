"""All forms of policies, by the names that files say them by."""

from typing import Any

from agents.deployed.best_of import (
  BestOfDecoder,
  BestOfGaussian,
  BestOfRawGaussian,
)
from agents.deployed.deterministic import Deterministic, DeterministicRelu
from agents.deployed.form import Form
from agents.deployed.gaussian import Gaussian
from datasets.schema import shortened

DEFAULT = 'deterministic'
"""Of files that say none."""

FORMS: dict[str, type[Form]] = {
  DEFAULT: Deterministic,
  'deterministic_relu': DeterministicRelu,
  'gaussian': Gaussian,
  'best_of_gaussian': BestOfGaussian,
  'best_of_raw_gaussian': BestOfRawGaussian,
  'best_of_decoder': BestOfDecoder,
}


def find(name: Any) -> type[Form]:
  """The form of that name.

  Raises:
    ValueError: there is none; says which there are.
  """
  if not isinstance(name, str) or name not in FORMS:
    raise ValueError(
      f'A policy of the form {shortened(name)} is unknown here; the forms are '
      f'{", ".join(FORMS)}. Another version may have written it.'
    )
  return FORMS[name]
