"""Kubernetes: what a run is there, as objects, and kubectl."""

from pathlib import Path
import shutil
import subprocess
from typing import Any

from launchers.engines.jobs import Jobs
from launchers.engines.options import Share, without

_Object = dict[str, Any]

PORT = 50_060
_RUNS, _KEYS, _SCRATCH = '/runs', '/keys', '/scratch'
_CERTIFICATE, _KEY, _TOKEN = 'certificate.pem', 'key.pem', 'token'
_USER = 1_000  # Of the images; see the Dockerfile.
_TRIES = 20  # Of a worker that fails, before the job does.
_REFUSED = 2  # Exit code of a worker that no other try would help.
_NOT_THERE = ('--runs', '--gateway.address', '--gateway.tls-certificate',
              '--gateway.tls-key', '--gateway.token-file')  # fmt: skip
"""Options of a run whose values are those of this host."""


class NotAppliedError(OSError):
  """kubectl did not do what it was asked."""


def check(jobs: Jobs) -> None:
  """Refuses what cannot be applied from here.

  Raises:
    ValueError: what it is, and what would do.
  """
  if not jobs.submission.dry_run and shutil.which('kubectl') is None:
    raise ValueError(
      'There is no kubectl here: install it, or write the files with --dry-run '
      'and apply them from where it is.'
    )


def secret(jobs: Jobs) -> _Object:
  """The keys, from their files.

  Raises:
    OSError: one cannot be read.
  """
  files = {
    _CERTIFICATE: jobs.keys.certificate,
    _KEY: jobs.keys.key,
    _TOKEN: jobs.keys.token,
  }
  data = {name: path.read_text('ascii') for name, path in files.items()}
  return {
    'apiVersion': 'v1',
    'kind': 'Secret',
    'metadata': _metadata(jobs, 'keys'),
    'type': 'Opaque',
    'stringData': data,
  }


def objects(jobs: Jobs) -> list[_Object]:
  """All but the secret."""
  found = [
    _service(jobs), _core(jobs), _budget(jobs), *_policies(jobs),
  ]  # fmt: skip
  return [*found, _workers(jobs)] if jobs.submission.workers else found


def to_yaml(*objects: _Object) -> str:
  """The text of a file that kubectl applies."""
  import yaml  # --help does without.

  return yaml.safe_dump_all(objects, sort_keys=False)


def apply(*files: Path) -> str:
  """Gives the files to the cluster; the same ones again change nothing.

  Returns:
    What kubectl says.

  Raises:
    NotAppliedError: with what it says.
  """
  named = [word for path in files for word in ('-f', str(path))]
  done = subprocess.run(
    ['kubectl', 'apply', *named], capture_output=True, text=True, check=False
  )
  if done.returncode:
    raise NotAppliedError(f'kubectl: {done.stderr.strip()}')
  return done.stdout


def _labels(jobs: Jobs, part: str) -> dict[str, str]:
  return {
    'app.kubernetes.io/name': 'understudy',
    'app.kubernetes.io/instance': jobs.label,
    'app.kubernetes.io/component': part,
  }


def _metadata(jobs: Jobs, part: str) -> _Object:
  return {
    'name': f'{jobs.label}-{part}',
    'namespace': jobs.submission.kubernetes.namespace,
    'labels': _labels(jobs, part),
  }


def _service(jobs: Jobs) -> _Object:
  """Gives the core a name; headless, for there is one core."""
  return {
    'apiVersion': 'v1',
    'kind': 'Service',
    'metadata': _metadata(jobs, 'core'),
    'spec': {
      'clusterIP': 'None',
      'selector': _labels(jobs, 'core'),
      'ports': [{'name': 'gateway', 'port': PORT, 'targetPort': 'gateway'}],
    },
  }


def _core(jobs: Jobs) -> _Object:
  submission = jobs.submission
  words = [
    *without(jobs.words, _NOT_THERE),
    '--runs', _RUNS, '--gateway.address', f'0.0.0.0:{PORT}',
    '--gateway.tls-certificate', f'{_KEYS}/{_CERTIFICATE}',
    '--gateway.tls-key', f'{_KEYS}/{_KEY}',
    '--gateway.token-file', f'{_KEYS}/{_TOKEN}',
  ]  # fmt: skip
  container = {
    **_container('core', submission.kubernetes.core_image, submission.core),
    'command': ['python', '-m', 'launchers.engines.pod', *words],
    'ports': [{'name': 'gateway', 'containerPort': PORT}],
    # Kubernetes' gRPC probes speak no TLS. Whether it lives the run sees to
    # itself: it ends when one of its nodes hangs.
    'readinessProbe': {'tcpSocket': {'port': 'gateway'}, 'periodSeconds': 5},
    'volumeMounts': [
      {'name': 'runs', 'mountPath': _RUNS},
      {'name': 'keys', 'mountPath': _KEYS, 'readOnly': True},
    ],
  }
  pod = _pod(jobs, 'core', container, [_keys(jobs, _CERTIFICATE, _KEY, _TOKEN)])
  storage = {'requests': {'storage': f'{submission.kubernetes.storage}Gi'}}
  claim = {
    'metadata': {'name': 'runs', 'labels': _labels(jobs, 'core')},
    'spec': {'accessModes': ['ReadWriteOnce'], 'resources': storage},
  }
  return {
    'apiVersion': 'apps/v1',
    'kind': 'StatefulSet',
    'metadata': _metadata(jobs, 'core'),
    'spec': {
      'replicas': 1,
      'serviceName': f'{jobs.label}-core',
      'selector': {'matchLabels': _labels(jobs, 'core')},
      'template': pod,
      'volumeClaimTemplates': [claim],
    },
  }


