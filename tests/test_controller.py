"""The controller acts as the policy does, and its logs are taken."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.deployed.policy import Policy
from datasets.formats import reading
from datasets.types import EpisodeId
from launchers.environments import described
from launchers.export import ExportConfig, export
from launchers.logs.columns import Columns
from launchers.logs.meaning import Meaning
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from tests.tree import ROOT

TANKS = ROOT / 'examples' / 'two_tanks'


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
  """The controller and the plant, as they stand beside each other."""
  monkeypatch.syspath_prepend(str(TANKS))
  monkeypatch.syspath_prepend(str(ROOT / 'examples' / 'controller'))
  make = importlib.import_module
  return make('controller'), make('plant')


@pytest.fixture
def exported(tmp_path: Path) -> tuple[Policy, Path]:
  task = described.load(TANKS / 'two-tanks.toml').task
  random = np.random.default_rng(0)
  arrays = {
    '0/w': random.normal(size=(2, 8)), '0/b': random.normal(size=8),
    'norm/scale': random.normal(size=8), 'norm/offset': random.normal(size=8),
    '1/w': random.normal(size=(8, 6)), '1/b': random.normal(size=6),
    '2/w': random.normal(size=(6, 1)), '2/b': random.normal(size=1),
  }  # fmt: skip
  policy = Policy({k: v.astype(np.float32) for k, v in arrays.items()}, task)
  directory = RunDirectory(tmp_path / 'tanks')
  directory.cycle(0).mkdir(parents=True)
  config = GrowingBatchConfig('tanks', episode_steps=50, acting_noise=0.1)
  directory.write_json(directory.config, config.to_json())
  directory.publish(0, policy.to_bytes())
  output = tmp_path / 'policy'
  export(ExportConfig(directory.root, output=output))
  return policy, output


def test_it_is_the_policy(
  modules: tuple[Any, Any], exported: tuple[Policy, Path]
) -> None:
  controller, _ = modules
  policy, output = exported
  with np.load(output / 'vectors.npz') as vectors:
    observations, actions = vectors['observations'], vectors['actions']
  acts = controller.Controller(output, seed=0)
  got = np.stack([acts.canonical(row) for row in observations])
  np.testing.assert_allclose(got, actions, atol=1e-5)
  acts.card['acting_noise'] = 0.0
  done = acts.act({'level': np.array([0.3, 0.9])})
  wanted = (policy(np.array([0.3, 0.9], np.float32)) + 1) / 2 * 10
  np.testing.assert_allclose(done['pump'], wanted, atol=1e-4)


@pytest.mark.parametrize('level', [[1.6, 0.2], [0.1, np.nan], [-0.1, 0.1]])
def test_it_refuses_what_no_sensor_measures(
  modules: tuple[Any, Any], exported: tuple[Policy, Path], level: list[float]
) -> None:
  acts = modules[0].Controller(exported[1], seed=0)
  with pytest.raises(ValueError, match=r'level is .* beyond 0\.0 to 1\.5'):
    acts.act({'level': np.array(level)})


def test_its_logs_are_episodes(
  modules: tuple[Any, Any], exported: tuple[Policy, Path], tmp_path: Path
) -> None:
  controller, plant = modules
  policy, output = exported
  acts = controller.Controller(output, seed=0)
  columns = controller.episode(plant.Plant(3), acts, 0.0)
  controller.keep(tmp_path, 'log.npz', columns)
  assert json.loads((output / 'card.json').read_text())['acting_noise'] == 0.1
  (raw,) = reading.read(tmp_path / 'log.npz')
  system = described.load(TANKS / 'two-tanks.toml')
  episode = Meaning(system, Columns()).episode(raw, EpisodeId('a', 1, 0, 0))
  assert (episode.num_steps, episode.policy) == (50, policy.digest)
  np.testing.assert_allclose(
    episode.observations, columns['level'].astype(np.float32)
  )
  noise = episode.actions - policy(episode.observations[:-1])
  assert 0.02 < np.abs(noise).mean() < 0.15
