"""The connector {{NAME}}: what it is, and how it reads people. `answers.py` reads JSON safely.

Everything goes through `send`, which is given a path; the host attaches the key. There is no clock,
file or randomness. An answer that is not as expected is a failure, never an empty list.
"""

import re
from typing import List, Optional

import answers
from answers import is_number, is_text
from componentize_py_types import Err
from wit_world.exports import connector as c
from wit_world.imports import http

SIZE = 500
FIND_TEAM = "Copy the last part of the address of your team page into the field Team."
NEW_KEY = (
    "As an owner of the team, open Settings > API in {{NAME}}, make a new key with the scopes "
    "team:read and people:read, and paste it into the field Key."
)
LATER = "Nothing is wrong with your settings. Try again in a few minutes."
REPORT = "Report it to the publisher of this connector: the service may have changed."
Kind = c.FailureKind


# ---- describe: constants, the source of the listing, the form and the setup guide ---------------


def setting(key, label, help, placeholder, pattern, secret=None):
    return c.SettingField(key, label, help, placeholder, pattern, True, None, [], secret, [])


def endpoint(path, purpose, scope):
    return c.Endpoint(http.Method.GET, path, purpose, scope, True, [], [], [])


def descriptor() -> c.Descriptor:
    return c.Descriptor(
        id="{{ID}}",
        name="{{NAME}}",
        version="0.1.0",
        vendor="{{NAME}} Example Ltd.",
        summary="A made-up service with teams and people. Replace this text, and every other one.",
        pricing="By the number of people in the team.",
        status="Example",
        integration_type="api",
        data_collected=[
            c.DataSet(
                "members",
                [
                    c.DataField("email", "The address that the person signs in with"),
                    c.DataField("name", "The full name"),
                    c.DataField("role", "The products that the person uses"),
                    c.DataField("last seen", "The last time that the person used one of them"),
                ],
            )
        ],
        permissions_required=["Owner of the team, to make the key."],
        settings=[
            setting("team", "Team", FIND_TEAM, "your-team", "[a-z0-9-]+"),
            setting(
                "key",
                "Key",
                NEW_KEY,
                "key_…",
                "key_[A-Za-z0-9]+",
                c.SecretUse(
                    c.Attachment_Bearer(),
                    [c.SecretPrefix("key_", "a key of a team", True, NEW_KEY)],
                ),
            ),
        ],
        api=c.Api(
            "https://api.{{ID}}.example",
            None,
            [
                endpoint("/v1/teams/{team}", "Reads the name of the team", "team:read"),
                endpoint("/v1/teams/{team}/people", "Reads the people of the team", "people:read"),
            ],
            c.RateLimit(10, 1000),
        ),
        setup_guide=[
            c.GuideSection(
                "Make a key",
                "You need to be an owner of the team.",
                [
                    "In {{NAME}}, open **Settings > API** and choose **New key**.",
                    "Tick the scopes `team:read` and `people:read`.",
                    "Copy the key. It begins with `key_` and is shown once.",
                ],
            ),
            c.GuideSection(
                "Connect", "", ["Enter the **Team** and the **Key**, and have them checked."]
            ),
        ],
        faq=[
            c.Question(
                "Why is somebody's last activity unknown?",
                "Because that person has not signed in yet, or the service does not tell when.",
            )
        ],
        attributes=[],
    )


# ---- requests and answers -----------------------------------------------------------------------


def fault(kind, message, hint, setting=None, after=None) -> Err:
    """A failure of the contract, as an exception."""
    return Err(c.Failure(kind, message, hint, setting, None, after))


def strange(what) -> Err:
    return fault(Kind.UNEXPECTED_RESPONSE, f"The answer {what}.", REPORT)


def team_of(settings: List[c.Setting]) -> str:
    """The team of the settings, if it is well formed: it becomes part of a path."""
    team = next((setting.value for setting in settings if setting.key == "team"), "")
    if not re.fullmatch("[a-z0-9-]{1,64}", team):
        message = "The team is missing, or has other characters than a-z, 0-9 and -."
        raise fault(Kind.INVALID_SETTINGS, message, FIND_TEAM, "team")
    return team


def get(path: str):
    """Sends a request, and returns the JSON of its answer."""
    try:
        response = http.send(http.Request(http.Method.GET, path, None))
    except Err as error:
        raise unanswered(error.value) from None
    if response.status != 200:
        raise refused(response.status)
    try:
        return answers.read(bytes(response.body))
    except answers.Unreadable as error:
        raise strange(str(error)) from None


