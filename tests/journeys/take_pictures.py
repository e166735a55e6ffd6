"""Takes the pictures of the documents from a running copy with the demo cohort: `make screenshots`.

Only the newest look of a page is kept; whoever changes a page takes the pictures anew and looks.
"""

import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, sync_playwright

from tests.journeys.site import ROOT, RunningSite

PICTURES = ROOT / "docs" / "pictures"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def take(page: Page, name: str, scheme: str, *, whole: bool = False) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{name}-{scheme}.png", full_page=whole)


def take_all(page: Page, site: RunningSite, scheme: str) -> None:
    email, password = (site.var / "demo_sign_in.txt").read_text().split()
    page.goto(site.url)
    take(page, "sign-in", scheme)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    take(page, "worklist", scheme)
    page.locator("main table a").first.click()
    take(page, "patient", scheme, whole=True)


def main() -> None:
    path = next((path for path in CHROMIUM if Path(path).exists()), None)
    if path is None:
        sys.exit("No Chromium here; on Debian: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soundings-pictures-") as folder:
        site = RunningSite(Path(folder))
        try:
            site.start()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                for scheme in SCHEMES:
                    page = browser.new_page(
                        viewport={"width": 1280, "height": 900}, color_scheme=scheme
                    )
                    take_all(page, site, scheme)
                    page.close()
                browser.close()
        finally:
            site.end()


if __name__ == "__main__":
    main()
