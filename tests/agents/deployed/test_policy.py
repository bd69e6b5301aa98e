import io
import json
import subprocess
import sys
import threading

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest
import tensorflow as tf

from agents.deployed.policy import Policy, Snapshot
from agents.parts import exports, networks
from datasets.tasks import Field, Task
from datasets.types import EnvironmentSpec

SPEC = EnvironmentSpec(5, 2)


def make_module(layer_sizes=(16, 12), spec=SPEC, seed=0):
  """A Sonnet policy whose every weight is random."""
  module = networks.make_policy(spec, layer_sizes)
  rng = np.random.default_rng(seed)
  for v in module.variables:
    v.assign(rng.normal(0, 1.5 / np.sqrt(v.shape[0]), v.shape))
  return module


def make_policy(**kwargs):
  return exports.policy(make_module(**kwargs))


def observations(count=50, size=5):
  rng = np.random.default_rng(1)
  return rng.normal(0, 3, (count, size)).astype(np.float32)


def repack(data, **changes):
  """The bytes with some arrays replaced, or left out where None."""
  with np.load(io.BytesIO(data)) as file:
    arrays = {**{name: file[name] for name in file.files}, **changes}
  buffer = io.BytesIO()
  np.savez(buffer, **{k: v for k, v in arrays.items() if v is not None})
  return buffer.getvalue()


POLICY = make_policy()
TASK = Task('made-up', *SPEC, (Field('position', (5,), unit='m'),))


class TestPolicy:
  @pytest.mark.parametrize(
    ('sizes', 'spec'),
    [
      ((16, 12), SPEC),
      ((8,), EnvironmentSpec(1, 1)),
      ((256, 256, 256), EnvironmentSpec(17, 6)),
      ((4, 300, 7), EnvironmentSpec(3, 1)),
    ],
  )
  def test_equals_sonnet(self, sizes, spec):
    module = make_module(sizes, spec)
    policy = exports.policy(module)
    assert policy.spec == spec
    batch = observations(size=spec.observation_size)
    expected = module(tf.constant(batch)).numpy()
    actions = policy(batch)
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, expected, atol=5e-6)
    singles = np.stack([policy(observation) for observation in batch])
    assert singles.dtype == np.float32
    np.testing.assert_allclose(singles, expected, atol=5e-6)

  def test_is_deterministic(self):
    """Invariant A-I11: no noise, no state; each action is an array apart."""
    policy, batch = make_policy(), observations()
    first = [policy(observation) for observation in batch]
    kept = np.copy(first)
    second = [make_policy()(observation) for observation in batch]
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(policy(batch), policy(batch))

  def test_batches_from_many_threads(self):
    policy, batch = make_policy(layer_sizes=(64, 64)), observations(500)
    expected, wrong = policy(batch), []

    def work():
      for _ in range(50):
        if (policy(batch) != expected).any():
          wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
    assert not wrong

  @pytest.mark.parametrize('shape', [(), (1,), (4,), (3, 4), (2, 3, 5)])
  def test_refuses_shapes(self, shape):
    with pytest.raises(ValueError, match='shape'):
      make_policy()(np.zeros(shape, np.float32))

  def test_does_not_change_the_observation(self):
    batch = observations()
    kept = batch.copy()
    policy = make_policy()
    policy(batch)
    policy(batch[0])
    np.testing.assert_array_equal(batch, kept)

  def test_later_training_does_not_reach_it(self):
    module = make_module()
    policy = exports.policy(module)
    before = policy(observations())
    for v in module.variables:
      v.assign(v + 1)
    np.testing.assert_array_equal(before, policy(observations()))

  def test_needs_no_tensorflow(self, tmp_path):
    path = tmp_path / 'policy.npz'
    path.write_bytes(make_policy().to_bytes())
    code = (
      'import pathlib, sys, numpy as np\n'
      'from agents.deployed.policy import Policy\n'
      'p = Policy.from_bytes(pathlib.Path(sys.argv[1]).read_bytes())\n'
      'p(np.zeros(5, np.float32)); print(p.digest)\n'
      'assert "tensorflow" not in sys.modules'
    )
    digest = subprocess.run(
      [sys.executable, '-c', code, str(path)],
      check=True,
      capture_output=True,
      text=True,
      timeout=60,
    ).stdout
    assert digest.strip() == make_policy().digest


class TestBytes:
  def test_policy(self):
    policy = make_policy()
    copy = Policy.from_bytes(policy.to_bytes())
    assert copy.digest == policy.digest
    assert copy.to_bytes() == policy.to_bytes()
    np.testing.assert_array_equal(copy(observations()), policy(observations()))

  def test_digest_is_of_the_weights(self):
    policy = make_policy()
    arrays = {k: v.copy() for k, v in policy.arrays.items()}
    assert Policy(arrays).digest == policy.digest
    assert Snapshot(policy, {}, {'a': 1}).policy.digest == policy.digest
    arrays['1/b'][0] = np.nextafter(arrays['1/b'][0], np.float32(9))
    assert Policy(arrays).digest != policy.digest

  def test_snapshot(self):
    critic = networks.make_critic(SPEC, (8, 6), -10.0, 10.0, 11)
    metadata = {'task': 'cheetah-run', 'return': 812.5, 'seeds': [1, 2]}
    snapshot = exports.snapshot(make_policy(), critic, metadata)
    copy = Snapshot.from_bytes(snapshot.to_bytes())
    assert copy.metadata == metadata
    assert copy.policy.digest == make_policy().digest
    assert copy.critic.keys() == snapshot.critic.keys()
    np.testing.assert_array_equal(copy.critic['atoms'], critic.atoms)
    np.testing.assert_array_equal(copy.critic['2/w'], critic.head.w)
    np.testing.assert_array_equal(copy.critic['0/b'], critic.torso.first.b)
    digest = Policy.from_bytes(snapshot.to_bytes()).digest
    assert digest == snapshot.policy.digest


