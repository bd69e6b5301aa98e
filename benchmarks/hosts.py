"""What the gateway carries: python -m benchmarks.hosts.

Sides, one after another, each in processes of its own, over TLS with a token,
on this host's loopback:

- episodes: episodes of 1000 steps of cheetah-run are brought by 32 threads of
  one process; the clock stops when the last of them is durable. How long one
  waits for its receipt is measured before, of one after another. What processor
  time the gateway and the curator took, and what a commit takes by itself, are
  for benchmarks.simulation.
- orders: 1,000 clients wait for orders, each of one episode, and ask again.
- worker: one worker process of launchers.join acts.
- local: one actor of the program acts: benchmarks.acting's side.
- two: two worker processes act, beside a core whose own nodes need their share.
"""

import argparse
import asyncio
from collections.abc import Iterator
from concurrent import futures
import contextlib
import os
from pathlib import Path
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

import grpc
import numpy as np
import portpicker
import psutil

from benchmarks import common, nodes
from datasets.packed import pack, unpack
from datasets.store import EpisodeStore
from datasets.types import Episode, EpisodeId
from launchers.environments import registry
from launchers.gateway import gateway_pb2 as pb
from launchers.gateway import wire
from launchers.runs.launch_config import GatewayOptions
from launchers.workers.core import Core
from launchers.workers.options import KeyFiles, Keys, WorkerOptions
from teachers import credentials

SIDES = ('episodes', 'orders', 'local', 'worker', 'two')
_TOKEN = 'a-token-of-some-length'
_THREADS, _CLIENTS, _SECONDS = 32, 1_000, 5.0
_RECEIPTS = 50  # Timed one after another.
_COMMITS, _GROUP = 320, 16  # The curator takes what has come meanwhile.


def main() -> None:
  """Runs all sides, or the one that --side names."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--side', choices=SIDES)
  parser.add_argument(
    '--episodes', type=int, default=2_000,
    help='episodes that are brought; a tenth is acted (default: %(default)s)',
  )  # fmt: skip
  options = parser.parse_args()
  few = options.episodes // 10
  if options.side is None:
    compare(options.episodes)
  elif options.side == 'episodes':
    common.print_json(bring(options.episodes))
  elif options.side == 'orders':
    common.print_json({'rate': order()})
  else:
    workers = {'local': 0, 'worker': 1, 'two': 2}[options.side]
    common.print_json({'rate': act(few, workers)})


def compare(episodes: int) -> None:
  """Measures all sides."""
  found = {}
  for side in SIDES:
    print(f'measuring: {side} ...', file=sys.stderr, flush=True)
    arguments = [f'--episodes={episodes}']
    found[side] = common.run_side('benchmarks.hosts', side, arguments)
  brought, local = found['episodes'], found['local']['rate']
  ratio = found['worker']['rate'] / local
  gain = found['two']['rate'] / found['worker']['rate']
  lines = {
    'episodes a second': common.goal(brought['rate'], 500),
    'megabytes a second': f'{brought["rate"] * brought["bytes"] / 1e6:.1f}',
    'acknowledged in': f'{brought["milliseconds"]:.1f} ms (goal: at most 50)',
    'a worker, to an actor of the program': common.goal(ratio, 0.95),
    'two workers, to one': f'{gain:.2f}',
    f'orders a second, {_CLIENTS:,} waiting': f'{found["orders"]["rate"]:,.0f}',
  }
  common.report(
    'The gateway',
    lines,
    {
      'episodes_per_second': round(brought['rate'], 1),
      'episode_bytes': brought['bytes'],
      'gateway_cpu_ms': round(brought['gateway_ms'], 3),
      'commit_ms': round(brought['commit_ms'], 3),
      'acknowledged_ms': round(brought['milliseconds'], 2),
      'ratio_worker': round(ratio, 3),
      'local_steps_per_second': round(local, 1),
      'worker_steps_per_second': round(found['worker']['rate'], 1),
      'two_workers_steps_per_second': round(found['two']['rate'], 1),
      'orders_per_second': round(found['orders']['rate'], 1),
    },
  )


@contextlib.contextmanager
def core(episodes: int) -> Iterator[tuple[nodes.Nodes, WorkerOptions]]:
  """A core with a gateway, and what a worker must be told of it."""
  with tempfile.TemporaryDirectory() as directory:
    keys = Path(directory)
    (keys / 'token').write_text(_TOKEN)
    subprocess.run(
      [
        'openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
        '-days', '2', '-subj', '/CN=localhost',
        '-addext', 'subjectAltName=DNS:localhost',
        '-keyout', str(keys / 'key'), '-out', str(keys / 'certificate'),
      ],
      check=True, capture_output=True,
    )  # fmt: skip
    address = f'localhost:{portpicker.pick_unused_port()}'
    options = GatewayOptions(
      address, keys / 'certificate', keys / 'key', keys / 'token'
    )
    with nodes.running(episodes, ('replay', 'curator'), options) as running:
      yield running, WorkerOptions(
        address, KeyFiles.of(keys / 'token', keys / 'certificate'),
        'here/actor/0', False, str(keys / 'scratch'), os.getpid(),
      )  # fmt: skip


def bring(episodes: int) -> dict[str, float]:
  """Brings so many episodes; how fast they are durable."""
  with core(episodes + _RECEIPTS) as (running, options):
    files = list(_files(running, episodes + _RECEIPTS))
    client = _client(options)
    client.join()
    seconds = []
    for file in files[:_RECEIPTS]:
      started = time.perf_counter()
      _check(client.deliver(file))
      seconds.append(time.perf_counter() - started)
    _, curator = running.processes
    started, used = time.perf_counter(), _processor_seconds(curator.pid)
    with futures.ThreadPoolExecutor(_THREADS) as pool:
      for refused in pool.map(client.deliver, files[_RECEIPTS:]):
        _check(refused)
    took = time.perf_counter() - started
    used = _processor_seconds(curator.pid) - used
    running.wait(episodes + _RECEIPTS)
  return {
    'rate': episodes / took,
    'bytes': len(files[0]),
    'milliseconds': 1e3 * statistics.median(seconds),
    'gateway_ms': 1e3 * used / episodes,
    'commit_ms': _commit(files[:_COMMITS]),
  }


def _processor_seconds(pid: int) -> float:
  times = psutil.Process(pid).cpu_times()
  return times.user + times.system


def _commit(files: list[bytes]) -> float:
  """Milliseconds until an episode is durable, of a group, by itself."""
  episodes = [unpack(file, 'an episode') for file in files]
  with tempfile.TemporaryDirectory() as directory:
    store = EpisodeStore(Path(directory))
    started = time.perf_counter()
    for first in range(0, len(episodes), _GROUP):
      store.commit_all(episodes[first : first + _GROUP])
    return 1e3 * (time.perf_counter() - started) / len(episodes)


def _check(refused: str) -> None:
  if refused:
    raise RuntimeError(f'An episode was refused: {refused}')


def _client(options: WorkerOptions) -> Core:
  return Core(
    options.address, options.keys(), options.name, threading.Event().wait, print
  )


def _files(running: nodes.Nodes, episodes: int) -> Iterator[bytes]:
  """Episodes of cheetah's sizes, all of one content but for their identity."""
  random = np.random.default_rng(0)
  steps, task = nodes.EPISODE_STEPS, registry.make('cheetah-run', None).task

  def noise(*shape: int) -> np.ndarray:
    return random.uniform(-1, 1, shape).astype(np.float32)

  first = Episode(
    EpisodeId(running.config.run_name, 1, 0, 0), running.policy.digest,
    noise(steps + 1, task.observation_size), noise(steps, task.action_size),
    noise(steps), np.ones(steps, np.float32), task=task,
  )  # fmt: skip
  for episode in range(episodes):
    identity = first.identity._replace(episode=episode)
    yield pack(first._replace(identity=identity)).data


