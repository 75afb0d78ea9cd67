"""Labeling as a person does it, in a real browser."""

import csv
import re
import resource
from urllib.parse import urlsplit

import psutil
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser import IN_BROWSER, chromium  # noqa: F401
from vlmrm.labeling.session import shown_order

pytestmark = IN_BROWSER

ANSWERS = {"y": "yes", "n": "no", "u": "unsure"}


class Page:
    """The page as a rater sees it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, where):
        self.driver.get(where)
        self.wait()

    def element(self, name):
        return self.driver.find_element(By.ID, name)

    @property
    def shown(self):
        """The position of the picture that is seen, from 0 on; None while there is none."""
        # In one step, since the page may change between two.
        text = self.driver.execute_script(
            "const picture = document.getElementById('picture');"
            "const image = picture.querySelector('img');"
            "return picture.getAttribute('aria-busy') === 'false' && image.naturalWidth > 0"
            " ? image.alt : null"
        )
        return text and int(text.split()[1]) - 1

    def wait(self, position=None):
        def arrived(_):
            return self.shown is not None if position is None else self.shown == position

        WebDriverWait(self.driver, 300, 0.02).until(arrived)

    def press(self, key):
        self.driver.find_element(By.TAG_NAME, "body").send_keys(key)

    @property
    def chosen(self):
        """The answer that is marked as given."""
        pressed = self.driver.find_elements(By.CSS_SELECTOR, "[aria-pressed=true]")
        return [button.get_attribute("data-answer") for button in pressed]

    @property
    def progress(self):
        assert self.element("count").text == (
            f"{self.element('progress').get_attribute('value')} of "
            f"{self.element('progress').get_attribute('max')} labeled"
        )
        return self.element("count").text


@pytest.fixture
def page(chromium):  # noqa: F811
    yield Page(chromium)
    # Above all, nothing that the policy for the page's content forbids.
    log = chromium.get_log("browser")
    assert [entry for entry in log if entry["source"] != "network"] == []


def wait_for(page, condition):
    WebDriverWait(page.driver, 300, 0.02).until(lambda _: condition())


def label(page, keys, start=0):
    for position, key in enumerate(keys, start):
        page.wait(position)
        page.press(key)


def test_twenty_pictures_by_keyboard(page, serving, tmp_path):
    output = tmp_path / "labels.csv"
    _, where = serving(output)
    page.open(where)
    assert page.progress == "0 of 30 labeled"
    assert not page.element("back").is_enabled()

    keys = "yynunynyuynnyuynyynu"
    label(page, keys[:12])
    page.wait(12)
    page.driver.refresh()
    page.wait(12)
    assert page.progress == "12 of 30 labeled"
    label(page, keys[12:], start=12)
    page.wait(20)

    # The last answer was a mistake.
    page.press(Keys.BACKSPACE)
    page.wait(19)
    assert page.chosen == [ANSWERS[keys[-1]]]
    assert "your answer: Unsure" in page.element("status").text
    page.press("n")
    page.wait(20)
    assert page.chosen == []
    assert page.progress == "20 of 30 labeled"

    expected = [ANSWERS[key] for key in keys] + ["no"]
    order = shown_order(30, None, 0).tolist()
    with output.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["label"] for line in lines] == expected
    assert [int(line["state"]) for line in lines] == [*order[:20], order[19]]
    assert {(line["rater"], line["task"]) for line in lines} == {("anna", "mountain-car")}
    assert page.driver.get_log("browser") == []


def test_buttons_back_and_the_end(page, serving, tmp_path):
    _, where = serving(tmp_path / "labels.csv", "--sample", 3)
    page.open(where)
    for position, answer in enumerate(("yes", "no")):
        page.wait(position)
        page.driver.find_element(By.CSS_SELECTOR, f"[data-answer={answer}]").click()
    page.wait(2)
    for position in (1, 0):
        page.element("back").click()
        page.wait(position)
    # From a picture that was labeled before, it goes on to the first that was not.
    page.press("u")
    page.wait(2)
    page.press("y")
    wait_for(page, lambda: page.element("finished").is_displayed())
    assert "All 3 pictures are labeled" in page.element("finished").text
    page.press("b")
    page.wait(2)
    assert page.chosen == ["yes"]
    page.driver.refresh()
    wait_for(page, lambda: page.element("finished").is_displayed())


def test_an_answer_that_is_not_saved_is_told(page, serving, tmp_path):
    process, where = serving(tmp_path / "labels.csv")
    page.open(where)
    process.kill()
    process.wait()
    page.press("y")
    wait_for(page, lambda: page.element("status").text)
    assert page.element("status").text.startswith("Not saved.")
    assert page.shown == 0
    assert page.progress == "0 of 30 labeled"


def process_at(where):
    """The process that serves this address: a fork of the tests' server, not its client."""
    port = urlsplit(where).port
    listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    (process,) = {c.pid for c in listening if c.laddr.port == port}
    return process


