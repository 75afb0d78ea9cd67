"""The page that ranks a collection by sentences, as a Flask application.

    GET  /                           the page
    GET  /session                    what can be chosen, and all that does not depend on a sentence
    GET  /thumbnails/KEY/ROW.png     an image, small
    GET  /pictures/KEY/ROW.png       an image, large
    POST /rank/KEY                   rewards of all rows
    POST /confusion/KEY              how well sentences tell each pose from the others
    POST /diagnosis/KEY              what `vlmrm diagnose` says
    POST /task/KEY                   lines of a configuration

The last four take a query as JSON, as `vlmrm.exploring.query.read_query` describes it.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, abort, jsonify, render_template, request

from vlmrm.errors import UserError
from vlmrm.exploring.explorer import Explorer
from vlmrm.exploring.query import Query, read_query
from vlmrm.web.app import make_app

MAX_BODY = 2**16
"""Bytes of a query, at most."""

THUMBNAILS = 2048
"""Thumbnails that are kept, of about 20 kB each: rankings of similar sentences share many."""


def create_app(explorer: Explorer) -> Flask:
    """Makes the application."""
    app = make_app(__name__)
    collection = explorer.collection
    # A page that was opened for another collection must not ask for rows of this one.
    key = secrets.token_hex(8)
    small = functools.lru_cache(THUMBNAILS)(collection.thumbnail)

    def check(given: str, row: int = 0) -> None:
        if given != key:
            abort(409, "vlmrm explore was started again; reload the page")
        if row >= len(collection):
            abort(404, f"there are {len(collection)} {collection.noun}s")

    def query() -> Query:
        try:
            content = request.get_json(silent=True)
        except (ValueError, RecursionError):
            content = None
        return read_query(content, explorer.models, collection.verdicts)

    @app.get("/")
    def page() -> str:
        return render_template("explore.html", noun=collection.noun, count=explorer.ranked.sum())

    @app.get("/session")
    def session() -> Response:
        return jsonify(key=key, **_session(explorer))

    @app.get("/thumbnails/<given>/<int:row>.png")
    def thumbnail(given: str, row: int) -> Response:
        check(given, row)
        return Response(small(row), mimetype="image/png")

    @app.get("/pictures/<given>/<int:row>.png")
    def picture(given: str, row: int) -> Response:
        check(given, row)
        return Response(collection.picture(row), mimetype="image/png")

    questions: dict[str, Callable[[Query], Any]] = {
        "rank": explorer.rank,
        "confusion": explorer.confuse,
        "diagnosis": explorer.diagnose,
        "task": explorer.task_yaml,
    }

    @app.post("/<any(rank, confusion, diagnosis, task):question>/<given>")
    def ask(question: str, given: str) -> Response:
        check(given)
        return jsonify(questions[question](query()))

    @app.errorhandler(UserError)
    def explain(error: UserError) -> Response:
        text = str(error).encode(errors="backslashreplace")
        return Response(text, HTTPStatus.BAD_REQUEST, mimetype="text/plain")

    return app


def _session(explorer: Explorer) -> dict[str, Any]:
    collection = explorer.collection
    # Judges in the order of the tasks, so that tables of both have a diagonal.
    judges = sorted(collection.verdicts, key=_order(explorer))
    return {
        "noun": collection.noun,
        "names": list(collection.names),
        "ranked": explorer.ranked.nonzero()[0].tolist(),
        "models": list(explorer.models),
        # A digit for each row, which is shorter than a list.
        "judges": [
            {"name": name, "verdicts": "".join(map(str, collection.verdicts[name].astype(int)))}
            for name in judges
        ],
        "paths": [{"name": name, "rows": r.tolist()} for name, r in collection.paths.items()],
        "tasks": [
            {
                "name": name,
                "goal": task.goals,
                "baseline": task.baselines,
                "contrast": task.contrasts,
                "judge": task.oracle if task.oracle in collection.verdicts else None,
            }
            for name, task in explorer.tasks.items()
        ],
    }


def _order(explorer: Explorer) -> Callable[[str], int]:
    """The place of a judge's task; the others come last."""
    oracles = [task.oracle for task in explorer.tasks.values()]
    return lambda name: oracles.index(name) if name in oracles else len(oracles)
