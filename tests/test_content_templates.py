"""Templates: what they may use, what stops them, and what their errors say."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from content_helpers import Folder

from campaign_cli.content.templates import TemplateProblem, Templates

VALUES: dict[str, Any] = {"kota": "Jakarta", "angka": 3, "daftar": ["satu", "dua"], "peta": {"a": 1}, "kosong": None}


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return Templates(tmp_path)


def failure(templates: Templates, text: str) -> TemplateProblem:
    with pytest.raises(TemplateProblem) as caught:
        templates.text(text, VALUES)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Halo { tanpa }", "Halo { tanpa }"),
        ("Halo {{ kota }}", "Halo Jakarta"),
        (
            "{{ kosong }}{{ angka + 1 }} {{ 10 * angka }} {{ 2 ** 3 }} {{ 7 % 4 }} {{ 'a' ~ angka ~ kosong }}",
            "4 30 8 3 a3",
        ),
        ("{% for kata in daftar %}{{ loop.index }}. {{ kata }}\n{% endfor %}", "1. satu\n2. dua\n"),
        ("{{ daftar | join(', ') }} {{ daftar | map('upper') | join('-') }}", "satu, dua SATU-DUA"),
        ("{{ [peta, peta] | join('+', attribute='a') }} {{ [peta] | sum(attribute='a') | int }}", "1+1 1"),
        ("{{ 'a-b' | replace('-', ' ') }} {{ 2.345 | round(1) }} {{ 2.6 | round }} {{ [1, 2] | sum }}", "a b 2.3 3 3"),
        ("{{ 'a\nb' | indent(2) }}|{{ 'a\n\nb' | indent(1, true) }}", "a\n  b| a\n\n b"),
        (
            "{{ kota | upper }} {{ kota.lower() }} {{ kota[:3] }} {{ kota | default('x') }}",
            "JAKARTA jakarta Jak Jakarta",
        ),
        ("{{ peta.a }} {{ peta['a'] }} {% for k, v in peta.items() %}{{ k }}{{ v }}{% endfor %}", "1 1 a1"),
        ("{% set ns = namespace(n=0) %}{% for x in range(3) %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}", "3"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ m(2) }}", "<1><2>"),
        ("{% set x %}a{{ kota }}{% endset %}{{ x }}", "aJakarta"),
        ("{# catatan #}Halo", "Halo"),
        ("&<>{{ '&<>' }}", "&<>&<>"),
    ],
)
def test_what_templates_can_do(templates: Templates, text: str, expected: str) -> None:
    """Values, lists, conditions, macros and the usual filters work; nothing is escaped, since posts are not HTML."""
    assert templates.text(text, VALUES) == expected


BOMBS = {
    "nested loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "a long range": "{% for a in range(10 ** 9) %}x{% endfor %}",
    "plain text in a loop": "{% for a in range(9999) %}" + "x" * 500 + "{% endfor %}",
    "text times number": "{{ 'x' * 1000000000 }}",
    "number times text": "{{ 1000000000 * 'x' }}",
    "list times number": "{{ [1] * 1000000000 }}",
    "power": "{{ 10 ** 1000000000 }}",
    "large numbers": "{% set n = 999999999999999 * 9999 %}{{ n * n }}",
    "doubling by ~": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "doubling by +": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "doubling by set": "{% set a %}xxxxxxxxxx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40 + "{{ a }}",
    "doubling by replace": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a | replace('x', 'xx') %}" * 40,
    "doubling by join": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = [a, a] | join(a) %}" * 40,
    "wide indent": "{{ 'a\nb' | indent(1000000000) }}",
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a recursive loop": "{% for a in [[1]] recursive %}{{ loop([a, a]) }}{% endfor %}",
    "a filter over a long list": "{% for a in range(99) %}{{ range(999) | map('string') | join | length }}{% endfor %}",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_bombs_are_stopped(templates: Templates, bomb: str) -> None:
    """Work and size are bounded whatever a template does, and the message says so."""
    problem = failure(templates, bomb)
    assert problem.code == "P204"
    assert "a post is a page of text" in problem.fix


def test_the_emergency_brake(tmp_path: Path) -> None:
    """Steps that are each slow are stopped by time."""
    ticks = iter(range(0, 10_000, 3))
    slow = Templates(tmp_path, timer=lambda: next(ticks), seconds=10)
    assert "too long" in failure(slow, "{% for a in range(100) %}x{% endfor %}").message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{ kota.__class__ }}", "P205"),
        ("{{ kota.__class__.__mro__ }}", "P205"),
        ("{{ ''.format(kota) }}", "P205"),
        ("{{ '{:>1000000000}'.format(1) }}", "P205"),
        ("{{ kota.ljust(1000000000) }}", "P205"),
        ("{{ '%1000000000d' % 1 }}", "P205"),
        ("{{ daftar.append(1) }}", "P205"),
        ("{{ [1, 2] | random }}", "P202"),
        ("{{ 1 | pprint }}", "P202"),
        ("{{ lipsum() }}", "P201"),
        ("{{ cycler }}", "P201"),
        ("{{ now() }}", "P201"),
        ("{{ self }}{{ x.y }}", "P201"),
        ("{{ daftar }}", "P206"),
        ("{{ peta | upper }}", "P206"),
        ("{{ 1 / 0 }}", "P206"),
        ("{{ range(3) | round(10 ** 9) }}", "P206"),
        ("{{ kota", "P202"),
        ("{% for %}", "P202"),
        ("{% include '../../accounts.yaml' %}", "P203"),
        ("{% include 'tidak-ada' %}", "P203"),
    ],
)
def test_what_templates_can_not_do(templates: Templates, text: str, code: str) -> None:
    """No inner parts, no chance, no clock, no files elsewhere, no text of unbounded width, no list as text."""
    assert failure(templates, text).code == code


def test_a_missing_value_is_named_with_a_guess(templates: Templates) -> None:
    """The line is that of the text, and a near name is offered."""
    problem = failure(templates, "Halo\nsemua\n{{ kotta }}")
    assert '"kotta"' in problem.message
    assert '"kota"' in problem.message
    assert "(Line 3 of the text.)" in problem.message


def test_a_template_file_and_its_neighbours(tmp_path: Path) -> None:
    """A template is named without its ending and may include, import and extend its neighbours."""
    (tmp_path / "dasar.j2").write_text("[{% block isi %}{% endblock %}]")
    (tmp_path / "salam.j2").write_text("Halo {{ kota }}")
    (tmp_path / "ajakan.j2").write_text("{% extends 'dasar' %}{% block isi %}{% include 'salam' %}{% endblock %}")
    assert Templates(tmp_path).file("ajakan", VALUES) == "[Halo Jakarta]"
    assert Templates(tmp_path).file("ajakan.j2", VALUES) == "[Halo Jakarta]"


def test_an_error_in_a_template_file_names_file_and_line(tmp_path: Path) -> None:
    """Of a template that includes another, the one at fault is named."""
    (tmp_path / "luar.j2").write_text("Halo\n{% include 'dalam' %}")
    (tmp_path / "dalam.j2").write_text("satu\ndua\n{{ entah }}")
    with pytest.raises(TemplateProblem) as caught:
        Templates(tmp_path).file("luar", VALUES)
    assert "(templates/posts/dalam.j2, line 3.)" in caught.value.message
    (tmp_path / "dalam.j2").write_text("satu\n{% if %}")
    with pytest.raises(TemplateProblem) as caught:
        Templates(tmp_path).file("luar", VALUES)
    assert "(templates/posts/dalam.j2, line 2.)" in caught.value.message


def test_templates_include_each_other_without_end(tmp_path: Path) -> None:
    """A circle of templates is an error, not a crash."""
    (tmp_path / "a.j2").write_text("{% include 'b' %}")
    (tmp_path / "b.j2").write_text("{% include 'a' %}")
    with pytest.raises(TemplateProblem) as caught:
        Templates(tmp_path).file("a", VALUES)
    assert caught.value.code == "P204"


@pytest.mark.parametrize("name", ["../rahasia", "/etc/hostname", "tidak-ada", "rahasia", "x" * 20_000])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    """Neither by a path nor through a link; the message lists what is there."""
    folder = tmp_path / "posts"
    folder.mkdir()
    (tmp_path / "rahasia.j2").write_text("rahasia")
    (folder / "rahasia.j2").symlink_to(tmp_path / "rahasia.j2")
    (folder / "ajakan.j2").write_text("Ayo")
    with pytest.raises(TemplateProblem) as caught:
        Templates(folder).file(name, VALUES)
    assert caught.value.code == "P203"
    assert "ajakan" in caught.value.fix


def test_no_template_is_read_without_end(tmp_path: Path) -> None:
    """More than 1 MiB is told; a link to a device, a pipe and a circle are no templates, not for the hash either."""
    hashed = Templates(tmp_path).folder_hash()
    (tmp_path / "nol.j2").symlink_to("/dev/zero")
    (tmp_path / "putar.j2").symlink_to(tmp_path / "putar.j2")
    os.mkfifo(tmp_path / "pipa.j2")
    assert Templates(tmp_path).folder_hash() == hashed
    for name in ("nol", "putar", "pipa"):
        with pytest.raises(TemplateProblem) as caught:
            Templates(tmp_path).file(name, VALUES)
        assert caught.value.code == "P203"
    (tmp_path / "besar.j2").write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(TemplateProblem) as caught:
        Templates(tmp_path).file("besar", VALUES)
    assert (caught.value.code, "1 MiB" in caught.value.message) == ("P206", True)


def test_a_template_that_is_not_utf_8(tmp_path: Path) -> None:
    """It is an error with a fix."""
    (tmp_path / "a.j2").write_bytes("caf\xe9".encode("latin-1"))
    with pytest.raises(TemplateProblem) as caught:
        Templates(tmp_path).file("a", VALUES)
    assert "UTF-8" in caught.value.fix


def test_what_a_template_sees(tmp_path: Path) -> None:
    """Vars of the plan, values of the post over them, and what post, campaign, account and link are."""
    folder = Folder(tmp_path)
    folder.write(
        "templates/posts/ajakan.j2",
        "{{ kota }} {{ jam }} {{ vars.kota }} {{ with.kota }} {{ post.id }} {{ post.labels | join }} "
        "{{ campaign.title }} {{ account.name }}/{{ account.platform }}/{{ account.language }} {{ link }}\n",
    )
    text = folder.text(
        """\
        accounts: [mastodon]
        link: https://a.example/
        vars: {kota: Jakarta, jam: '08.00'}
        posts:
          - {id: satu, at: 2026-12-03 08:00, template: ajakan, with: {kota: Bandung}, labels: [aksi]}
        """
    )
    assert text == "Bandung 08.00 Jakarta Bandung satu aksi upah-layak mastodon/mastodon/id https://a.example/"


def test_a_template_problem_stands_at_its_place_in_the_plan(tmp_path: Path) -> None:
    """The plan's file and line, and the template's line; said once for all accounts."""
    folder = Folder(tmp_path)
    folder.write("templates/posts/ajakan.j2", "Ayo\n{{ jam }}")
    examined = folder.plan(
        """\
        accounts: [mastodon, langit]
        posts:
          - {id: satu, at: 2026-12-03 08:00, template: ajakan}
          - id: dua
            at: 2026-12-03 09:00
            template: ajakn
        """
    )
    found = [problem for problem in examined.problems if problem.severity == "error"]
    assert [(problem.code, problem.file, problem.line) for problem in found] == [
        ("P201", "plan.yaml", 6),
        ("P203", "plan.yaml", 9),
    ]
    assert "line 2" in found[0].message


def test_plain_texts_do_not_load_jinja(tmp_path: Path) -> None:
    """A text without anything to fill in is passed through as it is."""
    code = (
        "import sys; from pathlib import Path; from campaign_cli.content.templates import Templates;"
        "Templates(Path('.')).text('Halo {x}', {}); sys.exit('jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_many_texts_are_compiled_without_growing(tmp_path: Path) -> None:
    """Only a bounded number of compiled texts is kept."""
    templates = Templates(tmp_path, timer=time.monotonic)
    for number in range(600):
        assert templates.text(f"{number} {{{{ kota }}}}", VALUES) == f"{number} Jakarta"
    assert templates.text("0 {{ kota }}", VALUES) == "0 Jakarta"
