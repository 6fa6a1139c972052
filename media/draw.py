"""Draw the pictures of the example campaigns: ``python media/draw.py`` writes them beside this file.

A developer's tool, no part of the program: change a word or a date here and run it again. Only shapes and the font that
Pillow brings (Aileron, CC0), so that every picture is ours and small; nobody is shown, so nobody had to consent.
"""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).parent
SCALE = 2  # drawn twice as large and reduced, for smooth edges
WIDE = (1200, 675)
SQUARE = (1080, 1080)
RED, DARK_RED, CREAM, YELLOW, INK = "#b3141d", "#7c0b13", "#fff4e3", "#ffc531", "#1d1b20"
BLUE, DARK_BLUE, PALE = "#12477d", "#0b2d52", "#e9f1fa"


class Canvas:
    """A picture in final pixels; drawing happens ``SCALE`` times larger."""

    def __init__(self, size: tuple[int, int], background: str) -> None:
        self.size = size
        self.image = Image.new("RGB", (size[0] * SCALE, size[1] * SCALE), background)
        self.pen = ImageDraw.Draw(self.image)

    def box(self, corners: tuple[float, float, float, float], fill: str, *, radius: float = 0) -> None:
        """A rectangle from (left, top) to (right, bottom)."""
        self.pen.rounded_rectangle([value * SCALE for value in corners], radius * SCALE, fill)

    def disc(self, centre: tuple[float, float], radius: float, fill: str) -> None:
        """A filled circle."""
        x, y = centre
        self.pen.ellipse([v * SCALE for v in (x - radius, y - radius, x + radius, y + radius)], fill)

    def shape(self, points: list[tuple[float, float]], fill: str) -> None:
        """A filled polygon."""
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill)

    def line(self, points: list[tuple[float, float]], fill: str, *, width: float) -> None:
        """A line through the points."""
        self.pen.line([(x * SCALE, y * SCALE) for x, y in points], fill, round(width * SCALE), joint="curve")

    def text(
        self, place: tuple[float, float], words: str, *, size: float, fill: str, bold: float = 0, at: str = "la"
    ) -> None:
        """Words at a place; ``bold`` thickens the strokes by so many pixels, ``at`` is Pillow's anchor."""
        font = ImageFont.load_default(size * SCALE)
        where = (place[0] * SCALE, place[1] * SCALE)
        self.pen.text(where, words, fill, font, anchor=at, stroke_width=bold * SCALE, stroke_fill=fill)

    def save(self, name: str) -> None:
        """Reduce and write; PNG with few colours, JPEG otherwise."""
        image = self.image.resize(self.size, Image.Resampling.LANCZOS)
        if name.endswith(".png"):
            image.quantize(48, dither=Image.Dither.NONE).save(FOLDER / name, optimize=True)
        else:
            image.save(FOLDER / name, quality=70, optimize=True, progressive=True)


def crowd(canvas: Canvas, *, fill: str, flags: tuple[str, ...], height: float = 150, seed: int = 7) -> None:
    """A row of people seen from behind, with flags and blank placards, along the bottom."""
    dice = random.Random(seed)  # noqa: S311 - the same picture at every run
    width, bottom = canvas.size
    for number, x in enumerate(range(70, width, 170)):
        top = bottom - height - dice.uniform(60, 130)
        canvas.line([(x, bottom), (x, top)], fill, width=7)
        colour = flags[number % len(flags)]
        if number % 3 == 1:
            canvas.box((x - 46, top - 26, x + 46, top + 32), colour, radius=4)
            canvas.line([(x - 28, top - 6), (x + 28, top - 6)], fill, width=5)
            canvas.line([(x - 28, top + 12), (x + 12, top + 12)], fill, width=5)
        else:
            canvas.shape([(x, top), (x + 96, top + 16), (x + 78, top + 36), (x + 98, top + 58), (x, top + 50)], colour)
    for row in range(2):
        for x in range(-20 + 28 * row, width + 60, 62):
            y = bottom - height + row * 55 + dice.uniform(-14, 14)
            canvas.disc((x, y), 22, fill)
            canvas.box((x - 33, y + 24, x + 33, bottom + 60), fill, radius=28)


def wage_poster(name: str, *, title: tuple[str, str], lines: tuple[str, str]) -> None:
    """The poster of the wage campaign."""
    canvas = Canvas(WIDE, RED)
    for ray in range(-2, 12):
        canvas.shape([(600, 760), (ray * 220 - 500, -50), (ray * 220 - 400, -50)], "#bd2029")
    canvas.box((70, 62, 82, 330), YELLOW)
    canvas.text((112, 50), title[0], size=112, fill=CREAM, bold=3)
    canvas.text((112, 182), title[1], size=112, fill=YELLOW, bold=3)
    canvas.text((114, 328), lines[0], size=44, fill=CREAM, bold=0.8)
    canvas.text((114, 384), lines[1], size=34, fill=CREAM)
    crowd(canvas, fill=INK, flags=(YELLOW, CREAM, "#e8505a"), height=120)
    canvas.text((1160, 40), "FSPC", size=30, fill=CREAM, bold=1, at="ra")
    canvas.save(name)


