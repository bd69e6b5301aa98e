"""Acme's side of benchmarks.acting."""

import multiprocessing
import time
from typing import Any

from acme import EnvironmentLoop, specs
from acme.adders.reverb import NStepTransitionAdder
from acme.agents.tf import actors
from acme.agents.tf.d4pg import agent as d4pg
from acme.utils import loggers
import reverb

from benchmarks import peers


def run(episodes: int) -> float:
  """Seconds for Acme's actor, adder and environment loop."""
  environment = peers.make_environment()
  spec = specs.make_environment_spec(environment)
  networks = d4pg.D4PGNetworks(
    **{
      f'{name}_network': network
      for name, network in peers.make_networks(spec.actions).items()
    }
  )
  networks.init(spec)
  context = multiprocessing.get_context('spawn')
  port = context.SimpleQueue()
  server = context.Process(target=_serve_acme, args=(port,), daemon=True)
  server.start()
  adder = NStepTransitionAdder(
    client=reverb.Client(f'localhost:{port.get()}'), n_step=5, discount=0.99
  )
  actor = actors.FeedForwardActor(networks.make_policy(spec, 0.3), adder)
  loop = EnvironmentLoop(environment, actor, logger=loggers.NoOpLogger())
  loop.run(num_episodes=1)
  started = time.perf_counter()
  loop.run(num_episodes=episodes)
  seconds = time.perf_counter() - started
  server.terminate()
  return seconds


def _serve_acme(port: Any) -> None:
  """Acme's replay table; its limiter never holds the actor back."""
  spec = specs.make_environment_spec(peers.make_environment())
  table = reverb.Table(
    name='priority_table',
    sampler=reverb.selectors.Uniform(),
    remover=reverb.selectors.Fifo(),
    max_size=1_000_000,
    rate_limiter=reverb.rate_limiters.MinSize(1),
    signature=NStepTransitionAdder.signature(spec),
  )
  server = reverb.Server([table], port=None)
  port.put(server.port)
  server.wait()
