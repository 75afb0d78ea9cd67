"""What says success of MiniGrid's empty room, whose `info` says nothing."""


def reached(env):
    """Whether the agent is on the goal."""
    place = env.grid.get(*env.agent_pos)
    return place is not None and place.type == "goal"
