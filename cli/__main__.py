"""``python -m cli`` is ``nsctl``."""

from cli.main import main

if __name__ == "__main__":
    main()
