"""`python -m device_agent`."""

from device_agent.cli import main

main()
