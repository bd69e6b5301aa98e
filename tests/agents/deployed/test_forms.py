"""What holds for a policy of any form, and for its file."""

import hashlib

import numpy as np
import pytest

from agents.deployed import forms, npz
from agents.deployed.policy import Policy, Snapshot
from datasets.tasks import Task
from tests.agents.deployed import made


@pytest.fixture(params=made.FORMS)
def form(request):
  return request.param


def test_every_form_is_tested():
  assert set(made.FORMS) == set(forms.FORMS)


class TestActing:
  @pytest.mark.parametrize('hidden', [(256, 256), (7, 5)])
  @pytest.mark.parametrize('candidates', [1, 7, 10])
  def test_a_row_does_not_depend_on_the_other_rows(
    self, form, hidden, candidates
  ):
    policy = made.make(form, hidden=hidden, candidates=candidates)
    rows = made.observations(8)
    expected = policy(rows)
    for kept in range(8):
      others = np.full_like(rows, 1e3)
      others[kept] = rows[kept]
      np.testing.assert_array_equal(policy(others)[kept], expected[kept])

  @pytest.mark.parametrize('place', range(8))
  def test_nor_on_its_place(self, form, place):
    policy, rows = made.make(form, hidden=(64, 64)), made.observations(8)
    moved = np.roll(rows, place, axis=0)
    np.testing.assert_array_equal(
      policy(moved), np.roll(policy(rows), place, axis=0)
    )

  @pytest.mark.parametrize('count', [1, 3])
  def test_several_at_once_act_as_if_each_were_alone(self, form, count):
    policies = [made.make(form, seed=seed) for seed in range(count)]
    actor = forms.find(form)([policy.arrays for policy in policies], 8)
    rows = made.observations(8 * count).reshape(count, 8, 5)
    for _ in range(2):
      actions = actor(rows)
      for policy, own, done in zip(policies, rows, actions, strict=True):
        np.testing.assert_array_equal(policy(own), done)

  def test_actions_are_bounded_and_the_callers(self, form):
    policy, rows = made.make(form), 20 * made.observations(100)
    first = policy(rows)
    kept = first.copy()
    policy(rows[::-1])
    np.testing.assert_array_equal(first, kept)
    assert np.abs(first).max() <= 1
    assert first.std() > 0.1
    np.testing.assert_allclose(policy(rows[0]), first[0], atol=1e-5)

  def test_a_value_that_overflows_chooses_nothing(self):
    arrays = dict(made.make('best_of_decoder').arrays)
    arrays['critic/2/w'] = np.full_like(arrays['critic/2/w'], 3e38)
    policy = Policy(arrays, form='best_of_decoder')
    with np.errstate(over='ignore', invalid='ignore'):
      assert np.isnan(policy(made.observations(3))).all()


