"""The artifacts of the pipeline as files: states, frames, embeddings, and rewards.

States, frames, and embeddings are HDF5 files, rewards are Parquet tables. Every file appears whole
or not at all (it is written to a temporary path and renamed) and contains its provenance.

Rows correspond across the four kinds: row ``i`` of the frames shows row ``i`` of the states.
"""
