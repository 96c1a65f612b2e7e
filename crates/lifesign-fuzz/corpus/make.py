"""Writes the seed files of the corpora beside it: drawn pictures, and texts that are nearly right.

    pip install pillow && python make.py

Files whose names begin with `found-` are what runs of the fuzzers found; they are left alone.
"""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).parent


def write(target: str, name: str, content: bytes | str) -> None:
    folder = HERE / target
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def drawn(mode: str = "RGB", size: tuple[int, int] = (24, 18)) -> Image.Image:
    """A gradient with a disc and a line: every direction differs."""
    width, height = size
    picture = Image.new("RGB", size)
    picture.putdata([(x * 255 // width, y * 255 // height, (x * y) % 256) for y in range(height) for x in range(width)])
    draw = ImageDraw.Draw(picture)
    draw.ellipse((width // 4, height // 4, width // 2, height // 2), fill=(230, 60, 40))
    draw.line((0, height - 1, width - 1, 0), fill=(20, 20, 90))
    if mode in ("RGBA", "LA"):
        picture = picture.convert(mode)
        picture.putalpha(Image.linear_gradient("L").resize(size))
        return picture
    return picture.convert(mode)


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def exif(orientation: int, order: str = ">") -> bytes:
    """An EXIF block that states an orientation, without the name that stands before it in JPEG."""
    mark = b"MM" if order == ">" else b"II"
    entry = struct.pack(order + "HHIHH", 0x112, 3, 1, orientation, 0)
    return mark + struct.pack(order + "HIH", 42, 8, 1) + entry + struct.pack(order + "I", 0)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, interlace: int = 0, *more: bytes) -> bytes:
    """A PNG file from its scan lines, for the kinds that Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    chunks = [chunk(b"IHDR", header), *more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def adam7(width: int, height: int) -> bytes:
    """The scan lines of an interlaced RGB picture."""
    rows = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for y in range(y0, height, dy):
            line = b"".join(bytes((x * 9 % 256, y * 11 % 256, 77)) for x in range(x0, width, dx))
            rows += b"\0" + line if line else b""
    return rows


def jpegs() -> None:
    rgb = drawn()
    seeds = {
        "baseline": encoded(rgb, "JPEG", quality=85),
        "444": encoded(rgb, "JPEG", subsampling=0, quality=95),
        "422": encoded(rgb, "JPEG", subsampling=1),
        "420": encoded(rgb, "JPEG", subsampling=2),
        "grey": encoded(drawn("L"), "JPEG"),
        "cmyk": encoded(drawn("CMYK"), "JPEG"),
        "progressive": encoded(rgb, "JPEG", progressive=True),
        "progressive-grey": encoded(drawn("L"), "JPEG", progressive=True),
        "progressive-420": encoded(rgb, "JPEG", progressive=True, subsampling=2, quality=30),
        "restarts": encoded(rgb, "JPEG", restart_marker_blocks=1),
        "restarts-progressive": encoded(rgb, "JPEG", progressive=True, restart_marker_rows=1),
        "optimised": encoded(rgb, "JPEG", optimize=True),
        "comment": encoded(rgb, "JPEG", comment=b"drawn"),
        "one-pixel": encoded(drawn(size=(1, 1)), "JPEG"),
        "odd": encoded(drawn(size=(17, 9)), "JPEG", subsampling=2),
        "keep-rgb": encoded(rgb, "JPEG", keep_rgb=True),
        "exif-6": encoded(rgb, "JPEG", exif=b"Exif\0\0" + exif(6)),
        "exif-damaged": encoded(rgb, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        "icc": encoded(rgb, "JPEG", icc_profile=b"\0" * 140),
    }
    whole = seeds["baseline"]
    # The frame header: FF C0, length, precision, height, width.
    frame = whole.index(b"\xff\xc0")
    sized = lambda height, width: whole[: frame + 5] + struct.pack(">HH", height, width) + whole[frame + 9 :]
    seeds |= {
        "torn": whole[: len(whole) * 2 // 3],
        "no-end": whole[:-2],
        "no-scan": whole[: whole.index(b"\xff\xda")],
        "no-tables": whole[:2] + whole[frame:],
        "huge": sized(65535, 65535),
        "no-height": sized(0, 24),
        "wider-than-its-scan": sized(900, 1000),
        "12-bit": whole[: frame + 4] + b"\x0c" + whole[frame + 5 :],
        "arithmetic": whole[: frame + 1] + b"\xc9" + whole[frame + 2 :],
        "two-pictures": whole + whole,
        "torn-progressive": seeds["progressive"][: len(seeds["progressive"]) // 2],
    }
    for name, content in seeds.items():
        write("jpeg", f"{name}.jpg", content)


def pngs() -> None:
    rgb = drawn()
    grey = b"".join(b"\0" + bytes((x * 40) % 256 for x in range(8)) for _ in range(6))
    seeds = {
        "rgb": encoded(rgb, "PNG"),
        "rgba": encoded(drawn("RGBA"), "PNG"),
        "grey": encoded(drawn("L"), "PNG"),
        "grey-alpha": encoded(drawn("LA"), "PNG"),
        "grey-16": encoded(drawn("L").convert("I;16"), "PNG"),
        "one-bit": encoded(drawn("1"), "PNG"),
        "palette": encoded(drawn("P"), "PNG"),
        "palette-4-bit": encoded(rgb.quantize(16), "PNG", bits=4),
        "palette-2-bit": encoded(rgb.quantize(4), "PNG", bits=2),
        "palette-transparent": encoded(rgb.quantize(8), "PNG", transparency=1),
        "rgb-transparent": encoded(rgb, "PNG", transparency=(0, 0, 0)),
        "one-pixel": encoded(drawn(size=(1, 1)), "PNG"),
        "stored": encoded(drawn(size=(8, 6)), "PNG", compress_level=0),
        "animated": encoded(rgb, "PNG", save_all=True, append_images=[rgb.rotate(90), rgb.rotate(180)], duration=50),
        "exif-8": encoded(rgb, "PNG", exif=exif(8)),
        "rgb-16": png(4, 3, 16, 2, b"".join(b"\0" + bytes(range(24)) for _ in range(3))),
        "rgba-16": png(4, 3, 16, 6, b"".join(b"\1" + bytes(range(32)) for _ in range(3))),
        "grey-alpha-16": png(4, 3, 16, 4, b"".join(b"\2" + bytes(range(16)) for _ in range(3))),
        "interlaced": png(11, 9, 8, 2, adam7(11, 9), 1),
        "every-filter": png(8, 5, 8, 0, b"".join(bytes([f]) + bytes(range(8)) for f in range(5))),
        "bad-filter": png(8, 1, 8, 0, b"\x05" + bytes(8)),
        "rows-missing": png(8, 9, 8, 0, grey),
        "rows-too-many": png(8, 2, 8, 0, grey),
        "no-palette": png(8, 6, 8, 3, grey),
        "palette-too-short": png(8, 6, 8, 3, grey, 0, chunk(b"PLTE", b"\1\2\3")),
        "no-width": png(0, 6, 8, 0, grey),
        "huge": png(50_000, 50_000, 8, 2, b""),
        "just-over": png(1000, 1001, 1, 0, bytes(126 * 1001)),
        "just-within": png(1000, 1000, 1, 0, bytes(126 * 1000)),
        "text": png(8, 6, 8, 0, grey, 0, chunk(b"tEXt", b"Comment\0drawn"), chunk(b"zTXt", b"c\0\0" + zlib.compress(b"a" * 4096))),
        "two-headers": png(8, 6, 8, 0, grey, 0, chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))),
        "empty-exif": png(8, 6, 8, 0, grey, 0, chunk(b"eXIf", b"")),
    }
    whole = seeds["rgb"]
    seeds |= {
        "torn": whole[: len(whole) // 2],
        "bad-checksum": whole[:29] + bytes([whole[29] ^ 1]) + whole[30:],
        "no-end": whole[:-12],
    }
    for name, content in seeds.items():
        write("png", f"{name}.png", content)


def webps() -> None:
    rgb, rgba = drawn(), drawn("RGBA")
    frames = {"save_all": True, "append_images": [rgb.rotate(90), rgb.rotate(180)], "duration": 50}
    seeds = {
        "lossy": encoded(rgb, "WEBP", quality=60),
        "lossy-small": encoded(drawn(size=(3, 2)), "WEBP", quality=10),
        "lossy-alpha": encoded(rgba, "WEBP", quality=60),
        "lossy-alpha-reduced": encoded(rgba, "WEBP", quality=60, alpha_quality=20),
        "lossless": encoded(rgb, "WEBP", lossless=True),
        "lossless-alpha": encoded(rgba, "WEBP", lossless=True, exact=True),
        "lossless-palette": encoded(rgb.quantize(8).convert("RGB"), "WEBP", lossless=True, method=6),
        "lossless-two-colours": encoded(drawn("1").convert("RGB"), "WEBP", lossless=True, method=6),
        "lossless-fast": encoded(rgb, "WEBP", lossless=True, method=0, quality=0),
        "one-pixel": encoded(drawn(size=(1, 1)), "WEBP", lossless=True),
        "animated": encoded(rgb, "WEBP", quality=40, **frames),
        "animated-lossless": encoded(rgb, "WEBP", lossless=True, **frames),
        "animated-mixed": encoded(rgba, "WEBP", allow_mixed=True, **frames),
        "exif-3": encoded(rgb, "WEBP", exif=exif(3)),
        "icc-xmp": encoded(rgb, "WEBP", icc_profile=b"\0" * 140, xmp=b"<x/>"),
    }
    whole = seeds["lossy"]
    wide = seeds["exif-3"]
    at = wide.index(b"VP8X") + 12
    seeds |= {
        "torn": whole[: len(whole) // 2],
        "torn-lossless": seeds["lossless"][: len(seeds["lossless"]) // 2],
        "torn-animated": seeds["animated"][: len(seeds["animated"]) * 2 // 3],
        "wrong-length": whole[:4] + b"\xff\xff\xff\xff" + whole[8:],
        "canvas-huge": wide[:at] + b"\xff" * 6 + wide[at + 6 :],
        "canvas-other": wide[:at] + b"\x01\0\0\x01\0\0" + wide[at + 6 :],
        "no-chunk": whole[:12],
    }
    for name, content in seeds.items():
        write("webp", f"{name}.webp", content)


def exifs() -> None:
    for orientation in range(10):
        write("exif", f"big-{orientation}", exif(orientation))
        write("exif", f"little-{orientation}", exif(orientation, "<"))
    whole = exif(6)
    entry = whole[10:22]
    many = b"".join(struct.pack(">HHII", tag, 7, 4, 0) for tag in range(0x100, 0x112)) + entry
    seeds = {
        "empty": b"",
        "torn": whole[:15],
        "named": b"Exif\0\0" + whole,
        "offset-beyond": whole[:4] + b"\xff\xff\xff\xff" + whole[8:],
        "offset-to-itself": whole[:4] + b"\0\0\0\0" + whole[8:],
        "count-huge": whole[:8] + b"\xff\xff" + whole[10:],
        "twice": whole[:8] + b"\0\2" + entry + exif(3)[10:22] + b"\0\0\0\0",
        "loop": whole[:-4] + b"\0\0\0\x08",
        "other-type": whole[:12] + b"\0\4\0\0\0\1\0\0\0\6" + whole[22:],
        "many-values": whole[:14] + b"\xff\xff\xff\xff" + whole[18:],
        "many-entries": whole[:8] + struct.pack(">H", 19) + many + b"\0\0\0\0",
        "wrong-order": b"IM" + whole[2:],
    }
    for name, content in seeds.items():
        write("exif", name, content)


def image_sources() -> None:
    photograph = encoded(drawn(size=(3, 2)), "WEBP", quality=10)
    standard, url = base64.b64encode(photograph).decode(), base64.urlsafe_b64encode(photograph).decode()
    seeds = {
        "standard": standard,
        "url-safe": url,
        "no-padding": standard.rstrip("="),
        "broken": "\r\n".join(standard[at : at + 20] for at in range(0, len(standard), 20)),
        "both-alphabets": "+-/_" * 4,
        "data-uri": f"data:image/webp;base64,{standard}",
        "data-uri-parameters": f"DATA:image/webp;name=a.webp;BASE64 ,\n{url}",
        "data-uri-bare": "data:;base64,AAAA",
        "data-uri-text": "data:text/plain,hello",
        "data-uri-no-comma": "data:image/png;base64",
        "data-uri-not-ascii": "data:🙂;base64,AAAA",
        "just-within": "A" * 1365 + "A",
        "just-over": "A" * 1368,
        "far-over": "A" * 5000,
        "padding-only": "====",
        "padding-inside": "AA==AA==",
        "one-symbol": "A",
        "stray-bits": "AB",
        "https": "https://example.org/a.jpg?x=1#y",
        "https-upper": "HTTPS://EXAMPLE.ORG/%C3%BC",
        "https-user": "https://user:word@example.org:8443/a",
        "https-ipv6": "https://[::ffff:127.0.0.1]/",
        "https-number": "https://0x7f000001/",
        "https-idn": "https://bücher.example/ß",
        "https-empty": "https://",
        "https-slashes": "https:////a\\b/..//c",
        "https-tab": "https://exam\tple.org/\n",
        "https-long": "https://example.org/" + "a" * 8200,
        "http": "http://example.org/a.jpg",
        "file": "file:///etc/passwd",
        "scheme-inside": "https+http://a://b",
        "not-utf-8": b"\xff\xfe\xed\xa0\x80AAAA",
        "blank": "\u2003 \u00a0",
        "nul": "AA\0A",
    }
    for name, content in seeds.items():
        write("image_source", name, content)


def bodies() -> None:
    good = {"os": "DESKTOP", "image": "AAAA", "collection_id": "c1", "liveness_min_score": 0.6}
    base = '{"os":"IOS","image":"AAAA","liveness_min_score":%s}'
    seeds = {
        "whole": json.dumps(good),
        "required": '{"os":"x","image":"y"}',
        "indented": json.dumps(good, indent=2),
        "image-only": '{"image":"AAAA"}',
        "empty": "",
        "null": "null",
        "array": "[]",
        "object": "{}",
        "every-wrong-type": '{"os":1,"image":[],"collection_id":{},"liveness_min_score":true}',
        "every-null": '{"os":null,"image":null,"collection_id":null,"liveness_min_score":null}',
        "every-empty": '{"os":"","image":"","collection_id":"","liveness_min_score":""}',
        "empty-os": '{"os":"","image":"x"}',
        "duplicate-keys": '{"os":"IOS","os":7,"image":"x","image":"y","os":"ANDROID"}',
        "escapes": r'{"\u006fs":"\u0049\n\t\"\\\/","image":"\uD83D\uDE00"}',
        "lone-surrogate": r'{"os":"\uD800","image":"x"}',
        "swapped-surrogates": r'{"os":"\uDC00\uD800","image":"x"}',
        "not-utf-8": b'{"os":"\xff","image":"x"}',
        "bom": "\ufeff{}",
        "nul": r'{"os":"\u0000","image":"x"}',
        "unknown-fields": '{"os":"x","image":"y","includeCost":{"a":[1,{"b":null}]}}',
        "prototype": '{"__proto__":{"os":"x"},"constructor":1,"os":"x","image":"y"}',
        "nested-100": "[" * 100 + "]" * 100,
        "nested-200": '{"a":' * 200 + "1" + "}" * 200,
        "nested-open": "[" * 4000,
        "trailing": '{"os":"x","image":"y"} x',
        "two": "{}{}",
        "torn": '{"os":"x","ima',
        "control": '{"os":"a\nb","image":"x"}',
        "comment": '{/* */"os":"x"}',
    }
    numbers = ["0", "1", "-0", "-0.0", "0.123456789", "1.0000000000000001", "1.0001", "1e-400", "1e400", "-1e400", "1e300",
               "9007199254740993", "18446744073709551616", "123456789012345678901234567890", "1E+0", "01", ".5", "1.", "NaN", "+1", "-0.1"]
    numbers += [f'"{text}"' for text in ["0.25", " 1 ", "-0", "1e-1", "1e999", "NaN", "inf", "0x1", "1_0", "１", "", "." , "+.5e0", "0." + "1" * 400]]
    seeds |= {f"score-{nth:02}": base % text for nth, text in enumerate(numbers)}
    for name, content in seeds.items():
        write("json_body", f"{name}.json", content)


def tokens() -> None:
    part = lambda value: base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=").decode()
    own = {"clientId": "c", "jti": "j", "iat": 1, "exp": 4102444800, "iss": "Lifesign"}
    outer = {"iss": "https://issuer.example", "aud": "lifesign", "exp": 4102444800, "azp": "c"}
    statement = {"iss": "Lifesign", "jti": "JQ4RM", "iat": 1, "time": "2026-11-24T09:30:00.000Z", "client_id": "c",
                 "image_sha256": "0" * 64, "os": "IOS", "liveness_score": 0.9, "min_score": 0.6, "passed": True,
                 "decision": "live", "version": "0.1.0", "weights": {"a/b.onnx": "0" * 64}}
    receipt = {"typ": "lifesign-receipt+jwt", "alg": "EdDSA", "kid": "ed"}
    texts = {
        "own": ({"typ": "JWT", "alg": "HS256"}, own),
        "own-over": ({"alg": "HS256"}, own | {"exp": 1}),
        "own-over-for-ever": ({"alg": "HS256"}, own | {"exp": -(2**63)}),
        "own-float": ({"alg": "HS256"}, own | {"exp": 1e300}),
        "own-incomplete": ({"alg": "HS256"}, {"clientId": "c"}),
        "own-wrong-types": ({"alg": "HS256"}, own | {"jti": 1}),
        "own-array": ({"alg": "HS256"}, list(own.values())),
        "hs512": ({"alg": "HS512"}, own),
        "none": ({"alg": "none"}, own),
        "none-cased": ({"alg": "nOnE"}, outer),
        "rs256": ({"alg": "RS256", "kid": "rsa"}, outer),
        "rs256-over-ed": ({"alg": "RS256", "kid": "ed"}, outer),
        "es256": ({"alg": "ES256", "kid": "ec"}, outer),
        "provider": ({"alg": "EdDSA", "kid": "ed"}, outer),
        "provider-no-kid": ({"alg": "EdDSA"}, outer),
        "provider-audiences": ({"alg": "EdDSA", "kid": "ed"}, outer | {"aud": ["x", "lifesign"], "iss": ["https://issuer.example"]}),
        "provider-other-audience": ({"alg": "EdDSA", "kid": "ed"}, outer | {"aud": "other"}),
        "provider-other-issuer": ({"alg": "EdDSA", "kid": "ed"}, outer | {"iss": "https://issuer.example.org"}),
        "provider-future": ({"alg": "EdDSA", "kid": "ed"}, outer | {"nbf": 4102444800}),
        "provider-exp-text": ({"alg": "EdDSA", "kid": "ed"}, outer | {"exp": "4102444800"}),
        "provider-exp-float": ({"alg": "EdDSA", "kid": "ed"}, outer | {"exp": 1.5}),
        "provider-client-number": ({"alg": "EdDSA", "kid": "ed"}, outer | {"azp": 7}),
        "provider-unknown-kid": ({"alg": "EdDSA", "kid": "nobody"}, outer),
        "provider-critical": ({"alg": "EdDSA", "kid": "ed", "crit": ["x"], "x": 1}, outer),
        "receipt": (receipt, statement),
        "receipt-of-another-type": (receipt | {"typ": "JWT"}, statement),
        "receipt-of-another-key": (receipt | {"kid": "rsa"}, statement),
        "receipt-hs256": (receipt | {"alg": "HS256"}, statement),
        "receipt-incomplete": (receipt, {"iss": "Lifesign"}),
        "embedded-key": (receipt | {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}, "jku": "https://example.org/"}, outer),
    }
    for name, (head, payload) in texts.items():
        write("jwt", name, f"{part(head)}.{part(payload)}.{part(bytes(64))}")
    twice = b'{"iss":"https://issuer.example","aud":"lifesign","exp":4102444800,"azp":"c","iss":"x","azp":"d"}'
    ed = part({"alg": "EdDSA", "kid": "ed"})
    others = {
        "duplicate-claims": f"{ed}.{part(twice)}.AA",
        "no-signature": f"{ed}.{part(outer)}.",
        "two-parts": f"{ed}.{part(outer)}",
        "four-parts": f"{ed}.{part(outer)}.AA.AA",
        "five-parts": f"{ed}....",
        "dots": "..",
        "empty": "",
        "padded": f"{ed}=.{part(outer)}==.AA==",
        "standard-alphabet": f"{ed}.{part(outer)}.++//",
        "bad-base64": f"{ed}.%%%.AA",
        "header-no-json": f"{part(b'x')}.{part(outer)}.AA",
        "payload-not-utf-8": f"{ed}.{part(bytes([255, 254]))}.AA",
        "payload-nested": f"{ed}.{part(b'[' * 300)}.AA",
        "long": f"{ed}.{part({'x': 'y' * 6000})}.AA",
        "bearer": f"Bearer {ed}.{part(outer)}.AA",
        "jwt-scheme": "JWT  a.b.c ",
        "basic": "Basic abc",
    }
    for name, content in others.items():
        write("jwt", name, content)


def tables() -> None:
    head = "image,label,pai_species,face_x,face_y,face_w,face_h,source,subject,os\n"
    rows = "a.jpg,bona_fide,,1,2,3.5,4,cam1,s1,ios\nb.jpg,attack,print,,,,,cam2,,DESKTOP\nc.jpg,attack,,,,,,,,\n"
    both = {
        "empty": "",
        "header-only": head,
        "quotes": 'image,label,score\n"a, ""b"".jpg",attack,0.5\n"line\nbreak",bona_fide,1\n',
        "quote-open": 'image,label,score\n"a.jpg,attack,1\nb.jpg,attack,1\n',
        "quote-inside": 'image,label,score\na"b".jpg,attack,1\n',
        "bom": "\ufeffimage,label,score\na.jpg,attack,0.5\n",
        "crlf": "image,label,score\r\na.jpg,attack,0.5\r\n\r\nb.jpg,attack,\r\n",
        "cr": "image,label,score\ra.jpg,attack,0.5\rb.jpg,live,x\r",
        "no-last-newline": "image,label,score\na.jpg,attack,0.5",
        "blank-lines": "\n\nimage,label,score\n\na.jpg,attack,1\n  \n",
        "spaces": " image , label\t, score\n a.jpg , attack , 1 \n",
        "too-few": "image,label,score\na.jpg,attack\n",
        "too-many": "image,label,score\na.jpg,attack,1,2\n",
        "doubled-column": "image,label,label,score\na,attack,attack,1\n",
        "missing-column": "file,class\na,attack\n",
        "doubled-image": "image,label,score\na.jpg,attack,1\na.jpg,attack,2\n",
        "empty-image": "image,label,score\n,attack,1\n",
        "not-utf-8": b"image,label,score\n\xff\xfe,attack,1\n",
        "utf-16": "image,label\na,attack\n".encode("utf-16"),
        "nul": "image,label,score\na\0b,attack,1\n",
        "semicolons": "image;label;score\na.jpg;attack;1\n",
        "very-many-bad": "image,label,score\n" + ",x,y\n" * 40,
        "no-break-space": "image,label,score\n\u00a0a.jpg\u00a0,attack,1\n",
    }
    for target in ("manifest_csv", "scores_csv"):
        for name, content in both.items():
            write(target, f"{name}.csv", content)
    manifests = {
        "whole": head + rows,
        "bad-labels": "image,label,pai_species\na,live,\nb,,\nc,bona_fide,print\nd,Attack,\n",
        "face-parts": head + "a,attack,,1,2,3,,,,\n",
        "face-empty": head + "a,attack,,1,2,0,4,,,\n",
        "face-infinite": head + "a,attack,,1,2,1e39,inf,,,\n",
        "face-no-number": head + "a,attack,,NaN,1,1,1,,,\nb,attack,,1,1,0x1,1,,,\n",
        "face-tiny": head + "a,attack,,-0,1e-45,1e-45,1e38,,,\n",
        "columns-in-another-order": "os,label,image\nios,attack,a\n",
    }
    for name, content in manifests.items():
        write("manifest_csv", f"{name}.csv", content)
    scores = {
        "whole": "image,label,score,reason\na,attack,0.25,\nb,attack,,no_face\nc,bona_fide,,\n",
        "not-numbers": "image,label,score\na,attack,NaN\nb,attack,high\n",
        "infinite": "image,label,score\na,attack,inf\nb,attack,1e999\n",
        "numbers": "image,label,score\na,attack,-1e300\nb,attack,1e-400\nc,attack,+.5\nd,attack,-0\n",
        "no-label": "image,score\na,1\n",
    }
    for name, content in scores.items():
        write("scores_csv", f"{name}.csv", content)


if __name__ == "__main__":
    for make in (jpegs, pngs, webps, exifs, image_sources, bodies, tokens, tables):
        make()
