"""``vlmrm draw-poses``."""

from __future__ import annotations

from vlmrm.cli.options import Figures, Oracles


def draw_poses(output: Figures, oracles: Oracles) -> None:
    """Draw the humanoid's pose library, with the oracles that accept each pose."""
    from vlmrm.figures.poses import draw_contact_sheet
    from vlmrm.figures.style import save_figure

    save_figure(draw_contact_sheet(oracles), output)
