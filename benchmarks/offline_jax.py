"""Our BCQ's update in JAX, jitted whole in one scan, on the same noise.

Runs in an environment of its own (`benchmarks.environments`), which has none of
our packages:

    python -m benchmarks.offline_jax '{"kind": "bcq", ...}'

What `agents.bcq.update` does is done here: the same networks, losses and order,
Adam over one flat vector a group, clipping left out (its bound is out of reach
by default). Each step gathers its batch from arrays by indices it draws, which
`lax.scan` does within the one program.
"""

from collections.abc import Callable, Mapping, Sequence
import itertools
import json
import sys
from typing import Any, NamedTuple

import jax
from jax import lax, nn, random
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
import numpy as np

from benchmarks import noise, timing

_LATENT = 2 * noise.ACTION_SIZE
_RATE, _DISCOUNT, _TARGET_RATE = 1e-3, 0.99, 0.005
_BOUND, _MIN_WEIGHT, _KL_WEIGHT = 0.05, 0.75, 0.5
_GROUPS = ('vae', 'critics', 'policy')

Layers = list[tuple[jax.Array, jax.Array]]


class State(NamedTuple):
  """What an update changes.

  Attributes:
    nets: parameters by group; each is a tree of arrays.
    targets: late copies of critics and policy.
    moments: Adam's two, by group; flat.
    step: updates done.
    key: of the next draw.
  """

  nets: dict[str, Any]
  targets: dict[str, Any]
  moments: dict[str, tuple[jax.Array, jax.Array]]
  step: jax.Array
  key: jax.Array


def main() -> None:
  """Prints the rates of the case that the first argument describes."""
  case = json.loads(sys.argv[1])
  rates = timing.rates(make(case), case['steps'])
  print(json.dumps({'rates': rates, 'versions': {'jax': jax.__version__}}))


def make(case: Mapping[str, Any]) -> Callable[[int], None]:
  """What does so many updates, each time in one call of one program."""
  data = _data()
  state = _initial(case['layer_sizes'])
  batch_size, samples = case['batch_size'], case['samples']

  def body(state: State, _: None) -> tuple[State, jax.Array]:
    key, which, draws = random.split(state.key, 3)
    rows = random.randint(which, (batch_size,), 0, noise.TRANSITIONS)
    batch = {name: array[rows] for name, array in data.items()}
    return update(state._replace(key=key), batch, draws, samples)

  scan = jax.jit(
    lambda state, steps: lax.scan(body, state, length=steps),
    static_argnums=1,
    donate_argnums=0,
  )

  def run(steps: int) -> None:
    nonlocal state
    state, losses = scan(state, steps)
    losses.block_until_ready()

  return run


def update(
  state: State, batch: Mapping[str, jax.Array], key: jax.Array, samples: int
) -> tuple[State, jax.Array]:
  """Generator, critics, correction; each sees what the one before did."""
  encoding, candidates, corrected = random.split(key, 3)
  state, vae = _descend(state, 'vae', lambda p: _vae_loss(p, batch, encoding))
  target = _target(state, batch, candidates, samples)  # [B]
  s, a = batch['observation'], batch['action']

  def critic_loss(critics: Sequence[Layers]) -> jax.Array:
    errors = jnp.square(_values(critics, s, a) - target)  # [K, B]
    return jnp.sum(jnp.mean(errors, axis=1))

  state, critic = _descend(state, 'critics', critic_loss)
  generated = _decode(state.nets['vae'][1], s, _latents(corrected, (len(s),)))
  first = state.nets['critics'][:1]
  state, policy = _descend(
    state,
    'policy',
    lambda p: -jnp.mean(_values(first, s, _perturbed(p, s, generated))),
  )
  targets = jax.tree.map(
    lambda old, new: old + _TARGET_RATE * (new - old),
    state.targets,
    {name: state.nets[name] for name in state.targets},
  )
  losses = jnp.stack([vae, critic, policy])
  return state._replace(targets=targets, step=state.step + 1), losses


def _vae_loss(
  nets: tuple[Layers, Layers], batch: Mapping[str, jax.Array], key: jax.Array
) -> jax.Array:
  s, a = batch['observation'], batch['action']
  mean, log_std = jnp.split(_mlp(nets[0], s, a), 2, axis=1)
  std = jnp.exp(jnp.clip(log_std, -4.0, 15.0))
  decoded = _decode(nets[1], s, mean + std * random.normal(key, mean.shape))
  terms = 1.0 + 2.0 * jnp.log(std) - jnp.square(mean) - jnp.square(std)
  divergence = -0.5 * jnp.mean(terms)
  return jnp.mean(jnp.square(decoded - a)) + _KL_WEIGHT * divergence


