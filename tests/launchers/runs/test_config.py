"""The options: the paper's numbers by default, nonsense refused."""

import dataclasses
import json
from pathlib import Path
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
import pytest

from agents.config import ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from launchers.runs.config import EvaluationConfig, GrowingBatchConfig
from launchers.runs.frozen import ConfigChangedError, freeze, keep_horizon
from tests.launchers import harness
from tests.launchers.harness import ROOT


def test_the_defaults_are_the_papers() -> None:
  config = GrowingBatchConfig()
  assert config.cycles == 4
  assert config.actor_steps == 2_000_000
  assert config.total_learner_steps == 250_000  # A-I11
  assert config.learner_steps_per_cycle == 62_500
  assert config.episodes_in(0) == 1_000
  assert config.episodes_in(1) == 500
  assert isinstance(config.agent, D4PGConfig)
  assert config.agent.batch_size == 256
  assert config.agent.n_step == 5
  assert config.agent.discount == 0.99
  assert config.agent.target_update_period == 100
  assert config.agent.policy_learning_rate == 1e-4
  assert (config.agent.vmin, config.agent.vmax) == (-150.0, 150.0)
  assert config.acting_noise == 0.3
  assert config.evaluation.interval == 100


@given(st.integers(1, 8), st.integers(1, 50), st.integers(1, 64))
def test_learner_steps_are_actor_steps_by_samples_per_insert(
  cycles: int, episodes: int, samples: int
) -> None:
  config = GrowingBatchConfig(
    cycles=cycles,
    actor_steps=cycles * episodes * 256,
    episode_steps=256,
    samples_per_insert=samples,
  )
  assert config.total_learner_steps == config.actor_steps * samples // 256
  assert config.learner_steps_per_cycle * cycles == config.total_learner_steps
  assert sum(map(config.episodes_in, range(1, cycles + 1))) == cycles * episodes


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'cycles': -1}, 'cycles is -1'),
    ({'actor_steps': 2_000_001}, r'no multiple.*Use 2000000 or 2004000'),
    ({'actor_steps': 200}, r'no multiple.*Use 4000\.'),
    ({'learner_steps': 1_001}, r'--learner-steps to 1000 or 1004\.'),
    ({'learner_steps': 3}, '3 learner steps do not divide into 4'),
    ({'num_actors': -1}, 'num_actors is -1; it must be at least 0'),
    ({'acting_noise': float('nan')}, 'acting_noise is nan'),
  ],
)
def test_nonsense_is_refused(changes: dict, message: str) -> None:
  with pytest.raises(ValueError, match=message):
    GrowingBatchConfig(**changes)


def test_another_configuration_is_refused_with_the_difference(
  tmp_path: Path,
) -> None:
  config = GrowingBatchConfig()
  freeze(config, tmp_path)
  before = (tmp_path / 'config.json').read_bytes()
  freeze(config, tmp_path)
  other = dataclasses.replace(
    config, seed=1, agent=dataclasses.replace(config.agent, n_step=3)
  )
  with pytest.raises(ConfigChangedError) as refusal:
    freeze(other, tmp_path)
  assert 'agent.n_step: 5 there, 3 here' in str(refusal.value)
  assert 'seed: 0 there, 1 here' in str(refusal.value)
  assert (tmp_path / 'config.json').read_bytes() == before


def test_what_it_was_made_by_is_stored_and_is_no_change(tmp_path: Path) -> None:
  freeze(GrowingBatchConfig(), tmp_path)
  tree = json.loads((tmp_path / 'config.json').read_text())
  assert {'commit', 'packages'} <= tree['provenance'].keys()
  tree['provenance']['commit'] = 'of another version'
  # Older ones have neither that nor the newer options.
  for name in ('between_weight', 'decay_steps', 'filter_critic'):
    del tree['objective'][name]
  for name in ('action_bound', 'max_refused_fraction', 'teacher'):
    del tree[name]
  del tree['agent']['kind'], tree['teacher_nodes']
  (tmp_path / 'config.json').write_text(json.dumps(tree))
  freeze(GrowingBatchConfig(), tmp_path)
  del tree['provenance']
  (tmp_path / 'config.json').write_text(json.dumps(tree))
  freeze(GrowingBatchConfig(), tmp_path)


def test_options_that_alter_nothing_may_change(tmp_path: Path) -> None:
  config = GrowingBatchConfig()
  freeze(config, tmp_path)
  other = dataclasses.replace(
    config,
    checkpoint_interval=7,
    evaluation=EvaluationConfig(50, 2, 3),
    max_refused_fraction=0.5,
    teacher_nodes=2,
  )
  freeze(other, tmp_path)
  tree = json.loads((tmp_path / 'config.json').read_text())
  assert tree['evaluation']['interval'] == 50
  assert (
    'checkpoint_interval: 1000 there, 7 here' in (tree['history'][0]['changed'])
  )
  freeze(other, tmp_path)
  assert len(json.loads((tmp_path / 'config.json').read_text())['history']) == 1


