"""`python -m kt_hpo.cli` does what `kt-hpo` does."""

import sys

from kt_hpo.cli import main

if __name__ == "__main__":
    sys.exit(main())
