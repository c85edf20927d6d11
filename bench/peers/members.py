"""Reduces the members of every tool to one form, and compares lists of members.

Each tool writes its natural format, which the functions here read. The raw records of the vendor's API are reduced by the rules of our
connector, implemented a second time, so that equal lists also show that the connector follows them:

* an absent or empty e-mail address is None; an empty name is replaced by the nickname;
* products are the sorted distinct names;
* last seen is the newest `last_active` of the account and of its products, to the nanosecond.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d)?))?",
    re.ASCII,
)


class Member(NamedTuple):
    """A member, reduced to the compared fields."""

    id: str
    email: str | None
    name: str
    products: tuple[str, ...]
    last_seen_ns: int | None


def nanoseconds(text: str | None) -> int | None:
    """Nanoseconds since 1970 in UTC of an RFC 3339 instant or of a bare date; None without a text."""
    if not text:
        return None
    parts = INSTANT.fullmatch(text)
    if parts is None:
        raise ValueError("an instant that cannot be read")
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = parts.groups()
    whole = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=timezone.utc)
    offset = (int(offset_hours or 0) * 60 + int(offset_minutes or 0)) * (-60 if sign == "-" else 60)
    seconds = int(whole.timestamp()) - offset
    return seconds * 1_000_000_000 + int((fraction or "0").ljust(9, "0")[:9])


def of_api(user: dict[str, Any]) -> Member:
    """The member in a record of the vendor's API."""
    accesses = user.get("product_access") or []
    moments = [nanoseconds(user.get("last_active")), *(nanoseconds(access.get("last_active")) for access in accesses)]
    return Member(
        id=user["account_id"],
        email=user.get("email") or None,
        name=user.get("name") or user.get("nickname") or "",
        products=tuple(sorted({access["name"] for access in accesses})),
        last_seen_ns=max((moment for moment in moments if moment is not None), default=None),
    )


def of_smp(row: dict[str, Any]) -> Member:
    """The member in a row of `smp-harness collect --format ndjson`, which has reduced it already."""
    products = tuple(sorted({product["name"] for product in row["products"]}))
    if row["role"] != ", ".join(products):
        raise ValueError("a role that does not name the products")
    return Member(row["id"], row["email"], row["name"], products, nanoseconds(row["last_seen"]))


def read_smp(lines: Iterable[str]) -> Iterator[Member]:
    """Rows of our own command."""
    return (of_smp(json.loads(line)) for line in lines)


def read_records(lines: Iterable[str]) -> Iterator[Member]:
    """Unchanged records, one per line."""
    return (of_api(json.loads(line)) for line in lines)


def read_airbyte(lines: Iterable[str]) -> Iterator[Member]:
    """Messages of the Airbyte protocol."""
    messages = (json.loads(line) for line in lines)
    return (of_api(message["record"]["data"]) for message in messages if message["type"] == "RECORD")


def read_singer(lines: Iterable[str]) -> Iterator[Member]:
    """Messages of the Singer specification."""
    messages = (json.loads(line) for line in lines)
    return (of_api(message["record"]) for message in messages if message["type"] == "RECORD")


def read_dlt_bucket(folder: Path) -> Iterator[Member]:
    """The files that dlt's filesystem destination wrote for the table `users`."""
    for path in sorted(folder.glob("bucket/organization/users/*.jsonl*")):
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            yield from read_records(lines)


def differences(ours: Iterable[Member], theirs: Iterable[Member]) -> list[str]:
    """The differences between two lists, whatever their order: empty if they are equal. It contains only ids and fields, no names."""
    left, right = list(ours), list(theirs)
    found = []
    for what, members in (("ours", left), ("theirs", right)):
        twice = [id for id, count in Counter(member.id for member in members).items() if count > 1]
        found += [f"{id} is in {what} more than once" for id in sorted(twice)]
    by_id = {member.id: member for member in right}
    ids = {member.id for member in left}
    for member in left:
        other = by_id.get(member.id)
        if other is None:
            found.append(f"{member.id} is missing from theirs")
        elif other != member:
            fields = [field for field in Member._fields if getattr(member, field) != getattr(other, field)]
            found.append(f"{member.id} differs in {', '.join(fields)}")
    found += [f"{member.id} is missing from ours" for member in right if member.id not in ids]
    return found


def digest(members: Iterable[Member]) -> str:
    """SHA-256 of the list, sorted by id: equal for equal lists."""
    in_order = sorted(members, key=lambda member: member.id)
    return hashlib.sha256(json.dumps(in_order).encode()).hexdigest()
