import numpy as np
import pytest

from vlmrm.data.states import States
from vlmrm.errors import UserError


def states(first, count, environment="humanoid", **columns):
    values = np.arange(first, first + count, dtype=float)[:, None].repeat(47, axis=1)
    labels = {"kneeling": values[:, 0] % 2 == 0, f"only-{first}": values[:, 0] > 0}
    return States(environment, values, columns, labels)


def test_joined_sets_keep_their_order_labels_and_origins():
    poses = states(0, 3, origin=np.array(["lotus", "standing", "lotus"]))
    joined = States.join({"poses": poses, "others": states(10, 2)})
    assert joined.values[:, 0].tolist() == [0, 1, 2, 10, 11]
    assert joined.labels["kneeling"].tolist() == [True, False, True, True, False]
    assert joined.labels.keys() == {"kneeling"}
    assert joined.columns["origin"].tolist() == [
        *("poses: lotus", "poses: standing", "poses: lotus"),
        *("others: ", "others: "),
    ]


def test_trajectories_of_different_sets_stay_apart():
    first = states(0, 4, trajectory=np.array([0, 0, 7, 7]))
    second = states(4, 3, trajectory=np.array([0, 7, 7]))
    joined = States.join({"first": first, "single": states(9, 2), "second": second})
    numbers = joined.columns["trajectory"].tolist()
    assert numbers == [0, 0, 1, 1, 2, 3, 4, 5, 5]


def test_a_joined_set_is_written_like_any_other(tmp_path):
    joined = States.join({"a": states(0, 2, trajectory=np.array([1, 1])), "b": states(2, 2)})
    joined.write(tmp_path / "joined.h5")
    read = States.read(tmp_path / "joined.h5")
    assert read.columns["origin"].tolist() == joined.columns["origin"].tolist()
    assert read.columns["trajectory"].tolist() == [0, 0, 1, 2]


def test_sets_of_different_environments_are_not_joined():
    with pytest.raises(UserError, match=r"^other: contains cartpole states"):
        States.join({"mine": states(0, 2), "other": states(0, 2, "cartpole")})
