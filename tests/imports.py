"""What commands import; the server of `tests.processes` has it ready."""

# ruff: noqa: F401

import vlmrm  # isort: skip  # first, since it chooses how MuJoCo renders

import importlib
import pkgutil

import av
import flask
import gymnasium
import h5py
import hdf5plugin
import matplotlib.pyplot
import mujoco
import open_clip
import pandas
import pyarrow.parquet
import scipy.stats
import seaborn
import smart_open
import snakemake.cli
import snakemake.report
import stable_baselines3
import torch
import torchvision

for module in pkgutil.walk_packages(vlmrm.__path__, "vlmrm."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
# Snakemake imports its plugins while it makes its parser.
snakemake.cli.get_argument_parser()
