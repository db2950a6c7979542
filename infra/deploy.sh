#!/usr/bin/env bash
# Deploys one stage to AWS: see infra/README.md before the first time. `make deploy STAGE=name` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python -W error::SyntaxWarning -m infra.deployment deploy "$@"
