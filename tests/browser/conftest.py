"""A headless Chromium for tests of what people see; where there is none they are skipped, with a word."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LAUNCH = 180_000  # milliseconds: the first start on a busy machine reads some 300 MB from the disk
NAMES = ("chromium", "chromium-browser", "google-chrome")  # Debian's first
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")  # Playwright's event loop runs as long, and other tests start their own
def browser() -> Iterator:
    """Debian's Chromium, driven by Playwright; CHAINRULE_CHROMIUM names another."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra: test)")
    path = os.environ.get("CHAINRULE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium here (apt install chromium): what people see was not tested in a browser")
    with playwright.sync_playwright() as driver:
        # its own sandbox needs namespaces that containers and root do not have
        arguments = ["--no-sandbox", "--disable-gpu"]
        found = driver.chromium.launch(executable_path=path, args=arguments, timeout=LAUNCH)
        yield found
        found.close()


@pytest.fixture
def open_page(browser) -> Iterator[Callable]:
    """Opens a file as a reader would: open_page(path, dark=True, phone=True); no network, errors fail the test."""
    contexts, errors = [], []

    def opened(path: Path, *, dark: bool = False, phone: bool = False):
        scheme = "dark" if dark else "light"
        context = browser.new_context(
            viewport=PHONE if phone else DESK, color_scheme=scheme, offline=True, device_scale_factor=1
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda request: errors.append(f"asked for {request.url}"))
        page.goto(path.resolve().as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def expect_accessible() -> Callable:
    """Fails with what axe-core finds wrong with a page: names, contrast, order of headings, labels."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (extra: test)")

    def expect(page) -> None:
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()

    return expect


def expect_no_sideways_scroll(page) -> None:
    """What is wider than the window scrolls in its own box, and the page does not."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page is {wide} px wider than the window"


@pytest.fixture
def expect_fits() -> Callable:
    """The same for tests that cannot name this file, which is one of several of its name."""
    return expect_no_sideways_scroll
