import json
import shutil

import hypothesis
from hypothesis import strategies as st
import pytest
import tensorflow as tf

from agents import checkpoint
from agents.parts import networks, optimizers
from tests.agents.problems import SPEC, assert_equal, variables


def make(value=0.0, layer_sizes=(4, 4)):
  """A policy and its optimizer, every variable of which has the value."""
  policy = networks.make_policy(SPEC, layer_sizes)
  adam = optimizers.Adam(policy.trainable_variables, 1e-3, 40.0)
  for v in (*policy.variables, *adam.variables):
    v.assign(tf.cast(tf.fill(v.shape, value), v.dtype))
  return {'policy': policy, 'optimizer': adam}


def value(trackables):
  values = {float(x) for v in variables(*trackables.values()) for x in v.flat}
  assert len(values) == 1, 'It was restored in part.'
  return values.pop()


def names(directory):
  return sorted(path.name for path in directory.iterdir())


def save(directory, step, number=None):
  trackables = make(step if number is None else number)
  return checkpoint.save(trackables, directory, step)


class TestSaveAndRestore:
  def test_round_trip(self, tmp_path):
    save(tmp_path / 'new', 7)
    restored = make()
    result = checkpoint.restore_newest(restored, tmp_path / 'new')
    assert result == checkpoint.Restored(7, ())
    assert value(restored) == 7

  def test_nothing_to_restore(self, tmp_path):
    trackables = make(3)
    for directory in (tmp_path, tmp_path / 'missing'):
      result = checkpoint.restore_newest(trackables, directory)
      assert result == checkpoint.Restored(None, ())
    assert value(trackables) == 3
    assert not (tmp_path / 'missing').exists()

  def test_keeps_the_newest_two(self, tmp_path):
    for step in (8, 9, 10, 11):
      save(tmp_path, step)
    assert names(tmp_path) == ['step_000000010', 'step_000000011']

  def test_steps_beyond_nine_digits(self, tmp_path):
    save(tmp_path, 999_999_999)
    save(tmp_path, 1_000_000_000, 5)
    restored = make()
    checkpoint.restore_newest(restored, tmp_path)
    assert value(restored) == 5

  def test_the_same_step_again(self, tmp_path):
    save(tmp_path, 1)
    save(tmp_path, 2)
    save(tmp_path, 2, 22)
    assert names(tmp_path) == ['step_000000001', 'step_000000002']
    restored = make()
    checkpoint.restore_newest(restored, tmp_path)
    assert value(restored) == 22

  def test_later_steps_are_of_another_past(self, tmp_path):
    for step in (7, 8):
      save(tmp_path, step)
    kept = save(tmp_path, 3)
    assert kept.is_dir()
    assert names(tmp_path) == [
      'step_000000003',
      'step_000000007.stale',
      'step_000000008.stale',
    ]
    restored = make()
    assert checkpoint.restore_newest(restored, tmp_path).step == 3
    assert value(restored) == 3

  def test_training_goes_on_the_same(self, tmp_path):
    first, second = make(0.5), make()
    checkpoint.save(first, tmp_path, 0)
    checkpoint.restore_newest(second, tmp_path)
    for trackables in (first, second):
      gradients = [
        tf.ones_like(v) for v in trackables['policy'].trainable_variables
      ]
      trackables['optimizer'].apply(gradients)
    assert_equal(variables(*first.values()), variables(*second.values()))


