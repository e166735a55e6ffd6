"""The explanation as a PDF: downloaded by whoever is signed in, and never mailed."""

from pathlib import Path

import matplotlib as mpl
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos
from fpdf.fonts import FontFace

from monitoring.portal.presenters.explanation import ExplanationPage
from monitoring.portal.presenters.sections import Section

# DejaVu comes with matplotlib and has the minus, the Greek and the accents of our texts
_FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
_FAMILY = "DejaVu"
_SHORT, _LONG, _PADDING = 26, 90, 4  # mm: a column up to which is short, and what it is given more
_LEAST_ROOM = 38  # mm: a heading, its sentence, and the first rows of its table
_HEAD = FontFace(emphasis="BOLD")


class Report(FPDF):
    """A page of A4 that says on every sheet whom it is about, when it was printed, and by whom."""

    def __init__(self, *, about: str, printed: str) -> None:
        super().__init__(format="A4")
        self.about, self.printed = about, printed
        self.add_font(_FAMILY, "", _FONTS / "DejaVuSans.ttf")
        self.add_font(_FAMILY, "B", _FONTS / "DejaVuSans-Bold.ttf")
        self.set_auto_page_break(auto=True, margin=18)

    def header(self) -> None:
        self.set_font(_FAMILY, "B", 9)
        self.multi_cell(0, 5, self.about, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font(_FAMILY, "", 7)
        limits = _(
            "Decision support and a research instrument; not a diagnosis, not a treatment rule."
        )
        page = _("Page %(page)s of {nb}") % {"page": self.page_no()}
        self.multi_cell(0, 4, f"{limits}\n{self.printed} · {page}", align=Align.L)


def render(page: ExplanationPage, *, about: str, printed: str) -> bytes:
    """Lay the sections out, one below the other."""
    report = Report(about=about, printed=printed)
    report.set_title(_("Explanation of an assessment"))
    report.set_lang("en")
    report.add_page()
    report.set_font(_FAMILY, "B", 14)
    report.multi_cell(0, 8, _("Explanation of an assessment"), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    report.set_font(_FAMILY, "", 9)
    made = _("Assessed %(at)s") % {"at": page.made}
    report.multi_cell(0, 5, made, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    for section in page.sections:
        _add(report, section)
    return bytes(report.output())


def _widths(report: Report, section: Section) -> list[float]:
    """Give each short column the room of its longest cell, and share the rest among the long ones.

    So a day or a word is never broken, and a source is not squeezed into a strip.
    """
    report.set_font(_FAMILY, "B", 8)
    heads = section.head or ("",) * len(section.rows[0])
    wanted, least = [], []
    for head, *cells in zip(heads, *section.rows, strict=True):
        words = [word for text in (head, *cells) for word in text.split()]
        least.append(_PADDING + max(map(report.get_string_width, words), default=0.0))
        wanted.append(max(least[-1], _PADDING + max(map(report.get_string_width, cells))))
    report.set_font(_FAMILY, "", 8)
    columns = list(zip(wanted, least, strict=True))
    floors = [low if width > _SHORT else width for width, low in columns]
    shares = [min(width, _LONG) if width > _SHORT else 0.0 for width in wanted]
    left = report.epw - sum(floors)
    if left <= 0 or not any(shares):
        return wanted
    return [floor + left * share / sum(shares) for floor, share in zip(floors, shares, strict=True)]


def _add(report: Report, section: Section) -> None:
    if report.will_page_break(_LEAST_ROOM):  # a heading stays with what it heads
        report.add_page()
    report.ln(3)
    report.set_font(_FAMILY, "B", 11)
    report.multi_cell(0, 7, section.title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    report.set_font(_FAMILY, "", 8)
    if section.note:
        report.multi_cell(0, 5, section.note, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    if not section.rows:
        return
    if not section.head and len(section.rows[0]) == 1:
        for row in section.rows:
            report.multi_cell(
                0, 5, f"• {row[0]}", align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT
            )
        return
    with report.table(
        col_widths=tuple(_widths(report, section)),
        text_align="LEFT",
        line_height=4.5,
        padding=1,
        headings_style=_HEAD,
        first_row_as_headings=bool(section.head),
    ) as table:
        for cells in [section.head, *section.rows] if section.head else section.rows:
            table.row(cells)
