"""The list of blogs as OPML 2.0, which other programs read, and bloglists.py."""
from collections.abc import Iterable
from xml.etree import ElementTree

from devdigest.models import Blog
from devdigest.text import tidy
from devdigest.urls import http_url


def as_opml(blogs: Iterable[Blog]) -> str:
    """A document of `blogs`, an outline a group."""
    root = ElementTree.Element("opml", version="2.0")
    ElementTree.SubElement(ElementTree.SubElement(root, "head"), "title").text = "DevDigest"
    body = ElementTree.SubElement(root, "body")
    groups: dict[str, ElementTree.Element] = {}
    for blog in blogs:
        if blog.group not in groups:
            groups[blog.group] = ElementTree.SubElement(body, "outline", text=blog.group)
        name = tidy(blog.name)      # XML has no way to write control characters
        ElementTree.SubElement(groups[blog.group], "outline", type="rss", text=name, title=name,
                               xmlUrl=http_url(blog.feed), htmlUrl=http_url(blog.site))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'
