"""What Kubernetes is given: valid, and what no schema sees is right, too.

No cluster is at hand: the published schemas, read strictly, and the rules below
stand for one.
"""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from launchers.engines import keys, kubernetes
from launchers.engines.jobs import Jobs
from launchers.engines.options import Share, Submission
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory

VERSION = '1.31'
_NAME = re.compile('[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?')
_QUANTITY = re.compile(r'[1-9]\d*(Gi)?')


def jobs_in(runs: Path, name: str = 'Ein Lauf') -> Jobs:
  directory = RunDirectory(runs / name)
  submission = Submission(workers=3, core=Share(4, 8), worker=Share(2, 3))
  made = Jobs(
    GrowingBatchConfig(name=name, cycles=1, actor_steps=2_000),
    directory,
    ('--name', name, '--task', 'a b', '--runs', str(runs)),
    submission,
    keys.inside(directory.root / 'engine' / 'keys'),
  )
  keys.make(made.keys)
  return made


@pytest.fixture
def objects(tmp_path: Path) -> list[dict[str, Any]]:
  jobs = jobs_in(tmp_path)
  found = [kubernetes.secret(jobs), *kubernetes.objects(jobs)]
  # As kubectl reads them.
  return list(yaml.safe_load_all(kubernetes.to_yaml(*found)))


