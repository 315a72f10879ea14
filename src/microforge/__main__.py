"""Run as `python -m microforge`."""

from microforge.cli import main

if __name__ == "__main__":
    main()
