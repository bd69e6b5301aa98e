"""An exported policy is the policy in every format; its card says whose."""

import itertools
import json
from pathlib import Path
import subprocess
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from agents.deployed.policy import Policy
from datasets.tasks import Field, Task
from datasets.types import Episode, EpisodeId
from launchers.export import ExportConfig, Format, export
from launchers.exports.card import TOLERANCE
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from tests.agents.deployed.made import make

TASK = Task(
  'plant-*/evil', 5, 2,
  (Field('level', (2,), 0.0, 3.0, 'm'), Field('flow */ x', (3,))),
  (Field('valve', (2,), -2.0, 4.0, 'm3/s'),),
)  # fmt: skip


RECORD = {
  'cycle': 1, 'episodes': 4, 'steps': 80, 'digest': 'abc', 'refused': 0,
  'collected_return_mean': 9.0, 'collected_return_std': 1.0,
  'evaluation_return_mean': 12.5, 'evaluation_return_std': 0.5,
  'evaluation_episodes': 10, 'evaluation_failures': 0, 'evaluation_skipped': 0,
  'learner_steps': 8, 'acted_steps': 80, 'learner': {}, 'seconds': {},
  'provenance': {},
}  # fmt: skip


def made(form: str, widths: tuple[int, ...] = (16, 9, 12)) -> Policy:
  """A policy of random weights, whose actions are neither small nor clipped."""
  random = np.random.default_rng(3)
  outputs = 2 * TASK.action_size if form == 'gaussian' else TASK.action_size
  sizes = [TASK.observation_size, *widths, outputs]
  arrays: dict[str, np.ndarray] = {}
  for i, (n, m) in enumerate(itertools.pairwise(sizes)):
    arrays[f'{i}/w'] = 1.5 * random.standard_normal((n, m), np.float32) / n**0.5
    arrays[f'{i}/b'] = random.standard_normal(m, np.float32) / 3
  if form != 'deterministic_relu':
    arrays['norm/scale'] = random.standard_normal(widths[0], np.float32)
    arrays['norm/offset'] = random.standard_normal(widths[0], np.float32)
  if form == 'gaussian':
    arrays['min_variance'] = np.array([0.01], np.float32)
  return Policy(arrays, TASK, form)


def run_of(root: Path, policy: Policy) -> RunDirectory:
  """A run whose cycles 0 and 1 have published a policy."""
  directory = RunDirectory(root / 'the-run')
  for cycle in range(2):
    directory.cycle(cycle).mkdir(parents=True)
    directory.publish(cycle, policy.to_bytes())
  config = GrowingBatchConfig('the-run', seed=7, cycles=4)
  directory.write_json(directory.config, config.to_json())
  record = {**RECORD, 'policy_digest': policy.digest}
  directory.write_json(directory.cycle(1) / 'cycle.json', record)
  batch = {name: RECORD[name] for name in ('episodes', 'steps', 'digest')}
  directory.write_json(directory.cycle(1) / 'batch.json', batch)
  observations = np.random.default_rng(0).uniform(-2, 2, (21, 5))
  ones = np.ones(20, np.float32)
  directory.store(1).commit(
    Episode(
      EpisodeId('the-run', 1, 0, 0), 'digest',
      observations.astype(np.float32), np.zeros((20, 2), np.float32),
      ones, ones,
    )
  )  # fmt: skip
  return directory


def act_in_c(output: Path, observations: np.ndarray) -> np.ndarray:
  """By a program of its own, whose warnings are errors."""
  program = output / 'main.c'
  program.write_text(
    '#include <stdio.h>\n#include "policy.h"\nint main(void) {\n'
    '  float s[UNDERSTUDY_OBSERVATION_SIZE], a[UNDERSTUDY_ACTION_SIZE];\n'
    '  while (fread(s, sizeof s, 1, stdin) == 1) {\n'
    '    understudy_act(s, a);\n    fwrite(a, sizeof a, 1, stdout);\n  }\n'
    '  return 0;\n}\n'
  )
  flags = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-O2']
  for name in ('main', 'check'):
    words = [*flags, '-o', name, f'{name}.c', '-lm']
    subprocess.run(['gcc', *words], cwd=output, check=True)
  subprocess.run(['./check'], cwd=output, check=True, capture_output=True)
  done = subprocess.run(
    ['./main'], cwd=output, check=True, capture_output=True,
    input=observations.tobytes(),
  )  # fmt: skip
  return np.frombuffer(done.stdout, np.float32).reshape(len(observations), -1)


