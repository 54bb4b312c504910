"""What the documentation says exists, parses and runs."""

import re
import shlex
from pathlib import Path

import click
import pytest

from toadstone.catalogue import names
from toadstone.cli import toadstone_command
from toadstone.datasets import ENTRIES

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if not {"results", "api"} & set(path.relative_to(ROOT).parts)
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def named(path):
    return path.relative_to(ROOT).as_posix()


def blocks(language):
    return [
        pytest.param(code, id=f"{named(page)}-{number}")
        for page in PAGES
        for number, (found, code) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
        if found == language
    ]


def commands(program):
    texts = [(named(page), code) for page in PAGES for _, code in BLOCK.findall(page.read_text(encoding="utf-8"))]
    for command in [toadstone_command, *toadstone_command.commands.values()]:
        lines = re.findall(rf"^ *({program} .*)$", f"{command.help}\n{command.epilog}", flags=re.MULTILINE)
        texts.append((f"help of {command.name}", "\n".join(f"$ {line}" for line in lines)))
    return [
        pytest.param(line, id=f"{name}: {line}")
        for name, text in texts
        for line in re.findall(rf"^\$ ({program} .*)$", text, flags=re.MULTILINE)
    ]


def test_there_is_something_to_check():
    assert len(commands("toadstone")) > 15
    assert len(blocks("python")) >= 2


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_linked_pages_exist(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    local = [target.partition("#")[0] for target in targets if "://" not in target and not target.startswith("#")]
    rooms = {f"api/{room.parent.name}.rst" for room in (ROOT / "src" / "toadstone").glob("*/__init__.py")}
    assert [target for target in local if target not in rooms and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("line", commands("toadstone"))
def test_quoted_commands_parse(line):
    _, name, *arguments = shlex.split(line)
    command = toadstone_command.commands[name]
    with command.make_context(name, arguments) as context:
        assert isinstance(context, click.Context)


@pytest.mark.parametrize("line", commands("make"))
def test_quoted_targets_exist(line):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in shlex.split(line)[1:]:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "documentation", "exec"), {"__name__": "documentation"})


@pytest.mark.parametrize("name", sorted(toadstone_command.commands))
def test_every_command_has_a_section(name):
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert f"\n## {name}\n" in text
    assert f"`toadstone {name}`" in text


@pytest.mark.parametrize("name", sorted(toadstone_command.commands))
def test_every_option_is_explained(name):
    text = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("command-line.md", "data.md"))
    options = {option for parameter in toadstone_command.commands[name].params for option in parameter.opts}
    assert {option for option in options if option.startswith("--") and option not in text} == set()


def test_the_catalogue_table_is_true():
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", text, flags=re.MULTILINE)
    stated = {name: tuple(int(number.replace(",", "")) for number in numbers) for name, *numbers in rows}
    assert stated == {entry.name: (entry.rows, entry.test_rows, entry.features) for entry in ENTRIES}


def test_every_sanitizer_is_explained():
    text = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    assert tuple(rows) == names("sanitizer")


def test_every_detector_is_in_the_list_of_scan():
    text = (ROOT / "docs/command-line.md").read_text()
    listed = text[text.index("`--detectors` names what runs") : text.index("`--group COLUMN` says")]
    assert [name for name in names("detector") if f"`{name}`" not in listed] == []
