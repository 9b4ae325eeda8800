"""An application with a reader, a scanner, a camera and a face matcher that are other people's programs, from the first touch to the
acceptance."""

import datetime

from device import Message
from others import Chip, FaceMatcher
from pickup import NUMBERS, Machine
from pictures import PHOTO, png
from station import until

# All the checks that the policy can ask for.
CHECKS = ("one-face", "size", "face-size", "centred", "head-upright", "looks-ahead", "eyes-open", "mouth-closed", "background", "sharpness")


class Applicant:
    """Enters what each page asks for; what is a device's or the centre's turn is waited for."""

    def __init__(self, machine: Machine) -> None:
        self.kiosk, self.pages_left = machine.kiosk, ["register"]
        self.session = self.kiosk.accepted("start-application", language="en")
        self.seen: list[str] = []

    def walk(self) -> Message:
        number, page = None, self.kiosk.page(self.session, None)
        while not page.get("outcome"):
            number = page["number"]
            self.seen.append(page["step"])
            if entry := self.entry(page["step"]):
                self.kiosk.accepted("application-input", session=self.session, step=number, input=entry)
            page = self.kiosk.page(self.session, number)
        return page

    def entry(self, step: str) -> Message | None:
        match step:
            case "choose-kind":
                return {"kind": "renewal"}
            case "choose-residence":
                return {"residence": "local"}
            case "confirm-identity":
                return {"confirm_identity": True}
            case "give-portrait":
                checks = [{"check": check, "passed": True} for check in CHECKS]
                return {"portrait": {"way": "booth", "picture": self.kiosk.blob(PHOTO), "checks": checks}}
            case "give-phone":
                return {"phone": {"first": "13912345678", "second": "13912345678"}}
            case "attach-documents" if self.pages_left:
                scan = self.kiosk.blob(png(100, 60, self.pages_left.pop()))
                return {"document": {"kind": "household-register", "scan": scan}}
            case "attach-documents":
                return {"documents_done": {}}
            case "sign":
                return {"signature": self.kiosk.blob(png(100, 60, "a signature"))}
            case "choose-payment":
                return {"payment_method": "cash-at-window"}
            case _:
                return None


def application(machine: Machine) -> None:
    """A3, A7, A9, A13: a card is renewed."""
    faces = FaceMatcher(machine.port, "face-matcher-1")
    machine.devices.append(faces.start())
    until("the face matcher is there", lambda: machine.station.is_online("face-matcher-1"))
    # Within half a year before its end.
    expires = datetime.date.today() + datetime.timedelta(days=30)
    machine.held_in = Chip("505245000000001A", NUMBERS[0], expires=expires.isoformat())
    machine.scanner.nobody = 1
    applicant = Applicant(machine)
    end = applicant.walk()
    assert end["outcome"] == "accepted", (end, applicant.seen)
    assert sorted(machine.scanner.images) == ["left", "right"], machine.scanner.images
    assert sorted(faces.pairs) == ["live-historical", "portrait-historical"], faces.pairs
    events = machine.station.events()
    compared = [event["data"]["comparison"] for event in events if event["type"] == "station.application.faces-compared.v1"]
    assert [one["score"] for one in compared] == [97, 97], compared
    fingers = [event["data"]["comparison"] for event in events if event["type"] == "station.application.finger-compared.v1"]
    assert [one["score"] for one in fingers] == [93, 93], fingers
    counts = machine.station.counts()
    assert counts["application.finger-failed"] == 1 and counts["application.live-photo-archived"] == 1, counts
    print("paho: an application accepted with native devices: 2 fingers, 2 comparisons of faces, 1 live photo")
