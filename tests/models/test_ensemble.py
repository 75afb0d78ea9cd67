"""Ensembles as model folders."""

import pytest

from vlmrm.config import EnsembleModel
from vlmrm.config.architectures import WEIGHTS_FOLDER
from vlmrm.errors import UserError
from vlmrm.models.ensemble import make_ensemble
from vlmrm.models.folder import check_model_folder, read_model_provenance

NAMES = ["sim-XS", "sim-S"]
FOLDERS = [WEIGHTS_FOLDER / name for name in NAMES]
RECORDS = [read_model_provenance(folder) for folder in FOLDERS]


def duo(**more):
    return EnsembleModel(source="ensemble", members=NAMES, reference="states", **more)


@pytest.mark.parametrize(("scenes", "views"), [([], 1), (["textured-fixed", "textured-left"], 2)])
def test_its_record_has_the_checksums_and_the_size_of_its_members(tmp_path, scenes, views):
    make_ensemble(duo(scenes=scenes), FOLDERS, tmp_path / "duo")
    record = read_model_provenance(tmp_path / "duo")
    assert record["source"] == "ensemble"
    assert record["members"] == {n: r["sha256"] for n, r in zip(NAMES, RECORDS, strict=True)}
    image, text = (sum(r["parameters"][tower] for r in RECORDS) for tower in ("image", "text"))
    assert record["parameters"] == {"image": views * image, "text": text}


def test_it_cannot_be_loaded_as_a_model(tmp_path):
    make_ensemble(duo(), FOLDERS, tmp_path / "duo")
    with pytest.raises(UserError, match="is an ensemble, which has no weights; name one of its"):
        check_model_folder(tmp_path / "duo")


def test_its_members_must_be_there(tmp_path):
    with pytest.raises(UserError, match=r"1 model folders given; .* in this order: sim-XS, sim-S"):
        make_ensemble(duo(), FOLDERS[:1], tmp_path / "duo")
    with pytest.raises(UserError, match="none: no model"):
        make_ensemble(duo(), [FOLDERS[0], tmp_path / "none"], tmp_path / "duo")
    assert not (tmp_path / "duo").exists()