def test_cycles_are_appended_and_alpha_falls_as_before(tmp_path: Path) -> None:
  config = GrowingBatchConfig(name='run')
  freeze(config, tmp_path)
  for cycles in (6, 8, 8):
    more = keep_horizon(
      GrowingBatchConfig(
        name='run', cycles=cycles, actor_steps=500_000 * cycles
      ),
      tmp_path,
    )
    freeze(more, tmp_path)
    assert more.decay_steps == config.total_learner_steps == 250_000
    assert more.learner_steps_per_cycle == config.learner_steps_per_cycle
    assert more.episodes_in(1) == config.episodes_in(1)
  assert keep_horizon(more, tmp_path) == more


@pytest.mark.parametrize(
  'changes',
  [
    {'cycles': 5, 'actor_steps': 2_000_000},
    {'cycles': 2, 'actor_steps': 1_000_000},
    {'cycles': 8, 'actor_steps': 4_000_000, 'learner_steps': 250_000},
    {
      'cycles': 8,
      'actor_steps': 4_000_000,
      'objective': ObjectiveConfig(decay_steps=9),
    },
  ],
)
def test_what_would_alter_the_earlier_cycles_is_refused(
  tmp_path: Path, changes: dict
) -> None:
  freeze(GrowingBatchConfig(name='run'), tmp_path)
  config = GrowingBatchConfig(name='run', **changes)
  with pytest.raises(ConfigChangedError, match='Cycles can be appended'):
    freeze(keep_horizon(config, tmp_path), tmp_path)


def test_an_older_run_had_the_default_of_then(tmp_path: Path) -> None:
  objective = ObjectiveConfig('teacher_action', between_weight=3.0)
  config = GrowingBatchConfig(name='run', objective=objective)
  freeze(config, tmp_path)
  tree = json.loads((tmp_path / 'config.json').read_text())
  del tree['objective']['between_weight']
  (tmp_path / 'config.json').write_text(json.dumps(tree))
  with pytest.raises(ConfigChangedError, match=r'weight: 5\.0 there, 3'):
    freeze(config, tmp_path)


@pytest.mark.parametrize(
  'text', ['{}', '{"cycles": "x"}', '{"objective": 3, "cycles": 4}',
           '{"objective": {}, "cycles": 1, "demonstrations": 3}',
           '{"objective": {"decay_steps": []}, "cycles": 1}', '3', '[' * 9999],
)  # fmt: skip
def test_a_forged_configuration_is_refused(tmp_path: Path, text: str) -> None:
  (tmp_path / 'config.json').write_text(text)
  with pytest.raises((ConfigChangedError, ValueError)) as refused:
    freeze(keep_horizon(GrowingBatchConfig(), tmp_path), tmp_path)
  assert type(refused.value) in (ConfigChangedError, ValueError)
  assert (tmp_path / 'config.json').read_text() == text


def test_a_typo_leaves_its_name_free(tmp_path: Path) -> None:
  words = harness.arguments(tmp_path, teacher='cartpole-swingup/exprt')
  refused = subprocess.run(
    [sys.executable, '-m', 'launchers.growing_batch', *words],
    cwd=ROOT, capture_output=True, text=True, timeout=60,
  )  # fmt: skip
  assert refused.returncode == 2
  assert 'exprt' in refused.stderr
  assert not (tmp_path / 'tiny').exists()


def test_a_damaged_configuration_is_refused(tmp_path: Path) -> None:
  (tmp_path / 'config.json').write_text('{"task": ')
  with pytest.raises(ConfigChangedError, match='damaged'):
    freeze(GrowingBatchConfig(), tmp_path)


def test_help_shows_units_and_defaults() -> None:
  shown = subprocess.run(
    [sys.executable, '-m', 'launchers.growing_batch', '--help'],
    cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
  ).stdout  # fmt: skip
  for text in ('--actor-steps', '2000000', 'Environment steps', '--port'):
    assert text in shown


def test_a_task_has_one_name_in_a_run(tmp_path: Path) -> None:
  config = GrowingBatchConfig(task='cartpole:swingup')
  assert config == GrowingBatchConfig(task='cartpole-swingup')
  freeze(config, tmp_path)
  path = tmp_path / 'config.json'
  tree = json.loads(path.read_text())
  assert tree['task'] == 'cartpole-swingup'
  # As runs of before have it.
  tree['task'] = 'cartpole:swingup'
  del tree['action_bound']
  path.write_text(json.dumps(tree))
  freeze(config, tmp_path)
  with pytest.raises(ConfigChangedError, match='action_bound: None there'):
    freeze(dataclasses.replace(config, action_bound=2.0), tmp_path)


def test_a_runs_name_is_a_plain_file_name() -> None:
  config = GrowingBatchConfig(task='my.tanks:make?leak=0.5&name="a/b"')
  assert config.run_name == 'my.tanks-make-leak-0.5-name-a-b-bc_decay-0'