class TestDamage:
  def damage_and_restore(self, tmp_path, damage):
    save(tmp_path, 1)
    damage(save(tmp_path, 2))
    restored = make()
    result = checkpoint.restore_newest(restored, tmp_path)
    assert result.step == value(restored) == 1
    assert result.damaged == (tmp_path / 'step_000000002.damaged',)
    assert names(tmp_path) == ['step_000000001', 'step_000000002.damaged']

  @pytest.mark.parametrize(
    'file',
    ['manifest.json', 'checkpoint.index', 'checkpoint.data-00000-of-00001'],
  )
  @pytest.mark.parametrize('how', ['missing', 'empty', 'torn', 'altered'])
  def test_a_file(self, tmp_path, file, how):
    def damage(path):
      data = bytearray((path / file).read_bytes())
      if how == 'missing':
        (path / file).unlink()
        return
      if how == 'altered':
        data[len(data) // 2] ^= 1
      kept = {'empty': 0, 'torn': len(data) // 2, 'altered': len(data)}[how]
      (path / file).write_bytes(data[:kept])

    self.damage_and_restore(tmp_path, damage)

  @hypothesis.given(
    file=st.sampled_from(
      ['checkpoint.index', 'checkpoint.data-00000-of-00001']
    ),
    position=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
  )
  @hypothesis.settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
  )
  def test_any_bit(self, tmp_path, file, position, bit):
    shutil.rmtree(tmp_path)

    def damage(path):
      data = bytearray((path / file).read_bytes())
      data[int(position * len(data))] ^= 1 << bit
      (path / file).write_bytes(data)

    self.damage_and_restore(tmp_path, damage)

  def test_an_empty_directory(self, tmp_path):
    def damage(path):
      shutil.rmtree(path)
      path.mkdir()

    self.damage_and_restore(tmp_path, damage)

  def test_a_file_in_its_place(self, tmp_path):
    def damage(path):
      shutil.rmtree(path)
      path.write_text('')

    self.damage_and_restore(tmp_path, damage)

  def test_another_step(self, tmp_path):
    """Renamed by hand, it would set the counters of a run wrong."""
    path = save(tmp_path, 3)
    path.rename(tmp_path / 'step_000000009')
    result = checkpoint.restore_newest(make(), tmp_path)
    assert result.step is None
    assert names(tmp_path) == ['step_000000009.damaged']

  def test_all_of_them(self, tmp_path):
    for step in (1, 2):
      (save(tmp_path, step) / 'manifest.json').unlink()
    trackables = make(5)
    result = checkpoint.restore_newest(trackables, tmp_path)
    assert result.step is None
    assert len(result.damaged) == 2
    assert value(trackables) == 5

  def test_damaged_twice(self, tmp_path):
    for _ in range(2):
      (save(tmp_path, 2) / 'manifest.json').unlink()
      checkpoint.restore_newest(make(), tmp_path)
    assert names(tmp_path) == [
      'step_000000002.2.damaged',
      'step_000000002.damaged',
    ]


@pytest.mark.parametrize(
  'change',
  [
    lambda manifest: {**manifest, 'step': str(manifest['step'])},
    lambda manifest: {**manifest, 'step': None},
    lambda manifest: {**manifest, 'step': float(manifest['step'])},
    lambda manifest: {**manifest, 'step': True},
    lambda manifest: [manifest],
    lambda manifest: 3,
    lambda manifest: {**manifest, 'files': None},
    lambda manifest: {**manifest, 'files': []},
  ],
)
def test_a_forged_manifest_is_damage(tmp_path, change):
  for step in (1, 2):
    path = save(tmp_path, step) / 'manifest.json'
  path.write_text(json.dumps(change(json.loads(path.read_text()))))
  restored = make()
  result = checkpoint.restore_newest(restored, tmp_path)
  assert result.step == 1
  assert result.damaged == (tmp_path / 'step_000000002.damaged',)
  assert value(restored) == 1


def test_a_manifest_too_deep_is_damage(tmp_path):
  path = save(tmp_path, 1) / 'manifest.json'
  path.write_text('[' * 100_000)
  assert checkpoint.restore_newest(make(), tmp_path).step is None


class TestMisfit:
  """Nothing may stay fresh, and nothing saved may be left out, in silence."""

  def test_another_shape(self, tmp_path):
    checkpoint.save(make(layer_sizes=(4, 4)), tmp_path, 1)
    with pytest.raises(ValueError, match='does not fit'):
      checkpoint.restore_newest(make(layer_sizes=(4, 5)), tmp_path)
    assert names(tmp_path) == ['step_000000001']

  def test_more_was_saved(self, tmp_path):
    checkpoint.save(make(), tmp_path, 1)
    with pytest.raises(ValueError, match='does not fit'):
      checkpoint.restore_newest({'policy': make()['policy']}, tmp_path)

  def test_less_was_saved(self, tmp_path):
    checkpoint.save({'policy': make()['policy']}, tmp_path, 1)
    with pytest.raises(ValueError, match='does not fit'):
      checkpoint.restore_newest(make(), tmp_path)
