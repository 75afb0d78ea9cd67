"""MiniGrid's empty room: what success is, what its state is, and what its pictures show."""

OPENINGS = ("a picture of", "here is", "this room has", "one sees", "an image with")


def reached(env):
    """Whether the agent is on the goal."""
    place = env.grid.get(*env.agent_pos)
    return place is not None and place.type == "goal"


def state(env):
    """Where the agent is and looks, and how far the goal is, in the lower right corner."""
    x, y = env.agent_pos
    away = (env.width - 2 - x) + (env.height - 2 - y)
    return {"x": x, "y": y, "direction": env.agent_dir, "away": away}


def captions(state):
    """Sentences that are true of a state."""
    places = ("on", "next to", "close to", "close to", "away from", "away from", "far from")
    shown = f"a red triangle {places[int(state['away'])]} the green square"
    return [f"{opening} {shown}" for opening in OPENINGS]
