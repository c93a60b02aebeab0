"""Spoils a picture the way cameras and screens do: degrade.py IN OUT_DIR

IN is a PNG picture, or an SVG whose one path draws unit squares (`Mx yh1v1h-1z`), which is drawn first, eight pixels a
unit. Writes the variants and prints their paths as a JSON list.
"""

import io
import json
import re
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

LIGHT = 255


def open_picture(path):
    if path.suffix == ".svg":
        return draw_svg(path.read_text())
    with Image.open(path) as picture:
        return picture.convert("L")


def draw_svg(text, scale=8):
    """Draws nothing but what it knows in full, so that a renderer would show the same."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', text)[1])
    path = re.search(r'<path fill="#000" d="([^"]*)"/>', text)[1]
    square = r"M(\d+) (\d+)h1v1h-1z"
    if not re.fullmatch(rf"(?:{square})+", path):
        raise SystemExit("the path is not made of unit squares")
    picture = Image.new("L", (side * scale, side * scale), LIGHT)
    pen = ImageDraw.Draw(picture)
    for left, top in re.findall(square, path):
        x, y = int(left) * scale, int(top) * scale
        pen.rectangle((x, y, x + scale - 1, y + scale - 1), fill=0)
    return picture


def blur(picture):
    return picture.filter(ImageFilter.GaussianBlur(3))


def turn(picture, degrees):
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=LIGHT)


def fade(picture):
    """Levels 90 to 165: a dim screen behind glare."""
    return picture.point(lambda level: 90 + level * 75 // 255)


def jpeg(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=20)
    return Image.open(buffer).convert("L")


def shrink(picture):
    return picture.resize((200, 200), Image.Resampling.LANCZOS)


VARIANTS = {
    "as-drawn": lambda p: p,
    "blurred": blur,
    "turned-7": lambda p: turn(p, 7),
    "turned-90": lambda p: turn(p, 90),
    "low-contrast": fade,
    "jpeg-20": jpeg,
    "200-pixels": shrink,
    "turned-blurred-jpeg": lambda p: jpeg(blur(turn(p, 7))),
    "small-low-contrast": lambda p: fade(shrink(p)),
}


def main(source, folder):
    picture = open_picture(Path(source))
    paths = []
    for name, spoil in VARIANTS.items():
        path = Path(folder) / f"{Path(source).stem}-{name}.png"
        spoil(picture).save(path)
        paths.append(str(path))
    print(json.dumps(paths))


if __name__ == "__main__":
    main(*sys.argv[1:])