def _workers(jobs: Jobs) -> _Object:
  submission = jobs.submission
  words = [
    f'{jobs.label}-core:{PORT}', '--actors', str(submission.worker.cpus),
    '--scratch', _SCRATCH, '--token-file', f'{_KEYS}/{_TOKEN}',
    '--ca', f'{_KEYS}/{_CERTIFICATE}', '--server-name', jobs.keys.name,
  ]  # fmt: skip
  image = submission.kubernetes.worker_image
  container = {
    **_container('worker', image, submission.worker),
    'command': ['python', '-m', 'launchers.join', *words],
    'volumeMounts': [
      {'name': 'scratch', 'mountPath': _SCRATCH},
      {'name': 'keys', 'mountPath': _KEYS, 'readOnly': True},
    ],
  }
  volumes = [
    {'name': 'scratch', 'emptyDir': {}}, _keys(jobs, _CERTIFICATE, _TOKEN)
  ]  # fmt: skip
  pod = _pod(jobs, 'worker', container, volumes)
  pod['spec']['restartPolicy'] = 'Never'  # Another pod takes its place.
  disruption = {'type': 'DisruptionTarget', 'status': 'True'}
  refusal = {'containerName': 'worker', 'operator': 'In', 'values': [_REFUSED]}
  return {
    'apiVersion': 'batch/v1',
    'kind': 'Job',
    'metadata': _metadata(jobs, 'worker'),
    'spec': {
      'completionMode': 'Indexed',
      'completions': submission.workers,
      'parallelism': submission.workers,
      'backoffLimit': _TRIES * submission.workers,
      'podFailurePolicy': {
        'rules': [
          {'action': 'Ignore', 'onPodConditions': [disruption]},
          {'action': 'FailJob', 'onExitCodes': refusal},
        ]
      },
      'template': pod,
    },
  }


def _budget(jobs: Jobs) -> _Object:
  """Drains ask a person before they move the core."""
  return {
    'apiVersion': 'policy/v1',
    'kind': 'PodDisruptionBudget',
    'metadata': _metadata(jobs, 'core'),
    'spec': {
      'minAvailable': 1,
      'selector': {'matchLabels': _labels(jobs, 'core')},
    },
  }


def _policies(jobs: Jobs) -> list[_Object]:
  """Lets workers in to the gateway, and nobody to anything else."""
  workers = {'podSelector': {'matchLabels': _labels(jobs, 'worker')}}
  ports = [{'protocol': 'TCP', 'port': PORT}]
  rules: dict[str, list[_Object]] = {
    'core': [{'from': [workers], 'ports': ports}], 'worker': [],
  }  # fmt: skip
  return [
    {
      'apiVersion': 'networking.k8s.io/v1',
      'kind': 'NetworkPolicy',
      'metadata': _metadata(jobs, part),
      'spec': {
        'podSelector': {'matchLabels': _labels(jobs, part)},
        'policyTypes': ['Ingress'],
        'ingress': ingress,
      },
    }
    for part, ingress in rules.items()
  ]


def _keys(jobs: Jobs, *names: str) -> _Object:
  return {
    'name': 'keys',
    'secret': {
      'secretName': f'{jobs.label}-keys',
      'defaultMode': 0o440,
      'items': [{'key': name, 'path': name} for name in names],
    },
  }


def _container(name: str, image: str, share: Share) -> _Object:
  amount = {'cpu': str(share.cpus), 'memory': f'{share.memory}Gi'}
  return {
    'name': name,
    'image': image,
    'imagePullPolicy': 'IfNotPresent',
    'resources': {'requests': amount, 'limits': amount},
    'securityContext': {
      'allowPrivilegeEscalation': False,
      'capabilities': {'drop': ['ALL']},
    },
  }


def _pod(
  jobs: Jobs, part: str, container: _Object, volumes: list[_Object]
) -> _Object:
  return {
    'metadata': {'labels': _labels(jobs, part)},
    'spec': {
      'automountServiceAccountToken': False,
      'terminationGracePeriodSeconds': 60,
      'securityContext': {
        'runAsNonRoot': True,
        'runAsUser': _USER,
        'runAsGroup': _USER,
        'fsGroup': _USER,
        'seccompProfile': {'type': 'RuntimeDefault'},
      },
      'containers': [container],
      'volumes': volumes,
    },
  }
