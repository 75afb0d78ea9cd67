import mujoco
import numpy as np
import pytest

from vlmrm.config import SCENES
from vlmrm.envs.humanoid import humanoid_model
from vlmrm.errors import UserError
from vlmrm.rendering.robot import ball, box, loft, robot_parts, tube
from vlmrm.rendering.scenes import scene_camera, scene_model
from vlmrm.rendering.textures import floor_tiles, fractal_noise, sky


@pytest.mark.parametrize("scene", SCENES["humanoid"])
def test_bodies_are_where_the_physics_puts_them(scene):
    rng = np.random.default_rng(0)
    qpos = humanoid_model().qpos0 + rng.uniform(-0.5, 0.5, 24)
    places = []
    for model in (humanoid_model(), scene_model(scene)):
        data = mujoco.MjData(model)
        data.qpos[:] = qpos
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        places.append((data.xpos.copy(), data.subtree_com.copy()))
    for physics, rendered in zip(*places, strict=True):
        np.testing.assert_allclose(rendered, physics, atol=1e-12)


def test_unknown_scene():
    with pytest.raises(UserError, match="no scene 'textured-fixd'; did you mean 'textured-fixed'"):
        scene_model("textured-fixd")


def test_cameras():
    fixed = scene_camera("textured-fixed", scene_model("textured-fixed"))
    assert (fixed.distance, fixed.elevation, fixed.azimuth) == (3.5, -10, 180)
    np.testing.assert_array_equal(fixed.lookat, [0, 0, 1])
    for scene in ("textured", "gymnasium"):
        model = scene_model(scene)
        camera = scene_camera(scene, model)
        assert model.cam_mode[camera.fixedcamid] == mujoco.mjtCamLight.mjCAMLIGHT_TRACKCOM


def signed_volume(mesh):
    vertices, faces = mesh
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6


@pytest.mark.parametrize(
    ("mesh", "volume"),
    [
        (ball((1, 2, 3), (0.1, 0.2, 0.3)), 4 / 3 * np.pi * 0.1 * 0.2 * 0.3),
        (box((0, 1, 0), (0.1, 0.2, 0.3)), 8 * 0.1 * 0.2 * 0.3),
        (tube((0, 0, 0), (0, 2, 0), 0.1), np.pi * 0.1**2 * 2),
        (loft([(0, 0, 1, 1), (1, 0, 1, 1)], (0, 0, 0), (1, 1, 1), power=2), np.pi * np.sqrt(3)),
    ],
    ids=["ball", "box", "tube", "loft"],
)
def test_solids_are_closed_and_face_outwards(mesh, volume):
    assert signed_volume(mesh) == pytest.approx(volume, rel=0.15)
    # In a closed surface, every edge occurs once in each direction.
    edges = mesh[1][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    assert {tuple(e) for e in edges} == {tuple(e) for e in edges[:, ::-1]}


def test_the_robot_is_symmetric_except_for_its_colors():
    parts = robot_parts()
    for (body, material), meshes in parts.items():
        mirror = body.replace("left", "right"), {"left": "right"}.get(material, material)
        if body.startswith("left"):
            volumes = [sum(map(signed_volume, m)) for m in (meshes, parts[mirror])]
            assert volumes[0] == pytest.approx(volumes[1], rel=1e-3)
    assert ("torso", "left") in parts and ("torso", "right") in parts


def test_textures_are_deterministic_and_follow_the_seed():
    np.testing.assert_array_equal(floor_tiles(64), floor_tiles(64))
    np.testing.assert_array_equal(sky(32), sky(32))
    assert (floor_tiles(64, seed=1) != floor_tiles(64, seed=2)).any()


def test_floor_repeats_without_a_seam():
    noise = fractal_noise(64, 1.7, np.random.default_rng(0))
    inside = np.abs(np.diff(noise, axis=0)).mean()
    across = np.abs(noise[-1] - noise[0]).mean()
    assert across < 2 * inside


def test_sky_is_blue_above_and_meets_the_ground_at_the_horizon():
    faces = sky(64).reshape(6, 64, 64, 3).astype(int)
    right, _, up, *_ = faces
    assert up[..., 2].mean() > up[..., 0].mean() + 20
    ground, above = right[40:].mean(axis=(0, 1)), right[:24].mean(axis=(0, 1))
    assert above[2] - above[0] > ground[2] - ground[0] + 20


def test_neighboring_faces_of_the_sky_agree_on_their_edge():
    faces = sky(64).reshape(6, 64, 64, 3).astype(int)
    right, left, _, _, front, back = faces
    for one, other in ((front, right), (right, back), (back, left), (left, front)):
        assert np.abs(one[:, -1] - other[:, 0]).mean() < 3
