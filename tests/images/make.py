"""Makes the pictures in this folder from public-domain photographs.

Usage: python make.py FOLDER, where FOLDER holds `astronaut.png` and `rocket.jpg` as scikit-image
ships them (`skimage/data/`). Needs Pillow and NumPy. The same input gives the same files.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

HERE = Path(__file__).parent
# The head in astronaut.png, which has 512 x 512 pixels.
FACE = (174, 70, 276, 200)


def save(picture: Image.Image, name: str, **options) -> None:
    picture.convert("RGB").save(HERE / name, quality=90, **options)


def screen_replay(portrait: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The portrait on a phone's display, photographed: sub-pixel stripes sampled anew by the
    camera, a blue cast, raised black, a bezel, a reflection, blur and noise."""
    width, height = 300, 400
    shown = portrait.crop((60, 0, 396, 448)).resize((width, height), Image.LANCZOS)
    light = (np.asarray(shown, np.float32) / 255) ** 2.2
    # Each display pixel is three upright stripes; the camera has 2.37 of its pixels for each.
    grid = np.zeros((height * 3, width * 3, 3), np.float32)
    for channel in range(3):
        grid[:, channel::3, channel] = np.repeat(light[:, :, channel], 3, axis=0) * 2.2
    grid[2::3] *= 0.35
    camera = Image.fromarray((np.clip(grid, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8))
    camera = camera.resize((round(width * 1.13), round(height * 1.13)), Image.BILINEAR)
    phone = Image.new("RGB", (camera.width + 40, camera.height + 110), (12, 12, 14))
    phone.paste(camera, (20, 55))
    scene = Image.new("RGB", (640, 640), (96, 88, 80))
    scene.paste(phone.rotate(4, Image.BICUBIC, expand=True, fillcolor=(96, 88, 80)), (120, 20))
    glare = Image.new("L", scene.size, 0)
    ImageDraw.Draw(glare).polygon([(180, 60), (270, 60), (420, 560), (330, 560)], fill=46)
    scene.paste((225, 235, 255), mask=glare.filter(ImageFilter.GaussianBlur(25)))
    values = np.asarray(scene.filter(ImageFilter.GaussianBlur(0.7)), np.float32)
    values = values * np.float32([0.88, 0.95, 1.08]) * 0.92 + 14
    values += rng.normal(0, 4, values.shape)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def main(folder: Path) -> None:
    rng = np.random.default_rng(7)
    portrait = Image.open(folder / "astronaut.png").convert("RGB")
    save(portrait, "live_portrait.jpg")
    portrait.save(HERE / "live_portrait.webp", quality=90)
    portrait.crop((75, 0, 395, 320)).save(HERE / "live_portrait.png", optimize=True)

    sideways = portrait.rotate(90, expand=True)  # EXIF 6: to be turned clockwise for viewing
    exif = Image.Exif()
    exif[0x0112] = 6
    save(sideways, "live_portrait_exif6.jpg", exif=exif.tobytes())

    save(screen_replay(portrait, rng), "spoof_screen.jpg")

    half = portrait.crop((64, 0, 384, 512))
    two = Image.new("RGB", (640, 512))
    two.paste(half, (0, 0))
    two.paste(half.transpose(Image.FLIP_LEFT_RIGHT), (320, 0))
    save(two, "two_faces.jpg")

    small = Image.new("RGB", (640, 480), (120, 130, 140))
    small.paste(portrait.resize((200, 200), Image.LANCZOS), (220, 140))
    save(small, "small_face.jpg")

    left, top, right, bottom = FACE
    save(portrait.crop(((left + right) // 2 - 8, 0, 512, 512)), "border_face.jpg")
    save(Image.open(folder / "rocket.jpg"), "no_face.jpg")
    # Large enough for the strict profile, far from every border.
    save(portrait.crop((45, 0, 405, 360)).resize((1200, 1200), Image.BICUBIC), "strict_portrait.jpg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
