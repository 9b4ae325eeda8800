"""Reads the QR code of a slip from its SVG image, as a scanner would, and compares it with what the slip says it is.

The image is drawn from the rectangles of the SVG's paths and read by ZXing.
"""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree

import numpy
import zxingcpp


def drawn(svg: str) -> numpy.ndarray:
    """A grey image, a pixel for each unit of the drawing."""
    root = ElementTree.fromstring(svg)
    _, _, width, height = (int(float(part)) for part in root.attrib["viewBox"].split())
    image = numpy.full((height, width), 255, dtype=numpy.uint8)
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        dark = path.attrib.get("fill", "#000") in ("#000", "#000000", "black")
        # Each module is a rectangle: M x y h width v height H x V y.
        for x, y, across, down in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", path.attrib["d"]):
            left, top = int(x), int(y)
            image[top : top + int(down), left : left + int(across)] = 0 if dark else 255
    return image


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        slip = json.load(file)
    read = [code.text for code in zxingcpp.read_barcodes(drawn(slip["qr_svg"]))]
    if read != [slip["qr"]]:
        sys.exit(f"ZXing reads {read}, the slip says {slip['qr']!r}")
    print(slip["qr"])


if __name__ == "__main__":
    main()
