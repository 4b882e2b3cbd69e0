# Two targets, on CPUs and on NVIDIA GPUs; docs/how-to/install.md has the commands.
FROM python:3.12-slim AS source
WORKDIR /opt/zsh_jax
COPY pyproject.toml setup.py README.md LICENSE ./
COPY zsh_jax zsh_jax
COPY experiments experiments
# Data sets, caches and results lie in the folder that is mounted, whoever runs the container.
RUN mkdir -m 777 /work
ENV HOME=/work USER=zsh

FROM source AS cpu
RUN pip install --no-cache-dir .
USER 1000
WORKDIR /work
ENTRYPOINT ["zsh-jax"]
CMD ["--help"]

# JAX's packages bring CUDA; the host brings the driver.
FROM source AS cuda
RUN pip install --no-cache-dir ".[cuda]"
USER 1000
WORKDIR /work
ENTRYPOINT ["zsh-jax"]
CMD ["--help"]
