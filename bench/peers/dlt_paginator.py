"""Paging by the link to the next page, for both adapters of dlt."""

from urllib.parse import urlsplit

from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator


class NextLink(JSONLinkPaginator):
    """Pages by `links.next`. Only its path and query are used, because it names the live host."""

    def __init__(self):
        super().__init__(next_url_path="links.next")

    def update_state(self, response, data=None):
        super().update_state(response, data)
        if self._next_reference:
            self._next_reference = urlsplit(self._next_reference)._replace(scheme="", netloc="").geturl()
