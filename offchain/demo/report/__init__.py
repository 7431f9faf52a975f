"""What a run leaves behind: a table on the terminal, a page with plots, a JSON file."""

from offchain.demo.report.content import FormRow, NotificationRow, RunReport
from offchain.demo.report.files import write_json, write_page
from offchain.demo.report.terminal import print_summary

__all__ = [
    "FormRow",
    "NotificationRow",
    "RunReport",
    "print_summary",
    "write_json",
    "write_page",
]
