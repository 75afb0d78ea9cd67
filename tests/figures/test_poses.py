from vlmrm.figures.poses import draw_contact_sheet
from vlmrm.tasks.poses import pose_library


def test_every_pose_is_shown_under_its_tasks_with_the_verdict():
    figure = draw_contact_sheet(size=32)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.images]
    poses = pose_library()
    assert sorted(t[2:] for t in titles if t[0] == "\N{CHECK MARK}") == sorted(
        name for name, pose in poses.items() for _ in pose.tasks
    )
    assert sorted(t[2:] for t in titles if t[0] == "\N{MULTIPLICATION X}") == sorted(
        name for name, pose in poses.items() for _ in pose.near
    )


def test_only_the_tasks_of_interest_are_drawn():
    figure = draw_contact_sheet(["kneeling"], size=32)
    rows = {axes.get_ylabel() for axes in figure.axes if axes.images}
    assert rows - {""} == {"kneeling", "not kneeling"}
