"""The peer singer-sdk: a tap with one REST stream. Singer messages go to standard output."""

from __future__ import annotations

from urllib.parse import parse_qsl

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BaseHATEOASPaginator


class NextLink(BaseHATEOASPaginator):
    """Pages by the link to the next one."""

    def get_next_url(self, response):
        return (response.json().get("links") or {}).get("next")


class UsersStream(RESTStream):
    """The managed accounts of the organization."""

    name = "users"
    primary_keys = ("account_id",)
    records_jsonpath = "$.data[*]"
    schema = th.PropertiesList(
        th.Property("account_id", th.StringType, required=True),
        th.Property("account_type", th.StringType),
        th.Property("account_status", th.StringType),
        th.Property("name", th.StringType),
        th.Property("nickname", th.StringType),
        th.Property("email", th.StringType),
        th.Property("access_billable", th.BooleanType),
        th.Property("last_active", th.StringType),
        th.Property(
            "product_access",
            th.ArrayType(
                th.ObjectType(
                    th.Property("key", th.StringType),
                    th.Property("name", th.StringType),
                    th.Property("url", th.StringType),
                    th.Property("last_active", th.StringType),
                )
            ),
        ),
    ).to_dict()

    @property
    def url_base(self):
        return self.config["api_url"]

    @property
    def path(self):
        return f"/admin/v1/orgs/{self.config['organization_id']}/users"

    @property
    def authenticator(self):
        return BearerTokenAuthenticator(token=self.config["api_key"])

    def get_new_paginator(self):
        return NextLink()

    def get_url_params(self, context, next_page_token):
        # Only the query of the link, because it names the live host.
        return dict(parse_qsl(next_page_token.query)) if next_page_token else {}


class TapUsers(Tap):
    """The tap."""

    name = "tap-users"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("organization_id", th.StringType, required=True),
        th.Property("api_key", th.StringType, required=True, secret=True),
    ).to_dict()

    def discover_streams(self):
        return [UsersStream(self)]


if __name__ == "__main__":
    TapUsers.cli()
