# The core of a run and its workers, from the lock. From the repository's root:
#   docker build --target core -t understudy-core .
#   docker build --target worker -t understudy-worker .
FROM python:3.10-slim-bookworm AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONPATH=/understudy \
    PYTHONUNBUFFERED=1
WORKDIR /understudy
# Kubernetes runs it as this user; see launchers/engines/kubernetes.py.
RUN useradd --uid 1000 --create-home understudy

FROM base AS core
COPY requirements.in requirements.txt ./
RUN pip install -r requirements.in -c requirements.txt
COPY agents agents
COPY datasets datasets
COPY launchers launchers
COPY teachers teachers
USER 1000

FROM base AS worker
COPY requirements-worker.txt requirements.txt ./
RUN pip install -r requirements-worker.txt -c requirements.txt
COPY agents agents
COPY datasets datasets
COPY launchers launchers
COPY teachers teachers
USER 1000
