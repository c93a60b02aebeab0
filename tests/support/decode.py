"""Decodes QR pictures with zxing-cpp: decode.py PATH...

Writes one JSON line for each file: text, QR version, error-correction level, format, and the content's bytes in hex.
All are null where not exactly one QR code was found. Only QR codes are looked for: among the modules of any large code a
reader of every symbology at times sees a short Codabar or ITF code besides. zxing-cpp tells the version of what it read in `Barcode.extra`.
"""

import json
import sys

import zxingcpp
from PIL import Image


def decode(path):
    with Image.open(path) as picture:
        found = zxingcpp.read_barcodes(
            picture.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode, text_mode=zxingcpp.TextMode.Plain
        )
    if len(found) != 1:
        return dict.fromkeys(["text", "version", "ec_level", "format", "content_bytes_hex"])
    code = found[0]
    return {
        "text": code.text,
        "version": int(code.extra["Version"]),
        "ec_level": code.ec_level,
        "format": str(code.format),
        "content_bytes_hex": code.bytes.hex(),
    }


if __name__ == "__main__":
    for path in sys.argv[1:]:
        print(json.dumps(decode(path)))
