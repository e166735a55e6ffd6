"""What a browser complains of while it shows a page."""

from playwright.sync_api import Page

_SERIOUS = {"error", "warning"}


def complaints_of(page: Page) -> list[str]:
    """Collect errors, warnings and broken rules of content from now on.

    A browser's hints to authors are left out: Chromium gives them or not by how busy it is, and
    Swagger UI's forms earn some.
    """
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type in _SERIOUS else None,
    )
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    return complaints
