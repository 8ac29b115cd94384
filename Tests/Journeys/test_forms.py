"""A form of the sign-in pages counts only from our own page, in the browser it was made for (D21, S6)."""
import html
import re
import urllib.parse

import pytest

from clinic import PASSWORD
from test_openid import Portal


@pytest.fixture()
def portal(door, admin):
    return Portal(door, admin)


def shown(portal):
    """The hidden fields of a sign-in page that this browser was shown."""
    _, place, _ = portal.visit()
    _, _, page = portal.ask("GET", place)
    return {n: html.unescape(v) for n, v in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}


def send(portal, fields, **headers):
    cookies = "; ".join(f"{k}={v}" for k, v in portal.cookies.items())
    body = urllib.parse.urlencode({**fields, "email": "reception@demo.example", "password": PASSWORD}).encode()
    answer = portal.door.call("POST", "/oauth2/sign-in", raw=body, headers={
        "Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies, **headers})
    return answer.status, answer.headers.get("location", "")


def test_a_form_without_our_token_or_from_elsewhere_signs_nobody_in(door, admin, portal):
    fields, other = shown(portal), shown(Portal(door, admin))
    for wrong, headers in [
        ({"attempt": fields["attempt"], "token": "A" * 43}, {}),
        ({"attempt": fields["attempt"], "token": other["token"]}, {}),
        (fields, {"Origin": "https://elsewhere.example"}),
        (fields, {"Origin": "null"}),
        (fields, {"Sec-Fetch-Site": "cross-site"}),
        (fields, {"Cookie": ""}),
        ({"attempt": fields["attempt"]}, {}),
    ]:
        status, place = send(portal, wrong, **headers)
        assert status in (400, 403) and "code=" not in place, (wrong, headers, status, place)
    status, place = send(portal, fields, **{"Sec-Fetch-Site": "same-origin"})
    assert status in (302, 303) and "code=" in place, (status, place)
