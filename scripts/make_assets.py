"""Draw the image and the font that a generated project serves: `uv run scripts/make_assets.py`.

Both are small, free of other rights, and the same in each run. To change them, change this file.
"""

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._g_l_y_f import Glyph
from PIL import Image, ImageDraw

ASSETS = Path(__file__).parents[1] / "{{cookiecutter.__project_slug}}" / "{{cookiecutter.__package}}" / "demo_assets"
SIZE = 256
FINE = 4  # drawn larger and scaled down for smooth edges

# five dots wide, seven high: each row is a number of five bits, from the top
ROWS = {
    "A": "04 0A 11 11 1F 11 11", "B": "1E 11 11 1E 11 11 1E", "C": "0E 11 10 10 10 11 0E", "D": "1C 12 11 11 11 12 1C",
    "E": "1F 10 10 1E 10 10 1F", "F": "1F 10 10 1E 10 10 10", "G": "0E 11 10 17 11 11 0F", "H": "11 11 11 1F 11 11 11",
    "I": "0E 04 04 04 04 04 0E", "J": "07 02 02 02 02 12 0C", "K": "11 12 14 18 14 12 11", "L": "10 10 10 10 10 10 1F",
    "M": "11 1B 15 15 11 11 11", "N": "11 19 15 13 11 11 11", "O": "0E 11 11 11 11 11 0E", "P": "1E 11 11 1E 10 10 10",
    "Q": "0E 11 11 11 15 12 0D", "R": "1E 11 11 1E 14 12 11", "S": "0F 10 10 0E 01 01 1E", "T": "1F 04 04 04 04 04 04",
    "U": "11 11 11 11 11 11 0E", "V": "11 11 11 11 11 0A 04", "W": "11 11 11 15 15 1B 11", "X": "11 11 0A 04 0A 11 11",
    "Y": "11 11 0A 04 04 04 04", "Z": "1F 01 02 04 08 10 1F", "0": "0E 11 13 15 19 11 0E", "1": "04 0C 04 04 04 04 0E",
    "2": "0E 11 01 02 04 08 1F", "3": "1F 02 04 02 01 11 0E", "4": "02 06 0A 12 1F 02 02", "5": "1F 10 1E 01 01 11 0E",
    "6": "06 08 10 1E 11 11 0E", "7": "1F 01 02 04 08 08 08", "8": "0E 11 11 0E 11 11 0E", "9": "0E 11 11 0F 01 02 0C",
    " ": "00 00 00 00 00 00 00", ".": "00 00 00 00 00 0C 0C", ",": "00 00 00 00 0C 04 08", "!": "04 04 04 04 04 00 04",
    "?": "0E 11 01 02 04 00 04", ":": "00 0C 0C 00 0C 0C 00", "-": "00 00 00 1F 00 00 00", "'": "04 04 08 00 00 00 00",
}  # fmt: skip
DOT = 100  # units of the font; 1000 make an em


def main() -> None:
    """Write both files into the template."""
    ASSETS.mkdir(parents=True, exist_ok=True)
    draw_image().save(ASSETS / "cors.png", optimize=True)
    draw_font().save(ASSETS / "cors.ttf")
    for path in sorted(ASSETS.iterdir()):
        print(f"{path.name}: {path.stat().st_size} bytes")


def draw_image() -> Image.Image:
    """Draw a disc with a bridge over water. Text flows around it as a CSS shape."""
    side = SIZE * FINE
    image = Image.new("RGB", (side, side), "#10375c")
    draw = ImageDraw.Draw(image)
    centre, shore = side // 2, side * 68 // 100
    bands = ["#f25c54", "#f7b267", "#ffe066", "#7bd389", "#38b6ff", "#10375c"]
    for number, colour in enumerate(bands):
        radius = side * (43 - 6 * number) // 100
        draw.ellipse((centre - radius, shore - radius, centre + radius, shore + radius), fill=colour)
    draw.rectangle((0, shore, side, side), fill="#1b6ca8")
    for number in range(3):
        height = shore + side * (6 + 7 * number) // 100
        left = side * (20 + 9 * number) // 100
        draw.rectangle((left, height, side - left, height + side // 50), fill="#8fd3f4")
    for left in (0, side * 78 // 100):
        draw.rectangle((left, shore - side // 25, left + side * 22 // 100, shore + side // 25), fill="#f4f1de")
    disc = Image.new("L", (side, side), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, side - 1, side - 1), fill=255)
    image.putalpha(disc)
    small = image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return small.quantize(96, method=Image.Quantize.FASTOCTREE)  # the only method that keeps the alpha channel


def draw_font() -> FontBuilder:
    """Draw a font of diamonds in a grid, which looks different from every system font."""
    names = {character: f"uni{ord(character):04X}" for character in ROWS}
    glyphs = {".notdef": draw_glyph("1F 11 11 11 11 11 1F"), **{names[c]: draw_glyph(rows) for c, rows in ROWS.items()}}
    characters = {ord(c): name for c, name in names.items()} | {ord(c.lower()): name for c, name in names.items()}
    font = FontBuilder(unitsPerEm=1000, isTTF=True)
    font.setupGlyphOrder(list(glyphs))
    font.setupCharacterMap(characters)
    font.setupGlyf(glyphs)
    font.setupHorizontalMetrics({name: (6 * DOT, getattr(glyph, "xMin", 0)) for name, glyph in glyphs.items()})
    font.setupHorizontalHeader(ascent=8 * DOT, descent=-2 * DOT)
    font.setupNameTable({"familyName": "CORS Diamonds", "styleName": "Regular"})
    font.setupOS2(sTypoAscender=8 * DOT, sTypoDescender=-2 * DOT, usWinAscent=8 * DOT, usWinDescent=2 * DOT)
    font.setupPost()
    font.updateHead(created=0, modified=0)
    font.font.recalcTimestamp = False
    return font


def draw_glyph(rows: str) -> Glyph:
    """Turn rows of dots into diamonds that touch at their corners."""
    pen = TTGlyphPen(None)
    half = DOT // 2
    for line, row in enumerate(rows.split()):
        for column in range(5):
            if int(row, 16) >> (4 - column) & 1:
                x, y = DOT * column + DOT, DOT * (7 - line) - half
                points = [(x - half, y), (x, y + half), (x + half, y), (x, y - half)]
                pen.moveTo(points[0])
                for point in points[1:]:
                    pen.lineTo(point)
                pen.closePath()
    return pen.glyph()


if __name__ == "__main__":
    main()
