"""What each form does in NumPy is what its modules do in TensorFlow."""

from types import SimpleNamespace

import numpy as np
import pytest
import sonnet as snt
import tensorflow as tf

from agents.deployed import forms
from agents.deployed.policy import Policy, Snapshot
from agents.parts import exports, networks
from tests.agents.deployed import made

S, A, N, Z = 5, 2, 9, 4
MIN_VARIANCE, BOUND = 0.01, 0.2


def randomized(seed, *layers):
  """Gives every variable some value."""
  rng = np.random.default_rng(seed)
  for v in tf.nest.flatten([layer.variables for layer in layers]):
    v.assign(rng.normal(0, 1.5 / np.sqrt(v.shape[0]), v.shape))


def with_torso(inputs, outputs, sizes=(16, 12), seed=0, **kwargs):
  torso, head = networks.LayerNormMLP(sizes), snt.Linear(outputs)
  head(torso(tf.zeros([1, inputs])))
  randomized(seed, torso, head)
  return SimpleNamespace(torso=torso, head=head, **kwargs)


def mlp(inputs, outputs, sizes=(16, 12)):
  layers = [snt.Linear(size) for size in (*sizes, outputs)]
  x = tf.zeros([1, inputs])
  for layer in layers:
    x = layer(x)
  randomized(0, *layers)
  return SimpleNamespace(layers=layers)


def run_mlp(module, *inputs):
  x = tf.concat(inputs, axis=-1)
  for layer in module.layers[:-1]:
    x = tf.nn.relu(layer(x))
  return module.layers[-1](x)


def run_gaussian(module, observations):
  mean, h = tf.split(module.head(module.torso(observations)), 2, axis=-1)
  return mean, tf.sqrt(MIN_VARIANCE + tf.nn.softplus(h) ** 2)


def check_best(actions, candidates, values, tolerance=1e-5):
  """They are the candidates of largest value, [N, B, A] and [N, B]."""
  assert actions.dtype == np.float32
  best = np.argmax(values, axis=0)
  assert len(set(best)) > 1, 'The test is too easy.'
  first, second = np.sort(values, axis=0)[[-1, -2]]
  # Where two are worth the same it is a matter of rounding which is taken.
  clear = first - second > 1e-4
  assert clear.sum() > 10, 'The test is too easy.'
  expected = np.asarray(candidates)[best, np.arange(len(best))]
  np.testing.assert_allclose(actions[clear], expected[clear], atol=tolerance)