def act_in_tflite(output: Path, observations: np.ndarray) -> np.ndarray:
  interpreter = tf.lite.Interpreter(str(output / 'policy.tflite'))
  interpreter.allocate_tensors()
  (inputs,) = interpreter.get_input_details()
  (outputs,) = interpreter.get_output_details()
  actions = []
  for row in observations:
    interpreter.set_tensor(inputs['index'], row[None])
    interpreter.invoke()
    actions.append(interpreter.get_tensor(outputs['index'])[0])
  return np.stack(actions)


def act_in_saved_model(output: Path, observations: np.ndarray) -> np.ndarray:
  loaded = tf.saved_model.load(str(output / 'saved_model'))
  act = loaded.signatures['serving_default']
  return act(observation=tf.constant(observations))['action'].numpy()


def act_in_numpy(output: Path, observations: np.ndarray) -> np.ndarray:
  policy = Policy.from_bytes((output / 'policy.npz').read_bytes())
  return policy(observations)


def act_in_onnx(output: Path, observations: np.ndarray) -> np.ndarray:
  session = onnxruntime.InferenceSession(str(output / 'policy.onnx'))
  (actions,) = session.run(['action'], {'observation': observations})
  return actions


ACT = {
  'onnx': act_in_onnx,
  'npz': act_in_numpy,
  'c': act_in_c,
  'tflite': act_in_tflite,
  'savedmodel': act_in_saved_model,
}


@pytest.mark.parametrize('format', ACT)
@pytest.mark.parametrize(
  'form', ['deterministic', 'deterministic_relu', 'gaussian']
)
def test_it_is_the_policy(tmp_path: Path, form: str, format: Format) -> None:
  policy = made(form)
  directory = run_of(tmp_path, policy)
  result = export(ExportConfig(directory.root, format=format, vectors=10))
  output = Path(result['output'])
  with np.load(output / 'vectors.npz') as vectors:
    observations, actions = vectors['observations'], vectors['actions']
  assert observations.shape == (10, 5)
  np.testing.assert_array_equal(actions, [policy(row) for row in observations])
  assert actions.std() > 0.1
  others = np.random.default_rng(1).normal(0, 3, (200, 5)).astype(np.float32)
  for some in (observations, others):
    got = ACT[format](output, some)
    np.testing.assert_allclose(got, policy(some), rtol=0, atol=TOLERANCE)


def test_the_card_says_where_it_is_from(tmp_path: Path) -> None:
  policy = made('deterministic')
  directory = run_of(tmp_path, policy)
  result = export(ExportConfig(directory.root, output=tmp_path / 'out'))
  card: dict[str, Any] = json.loads((tmp_path / 'out/card.json').read_text())
  assert result['cycle'] == card['cycle'] == 1
  assert card['digest'] == policy.digest
  assert Task.from_json(card['task']) == TASK
  assert card['evaluation'] == {'return_mean': 12.5, 'return_std': 0.5}
  assert card['seed'] == 7
  (batch,) = card['data']
  assert batch == {'cycle': 1, 'episodes': 4, 'steps': 80, 'digest': 'abc'}
  text = (tmp_path / 'out/MODEL_CARD.md').read_text()
  assert '| 1 | 4 | 80 | abc |' in text
  with pytest.raises(FileExistsError, match='--output'):
    export(ExportConfig(directory.root, output=tmp_path / 'out'))


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
  with pytest.raises(FileNotFoundError, match='no run directory'):
    export(ExportConfig(tmp_path))
  directory = run_of(tmp_path, made('deterministic'))
  with pytest.raises(FileNotFoundError, match='Cycle 2 of'):
    export(ExportConfig(directory.root, cycle=2))


def test_a_policy_that_asks_its_critic_is_no_network(tmp_path: Path) -> None:
  policy = make('best_of_decoder').of(TASK)
  directory = run_of(tmp_path, policy)
  with pytest.raises(ValueError, match='--format npz'):
    export(ExportConfig(directory.root, format='c'))
  assert not list((directory.root / 'exports').glob('[!.]*'))