def _target(
  state: State, batch: Mapping[str, jax.Array], key: jax.Array, samples: int
) -> jax.Array:
  """R + g d max_i mix_j Q'_j(s', a_i), [B]."""
  s = batch['next_observation']
  s = jnp.broadcast_to(s, (samples, *s.shape)).reshape(-1, s.shape[1])
  generated = _decode(state.nets['vae'][1], s, _latents(key, (len(s),)))
  action = _perturbed(state.targets['policy'], s, generated)
  values = _values(state.targets['critics'], s, action)  # [K, n * B]
  mixed = _MIN_WEIGHT * jnp.min(values, axis=0)
  mixed += (1.0 - _MIN_WEIGHT) * jnp.max(values, axis=0)
  best = jnp.max(mixed.reshape(samples, -1), axis=0)
  return batch['reward'] + _DISCOUNT * batch['discount'] * best


def _descend(
  state: State, group: str, loss: Callable[[Any], jax.Array]
) -> tuple[State, jax.Array]:
  """One step of Adam of one group, over its flat vector."""
  value, gradients = jax.value_and_grad(loss)(state.nets[group])
  flat, _ = ravel_pytree(gradients)
  parameters, unravel = ravel_pytree(state.nets[group])
  first, second = state.moments[group]
  first = 0.9 * first + 0.1 * flat
  second = 0.999 * second + 0.001 * jnp.square(flat)
  time = state.step + 1.0
  root = jnp.sqrt(second / (1.0 - 0.999**time)) + 1e-8
  moved = parameters - _RATE * first / (1.0 - 0.9**time) / root
  nets = {**state.nets, group: unravel(moved)}
  moments = {**state.moments, group: (first, second)}
  return state._replace(nets=nets, moments=moments), value


def _mlp(layers: Layers, *inputs: jax.Array) -> jax.Array:
  x = jnp.concatenate(inputs, axis=1)
  for w, b in layers[:-1]:
    x = nn.relu(x @ w + b)
  w, b = layers[-1]
  return x @ w + b


def _decode(decoder: Layers, s: jax.Array, z: jax.Array) -> jax.Array:
  return jnp.tanh(_mlp(decoder, s, z))


def _perturbed(policy: Layers, s: jax.Array, a: jax.Array) -> jax.Array:
  return jnp.clip(a + _BOUND * jnp.tanh(_mlp(policy, s, a)), -1.0, 1.0)


def _values(critics: Sequence[Layers], s: jax.Array, a: jax.Array) -> jax.Array:
  return jnp.stack([_mlp(critic, s, a)[:, 0] for critic in critics])


def _latents(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
  return jnp.clip(random.normal(key, (*shape, _LATENT)), -0.5, 0.5)


def _initial(layer_sizes: Sequence[int]) -> State:
  rng = np.random.default_rng(0)

  def layers(inputs: int, outputs: int) -> Layers:
    sizes = itertools.pairwise((inputs, *layer_sizes, outputs))
    return [
      (
        jnp.asarray(rng.normal(size=(n, m)) / np.sqrt(n), jnp.float32),
        jnp.zeros(m),
      )
      for n, m in sizes
    ]

  state, action = noise.OBSERVATION_SIZE, noise.ACTION_SIZE
  nets = {
    'vae': (
      layers(state + action, 2 * _LATENT),
      layers(state + _LATENT, action),
    ),
    'critics': [layers(state + action, 1) for _ in range(2)],
    'policy': layers(state + action, action),
  }
  zeros = {g: jnp.zeros_like(ravel_pytree(nets[g])[0]) for g in _GROUPS}
  # Buffers are given away to the program: no two may be the same.
  return State(
    nets,
    jax.tree.map(jnp.copy, {g: nets[g] for g in ('critics', 'policy')}),
    {g: (zeros[g], jnp.copy(zeros[g])) for g in _GROUPS},
    jnp.zeros(()),
    random.key(0),
  )


def _data() -> dict[str, jax.Array]:
  """Transitions of one step."""
  episodes = noise.episodes()
  parts = {
    'observation': [o[:-1] for o, _, _ in episodes],
    'action': [a for _, a, _ in episodes],
    'reward': [r for _, _, r in episodes],
    'discount': [np.ones_like(r) for _, _, r in episodes],
    'next_observation': [o[1:] for o, _, _ in episodes],
  }
  return {name: jnp.asarray(np.concatenate(p)) for name, p in parts.items()}


if __name__ == '__main__':
  main()
