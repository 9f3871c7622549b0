"""A router that runs beside a program brings numpy and nothing else."""

from __future__ import annotations

import subprocess
import sys


def test_routing_loads_numpy_and_nothing_else() -> None:
    script = (
        "import sys; before = set(sys.modules); import numpy\n"
        "import breakeven.routing.policy_file, breakeven.routing.prices\n"
        "from breakeven.routing.policies import kinds, policy_of\n"
        "import importlib\n"
        "[importlib.import_module(f'breakeven.routing.policies.{kind}') for kind in kinds()]\n"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
    )
    assert done.stdout.strip() == "['breakeven', 'numpy']", done.stderr


def test_importing_routing_loads_nothing() -> None:
    script = "import sys; import breakeven.routing; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