def bars(name: str, *, title: str, note: str, rows: list[tuple[str, int]], unit: str) -> None:
    """A bar chart of a month's wage; the last row, what is left, stands out."""
    canvas = Canvas(WIDE, CREAM)
    canvas.text((70, 44), title, size=58, fill=INK, bold=1.6)
    for number, (label, value) in enumerate(rows):
        top = 142 + number * 76
        last = number == len(rows) - 1
        canvas.text((340, top + 26), label, size=33, fill=INK, bold=0.8 if last else 0, at="rm")
        canvas.box((362, top, 362 + value * 16.5, top + 52), RED if last else BLUE, radius=6)
        canvas.text((380 + value * 16.5, top + 27), f"{value}{unit}", size=33, fill=INK, bold=1, at="lm")
    canvas.text((70, 614), note, size=25, fill="#4c474f")
    canvas.save(name)


def meeting_point() -> None:
    """The plan of the meeting place in the capital."""
    canvas = Canvas(WIDE, "#f2efe6")
    for y in (150, 520):
        canvas.box((0, y, 1200, y + 56), "#d6d1c4")
    canvas.box((860, 150, 920, 675), "#d6d1c4")
    canvas.box((250, 226, 760, 500), "#a9cf8f", radius=18)
    canvas.text((505, 350), "Lapangan Contoh", size=50, fill=INK, bold=1.2, at="mm")
    canvas.text((505, 410), "berkumpul 08.00 WIB", size=33, fill=INK, at="mm")
    canvas.line([(780, 548), (890, 548), (890, 640)], RED, width=13)
    canvas.shape([(862, 626), (918, 626), (890, 670)], RED)
    canvas.text((945, 610), "1,2 km ke selatan", size=30, fill=RED, bold=0.6)
    canvas.box((330, 158, 450, 198), BLUE, radius=8)
    canvas.text((390, 178), "BUS", size=28, fill="white", bold=1, at="mm")
    canvas.text((470, 178), "turun di sini", size=28, fill=INK, at="lm")
    canvas.box((945, 300, 1005, 360), "white", radius=8)
    canvas.box((969, 308, 981, 352), RED)
    canvas.box((953, 324, 997, 336), RED)
    canvas.text((1014, 312), "Pos kesehatan", size=25, fill=INK, at="lm")
    canvas.text((1014, 348), "dan air minum", size=25, fill=INK, at="lm")
    canvas.shape([(1110, 40), (1090, 110), (1110, 92), (1130, 110)], INK)
    canvas.text((1110, 132), "U", size=26, fill=INK, bold=1, at="mm")
    canvas.text((60, 44), "Titik kumpul Jakarta", size=58, fill=INK, bold=1.6)
    canvas.save("titik-kumpul.png")


def today() -> None:
    """The poster of the morning itself."""
    canvas = Canvas(WIDE, YELLOW)
    canvas.disc((930, 500), 330, "#ff9e2c")
    canvas.disc((930, 500), 240, "#ffdd7a")
    canvas.text((70, 60), "Hari ini", size=124, fill=INK, bold=3)
    canvas.text((70, 200), "kita turun", size=124, fill=RED, bold=3)
    canvas.text((74, 356), "08.00 WIB · 08.00 WITA · 08.00 WIT", size=36, fill=INK, bold=1)
    crowd(canvas, fill=INK, flags=(RED, CREAM, BLUE), height=105, seed=11)
    canvas.save("hari-ini.png")


def training_poster() -> None:
    """The poster of the training."""
    canvas = Canvas(WIDE, BLUE)
    canvas.box((0, 560, 1200, 675), DARK_BLUE)
    canvas.shape([(880, 250), (1030, 170), (1030, 400), (880, 330)], YELLOW)
    canvas.box((800, 250, 890, 330), YELLOW, radius=16)
    canvas.shape([(820, 328), (866, 328), (886, 420), (838, 420)], YELLOW)
    for reach in (0, 40, 80):
        box = [v * SCALE for v in (1020 - reach, 205 - reach, 1100 + reach, 365 + reach)]
        canvas.pen.arc(box, -48, 48, CREAM, 11 * SCALE)
    canvas.box((800, 64, 1000, 144), CREAM, radius=22)
    canvas.shape([(840, 140), (884, 140), (836, 176)], CREAM)
    for x in (850, 900, 950):
        canvas.disc((x, 104), 9, BLUE)
    canvas.text((70, 70), "Pelatihan", size=54, fill=YELLOW, bold=1)
    canvas.text((70, 146), "Advokasi", size=92, fill="white", bold=2.4)
    canvas.text((70, 248), "Kebijakan dan", size=74, fill="white", bold=2)
    canvas.text((70, 332), "Media Sosial", size=74, fill="white", bold=2)
    canvas.text((70, 450), "23 dan 24 Januari 2027", size=40, fill=YELLOW, bold=1)
    canvas.text((70, 504), "Wisma Belajar Contoh, Bogor", size=32, fill=PALE)
    canvas.text((70, 617), "Daftar sampai 15 Januari · gratis · 40 tempat", size=33, fill="white", at="lm")
    canvas.text((1150, 617), "FSPC", size=33, fill=YELLOW, bold=1, at="rm")
    canvas.save("pelatihan-poster.jpg")


