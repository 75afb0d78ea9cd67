"""What commands import; `tests.processes` has it done once."""

# ruff: noqa: F401

import vlmrm  # isort: skip  # first, since it chooses how MuJoCo renders

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
import snakemake.cli
import stable_baselines3
import torch
import torchvision

import vlmrm.cli
import vlmrm.config
