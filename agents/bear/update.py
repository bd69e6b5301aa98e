"""BEAR-QL with a KL constraint, as it was compared in P004 (section D).

The policy improves as SVG's does, held to the behaviour model; its values are
of the best of the samples, and not of their mean.
"""

import tensorflow as tf

from agents.svg.update import PriorSVG


class BEAR(PriorSVG):
  """SVG held to the behaviour model, with a maximum in its target."""

  def expectation(self, values: tf.Tensor) -> tf.Tensor:
    """See `ActorCritic.expectation`."""
    return tf.reduce_max(values, axis=0)
