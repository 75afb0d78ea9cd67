"""The page as a reader opens it, in a real browser."""

import base64

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser import IN_BROWSER, start_chromium
from vlmrm.config import load_config
from vlmrm.page.render import write_page

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    driver = start_chromium(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium, finished_run):
    """The page of the finished run, opened as a file; at the end, its console must be empty."""
    output = finished_run / "index.html"
    write_page(finished_run, load_config(finished_run / "config.yaml"), output)
    chromium.get(f"file://{output}")
    yield chromium
    assert chromium.get_log("browser") == []


def wait(page, script):
    return WebDriverWait(page, 300, 0.05).until(lambda _: page.execute_script(script))


def shown(page, selector):
    return [e for e in page.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()]


def choose(page, **values):
    for name, value in values.items():
        Select(page.find_element(By.NAME, name)).select_by_visible_text(value)


def open_table(page, title):
    page.find_element(By.XPATH, f"//summary[starts-with(., '{title}')]").click()


def test_every_figure_loads(page):
    script = "return [...document.images].every(i => i.complete && i.naturalWidth > 0 && i.alt)"
    assert page.execute_script("return document.images.length") > 20
    assert wait(page, script)


def test_every_video_plays(page):
    videos = page.find_elements(By.TAG_NAME, "video")
    assert len(videos) > 7
    page.execute_script("for (const video of document.querySelectorAll('video')) video.play()")
    every = "return [...document.querySelectorAll('video')].every(v => {})"
    assert wait(page, every.format("v.currentTime > 0 && v.videoWidth === 64 && !v.error"))
    page.execute_script("for (const video of document.querySelectorAll('video')) video.pause()")


def test_videos_play_while_they_are_in_view(page):
    *_, last = page.find_elements(By.TAG_NAME, "video")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", last)
    assert wait(page, "return ![...document.querySelectorAll('video')].at(-1).paused")
    page.execute_script("scrollTo(0, 0)")
    assert wait(page, "return [...document.querySelectorAll('video')].at(-1).paused")


@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_the_window(page, width):
    try:
        page.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        page.execute_script(
            "for (const details of document.querySelectorAll('details')) details.open = true"
        )
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        sizes = (
            "return [...document.querySelectorAll('p, td')].map(e => getComputedStyle(e).fontSize)"
        )
        assert all(float(size.removesuffix("px")) >= 13 for size in page.execute_script(sizes))
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_switch_hides_what_does_not_belong(page):
    videos = "#videos figure"
    everything = len(shown(page, videos))
    choose(page, task="kneeling", model="smoke-S-round-1")
    assert [e.text for e in shown(page, "#videos figure strong")] == [
        "oracle",
        "smoke-S-round-1, alpha-0",
    ]
    headings = [e.text for e in shown(page, "#landscapes h3, #optimization h3")]
    assert headings == ["Adversarial rounds: smoke-S"]
    assert shown(page, "#landscapes .nothing")
    page.find_element(By.CSS_SELECTOR, "#choices [type=reset]").click()
    WebDriverWait(page, 300, 0.05).until(lambda _: len(shown(page, videos)) == everything)
    assert not shown(page, ".nothing")


def test_rows_of_tables_are_hidden_too(page):
    open_table(page, "Measures of the reward: kneeling")
    assert len(shown(page, "#epic tbody tr")) == 2
    choose(page, model="smoke-S")
    assert [row.text.split()[0] for row in shown(page, "#epic tbody tr")] == ["smoke-S"]


def test_tables_sort_by_keyboard(page):
    open_table(page, "Measures of the reward: kneeling")
    header = next(e for e in shown(page, "#epic th") if e.text.startswith("EPIC"))

    def values():
        cells = "#epic tbody tr td:nth-child(3)"
        return [cell.text.split()[0] for cell in shown(page, cells)]

    button = header.find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    assert (values(), header.get_attribute("aria-sort")) == (["0.251", "0.700"], "ascending")
    button.send_keys(Keys.ENTER)
    assert (values(), header.get_attribute("aria-sort")) == (["0.700", "0.251"], "descending")


def test_it_prints_with_its_tables(page):
    printed = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed.startswith(b"%PDF")
    assert len(printed) > 50_000
    assert page.execute_script(
        "return [...document.querySelectorAll('main details')].every(details => details.open)"
    )
