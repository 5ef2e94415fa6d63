"""The pages in a real browser: no request, no script, readable, nothing overflows."""

import shutil

import pytest

from casefinding.report.practice import practice_page
from casefinding.report.shapes import SHEET_WORDS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (.ci/run installs it)")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield opened
        opened.close()


@pytest.fixture(params=["lists", "full_lists"])
def shown(request, browser, edition, tmp_path):
    lists = request.getfixturevalue(request.param)
    file = tmp_path / "list.html"
    file.write_text(practice_page(lists, edition, up="../index.html"))
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.asked, tab.complaints = [], []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.on("console", lambda message: tab.complaints.append(message.text))
    tab.goto(file.as_uri())
    yield tab
    context.close()


def test_a_page_makes_no_request_and_breaks_no_policy(shown):
    assert [url for url in shown.asked if not url.startswith(("file:", "data:"))] == []
    assert shown.complaints == []


def test_a_page_is_styled_under_its_own_content_policy(shown):
    assert shown.locator("header.top").evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(0, 94, 184)"


def test_a_page_does_not_scroll_sideways_as_a_whole(shown):
    for width in (1280, 820, 390):
        shown.set_viewport_size({"width": width, "height": 900})
        assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_sheet_can_be_reached_from_the_top(shown):
    for lane, (heading, _) in SHEET_WORDS.items():
        assert shown.locator(f"h2#{lane.replace(' ', '-')}").inner_text().startswith(heading)
        assert shown.locator(f"a[href='#{lane.replace(' ', '-')}']").count() == 1


def test_the_text_for_a_task_opens_without_a_script_and_can_be_selected_in_one_go(shown):
    block = shown.locator("pre.task").first
    assert not block.is_visible()
    shown.locator("summary").first.click()
    assert block.is_visible()
    assert block.evaluate("node => getComputedStyle(node).userSelect") == "all"


def test_axe_finds_no_accessibility_violation(browser, shown):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(bypass_csp=True)  # axe is a script, and our pages allow none
    tab = context.new_page()
    tab.goto(shown.url)
    for summary in tab.locator("summary").all()[:2]:
        summary.click()  # what opens is read as well
    found = Axe().run(tab)
    context.close()
    assert found.violations_count == 0, found.generate_report()