def order() -> float:
  """Orders a second that clients get who are always waiting."""
  with core(100_000) as (_, options):
    _client(options).join()
    return asyncio.run(_ask_all(options.address, options.keys()))


async def _ask_all(address: str, keys: Keys) -> float:
  trusted = grpc.ssl_channel_credentials(keys.certificates)
  orders = 0

  async def ask(worker: int, call: Any, until: float) -> None:
    nonlocal orders
    request = pb.OrdersRequest(worker=f'host-{worker}/actor/0', most=1)
    while time.perf_counter() < until:
      data = request.SerializeToString()
      answer = await call(data, metadata=credentials.bearer(keys.token))
      orders += len(pb.Order.FromString(answer).attempts)

  async with grpc.aio.secure_channel(address, trusted) as channel:
    call = channel.unary_unary(wire.method('Orders'))
    started = time.perf_counter()
    until = started + _SECONDS
    await asyncio.gather(*(ask(n, call, until) for n in range(_CLIENTS)))
    return orders / (time.perf_counter() - started)


def act(episodes: int, workers: int) -> float:
  """Steps a second of so many workers, or of an actor of the program."""
  total = episodes + 8  # Those that are acted side by side first.
  with contextlib.ExitStack() as stack:
    if not workers:
      running = stack.enter_context(nodes.running(total))
    else:
      running, options = stack.enter_context(core(total))
      for number in range(workers):
        stack.enter_context(_worker(options, number))
    running.wait(8)
    started = time.perf_counter()
    running.wait(total)
    return episodes * nodes.EPISODE_STEPS / (time.perf_counter() - started)


@contextlib.contextmanager
def _worker(options: WorkerOptions, number: int) -> Iterator[None]:
  own = options._replace(
    name=f'here/actor/{number}', scratch=f'{options.scratch}-{number}'
  )
  words = ['-m', 'launchers.workers.process', own.to_json()]
  process = subprocess.Popen(
    [sys.executable, *words], cwd=common.ROOT, stdout=subprocess.DEVNULL
  )
  try:
    yield
  finally:
    process.kill()
    process.wait()


if __name__ == '__main__':
  main()
