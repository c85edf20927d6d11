"""The peer dlt, its REST client alone: ndjson to standard output, without a pipeline. Argument: the settings."""

import json
import sys

from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth

from dlt_paginator import NextLink

with open(sys.argv[1], encoding="utf-8") as file:
    config = json.load(file)

client = RESTClient(
    base_url=config["api_url"],
    headers={"Accept": "application/json"},
    auth=BearerTokenAuth(token=config["api_key"]),
    paginator=NextLink(),
    data_selector="data",
)
for page in client.paginate(f"/admin/v1/orgs/{config['organization_id']}/users"):
    for user in page:
        sys.stdout.write(json.dumps(user, ensure_ascii=False) + "\n")
