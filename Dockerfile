# The whole project with its locked environment, drawing without a screen.
#   docker build --tag vlmrm .
#   docker run --rm --gpus all --volume "$PWD/results:/vlmrm/results" \
#       --volume "$PWD/resources:/vlmrm/resources" vlmrm snakemake --cores all
# PyTorch brings CUDA's libraries; the driver comes from the host through NVIDIA's container toolkit.
ARG BASE=ubuntu:24.04
FROM ${BASE}

# Mesa draws in software where there is no GPU.
RUN apt-get update --quiet=2 \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        git libegl-mesa0 libegl1 libgl1 libgl1-mesa-dri make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

# Lets NVIDIA's driver serve EGL, which is how MuJoCo draws on the GPU.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility
RUN mkdir -p /usr/share/glvnd/egl_vendor.d \
    && printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "libEGL_nvidia.so.0"}}' \
        > /usr/share/glvnd/egl_vendor.d/10_nvidia.json

RUN useradd --create-home vlmrm && mkdir /vlmrm && chown vlmrm /vlmrm
USER vlmrm
WORKDIR /vlmrm

# The environment changes less often than the code, and has a layer of its own.
COPY --chown=vlmrm envs/lock.txt envs/lock.txt
RUN python3 -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r envs/lock.txt
COPY --chown=vlmrm . .
RUN .venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation --editable .
ENV PATH="/vlmrm/.venv/bin:$PATH"

CMD ["snakemake", "--cores", "all"]
