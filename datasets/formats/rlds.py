"""RLDS, as tensorflow-datasets keeps it: records of whole episodes.

DIR/features.json, dataset_info.json, and records of `tf.train.Example` with
`steps/NAME`, all steps of an episode one after another. An episode has a last
step more, whose observation is what came of the one before; its action and
reward mean nothing.
"""

from collections.abc import Iterable, Iterator
import json
from pathlib import Path
from typing import Any

import numpy as np

from datasets.files import DamagedFileError
from datasets.formats.raw import RawEpisode
from datasets.tasks import Task
from datasets.types import Episode

_FEATURES = 'tensorflow_datasets.core.features'
_STEPS = 'steps/'
_NAME, _VERSION = 'understudy', '1.0.0'


def read(path: Path, episode: str) -> Iterator[RawEpisode]:
  """The episodes of a dataset's directory; see `reading.read`."""
  del episode  # A record is one.
  import tensorflow as tf  # What else reads records takes as long to load.

  files = sorted(p for p in path.iterdir() if '.tfrecord' in p.name)
  if not files:
    raise DamagedFileError(path, 'it holds no .tfrecord files')
  number = 0
  for file in files:
    try:
      for record in tf.data.TFRecordDataset(str(file)):
        example = tf.train.Example.FromString(record.numpy())
        yield _raw(file, number, example.features.feature)
        number += 1
    except (tf.errors.DataLossError, ValueError) as error:
      raise DamagedFileError(file, f'record {number}: {error}') from error


def _raw(path: Path, number: int, features: Any) -> RawEpisode:
  found = {
    name.removeprefix(_STEPS): _values(feature)
    for name, feature in features.items()
    if name.startswith(_STEPS)
  }
  last = found.get('is_last')
  if last is None or not len(last):
    raise DamagedFileError(path, f'record {number} has no steps/is_last')
  steps = len(last)
  columns = {}
  for name, values in found.items():
    if len(values) % steps:
      raise DamagedFileError(
        path,
        f'record {number}: {name} has {len(values)} values in {steps} steps',
      )
    columns[name] = values.reshape(steps, -1)
  terminal = columns.pop('is_terminal', np.zeros((steps, 1)))
  rows = {
    name: values[:-1]
    for name, values in columns.items()
    if name not in ('is_first', 'is_last', 'discount')
  }
  rows['terminations'] = np.arange(steps - 1) == steps - 2
  rows['truncations'] = rows['terminations'] & ~bool(terminal[-1].any())
  rows['terminations'] = rows['terminations'] & bool(terminal[-1].any())
  final = {n: v[-1] for n, v in columns.items() if n.startswith('observation')}
  return RawEpisode(f'record {number}', rows, final)


def _values(feature: Any) -> np.ndarray:
  kind = feature.WhichOneof('kind')
  values = getattr(feature, kind).value if kind else []
  if kind == 'bytes_list':
    return np.array([value.decode(errors='replace') for value in values])
  dtype = np.float32 if kind == 'float_list' else np.int64
  return np.array(values, dtype)


def write(episodes: Iterable[Episode], task: Task, directory: Path) -> None:
  """Writes understudy/1.0.0/, for `tfds.builder_from_directory`."""
  import tensorflow as tf

  target = directory / _NAME / _VERSION
  target.mkdir(parents=True)
  path = target / f'{_NAME}-train.tfrecord-00000-of-00001'
  count = size = 0
  with tf.io.TFRecordWriter(str(path)) as writer:
    for episode in episodes:
      data = _example(tf, episode).SerializeToString()
      writer.write(data)
      count, size = count + 1, size + len(data)
  features = _features(task)
  (target / 'features.json').write_text(json.dumps(features, indent=2))
  info = {
    'name': _NAME, 'version': _VERSION, 'fileFormat': 'tfrecord',
    'splits': [{
      'name': 'train', 'shardLengths': [str(count)], 'numBytes': str(size),
      'filepathTemplate': '{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}',
    }],
  }  # fmt: skip
  (target / 'dataset_info.json').write_text(json.dumps(info, indent=2))


def _example(tf: Any, episode: Episode) -> Any:
  steps = episode.num_steps
  after = np.zeros((1, episode.actions.shape[1]), np.float32)
  is_last = np.arange(steps + 1) == steps
  floats = {
    'observation': episode.observations,
    'action': np.concatenate([episode.actions, after]),
    'reward': np.append(episode.rewards, 0),
    'discount': np.append(episode.discounts, episode.discounts[-1]),
  }
  flags = {
    'is_first': np.arange(steps + 1) == 0,
    'is_last': is_last,
    'is_terminal': is_last & (episode.discounts[-1] == 0),
  }
  feature = {
    f'{_STEPS}{name}': tf.train.Feature(
      float_list=tf.train.FloatList(value=values.ravel())
    )
    for name, values in floats.items()
  }
  for name, values in flags.items():
    ints = tf.train.Int64List(value=values.astype(int))
    feature[f'{_STEPS}{name}'] = tf.train.Feature(int64_list=ints)
  policy = tf.train.BytesList(value=[episode.policy.encode()])
  feature['policy'] = tf.train.Feature(bytes_list=policy)
  return tf.train.Example(features=tf.train.Features(feature=feature))


def _features(task: Task) -> dict[str, Any]:
  def tensor(dtype: str, *shape: int) -> dict[str, Any]:
    dimensions = {'dimensions': [str(n) for n in shape]} if shape else {}
    return {
      'pythonClassName': f'{_FEATURES}.tensor_feature.Tensor',
      'tensor': {'shape': dimensions, 'dtype': dtype, 'encoding': 'none'},
    }

  def group(features: dict[str, Any]) -> dict[str, Any]:
    return {
      'pythonClassName': f'{_FEATURES}.features_dict.FeaturesDict',
      'featuresDict': {'features': features},
    }

  step = {
    'observation': tensor('float32', task.observation_size),
    'action': tensor('float32', task.action_size),
    **{name: tensor('float32') for name in ('reward', 'discount')},
    **{f'is_{name}': tensor('bool') for name in ('first', 'last', 'terminal')},
  }
  steps = {
    'pythonClassName': f'{_FEATURES}.dataset_feature.Dataset',
    'sequence': {'feature': group(step), 'length': '-1'},
  }
  text = {'pythonClassName': f'{_FEATURES}.text_feature.Text', 'text': {}}
  return group({'policy': text, 'steps': steps})