class TestFiles:
  def test_bytes_keep_it(self, form):
    policy = made.make(form)
    copy = Policy.from_bytes(policy.to_bytes())
    assert (copy.form, copy.digest) == (form, policy.digest)
    assert copy.to_bytes() == policy.to_bytes()
    rows = made.observations(9)
    np.testing.assert_array_equal(copy(rows), policy(rows))
    task = Task('x', 5, 2)
    assert Policy.from_bytes(policy.of(task).to_bytes()).form == form
    assert policy.of(task).digest == policy.digest

  def test_the_files_of_deterministic_ones_are_what_they_were(self):
    """Digests of demonstrations and of runs are made of these."""
    policy = made.make('deterministic')
    assert policy.digest.startswith('fe1c83d7b265e4327c2ce2a5c0a2fe1a54c07785')
    digest = hashlib.sha256(policy.to_bytes()).hexdigest()
    assert digest.startswith('2fa1ce9cc84d4518a9c752cb79306b29d0afd1a8')

  def test_the_policy_says_the_form_whatever_the_metadata_said(self):
    metadata = {'form': 'gaussian', 'a': 1}
    data = Snapshot(made.make('deterministic'), {}, metadata).to_bytes()
    copy = Snapshot.from_bytes(data)
    assert (copy.policy.form, copy.metadata) == ('deterministic', {'a': 1})
    assert metadata == {'form': 'gaussian', 'a': 1}

  @pytest.mark.parametrize('said', ['wise', '', None, 3, ['gaussian'], {}])
  def test_a_form_that_nobody_knows_is_refused(self, said):
    with pytest.raises(ValueError, match=r'form .* is unknown.*best_of_gauss'):
      Policy(made.make('gaussian').arrays, form=said)
    policy = made.make('gaussian')
    policy.form = said  # As another version would write it.
    if said != 'deterministic':
      with pytest.raises(ValueError, match='is unknown here'):
        Policy.from_bytes(policy.to_bytes())

  @pytest.mark.parametrize('other', made.FORMS)
  def test_the_arrays_of_another_form_are_refused(self, form, other):
    if form != other:
      with pytest.raises(ValueError, match=r'Array|[Aa]rrays'):
        Policy(made.make(form).arrays, form=other)

  def test_any_array_left_out_or_too_many_is_refused_by_name(self, form):
    arrays = made.make(form).arrays
    for name in arrays:
      rest = {k: v for k, v in arrays.items() if k != name}
      last = name.split('/')[-1]
      with pytest.raises(ValueError, match=f"{last}'"):
        Policy(rest, form=form)
      with pytest.raises(ValueError, match=f'{last}x'):
        Policy({**arrays, f'{name}x': arrays[name]}, form=form)

  def test_any_array_that_is_misshapen_or_not_finite_is_refused(self, form):
    arrays = made.make(form).arrays
    for name, array in arrays.items():
      nan = array.copy()
      nan.flat[-1] = np.nan
      for changed in (
        nan, array.astype(np.float64), array[..., None], array[:0],
      ):  # fmt: skip
        with pytest.raises(ValueError, match=name.split('/')[-1]):
          Policy({**arrays, name: changed}, form=form)

  @pytest.mark.parametrize(
    ('form', 'changes', 'message'),
    [
      ('gaussian', {'min_variance': [-0.1]}, "'min_variance' is .*0 or more"),
      ('gaussian', {'min_variance': [1, 1]}, 'one number'),
      ('gaussian', {'2/w': np.ones((12, 3)), '2/b': np.ones(3)}, '3 outputs'),
      ('best_of_gaussian', {'noise': np.ones((7, 3))}, 'noise is 3.*be 2'),
      (
        'best_of_gaussian',
        {'critic/0/w': np.ones((8, 16))},
        'critic is 6.*must be 5',
      ),
      ('best_of_gaussian', {'policy/2/w': np.ones((11, 4))}, 'policy: Layer 2'),
      ('best_of_gaussian', {'critic/2/b': [1, 2]}, 'critic: Layer 2'),
      ('best_of_gaussian', {'bound': [1.0]}, "'bound' belongs to none"),
      ('best_of_decoder', {'bound': [-0.1]}, "'bound' is .*0 or more"),
      ('best_of_decoder', {'noise': np.ones((7, 9))}, 'none are left'),
      ('best_of_decoder', {'noise': np.ones((7, 3))}, 'perturbation is 7'),
      (
        'best_of_decoder',
        {'critic/2/w': np.ones((12, 2)), 'critic/2/b': [1, 2]},
        "critic's outputs is 2.*must be 1",
      ),
      (
        'best_of_raw_gaussian',
        {'noise': np.ones((7, 3))},
        "policy's outputs is 4.*must be 6",
      ),
      ('best_of_raw_gaussian', {'critic/0/w': np.ones((8, 16))}, 'critic is 8'),
      (
        'best_of_raw_gaussian',
        {'critic/2/w': np.ones((12, 2)), 'critic/2/b': [1, 2]},
        "critic's outputs is 2.*must be 1",
      ),
      ('best_of_decoder', {'decoder/norm/scale': np.ones(16)}, 'decoder: A'),
    ],
  )  # fmt: skip
  def test_what_does_not_fit_together_is_refused(self, form, changes, message):
    new = {k: np.asarray(v, np.float32) for k, v in changes.items()}
    with pytest.raises(ValueError, match=message):
      Policy({**made.make(form).arrays, **new}, form=form)

  def test_a_file_says_the_form_in_its_metadata(self):
    data = made.make('gaussian').to_bytes()
    arrays, metadata = npz.unpack(data, 'understudy-snapshot-1')
    assert metadata == {'form': 'gaussian'}
    assert 'policy/min_variance' in arrays