def timetable() -> None:
    """The timetable of the training."""
    days = {
        "Sabtu, 23 Januari": [
            ("09.00", "Pembukaan"),
            ("10.00", "Membaca rancangan peraturan"),
            ("13.30", "Menulis masukan serikat"),
            ("19.30", "Malam cerita"),
        ],
        "Minggu, 24 Januari": [
            ("08.30", "Menyusun pesan"),
            ("10.30", "Praktik rencana kampanye"),
            ("13.00", "Keamanan anggota"),
            ("15.00", "Penutupan"),
        ],
    }
    canvas = Canvas(SQUARE, PALE)
    canvas.text((70, 56), "Jadwal pelatihan", size=72, fill=DARK_BLUE, bold=2)
    for column, (day, sessions) in enumerate(days.items()):
        top = 176 + column * 432
        canvas.box((60, top, 1020, top + 406), "white", radius=20)
        canvas.box((60, top, 1020, top + 84), BLUE, radius=20)
        canvas.box((60, top + 50, 1020, top + 84), BLUE)
        canvas.text((96, top + 42), day, size=38, fill="white", bold=1, at="lm")
        for row, (hour, title) in enumerate(sessions):
            y = top + 128 + row * 74
            canvas.text((96, y), hour, size=37, fill=RED, bold=1, at="lm")
            canvas.text((240, y), title, size=37, fill=INK, at="lm")
    canvas.text((540, 1052), "Semua waktu WIB · Wisma Belajar Contoh, Bogor", size=27, fill=DARK_BLUE, at="mm")
    canvas.save("pelatihan-jadwal.png")


def mourning() -> None:
    """The card of the first statement: quiet, without pictures of people or of the place."""
    canvas = Canvas(WIDE, "#141416")
    canvas.shape([(1010, 0), (1200, 0), (1200, 130), (1120, 70)], "#45454b")
    canvas.text((90, 130), "Kami berduka", size=106, fill="#f4f2ee", bold=2)
    canvas.box((94, 284, 254, 290), "#8d8d95")
    canvas.text((92, 320), "Pernyataan Federasi Serikat Pekerja Contoh", size=38, fill="#f4f2ee")
    canvas.text((92, 470), "Hormati keluarga:", size=36, fill="#f4f2ee", bold=0.8)
    canvas.text((92, 520), "jangan sebarkan foto dan nama korban.", size=36, fill="#f4f2ee")
    canvas.save("pernyataan-sikap.png")


def help_desk() -> None:
    """The card of the help desk for families."""
    canvas = Canvas(WIDE, "white")
    canvas.box((0, 0, 1200, 18), RED)
    canvas.text((80, 70), "Posko pendampingan", size=84, fill=INK, bold=2)
    for row, words in enumerate(
        ("Kabar keluarga", "Pendampingan di rumah sakit", "Bantuan hukum", "Dukungan psikologis")
    ):
        y = 226 + row * 68
        canvas.disc((102, y), 15, RED)
        canvas.text((142, y), words, size=42, fill=INK, at="lm")
    canvas.box((0, 520, 1200, 675), "#f0eeea")
    canvas.text((80, 566), "Gratis dan dirahasiakan", size=38, fill=INK, bold=1, at="lm")
    canvas.text((80, 622), "fspc.example.org/posko", size=42, fill=RED, bold=1, at="lm")
    canvas.save("posko.png")


def main() -> None:
    """Write every picture."""
    wage_poster(
        "upah-layak-poster.jpg",
        title=("Upah Layak", "2027"),
        lines=("Kerja penuh, hidup layak.", "Aksi serentak Kamis 10 Desember"),
    )
    wage_poster(
        "living-wage-poster.jpg",
        title=("A Living Wage", "2027"),
        lines=("A full day's work, a decent life.", "Day of action, Thursday 10 December"),
    )
    values = (38, 24, 15, 11, 5, 7)
    words = ("Makan", "Sewa dan listrik", "Transportasi", "Sekolah", "Kesehatan", "Sisa semuanya")
    note = "Dari setiap Rp100.000. Sumber: survei belanja anggota FSPC (data contoh)."
    bars(
        "ke-mana-upah-pergi.png",
        title="Ke mana upah kita pergi?",
        note=note,
        rows=list(zip(words, values, strict=True)),
        unit=" ribu",
    )
    words = ("Food", "Rent and power", "Transport", "School", "Health", "Everything else")
    note = "Out of every Rp100,000. Source: FSPC members' spending survey (example data)."
    bars(
        "where-wages-go.png",
        title="Where do our wages go?",
        note=note,
        rows=list(zip(words, values, strict=True)),
        unit="k",
    )
    meeting_point()
    today()
    training_poster()
    timetable()
    mourning()
    help_desk()


if __name__ == "__main__":
    main()
