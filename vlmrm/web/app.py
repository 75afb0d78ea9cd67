"""The Flask application of a page, with the look that all pages share."""

from __future__ import annotations

from flask import Blueprint, Flask
from flask.logging import default_handler

LOOK = Blueprint("web", __name__, static_folder="static", static_url_path="/web")
"""Colors, controls, and the icon: ``url_for("web.static", filename="page.css")``."""


def make_app(name: str) -> Flask:
    """An application with the templates and static files of a package.

    Args:
        name: Name of a module in that package.
    """
    app = Flask(name)
    app.register_blueprint(LOOK)
    # The package's own loggers are silent; what fails in a page is told on the terminal.
    app.logger.addHandler(default_handler)
    return app
