# The whole project at a commit with its locked environment, drawing without a screen.
#   make image
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" --volume "$PWD/results:/vlmrm/results" \
#       --volume "$PWD/resources:/vlmrm/resources" vlmrm snakemake --cores all
# PyTorch brings CUDA's libraries; the driver comes from the host through NVIDIA's container toolkit.
ARG BASE=ubuntu:24.04
FROM ${BASE}

# Mesa draws in software where there is no GPU: by OpenGL, and by Vulkan for the scene `filament`.
RUN apt-get update --quiet=2 \
    && DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends \
        libegl-mesa0 libegl1 libgl1 libgl1-mesa-dri libvulkan1 mesa-vulkan-drivers python3 python3-venv \
        tini \
    && rm -rf /var/lib/apt/lists/*

# Lets NVIDIA's driver serve EGL, which is how MuJoCo draws on the GPU.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility
RUN mkdir -p /usr/share/glvnd/egl_vendor.d \
    && printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "libEGL_nvidia.so.0"}}' \
        > /usr/share/glvnd/egl_vendor.d/10_nvidia.json

# Any user may run it, so that results belong to who started it: `docker run --user`.
RUN useradd --create-home vlmrm \
    && mkdir -p /vlmrm/results /vlmrm/resources \
    && chown -R vlmrm /vlmrm \
    && chmod a+rwX /vlmrm /vlmrm/results /vlmrm/resources /home/vlmrm
ENV HOME=/home/vlmrm
USER vlmrm
WORKDIR /vlmrm

# The environment changes less often than the code, and has a layer of its own.
COPY --chown=vlmrm envs/installer.txt envs/lock.txt envs/
COPY --chown=vlmrm scripts/install.sh scripts/
RUN PIP_NO_CACHE_DIR=1 sh scripts/install.sh dependencies
COPY --chown=vlmrm . .
RUN sh scripts/install.sh package
ENV PATH="/vlmrm/.venv/bin:$PATH"

ARG COMMIT=unknown
ARG VERSION=unknown
ENV VLMRM_COMMIT=${COMMIT}
LABEL org.opencontainers.image.title="vlmrm" \
    org.opencontainers.image.description="CLIP models as reward models: train an agent from a sentence" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${COMMIT}"

# Signals reach every process: `docker stop` has trainings write a checkpoint before they end.
ENTRYPOINT ["tini", "-g", "--"]
CMD ["snakemake", "--cores", "all"]
