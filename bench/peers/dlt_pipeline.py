"""The peer dlt, whole: rest_api_source through a pipeline into jsonl files. Arguments: the settings, an empty folder."""

import json
import sys
from pathlib import Path

import dlt
from dlt.destinations import filesystem
from dlt.sources.rest_api import rest_api_source

from dlt_paginator import NextLink

with open(sys.argv[1], encoding="utf-8") as file:
    config = json.load(file)
folder = Path(sys.argv[2]).resolve()

source = rest_api_source(
    {
        "client": {
            "base_url": config["api_url"],
            "headers": {"Accept": "application/json"},
            "auth": {"type": "bearer", "token": config["api_key"]},
            "paginator": NextLink(),
        },
        "resources": [
            {
                "name": "users",
                "primary_key": "account_id",
                "write_disposition": "replace",
                # Products stay in the member's row, and instants stay text: as timestamps they would lose nanoseconds.
                "max_table_nesting": 0,
                "columns": {"last_active": {"data_type": "text"}},
                "endpoint": {
                    "path": f"/admin/v1/orgs/{config['organization_id']}/users",
                    "data_selector": "data",
                },
            }
        ],
    },
    name="organization",
)
pipeline = dlt.pipeline(
    pipeline_name="users",
    pipelines_dir=str(folder / "pipelines"),
    destination=filesystem(bucket_url=folder.joinpath("bucket").as_uri()),
    dataset_name="organization",
)
pipeline.run(source, loader_file_format="jsonl").raise_on_failed_jobs()
