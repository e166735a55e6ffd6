"""The least daily dose that counts as adequate, drug by drug, as data with its source.

A default for sites that have not set their own figures: the lower bound of the usual range. It is
not a table of the ATHF (Antidepressant Treatment History Form), and whoever shows it says so.
"""

from dataclasses import dataclass

from analytics.evidence import Grade

# Any other figure in the table is another version; it prints with every assessment
TABLE_VERSION = "default 2026-1"
NOT_AN_ATHF_TABLE = (
    "Default least doses: the lower bound of the usual range. This is not an ATHF table."
)
_USUAL = "UpToDate mirror pro.uptodatefree.ir/Show/53818; McMaster textbook empendium 031_8844"


@dataclass(frozen=True, slots=True)
class LeastDose:
    """One drug: the least adequate and the highest usual total daily dose, in mg."""

    atc: str
    drug: str
    least_mg: float
    usual_to_mg: float
    source: str = _USUAL
    grade: Grade = Grade.SECONDARY


_VENLAFAXINE = "a choice: the usual range begins at 75 mg, which the MGH-ATRQ takes for too low"
_VORTIOXETINE = "a choice: 20 mg is usual, 5 mg the lower bound of its range"

DOSE_TABLE: dict[str, LeastDose] = {
    each.atc: each
    for each in (
        LeastDose("N06AA01", "desipramine", 150, 300),
        LeastDose("N06AA02", "imipramine", 150, 300),
        LeastDose("N06AA04", "clomipramine", 100, 250),
        LeastDose("N06AA09", "amitriptyline", 150, 300),
        LeastDose("N06AA10", "nortriptyline", 50, 150),
        LeastDose("N06AB03", "fluoxetine", 20, 60),
        LeastDose("N06AB04", "citalopram", 20, 40),
        LeastDose("N06AB05", "paroxetine", 20, 40),
        LeastDose("N06AB06", "sertraline", 50, 200),
        LeastDose("N06AB08", "fluvoxamine", 50, 200),
        LeastDose("N06AB10", "escitalopram", 10, 20),
        LeastDose("N06AF03", "phenelzine", 15, 90),
        LeastDose("N06AF04", "tranylcypromine", 30, 60),
        LeastDose("N06AX05", "trazodone", 200, 400),
        LeastDose("N06AX11", "mirtazapine", 15, 45),
        LeastDose("N06AX12", "bupropion", 300, 300),
        LeastDose("N06AX16", "venlafaxine", 150, 225, _VENLAFAXINE, Grade.DERIVED),
        LeastDose("N06AX17", "milnacipran", 100, 200),
        LeastDose("N06AX21", "duloxetine", 60, 120),
        LeastDose("N06AX22", "agomelatine", 25, 50),
        LeastDose("N06AX23", "desvenlafaxine", 50, 100),
        LeastDose("N06AX24", "vilazodone", 40, 40),
        LeastDose("N06AX26", "vortioxetine", 5, 20, _VORTIOXETINE, Grade.DERIVED),
        LeastDose("N06AX28", "levomilnacipran", 40, 80),
    )
}
