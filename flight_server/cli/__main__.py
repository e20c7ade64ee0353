"""``python -m flight_server.cli`` is ``flight``."""

from __future__ import annotations

import sys

from flight_server.cli import main

sys.exit(main())
