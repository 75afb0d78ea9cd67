from vlmrm.web.app import make_app


def test_what_fails_in_a_page_is_told_on_the_terminal(capsys):
    app = make_app("vlmrm.exploring.page")

    @app.get("/fail")
    def fail():
        raise RuntimeError("a fault of ours")

    assert app.test_client().get("/fail").status_code == 500
    assert "RuntimeError: a fault of ours" in capsys.readouterr().err
