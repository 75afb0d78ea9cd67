"""What the hub says of a repository."""

from pathlib import Path

import huggingface_hub
import pytest

from tests.models.fetching import REPOSITORY, WEIGHTS
from vlmrm.models.fetch import fetch_pretrained
from vlmrm.models.folder import read_model_provenance


def test_the_hub_of_these_tests_is_one_to_its_own_client(hub, settings, published, tmp_path):
    path = huggingface_hub.hf_hub_download(
        REPOSITORY, WEIGHTS, revision=settings.revision, endpoint=hub.url, cache_dir=tmp_path
    )
    assert Path(path).read_bytes() == published[WEIGHTS]


@pytest.mark.parametrize(
    ("card", "license_name", "said"),
    [
        ({"license": "mit"}, "mit", "; license mit\n"),
        (
            {"license": "other", "license_name": "apple-amlr"},
            "apple-amlr",
            "; license apple-amlr, for research only\n",
        ),
        ({}, None, "; license not stated on its page\n"),
    ],
)
def test_the_license_is_printed_and_kept(hub, settings, folder, capsys, card, license_name, said):
    hub.cards[REPOSITORY] = card
    fetch_pretrained("tiny", settings, folder)
    assert said in capsys.readouterr().err
    assert read_model_provenance(folder)["origin"]["license"] == license_name
