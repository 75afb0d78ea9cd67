"""The labeling page, as a Flask application.

    GET  /                            the page
    GET  /session                     the session's key, and the answer at each position or null
    GET  /pictures/KEY/POSITION.png   a frame
    PUT  /answers/KEY/POSITION        {"answer": "yes"}; saved before the reply

Nothing here depends on the oracle's labels, and no reply contains the row of a state.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, abort, jsonify, render_template, request

from vlmrm.labeling.labels import check_answer
from vlmrm.labeling.session import Session


def create_app(session: Session, picture: Callable[[int], bytes]) -> Flask:
    """Makes the application.

    Args:
        session: Session that receives the answers.
        picture: Function from the row of a state to its frame as PNG.
    """
    app = Flask(__name__)

    @app.get("/")
    def page() -> str:
        return render_template("label.html", session=session)

    @app.get("/session")
    def progress() -> Response:
        return jsonify(key=session.key, answers=session.answers)

    @app.get("/pictures/<key>/<int:position>.png")
    def show(key: str, position: int) -> Response:
        _check(session, key, position)
        return Response(picture(session.row(position)), mimetype="image/png")

    @app.put("/answers/<key>/<int:position>")
    def answer(key: str, position: int) -> Response:
        _check(session, key, position)
        # Pages of other sites cannot send JSON here.
        content = request.get_json()
        try:
            given = check_answer(content.get("answer") if isinstance(content, dict) else None)
        except ValueError as error:
            abort(400, str(error))
        session.answer(position, given)
        return jsonify(answer=given)

    @app.after_request
    def restrict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        if request.endpoint != "static":
            # The next session may have the same address.
            response.headers["Cache-Control"] = "no-store"
        return response

    return app


def _check(session: Session, key: str, position: int) -> None:
    if key != session.key:
        abort(409, "the page was opened for another session; reload it")
    if position >= len(session):
        abort(404, f"there are {len(session)} pictures")