@pytest.mark.parametrize('sizes', [(16, 12), (8,), (256, 256)])
def test_gaussian(sizes):
  module = with_torso(S, 2 * A, sizes, min_variance=MIN_VARIANCE)
  module.head.w.assign(9 * module.head.w)  # So that some are clipped.
  policy, rows = exports.gaussian(module), made.observations(40)
  assert policy.form == 'gaussian'
  assert policy.spec == (S, A)
  mean, deviation = run_gaussian(module, tf.constant(rows))
  assert np.abs(mean).max() > 1.5, 'The test is too easy.'
  actions = policy(rows)
  assert actions.dtype == np.float32
  np.testing.assert_allclose(actions, np.clip(mean, -1, 1), atol=1e-5)
  actor = forms.find('gaussian')([policy.arrays], len(rows))
  actor(rows[None])
  for mine, theirs in zip(actor.distribution(), (mean, deviation), strict=True):
    assert mine.dtype == np.float32
    np.testing.assert_allclose(mine[0], theirs, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize('sizes', [(16, 12), (8,), (400, 300)])
def test_deterministic_relu(sizes):
  module, rows = mlp(S, A, sizes), made.observations(40)
  policy = exports.plain_policy(module)
  assert (policy.form, policy.spec) == ('deterministic_relu', (S, A))
  actions = policy(rows)
  assert actions.dtype == np.float32
  expected = np.tanh(run_mlp(module, tf.constant(rows)))
  assert expected.std() > 0.1, 'The test is too easy.'
  np.testing.assert_allclose(actions, expected, atol=1e-5)


@pytest.mark.parametrize('atoms', [None, np.linspace(-1, 1, 5, dtype='f')])
def test_best_of_gaussian(atoms):
  policy = with_torso(S, 2 * A, min_variance=MIN_VARIANCE)
  policy.head.w.assign(0.3 * policy.head.w)  # So that few are clipped.
  critic = with_torso(S + A, 1 if atoms is None else len(atoms), seed=4)
  if atoms is not None:
    critic.atoms = atoms
  noise = np.random.default_rng(0).normal(0, 0.5, (N, A)).astype('f')
  rows = 0.2 * made.observations(40)
  mean, deviation = run_gaussian(policy, tf.constant(rows))
  candidates = np.clip(mean + deviation * noise[:, None], -1, 1)  # [N, B, A]
  values = []
  for actions in candidates:
    out = critic.head(critic.torso(tf.concat([rows, actions], axis=1)))
    weights = tf.nn.softmax(out)
    mean_of = out[:, 0] if atoms is None else tf.linalg.matvec(weights, atoms)
    values.append(mean_of)
  exported = exports.best_of_gaussian(policy, critic, noise)
  assert exported.spec == (S, A)
  check_best(exported(rows), candidates, np.array(values))


def test_best_of_decoder():
  decoder, perturbation = mlp(S + Z, A), mlp(S + A, A)
  critic = mlp(S + A, 1, (20, 10, 10))
  rng = np.random.default_rng(0)
  noise = np.clip(rng.standard_normal((N, Z)), -0.5, 0.5).astype('f')
  rows = made.observations(40)
  candidates, values = [], []
  for z in noise:
    z = tf.broadcast_to(z, [len(rows), Z])
    u = tf.tanh(run_mlp(decoder, rows, z))
    a = u + BOUND * tf.tanh(run_mlp(perturbation, rows, u))
    a = tf.clip_by_value(a, -1, 1)
    candidates.append(a)
    values.append(run_mlp(critic, rows, a)[:, 0])
  policy = exports.best_of_decoder(decoder, perturbation, critic, noise, BOUND)
  assert policy.spec == (S, A)
  check_best(policy(rows), candidates, np.array(values))


@pytest.mark.parametrize('shift', [-1.0, 30.0, -30.0])
def test_best_of_raw_gaussian(shift):
  """Also where the logarithm of the deviation is beyond its bounds."""
  policy, critic = mlp(S, 2 * A), mlp(S + A, 1, (20, 10, 10))
  policy.layers[-1].b.assign_add([0.0] * A + [shift, -1.0])
  noise = np.random.default_rng(0).standard_normal((N, A)).astype('f')
  rows = 0.2 * made.observations(40)
  mean, log_std = tf.split(run_mlp(policy, rows), 2, axis=-1)
  deviation = tf.exp(tf.clip_by_value(log_std, -20.0, 2.0))
  candidates = np.tanh(mean + deviation * noise[:, None])  # [N, B, A]
  values = [run_mlp(critic, rows, a)[:, 0] for a in candidates]
  exported = exports.best_of_raw_gaussian(policy, critic, noise)
  assert (exported.form, exported.spec) == ('best_of_raw_gaussian', (S, A))
  check_best(exported(rows), candidates, np.array(values))


def test_one_candidate_and_no_bound_are_the_decoded_action():
  """C-I2."""
  decoder = mlp(S + Z, A)
  noise, rows = np.full((1, Z), 0.3, 'f'), made.observations(6)
  policy = exports.best_of_decoder(
    decoder, mlp(S + A, A), mlp(S + A, 1), noise, 0.0
  )
  z = tf.broadcast_to(noise, [6, Z])
  expected = tf.tanh(run_mlp(decoder, rows, z))
  np.testing.assert_allclose(policy(rows), expected, atol=5e-6)


def test_a_critic_of_one_output_is_stored_beside_any_policy():
  critic = with_torso(S + A, 1)
  policy = exports.gaussian(with_torso(S, 2 * A, min_variance=MIN_VARIANCE))
  snapshot = exports.snapshot(policy, critic, {'a': 1})
  copy = Snapshot.from_bytes(snapshot.to_bytes())
  assert copy.metadata == {'a': 1, 'form': 'gaussian'}
  assert 'atoms' not in copy.critic
  np.testing.assert_array_equal(copy.critic['2/w'], critic.head.w)
  policy = Policy.from_bytes(snapshot.to_bytes())
  assert (policy.form, policy.digest) == ('gaussian', copy.policy.digest)
