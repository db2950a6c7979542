"""Behind the queues of dropped files and of the parts of large ones."""

from __future__ import annotations

from chalicelib import bootstrap, events
from chalicelib.file_logs import count_quarantined, log_parts, log_receipt
from chalicelib.invocations import BatchAnswer, Event, each_message, not_handled
from chalicelib.observability import log
from chalicelib.services.file_parts import work_off
from chalicelib.services.ingest import ingest as ingest_file
from chalicelib.services.ingest import reviewed_drop


def ingest(event: Event, *_: object) -> BatchAnswer:
    """Files the client drops, lists that ops have decided on, and parts of large files."""

    def work(message: events.Message) -> None:
        ports = bootstrap.ports()
        part = events.part_in(message.body)
        if part:
            receipt = work_off(ports, part, not_handled)
            log("part of a file", campaign=part.campaign, file=part.file_id, part=part.part)
            if receipt:
                log_receipt(part.campaign, receipt)
            return
        for drop in events.drops_in(message.body, lambda fact: reviewed_drop(ports, fact)):
            receipt = ingest_file(ports, drop, log_parts)
            if receipt:
                log_receipt(drop.campaign, receipt, area=drop.area)
                count_quarantined(receipt)

    return each_message(event, work, "ingest")
