"""What is kept out at first is there when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

QUICK = (
    "import sys, chainrule, nbgrader.utils; sys.exit('setuptools' in sys.modules or 'jupyter_server' in sys.modules)"
)
USES = {
    "server extension": "import sys, chainrule, nbgrader\ntry: nbgrader._load_jupyter_server_extension(None)\n"
    "except AttributeError: sys.exit('nbgrader.server_extensions.assignment_list.handlers' not in sys.modules)",
    "formgrader": "import chainrule, nbgrader.apps\nfrom nbgrader.server_extensions.formgrader import handlers\n"
    "from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension",
    "where it is": "import chainrule, nbgrader\nfrom importlib.util import find_spec\n"
    "assert find_spec('nbgrader.server_extensions.formgrader').origin.endswith('formgrader/__init__.py')",
    "archives": "import chainrule, nbgrader.utils\ntry: nbgrader.utils.unpack_archive('/nowhere', '/nowhere')\n"
    "except FileNotFoundError: pass",
    "setuptools": "import chainrule, nbgrader.utils\nfrom setuptools.archive_util import UnrecognizedFormat\n"
    "assert issubclass(UnrecognizedFormat, Exception)",
}


def runs(code: str) -> bool:
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_takes_long_is_kept_out() -> None:
    """nbgrader is loaded without Jupyter's server and setuptools; without us it brings both."""
    assert runs(QUICK)
    assert not runs(QUICK.replace("chainrule, ", ""))


@pytest.mark.parametrize("use", USES)
def test_it_is_there_when_it_is_used(use: str) -> None:
    """The server extension loads, and archives unpack."""
    assert runs(USES[use])


SELDOM = {
    "requests": "import requests\nfrom requests.adapters import HTTPAdapter\n"
    "assert requests.adapters.HTTPAdapter is HTTPAdapter\nassert requests.Session().adapters and requests.__version__",
    "soupsieve": "import bs4\nassert bs4.BeautifulSoup('<p class=a>', 'html.parser').select('p.a')",
    "charset_normalizer": "from charset_normalizer import from_bytes\nassert from_bytes(b'abc').best()",
}


@pytest.mark.parametrize("name", SELDOM)
def test_seldom_used_is_loaded_when_it_is_used(name: str) -> None:
    """A worker does not load it; whoever uses it then finds it as ever, and where it is."""
    loaded = f"import sys, chainrule.grading.worker\nassert not [n for n in sys.modules if n.startswith('{name}.')]\n"
    found = f"from importlib.util import find_spec\nassert find_spec('{name}').origin.endswith('__init__.py')\n"
    assert runs(loaded + found + SELDOM[name])
    assert not runs(loaded.replace("chainrule.grading.worker", "bs4, nbgrader.auth"))


def test_what_jsonschema_goes_without_is_there_for_others() -> None:
    """It was not loaded, and can be."""
    assert runs(
        "import sys, chainrule.course\nassert 'isoduration' not in sys.modules\nimport isoduration, rfc3987_syntax"
    )
    assert not runs("import sys, jsonschema\nassert 'isoduration' not in sys.modules")
