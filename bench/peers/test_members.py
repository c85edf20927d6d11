"""Tests of the comparer: `python3 -m unittest` in this folder."""

import gzip
import json
import tempfile
import unittest
from pathlib import Path

import members
from members import Member, differences, digest, nanoseconds, of_api, of_smp

USER = {
    "account_id": "a",
    "name": "Ada",
    "nickname": "ada",
    "email": "ada@acme.test",
    "last_active": "2026-11-18",
    "product_access": [
        {"key": "jira-software", "name": "Jira", "last_active": "2026-11-19T01:00:00.000000001+02:00"},
        {"key": "confluence", "name": "Confluence", "last_active": None},
        {"key": "jira", "name": "Jira"},
    ],
}
ROW = {
    "id": "a",
    "email": "ada@acme.test",
    "name": "Ada",
    "role": "Confluence, Jira",
    "products": [{"name": "Jira"}, {"name": "Confluence"}, {"name": "Jira"}],
    "last_seen": "2026-11-18T23:00:00.000000001Z",
}


class Comparing(unittest.TestCase):
    def test_a_row_and_the_record_it_came_from_are_the_same_member(self):
        self.assertEqual(differences([of_smp(ROW)], [of_api(USER)]), [])

    def test_any_field_that_differs_is_named(self):
        changed = {"email": "eve@acme.test", "name": "Eve", "products": ("Jira",), "last_seen_ns": 1}
        member = of_smp(ROW)
        for field, value in changed.items():
            found = differences([member], [member._replace(**{field: value})])
            self.assertEqual(found, [f"a differs in {field}"])

    def test_one_nanosecond_is_a_difference(self):
        later = {**ROW, "last_seen": "2026-11-18T23:00:00.000000002Z"}
        self.assertEqual(differences([of_smp(later)], [of_api(USER)]), ["a differs in last_seen_ns"])

    def test_an_absent_value_is_not_an_empty_one(self):
        member = of_smp(ROW)
        self.assertEqual(differences([member], [member._replace(email=None)]), ["a differs in email"])
        self.assertEqual(differences([member], [member._replace(last_seen_ns=None)]), ["a differs in last_seen_ns"])

    def test_a_missing_member_is_found_on_either_side(self):
        member = of_smp(ROW)
        self.assertEqual(differences([member], []), ["a is missing from theirs"])
        self.assertEqual(differences([], [member]), ["a is missing from ours"])

    def test_a_member_twice_is_found_on_either_side(self):
        member = of_smp(ROW)
        self.assertEqual(differences([member, member], [member]), ["a is in ours more than once"])
        self.assertEqual(differences([member], [member, member]), ["a is in theirs more than once"])

    def test_the_order_does_not_count(self):
        pair = [of_smp(ROW), of_smp({**ROW, "id": "b"})]
        self.assertEqual(differences(pair, pair[::-1]), [])
        self.assertEqual(digest(pair), digest(pair[::-1]))
        self.assertNotEqual(digest(pair), digest(pair[:1]))

    def test_lists_of_other_members_have_other_digests(self):
        member = of_smp(ROW)
        changes = ({"email": None}, {"name": ""}, {"products": ()}, {"last_seen_ns": None})
        self.assertEqual(len({digest([member._replace(**change)]) for change in ({}, *changes)}), 5)


class Reading(unittest.TestCase):
    def test_instants_are_read_to_the_nanosecond(self):
        for text, expected in (
            (None, None),
            ("", None),
            ("1970-01-02", 86_400_000_000_000),
            ("1970-01-01T00:00:01Z", 1_000_000_000),
            ("1970-01-01T00:00:01.5Z", 1_500_000_000),
            ("1970-01-01T00:00:00.123456789Z", 123_456_789),
            ("1970-01-01T02:00:01+02:00", 1_000_000_000),
            ("1969-12-31T14:30:01-09:30", 1_000_000_000),
            ("1969-12-31T23:59:59.5Z", -500_000_000),
        ):
            self.assertEqual(nanoseconds(text), expected, text)
        for text in ("soon", "2026-11-18T", "2026-11-18T01:02:03", "2026-11-18 and more"):
            with self.assertRaises(ValueError):
                nanoseconds(text)

    def test_what_the_api_leaves_out_is_absent(self):
        self.assertEqual(of_api({"account_id": "a"}), Member("a", None, "", (), None))
        self.assertEqual(of_api({"account_id": "a", "name": "", "nickname": "ada", "email": ""}), Member("a", None, "ada", (), None))

    def test_a_role_that_does_not_name_the_products_is_refused(self):
        with self.assertRaises(ValueError):
            of_smp({**ROW, "role": "Jira"})

    def test_each_tool_is_read(self):
        member = of_api(USER)
        airbyte = [json.dumps(message) for message in ({"type": "LOG"}, {"type": "RECORD", "record": {"stream": "users", "data": USER}})]
        singer = [json.dumps(message) for message in ({"type": "SCHEMA"}, {"type": "RECORD", "record": USER})]
        self.assertEqual(list(members.read_airbyte(airbyte)), [member])
        self.assertEqual(list(members.read_singer(singer)), [member])
        self.assertEqual(list(members.read_records([json.dumps(USER)])), [member])
        self.assertEqual(list(members.read_smp([json.dumps(ROW)])), [member])
        with tempfile.TemporaryDirectory() as name:
            table = Path(name) / "bucket" / "organization" / "users"
            table.mkdir(parents=True)
            (table / "1.jsonl.gz").write_bytes(gzip.compress(json.dumps(USER).encode()))
            (table / "2.jsonl").write_text(json.dumps(USER))
            self.assertEqual(list(members.read_dlt_bucket(Path(name))), [member, member])


if __name__ == "__main__":
    unittest.main()
