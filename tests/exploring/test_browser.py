"""Finding a sentence as a person does it, in a real browser."""

from unittest.mock import Mock

import pytest
import yaml
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser import IN_BROWSER, chromium, serve_in_thread  # noqa: F401
from vlmrm.errors import UserError
from vlmrm.exploring.page import MAX_BODY, create_app

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def where(explorer):
    return serve_in_thread(create_app(explorer), MAX_BODY)[1]


class Page:
    """The page as a person sees it; the parts of sentence A, unless another side is named."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, where):
        self.driver.get(where)
        self.wait(lambda: self.all(".side"))

    def wait(self, condition):
        WebDriverWait(self.driver, 300, 0.02).until(lambda _: condition())

    def side(self, letter="A"):
        return self.driver.find_element(By.CSS_SELECTOR, f"[aria-label='Sentence {letter}']")

    def all(self, selector, letter=None):
        place = self.side(letter) if letter else self.driver
        return place.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector, letter="A"):
        return self.side(letter).find_element(By.CSS_SELECTOR, selector)

    def text(self, selector, letter="A"):
        # In one step, since the page may change between two.
        script = "return arguments[0].querySelector(arguments[1])?.textContent ?? ''"
        return self.driver.execute_script(script, self.side(letter), selector)

    def type(self, sentence, letter="A"):
        self.one("[name=goal]", letter).send_keys(Keys.CONTROL, "a")
        self.one("[name=goal]", letter).send_keys(sentence, Keys.ENTER)

    def ranked(self, letter="A"):
        """Waits until everything about a sentence is there."""

        def done():
            results = self.one(".results", letter)
            return results.is_displayed() and results.get_attribute("aria-busy") == "false"

        self.wait(done)

    def rows(self, letter="A"):
        script = (
            "return [...arguments[0].querySelectorAll('.grid .tile')].map((t) => t.dataset.row)"
        )
        return [int(row) for row in self.driver.execute_script(script, self.side(letter))]

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self):
        return self.driver.switch_to.active_element.get_attribute("title")

    def narrow(self, width=400, height=800):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.fixture
def page(chromium):  # noqa: F811
    chromium.set_window_size(1600, 1000)
    yield Page(chromium)
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    # Above all, nothing that the policy for the page's content forbids. A refused query is one.
    log = [entry for entry in chromium.get_log("browser") if "400" not in entry["message"]]
    assert log == []


def best(explorer, goal, count):
    """The ranked rows of a goal, best first."""
    from vlmrm.diagnosis.sentences import Sentences
    from vlmrm.exploring.query import Query

    rewards = explorer.rank(Query("sim-XS", "alpha-0", Sentences([goal])))["rewards"]
    rows = explorer.ranked.nonzero()[0].tolist()
    return sorted(rows, key=lambda row: -rewards[row])[:count]


def test_a_sentence_is_typed_and_everything_about_it_is_there(page, where, explorer):
    page.open(where)
    assert not page.one(".results").is_displayed()
    page.type("a humanoid robot kneeling")
    page.ranked()
    rows = page.rows()
    assert len(rows) % 6 == 0
    assert rows == best(explorer, "a humanoid robot kneeling", len(rows))
    kneels = explorer.collection.verdicts["kneeling"]
    marks = [mark.text for mark in page.all(".grid .mark", "A")]
    assert marks == ["✓" if kneels[row] else "✗" for row in rows]
    wrong = [int(tile.get_attribute("data-row")) for tile in page.all(".wrong .tile", "A")]
    assert wrong and not kneels[wrong].any()
    missed = [int(tile.get_attribute("data-row")) for tile in page.all(".missed .tile", "A")]
    assert missed and kneels[missed].all()
    assert page.text(".summary").startswith("kneeling is true of ")
    assert "kneeling" in page.text(".diagnosis .headline")
    assert len(page.all(".way", "A")) == 8
    assert page.text(".way.own") == "kneeling ★"
    assert len(page.all(".confusion tbody tr", "A")) == 8
    page.wait(lambda: all(
        page.driver.execute_script("return arguments[0].naturalWidth > 0", image)
        for image in page.all(".grid img", "A")
    ))  # fmt: skip


def test_the_worst_come_first_if_one_asks(page, where, explorer):
    page.open(where + "?goal=a+humanoid+robot+kneeling")
    page.ranked()
    Select(page.one(".order")).select_by_value("worst")
    count = len(page.rows())
    assert page.rows() == best(explorer, "a humanoid robot kneeling", 128)[::-1][:count]
    page.one(".after").click()
    assert page.rows() == best(explorer, "a humanoid robot kneeling", 128)[::-1][count : 2 * count]
    page.driver.refresh()
    page.ranked()
    assert Select(page.one(".order")).first_selected_option.text == "Worst first"


def test_by_keyboard_alone(page, where):
    page.open(where + "?goal=a+humanoid+robot+kneeling")
    page.ranked()
    page.driver.find_element(By.TAG_NAME, "body").send_keys("/")
    page.press("a robot in the lotus position", Keys.ENTER)
    page.wait(lambda: page.text(".summary").startswith("lotus"))
    page.press(Keys.ESCAPE)
    assert page.focused().startswith("Rank 1,")
    page.press(Keys.ARROW_RIGHT)
    assert page.focused().startswith("Rank 2,")
    page.press(Keys.END)
    count = len(page.rows())
    assert page.focused().startswith(f"Rank {count},")
    page.press(Keys.ARROW_RIGHT)
    assert page.focused().startswith(f"Rank {count + 1},")
    page.press(Keys.ENTER)
    (dialog,) = page.all("dialog[open]")
    assert f"rank {count + 1} of 128" in dialog.text
    page.press(Keys.ARROW_LEFT)
    assert f"rank {count} of 128" in dialog.text
    page.press(Keys.ESCAPE)
    page.wait(lambda: not page.all("dialog[open]"))


def test_back_and_reload_keep_the_sentence_the_scoring_and_the_judge(page, where):
    page.open(where)
    page.type("a humanoid robot kneeling")
    page.ranked()
    Select(page.one("[name=kind]")).select_by_value("alpha")
    page.wait(lambda: "alpha-0.5" in page.text(".diagnosis .headline"))
    page.type("a humanoid robot: on one leg? 100 % & more")
    page.wait(lambda: "one-leg" in page.text(".summary"))
    page.ranked()
    Select(page.driver.find_element(By.ID, "judge")).select_by_value("standing")
    page.wait(lambda: page.text(".summary").startswith("standing"))
    page.driver.refresh()
    page.ranked()
    assert page.one("[name=goal]").get_attribute("value").endswith("100 % & more")
    assert page.text(".summary").startswith("standing")
    assert page.one("[name=baseline]").get_attribute("value") == "a humanoid robot"
    for _ in range(2):
        page.driver.back()
    page.wait(lambda: page.text(".summary").startswith("kneeling"))
    assert "alpha-0.5" in page.driver.current_url


def test_two_sentences_beside_each_other(page, where, explorer):
    page.open(where + "?goal=a+humanoid+robot+kneeling")
    page.ranked()
    page.driver.find_element(By.ID, "compare").click()
    page.ranked("B")
    page.type("a robot in the lotus position", "B")
    page.wait(lambda: page.rows("B") != page.rows("A"))
    page.ranked("B")
    assert page.rows("B") == best(explorer, "a robot in the lotus position", len(page.rows("B")))
    # Each pose has its rank in the other ranking, and one judge is for both.
    other = {row: rank for rank, row in enumerate(best(explorer, "a humanoid robot kneeling", 128))}
    shown = [element.text for element in page.all(".grid .other", "B")]
    assert shown == [f"A: rank {other[row] + 1}" for row in page.rows("B")]
    assert page.text(".summary", "B").startswith("kneeling is true of")
    page.wait(lambda: "a robot in the lotus position" in page.text(".confusion tbody", "A"))
    page.driver.refresh()
    page.ranked("A")
    page.ranked("B")
    assert page.one("[name=goal]", "B").get_attribute("value") == "a robot in the lotus position"
    page.driver.find_element(By.ID, "compare").click()
    assert len(page.all(".side")) == 1
    assert not page.all(".grid .other")


def test_the_task_is_copied(page, where):
    page.driver.execute_cdp_cmd(
        "Browser.grantPermissions",
        {
            "origin": where.rstrip("/"),
            "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"],
        },
    )
    page.open(where + "?goal=a+humanoid+robot+kneeling")
    page.ranked()
    page.one(".yaml").click()
    page.wait(lambda: page.text(".copied"))
    assert page.text(".copied").startswith("Copied")
    copied = page.driver.execute_script("return navigator.clipboard.readText()")
    assert copied == page.text(".task pre")
    task = yaml.safe_load(copied)["tasks"]["kneeling"]
    assert task == {
        "environment": "humanoid",
        "goal": "a humanoid robot kneeling",
        "oracle": "kneeling",
    }


def test_the_yaml_of_a_free_sentence_has_the_judge_that_was_chosen_or_none(page, where):
    def task(side):
        page.one(".yaml", side).click()
        page.wait(lambda: page.text(".task pre", side))
        (entry,) = yaml.safe_load(page.text(".task pre", side))["tasks"].values()
        return entry

    page.open(where + "?goal=a+humanoid+robot+kneeling&b-goal=a+cartwheel&b-model=sim-XS")
    page.ranked("A")
    page.ranked("B")
    assert page.text(".summary", "B").startswith("kneeling is true of")
    assert "oracle" not in task("B")
    page.open(where + "?goal=a+cartwheel&judge=standing")
    page.ranked()
    assert task("A")["oracle"] == "standing"


def test_mistakes_are_one_line_and_the_last_ranking_stays(page, where):
    page.open(where + "?goal=a+humanoid+robot+kneeling")
    page.ranked()
    rows = page.rows()

    def error():
        return page.text("form .error")

    page.type(Keys.DELETE)
    page.wait(lambda: error() == "sentence: empty; type what the picture should show")
    page.type("a robot " * 60)
    page.wait(lambda: "is longer than sim-XS reads" in error())
    page.type("a humanoid robot kneeling")
    page.wait(lambda: not error())
    Select(page.one("[name=kind]")).select_by_value("alpha")
    page.ranked()
    page.one("[name=baseline]").send_keys(Keys.CONTROL, "a")
    page.one("[name=baseline]").send_keys(Keys.DELETE, Keys.ENTER)
    page.wait(lambda: error() == "baseline: missing; alpha-0.5 needs one")
    Select(page.one("[name=kind]")).select_by_value("contrast")
    page.wait(lambda: not error())  # with the tasks' sentences
    page.one("[name=contrast]").send_keys(Keys.CONTROL, "a")
    page.one("[name=contrast]").send_keys(Keys.DELETE, Keys.ENTER)
    page.wait(lambda: error() == "contrast: missing; contrast-0.05 needs one")
    Select(page.one("[name=kind]")).select_by_value("plain")
    page.wait(lambda: not error())
    page.ranked()
    assert page.rows() == rows


def test_a_diagnosis_that_fails_leaves_nothing_of_the_last_one(page, where, monkeypatch):
    page.open(where)
    page.type("a humanoid robot kneeling")
    page.ranked()
    assert page.text(".diagnosis .headline")
    failing = Mock(side_effect=UserError("states: too few"))
    monkeypatch.setattr("vlmrm.exploring.explorer.measure_sentences", failing)
    page.type("a humanoid robot standing up")
    page.ranked()
    page.wait(lambda: page.text("form .error") == "states: too few")
    assert page.one(".diagnosis").get_attribute("aria-busy") == "false"
    assert page.text(".diagnosis .content") == ""
    assert "standing up" in page.text(".confusion .content")


CONTRAST = """
const luminance = (color) => {
  const [r, g, b] = color.match(/\\d+/g).map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
return [...document.querySelectorAll(".grid .tile .mark")].map((mark) => {
  const front = luminance(getComputedStyle(mark).color);
  const back = luminance(getComputedStyle(mark.closest(".tile")).backgroundColor);
  return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
});
"""
"""Contrast of each verdict with its tile, by WCAG 2.1."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_verdicts_can_be_read(page, where, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    page.open(where)
    page.type("a humanoid robot kneeling")
    page.ranked()
    contrasts = page.driver.execute_script(CONTRAST)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert contrasts and min(contrasts) >= 4.5


def test_it_fits_a_phone(page, where):
    page.narrow()
    address = "?goal=a+humanoid+robot+kneeling&model=sim-XS&scoring=alpha-0"
    page.open(f"{where}{address}&b-goal=a+robot&b-model=sim-XS&b-scoring=alpha-0")
    page.ranked()
    width = page.driver.execute_script("return document.documentElement.scrollWidth")
    assert width <= 400
    assert len(page.rows()) == 18  # six lines of three
    assert not page.side("B").is_displayed()
    page.driver.find_element(By.CSS_SELECTOR, "#tabs :last-child").click()
    assert page.side("B").is_displayed() and not page.side("A").is_displayed()
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= 400


def test_pictures_of_anybody(page, serving, tmp_path):
    for name, level in (("dark", 20), ("light", 230)):
        Image.new("RGB", (60, 40), (level,) * 3).save(tmp_path / f"{name}.png")
    page.open(serving("--pictures", tmp_path, "--model", "sim-XS"))
    page.type("a robot")
    page.ranked()
    assert {name.text for name in page.all(".grid .name", "A")} == {"dark.png", "light.png"}
    assert page.text(".summary") == "2 pictures, best first. No judge."
    assert not page.driver.find_element(By.ID, "judge").is_displayed()
    for part in (".wrong", ".missed", ".ways", ".confusion", ".strip"):
        assert not page.one(part).is_displayed()
    assert "Nothing to judge by" in page.text(".diagnosis .headline")
