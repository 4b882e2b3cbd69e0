"""Every reader on sound files whose bytes were changed: one line that names the file, or a result that holds.

A longer round, by hand: pytest tests/test_damaged_files.py --hypothesis-profile=long
"""

import pytest
from damaged_files import CHANGES, Change, apply, survives
from hypothesis import HealthCheck, example, given, settings
from sound_files import CASES

EXAMPLES = settings.default.max_examples // 2  # 25, or 1,000 in the long profile


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(CHANGES)
@example([Change("cut", 0.0, 0)])
@example([Change("flip", 0.5, 3)])
def test_a_damaged_file_is_named_or_read_as_it_stands(tmp_path_factory, case, changes):
    folder = tmp_path_factory.getbasetemp() / "damaged" / case.file.replace("/", "_")
    path = folder / case.file
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
    if case.beside:
        case.beside(folder)
    path.write_bytes(apply(case.content, changes))
    survives(lambda: case.read(path), case.check, str(folder))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_sound_file_is_read(tmp_path, case):
    path = tmp_path / case.file
    path.parent.mkdir(parents=True, exist_ok=True)
    if case.beside:
        case.beside(tmp_path)
    path.write_bytes(case.content)
    assert survives(lambda: case.read(path), case.check, str(path)) is None
