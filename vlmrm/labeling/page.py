"""The labeling page, as a Flask application.

    GET  /                            the page
    GET  /session                     {"key": KEY, "answers": [...]}
    GET  /pictures/KEY/POSITION.png   a frame
    PUT  /answers/KEY/POSITION        {"answer": "yes"}; saved before the reply {"answers": [...]}

Answers are those in the label file, which other pages may write to: the answer at each position, or
null. Nothing here depends on the oracle's labels, and no reply contains the row of a state.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Flask, Response, abort, jsonify, render_template, request

from vlmrm.errors import UserError
from vlmrm.labeling.labels import check_answer
from vlmrm.labeling.session import Session
from vlmrm.web.app import make_app

MAX_BODY = 1024
"""Bytes of an answer, at most."""


def create_app(session: Session, picture: Callable[[int], bytes]) -> Flask:
    """Makes the application.

    Args:
        session: Session that receives the answers.
        picture: Function from the row of a state to its frame as PNG.
    """
    app = make_app(__name__)

    @app.get("/")
    def page() -> str:
        return render_template("label.html", session=session)

    @app.get("/session")
    def progress() -> Response:
        return jsonify(key=session.key, answers=session.answers())

    @app.get("/pictures/<key>/<int:position>.png")
    def show(key: str, position: int) -> Response:
        _check(session, key, position)
        return Response(picture(session.row(position)), mimetype="image/png")

    @app.put("/answers/<key>/<int:position>")
    def answer(key: str, position: int) -> Response:
        _check(session, key, position)
        try:
            content = request.get_json(silent=True)
            given = check_answer(content.get("answer") if isinstance(content, dict) else None)
        except (ValueError, RecursionError):
            abort(400, 'send JSON: {"answer": "yes"}, "no", or "unsure"')
        session.answer(position, given)
        return jsonify(answers=session.answers())

    @app.errorhandler(UserError)
    def explain(error: UserError) -> Response:
        # The label file is damaged, or on a full disk. Its name may be no text.
        text = str(error).encode(errors="backslashreplace")
        return Response(text, HTTPStatus.INSUFFICIENT_STORAGE, mimetype="text/plain")

    return app


def _check(session: Session, key: str, position: int) -> None:
    if key != session.key:
        abort(409, "the page was opened for another session; reload it")
    if position >= len(session):
        abort(404, f"there are {len(session)} pictures")