class TestTask:
  def test_bytes_keep_it_and_the_digest_is_the_same(self):
    policy = make_policy().of(TASK)
    assert policy.digest == make_policy().digest
    assert Policy.from_bytes(policy.to_bytes()).task == TASK
    copy = Snapshot.from_bytes(Snapshot(policy, {}, {'a': 1}).to_bytes())
    assert copy.policy.task == TASK
    assert copy.metadata.pop('task_identity') == TASK.to_json()
    assert copy.metadata == {'a': 1, 'task': 'made-up'}
    assert copy.policy.digest == policy.digest

  @pytest.mark.parametrize(
    ('metadata', 'task'),
    [
      ({}, None),
      ({'task': ''}, None),
      ({'task': 3}, None),
      ({'task': 'cartpole:swingup'}, Task('cartpole-swingup', *SPEC)),
    ],
  )
  def test_older_files_name_it_or_say_nothing(self, metadata, task):
    data = Snapshot(make_policy(), {}, metadata).to_bytes()
    assert Policy.from_bytes(data).task == task

  def test_a_task_of_other_widths_is_refused(self):
    with pytest.raises(
      ValueError, match=r'\(5, 2\), but its task x has \(5, 1\)'
    ):
      make_policy().of(Task('x', 5, 1))
    for tree in (Task('x', 6, 2).to_json(), {'name': 'x'}, None):
      metadata = {'task_identity': tree}
      data = Snapshot(make_policy(), {}, metadata).to_bytes()
      with pytest.raises(ValueError, match='task'):
        Policy.from_bytes(data)


class TestMalformedBytes:
  def test_pickle_is_refused(self):
    payload = np.array([{'a': 1}], dtype=object)
    data = repack(make_policy().to_bytes(), **{'policy/0/w': payload})
    with pytest.raises(ValueError, match='no numbers'):
      Policy.from_bytes(data)

  def test_compression_is_refused(self):
    """A small file must not become a large array."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.zeros(10**6))
    with pytest.raises(ValueError, match='compressed'):
      Policy.from_bytes(buffer.getvalue())

  @pytest.mark.parametrize(
    ('changes', 'message'),
    [
      ({'policy/0/w': None}, 'needs the arrays'),
      ({'policy/1/b': None}, 'needs the arrays'),
      ({'policy/norm/scale': None}, 'needs the arrays'),
      ({'policy/3/b': np.zeros(2, np.float32)}, 'needs the arrays'),
      ({'policy/0/b': np.zeros(16)}, 'float64'),
      ({'policy/0/b': np.zeros(15, np.float32)}, 'Layer 0'),
      ({'policy/1/w': np.zeros((15, 12), np.float32)}, 'Layer 1'),
      ({'policy/1/w': np.zeros(12, np.float32)}, '2 axes'),
      ({'policy/0/w': np.zeros((0, 16), np.float32)}, 'empty'),
      ({'policy/norm/scale': np.zeros(1, np.float32)}, 'norm/scale'),
      ({'policy/2/b': np.array([0, np.nan], np.float32)}, 'not finite'),
      ({'policy/2/b': np.array([0, np.inf], np.float32)}, 'not finite'),
      ({'teacher/0/w': np.zeros(1, np.float32)}, 'belongs to no'),
      ({'metadata': None}, 'metadata'),
      ({'metadata': np.frombuffer(b'{', np.uint8)}, 'are no'),
      ({'metadata': np.frombuffer(b'[]', np.uint8)}, 'are no'),
      (
        {
          'metadata': np.frombuffer(
            json.dumps({'kind': 'x', 'metadata': {}}).encode(), np.uint8
          )
        },
        "says that it is 'x'",
      ),
    ],
  )
  def test_message_says_what_is_wrong(self, changes, message):
    data = repack(make_policy().to_bytes(), **changes)
    with pytest.raises(ValueError, match=message):
      Policy.from_bytes(data)

  def test_empty(self):
    with pytest.raises(ValueError, match='These 0 bytes'):
      Policy.from_bytes(b'')

  @hypothesis.given(data=st.binary(max_size=300))
  @hypothesis.settings(max_examples=50, deadline=None)
  def test_noise(self, data):
    for bytes_ in (data, b'PK\x03\x04' + data, b'\x93NUMPY' + data):
      with pytest.raises(ValueError, match='are no'):
        Policy.from_bytes(bytes_)

  @hypothesis.given(
    position=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255)
  )
  @hypothesis.settings(max_examples=100, deadline=None)
  def test_an_altered_byte_is_noticed_or_harmless(self, position, mask):
    data = bytearray(POLICY.to_bytes())
    data[int(position * len(data))] ^= mask
    try:
      altered = Policy.from_bytes(bytes(data))
    except ValueError:
      return
    assert altered.digest == POLICY.digest

  @hypothesis.given(fraction=st.floats(0, 1, exclude_max=True))
  @hypothesis.settings(max_examples=50, deadline=None)
  def test_torn(self, fraction):
    data = POLICY.to_bytes()
    with pytest.raises(ValueError, match='are no'):
      Policy.from_bytes(data[: int(fraction * len(data))])
