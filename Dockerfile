# Two targets, on CPUs and on NVIDIA GPUs; docs/how-to/install.md has the commands.
FROM python:3.12-slim AS source
WORKDIR /opt/zsh_jax
COPY pyproject.toml setup.py README.md LICENSE ./
COPY zsh_jax zsh_jax
COPY experiments experiments

FROM source AS cpu
RUN pip install --no-cache-dir .
RUN useradd --create-home --uid 1000 hash && mkdir /work && chown hash /work
USER hash
WORKDIR /work
ENTRYPOINT ["zsh-jax"]
CMD ["--help"]

# JAX's packages bring CUDA; the host brings the driver.
FROM source AS cuda
RUN pip install --no-cache-dir ".[cuda]"
RUN useradd --create-home --uid 1000 hash && mkdir /work && chown hash /work
USER hash
WORKDIR /work
ENTRYPOINT ["zsh-jax"]
CMD ["--help"]
