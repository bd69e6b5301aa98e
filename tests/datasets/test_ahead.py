"""Work that is done ahead: in order, of bounded number, with its errors."""

import itertools
import threading

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from datasets import ahead


@given(st.lists(st.integers(), max_size=20), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_it_is_map(items, number):
  assert list(ahead.in_order(str, items, number)) == list(map(str, items))


def test_no_more_is_done_than_waits():
  begun: list[int] = []
  results = ahead.in_order(begun.append, range(100), ahead=3)
  for taken in range(1, 10):
    next(results)
    assert len(begun) <= taken + 3
  results.close()
  assert len(begun) <= 12


def test_several_work_at_once():
  both = threading.Barrier(2, timeout=30)
  results = ahead.in_order(lambda _: both.wait(), range(4))
  assert len(list(results)) == 4


def test_an_error_comes_where_its_result_would():
  results = ahead.in_order(lambda n: 1 // n, [1, 2, 0, 3])
  assert list(itertools.islice(results, 2)) == [1, 0]
  with pytest.raises(ZeroDivisionError):
    next(results)
  assert list(results) == []


def test_nothing_goes_on_once_nobody_asks():
  before = threading.active_count()
  results = ahead.in_order(str, itertools.count())
  next(results)
  assert threading.active_count() > before
  results.close()
  assert threading.active_count() == before