def kind(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
  (found,) = (o for o in objects if o['kind'] == name)
  return found


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
  """The template of the core's pod and of the workers'."""
  return {
    'core': kind(objects, 'StatefulSet')['spec']['template'],
    'worker': kind(objects, 'Job')['spec']['template'],
  }


def option(pod: dict[str, Any], name: str) -> str:
  (container,) = pod['spec']['containers']
  words = container['command']
  assert words.count(name) == 1, words
  return words[words.index(name) + 1]


def numbers(tree: Any) -> Iterator[str]:
  """All quantities."""
  for key, value in tree.items() if isinstance(tree, dict) else ():
    if key in ('limits', 'requests'):
      yield from value.values()
    yield from numbers(value)
  for value in tree if isinstance(tree, list) else ():
    yield from numbers(value)


def test_all_of_it_is_valid(objects: list[dict[str, Any]]) -> None:
  for one in objects:
    kubernetes_validate.validate(one, VERSION, strict=True)
  assert sorted(o['kind'] for o in objects) == [
    'Job', 'NetworkPolicy', 'NetworkPolicy', 'PodDisruptionBudget', 'Secret',
    'Service', 'StatefulSet',
  ]  # fmt: skip


def test_the_schemas_are_read_strictly(objects: list[dict[str, Any]]) -> None:
  job = kind(objects, 'Job')
  job['spec']['paralelism'] = 3
  with pytest.raises(kubernetes_validate.ValidationError):
    kubernetes_validate.validate(job, VERSION, strict=True)


def test_names_are_names(objects: list[dict[str, Any]]) -> None:
  for one in objects:
    assert _NAME.fullmatch(one['metadata']['name']), one['metadata']
    assert one['metadata']['namespace'] == 'default'
    for value in one['metadata']['labels'].values():
      assert re.fullmatch(r'[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?', value), value
  assert len({(o['kind'], o['metadata']['name']) for o in objects}) == 7


def test_selectors_find_their_pods(objects: list[dict[str, Any]]) -> None:
  labels = {k: pod['metadata']['labels'] for k, pod in pods(objects).items()}
  core = kind(objects, 'StatefulSet')['spec']
  assert core['selector']['matchLabels'] == labels['core']
  service = kind(objects, 'Service')
  assert service['spec']['selector'] == labels['core']
  assert service['spec']['clusterIP'] == 'None'
  assert service['metadata']['name'] == core['serviceName']
  budget = kind(objects, 'PodDisruptionBudget')['spec']
  assert budget['selector']['matchLabels'] == labels['core']
  assert labels['core'] != labels['worker']


def test_only_the_gateway_is_open(objects: list[dict[str, Any]]) -> None:
  labels = {k: pod['metadata']['labels'] for k, pod in pods(objects).items()}
  rules = {
    str(o['spec']['podSelector']['matchLabels']): o['spec']
    for o in objects
    if o['kind'] == 'NetworkPolicy'
  }
  assert rules.keys() == {str(value) for value in labels.values()}
  assert all(r['policyTypes'] == ['Ingress'] for r in rules.values())
  assert rules[str(labels['worker'])]['ingress'] == []
  (way,) = rules[str(labels['core'])]['ingress']
  assert way['from'] == [{'podSelector': {'matchLabels': labels['worker']}}]
  (container,) = pods(objects)['core']['spec']['containers']
  (port,) = container['ports']
  assert len(port['name']) <= 15
  assert way['ports'] == [{'protocol': 'TCP', 'port': port['containerPort']}]
  address = option(pods(objects)['core'], '--gateway.address')
  assert address == f'0.0.0.0:{port["containerPort"]}'
  probe = container['readinessProbe']['tcpSocket']
  assert probe['port'] == port['name']


def test_what_is_mounted_is_there(objects: list[dict[str, Any]]) -> None:
  claims = kind(objects, 'StatefulSet')['spec']['volumeClaimTemplates']
  secret = kind(objects, 'Secret')
  for part, pod in pods(objects).items():
    (container,) = pod['spec']['containers']
    volumes = {v['name']: v for v in pod['spec']['volumes']}
    there = {*volumes} | {
      claim['metadata']['name'] for claim in claims if part == 'core'
    }
    mounts = {m['name']: m['mountPath'] for m in container['volumeMounts']}
    assert mounts.keys() == there
    found = volumes['keys']['secret']
    assert found['secretName'] == secret['metadata']['name']
    files = {item['path'] for item in found['items']}
    assert {item['key'] for item in found['items']} <= set(secret['stringData'])
    named = {
      Path(word).name
      for word in container['command']
      if word.startswith(f'{mounts["keys"]}/')
    }
    assert named == files
  # The private key is the core's alone.
  assert 'key.pem' not in str(pods(objects)['worker'])


def test_pods_may_do_little(objects: list[dict[str, Any]]) -> None:
  for pod in pods(objects).values():
    spec = pod['spec']
    (container,) = spec['containers']
    assert spec['securityContext']['runAsNonRoot'] is True
    assert spec['automountServiceAccountToken'] is False
    assert container['securityContext'] == {
      'allowPrivilegeEscalation': False, 'capabilities': {'drop': ['ALL']},
    }  # fmt: skip
    assert container['imagePullPolicy'] in ('Always', 'IfNotPresent', 'Never')
    resources = container['resources']
    assert resources['requests'] == resources['limits']
  found = list(numbers(objects))
  assert found
  assert all(_QUANTITY.fullmatch(number) for number in found), found


def test_workers_are_a_job_that_ends(objects: list[dict[str, Any]]) -> None:
  job, pod = kind(objects, 'Job')['spec'], pods(objects)['worker']
  assert pod['spec']['restartPolicy'] in ('Never', 'OnFailure')
  assert job['completionMode'] == 'Indexed'
  assert job['completions'] == job['parallelism'] == 3
  rules = job['podFailurePolicy']['rules']
  # Only so do the API's own checks let it have rules for failures.
  assert pod['spec']['restartPolicy'] == 'Never'
  assert [rule['action'] for rule in rules] == ['Ignore', 'FailJob']
  (container,) = pod['spec']['containers']
  assert rules[1]['onExitCodes']['containerName'] == container['name']
  assert option(pod, '--actors') == container['resources']['limits']['cpu']
  (address,) = (w for w in container['command'] if w.endswith(':50060'))
  service = kind(objects, 'Service')['metadata']['name']
  assert address == f'{service}:50060'


def test_the_core_is_the_run(tmp_path: Path) -> None:
  pod = pods(kubernetes.objects(jobs_in(tmp_path)))['core']
  assert option(pod, '--name') == 'Ein Lauf'
  assert option(pod, '--task') == 'a b'
  assert option(pod, '--runs') == '/runs'
  assert str(tmp_path) not in str(pod)  # Nothing of this host.
