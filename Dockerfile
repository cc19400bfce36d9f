# paddle2torch with its reference environment: `convert`, `verify` and the rest without an installation.
#
#   docker build --tag paddle2torch .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" paddle2torch convert my-ernie-m out
#
# Paddle and torch cannot share an environment (docs/environments.md): Paddle's is /opt/paddle.
# pip takes torch's build with CUDA on Linux, several gigabytes; docs/container.md has the build argument for the CPU's.

FROM python:3.11-slim-bookworm

# Of Paddle and torch (OpenMP).
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1=12.* \
    && rm -rf /var/lib/apt/lists/*

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# Large and seldom changed: before the project, so that a change there does not install it again.
COPY requirements/paddle.txt /tmp/requirements/
RUN python -m venv /opt/paddle \
    && /opt/paddle/bin/pip install --requirement /tmp/requirements/paddle.txt

COPY requirements/dev.txt /tmp/requirements/
ARG TORCH_PIP_ARGUMENTS=""
# The versions of the tests, and nothing else of their environment. The words of the argument are to be split.
# hadolint ignore=SC2086
RUN grep '^torch==' /tmp/requirements/dev.txt > /tmp/requirements/torch.txt \
    && pip install $TORCH_PIP_ARGUMENTS --requirement /tmp/requirements/torch.txt

COPY . /tmp/project
RUN pip install --constraint /tmp/requirements/dev.txt "/tmp/project[torch]" \
    && rm -rf /tmp/project

# Everybody may write here: downloads, and what Paddle keeps in a home folder. Mount a volume to keep it.
RUN mkdir --mode 1777 /cache
ENV HOME=/cache PADDLE2TORCH_CACHE=/cache/paddle2torch PADDLE2TORCH_PADDLE_PYTHON=/opt/paddle/bin/python

# An image whose Paddle computes other numbers than it should is not built.
RUN paddle2torch reference script /tmp/record_paddle.pyz \
    && /opt/paddle/bin/python /tmp/record_paddle.pyz --check \
    && rm -rf /tmp/record_paddle.pyz /cache/.[!.]* /cache/*

WORKDIR /data
USER 1000
ENTRYPOINT ["paddle2torch"]
CMD ["--help"]