def test_a_full_disk_is_told_and_the_answer_given_again(page, serving, tmp_path):
    output = tmp_path / "labels.csv"
    _, where = serving(output)
    page.open(where)
    page.press("y")
    page.wait(1)
    content = output.read_text()
    server = process_at(where)
    unlimited = resource.prlimit(server, resource.RLIMIT_FSIZE)
    resource.prlimit(server, resource.RLIMIT_FSIZE, (len(content) + 9, unlimited[1]))
    page.press("n")
    wait_for(page, lambda: page.element("status").text.startswith("Not saved"))
    assert page.element("status").text == (
        f"Not saved: {output}: cannot be written (File too large); fix that and answer again"
    )
    assert page.shown == 1
    assert page.progress == "1 of 30 labeled"
    assert output.read_text() == content
    resource.prlimit(server, resource.RLIMIT_FSIZE, unlimited)
    page.press("n")
    page.wait(2)
    assert page.element("status").text == "Saved: No"
    assert output.read_text().startswith(content)
    assert [line["label"] for line in csv.DictReader(output.open())] == ["yes", "no"]


def test_tabs_and_servers_agree_with_the_file(page, serving, tmp_path):
    output = tmp_path / "labels.csv"
    (_, where), (_, other) = (serving(output) for _ in range(2))
    page.open(where)
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    try:
        page.open(other)
        label(page, "yn")
        page.wait(2)
        # What this tab did not see is there after its next answer; the later answer counts.
        second = page.driver.current_window_handle
        page.driver.switch_to.window(first)
        assert page.shown == 0
        page.press("u")
        page.wait(2)
        assert page.progress == "2 of 30 labeled"
        page.press("b")
        page.wait(1)
        assert page.chosen == ["no"]
        page.press("y")
        page.wait(2)
        page.driver.switch_to.window(second)
        label(page, "n", start=2)
        page.wait(3)
        for position, answer in ((2, "no"), (1, "yes"), (0, "unsure")):
            page.press("b")
            page.wait(position)
            assert page.chosen == [answer]
    finally:
        page.driver.close()
        page.driver.switch_to.window(first)
    page.driver.refresh()
    page.wait(3)
    assert page.progress == "3 of 30 labeled"
    labels = [line["label"] for line in csv.DictReader(output.open())]
    assert labels == ["yes", "no", "unsure", "yes", "no"]


def test_another_site_neither_labels_nor_frames_the_page(page, serving, tmp_path):
    output = tmp_path / "labels.csv"
    _, where = serving(output)
    page.driver.get(where.replace("127.0.0.1", "evil.example"))
    assert page.driver.find_element(By.TAG_NAME, "body").text == (
        f"this page is not at 'evil.example'; open {where}"
    )
    (tmp_path / "site.html").write_text(
        f"<iframe src={where}></iframe><img src={where}static/icon.svg>"
    )
    page.driver.get(f"file://{tmp_path / 'site.html'}")
    wait_for(page, lambda: page.driver.execute_script("return document.images[0].complete"))
    assert page.driver.execute_script("return document.images[0].naturalWidth") == 0
    page.driver.switch_to.frame(0)
    assert not page.driver.find_elements(By.ID, "picture")
    page.driver.switch_to.default_content()
    refused = "Refused to frame|frame-ancestors"
    assert any(re.search(refused, entry["message"]) for entry in page.driver.get_log("browser"))
    assert not output.exists()


def test_it_fits_a_phone(page, serving, tmp_path):
    _, where = serving(tmp_path / "labels.csv")
    try:
        page.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 390, "height": 664, "deviceScaleFactor": 2, "mobile": True},
        )
        page.open(where)
        root = "document.documentElement"
        width, height = page.driver.execute_script(
            f"return [{root}.scrollWidth, {root}.scrollHeight]"
        )
        assert width <= 390
        assert height <= 664
        for button in page.driver.find_elements(By.TAG_NAME, "button"):
            assert button.size["height"] >= 44
            assert button.size["width"] >= 44
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