def unanswered(error) -> Err:
    if isinstance(error, http.Error_RateLimited):
        message = "{{NAME}} asks to come back later (429)."
        return fault(Kind.RATE_LIMITED, message, LATER, None, error.value.retry_after_seconds)
    if isinstance(error, http.Error_Unavailable):
        message = f"{{NAME}} does not work at the moment ({error.value.status})."
        return fault(Kind.UPSTREAM, message, LATER, None, error.value.retry_after_seconds)
    if isinstance(error, http.Error_TimedOut):
        return fault(Kind.UPSTREAM, "{{NAME}} did not answer in time.", LATER)
    if isinstance(error, http.Error_ConnectionFailed):
        return fault(Kind.UPSTREAM, "{{NAME}} cannot be reached.", LATER)
    if isinstance(error, http.Error_TooLarge):
        return fault(Kind.UNEXPECTED_RESPONSE, "The answer is too large.", REPORT)
    return fault(Kind.OTHER, "The request was not sent.", REPORT)


def refused(status: int) -> Err:
    if status == 401:
        message = "The key is not accepted: it is wrong, expired or revoked (401)."
        return fault(Kind.CREDENTIALS, message, NEW_KEY, "key")
    if status == 403:
        return fault(Kind.PERMISSION, "The key may not read this team (403).", NEW_KEY, "key")
    if status == 404:
        message = "There is no such team, or the key is of another one (404)."
        return fault(Kind.NOT_FOUND, message, FIND_TEAM, "team")
    message = f"{{NAME}} answered with the status {status}."
    if status >= 500:
        return fault(Kind.UPSTREAM, message, LATER)
    return fault(Kind.UNEXPECTED_RESPONSE, message, REPORT)


def account(team: str) -> c.Account:
    answer = get(f"/v1/teams/{team}")
    if not isinstance(answer, dict) or answer.get("id") != team or not is_text(answer.get("name")):
        raise strange("is not about this team")
    return c.Account(answer["id"], answer["name"], [])


def page(team: str, cursor: Optional[str]) -> c.MemberPage:
    """A page of people. The cursor is the number of the page."""
    number = cursor if cursor is not None else "1"
    if not re.fullmatch("[1-9][0-9]{0,8}", number):
        message = "The cursor is not one of this connector."
        raise fault(Kind.CURSOR_EXPIRED, message, LATER)
    answer = get(f"/v1/teams/{team}/people?page={number}&size={SIZE}")
    if not isinstance(answer, dict):
        raise strange("is not a page of people")
    people, total, more = answer.get("people"), answer.get("total"), answer.get("more")
    if not isinstance(people, list) or not is_number(total) or total < 0 or type(more) is not bool:
        raise strange("is not a page of people")
    return c.MemberPage(
        products=[c.Product("{{ID}}", "{{NAME}}", None)],
        members=[member(person) for person in people],
        next=str(int(number) + 1) if more else None,
        total=total,
        notes=[],
    )


STATUSES = {
    "active": c.MemberStatus_Active(),
    "invited": c.MemberStatus_Invited(),
    "suspended": c.MemberStatus_Suspended(),
}


def member(person) -> c.Member:
    if not isinstance(person, dict):
        raise strange("has a person that is not recognized")
    id, name, status = person.get("id"), person.get("name"), person.get("status")
    email, seen = person.get("email"), person.get("last_seen")
    if (
        not (is_text(id) and id and is_text(name) and is_text(status))
        or not (email is None or is_text(email))
        or not (seen is None or is_number(seen))
    ):
        raise strange("has a person that is not recognized")
    last_seen = None if seen is None else c.Instant(seen, 0)
    uses = [c.ProductUse(0, last_seen)] if status == "active" else []
    return c.Member(
        id=id,
        email=email,
        name=name,
        nickname=None,
        role="{{NAME}}" if uses else "",
        uses=uses,
        last_seen=last_seen,
        status=STATUSES.get(status) or c.MemberStatus_Other(status),
        kind=None,
        affiliation=None,
        billable=None,
        attributes=[],
    )


# ---- the calls ----------------------------------------------------------------------------------


class Connector:
    def describe(self) -> c.Descriptor:
        return descriptor()

    def validate(self, settings: List[c.Setting]) -> c.Report:
        checks: List[c.Check] = []

        def check(id, title, judge):
            outcome = c.Outcome_Skipped("A check before it failed.")
            if all(isinstance(check.outcome, c.Outcome_Passed) for check in checks):
                try:
                    outcome = c.Outcome_Passed(judge())
                except Err as error:
                    outcome = c.Outcome_Failed(error.value)
            checks.append(c.Check(id, title, True, None, outcome))

        def named():
            team_of(settings)
            return "It may be one."

        def people():
            found = page(team_of(settings), None)
            if not found.members:
                raise fault(Kind.NO_MEMBERS, "Nobody is in the team.", FIND_TEAM, "team")
            return f"There are {found.total} people."

        check("team", "The team is named", named)
        check(
            "access",
            "The key is accepted",
            lambda: f"It opens the team {account(team_of(settings)).id}.",
        )
        check("people", "The team has people", people)
        return c.Report(checks, None)

    def connect(self, settings: List[c.Setting]) -> c.Account:
        return account(team_of(settings))

    def collect_members(self, settings: List[c.Setting], cursor: Optional[str]) -> c.MemberPage:
        return page(team_of(settings), cursor)
