"""The simulated camera, judged by an ONVIF client and an HTTP client that share no code with it.

    check.py HOST PORT USER PASSWORD
"""

import pathlib
import sys

import onvif
import requests
from requests.auth import HTTPDigestAuth
from zeep.exceptions import Fault


def camera(host, port, user, password):
    wsdl = pathlib.Path(onvif.__file__).parent.parent / "wsdl"
    return onvif.ONVIFCamera(host, int(port), user, password, str(wsdl), adjust_time=True)


def still(host, port, user, password):
    """The address of the first profile's still, as the camera tells it."""
    media = camera(host, port, user, password).create_media_service()
    profiles = media.GetProfiles()
    assert [profile.token for profile in profiles] == ["profile-1"], profiles
    return media.GetSnapshotUri({"ProfileToken": profiles[0].token}).Uri


def refused(host, port, user):
    try:
        still(host, port, user, "wrong")
    except (onvif.ONVIFError, Fault) as error:
        assert "authorized" in str(error), error
    else:
        raise AssertionError("a wrong password is taken")


def main():
    host, port, user, password = sys.argv[1:]
    uri = still(host, port, user, password)
    pictures = set()
    for _ in range(20):
        answer = requests.get(uri, auth=HTTPDigestAuth(user, password), timeout=10)
        assert answer.status_code == 200, answer
        assert answer.content.startswith(b"\xff\xd8") and answer.content.endswith(b"\xff\xd9")
        pictures.add(answer.content)
    assert len(pictures) == 20, "the same picture twice"
    assert requests.get(uri, auth=HTTPDigestAuth(user, "wrong"), timeout=10).status_code == 401
    assert requests.get(uri, timeout=10).status_code == 401
    refused(host, port, user)
    print(f"onvif-zeep and requests: 20 stills of {uri.split('?')[0].rsplit('/', 1)[-1]}; a wrong password is refused")


main()
