//! Files, byte by byte.

/// A picture in which neighbours differ.
pub fn sample(x: u32, y: u32, channel: u32) -> u8 {
    (x * 37 + y * 91 + channel * 53 + (x * y) % 7) as u8
}

pub mod jpeg {
    /// A segment: marker, length, content.
    pub fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    }

    /// A frame header for components that are all alike.
    pub fn frame(kind: u8, bits: u8, (width, height): (u16, u16), components: u8) -> Vec<u8> {
        let [w, h] = [width, height].map(u16::to_be_bytes);
        let mut content = vec![bits, h[0], h[1], w[0], w[1], components];
        for id in 1..=components {
            content.extend([id, 0x11, 0]);
        }
        segment(kind, &content)
    }

    /// Quantisation that makes a difference of one in a flat block one in its samples.
    fn quantisation() -> Vec<u8> {
        let mut table = [1; 65];
        table[..2].copy_from_slice(&[0, 8]);
        segment(0xdb, &table)
    }

    /// A code of `length` bits for each of `symbols`.
    fn code(table: u8, length: usize, symbols: &[u8]) -> Vec<u8> {
        let mut content = vec![table];
        content.extend((1..=16).map(|bits| {
            if bits == length {
                symbols.len() as u8
            } else {
                0
            }
        }));
        content.extend(symbols);
        segment(0xc4, &content)
    }

    /// A sequential JPEG of one colour, `samples` as they are stored. `adobe` is the transform that
    /// an Adobe marker states.
    pub fn flat((width, height): (u16, u16), samples: &[u8], adobe: Option<u8>) -> Vec<u8> {
        let components = samples.len() as u8;
        let mut file = vec![0xff, 0xd8];
        if let Some(transform) = adobe {
            file.extend(segment(
                0xee,
                &[b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat(),
            ));
        }
        file.extend(quantisation());
        file.extend(frame(0xc0, 8, (width, height), components));
        file.extend(code(0x00, 4, &[0, 1, 2, 3, 4, 5, 6, 7, 8]));
        file.extend(code(0x10, 1, &[0]));
        let mut scan = vec![components];
        scan.extend((1..=components).flat_map(|id| [id, 0]));
        scan.extend([0, 63, 0]);
        file.extend(segment(0xda, &scan));

        let mut bits = String::new();
        let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8));
        for block in 0..blocks {
            for &sample in samples {
                let step = if block == 0 {
                    i32::from(sample) - 128
                } else {
                    0
                };
                let size = 32 - step.unsigned_abs().leading_zeros();
                bits += &format!("{size:04b}");
                if size > 0 {
                    let value = if step < 0 {
                        step + (1 << size) - 1
                    } else {
                        step
                    };
                    bits += &format!("{value:0width$b}", width = size as usize);
                }
                bits.push('0'); // nothing but the mean
            }
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        for start in (0..bits.len()).step_by(8) {
            let byte = u8::from_str_radix(&bits[start..start + 8], 2).unwrap();
            file.push(byte);
            if byte == 0xff {
                file.push(0);
            }
        }
        file.extend([0xff, 0xd9]);
        file
    }

    /// A progressive JPEG in colour whose every scan goes through every coefficient, though the file
    /// gives it three bytes of data.
    pub fn progressive(size: (u16, u16), scans: usize) -> Vec<u8> {
        let data = [0; 3];
        let mut file = vec![0xff, 0xd8];
        file.extend(quantisation());
        file.extend(frame(0xc2, 8, size, 3));
        file.extend(code(0x00, 1, &[0]));
        file.extend(code(0x10, 1, &[1]));
        file.extend(segment(0xda, &[3, 1, 0, 2, 0, 3, 0, 0, 0, 0]));
        file.extend(data);
        for scan in 1..scans {
            let approximation = if scan <= 3 { 13 } else { 0x10 };
            let component = ((scan - 1) % 3 + 1) as u8;
            file.extend(segment(0xda, &[1, component, 0, 1, 63, approximation]));
            file.extend(data);
        }
        file.extend([0xff, 0xd9]);
        file
    }

    /// `file` with `segment` after its first two bytes.
    pub fn with(file: &[u8], segment: &[u8]) -> Vec<u8> {
        [&file[..2], segment, &file[2..]].concat()
    }
}

pub mod png {
    pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

    fn checksum(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
            })
        })
    }

    pub fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_be_bytes();
        let body = [name, content].concat();
        [&length[..], &body, &checksum(&body).to_be_bytes()].concat()
    }

    /// `kind` is bit depth, colour type and interlacing.
    pub fn header((width, height): (u32, u32), kind: [u8; 3]) -> Vec<u8> {
        let [depth, colours, interlace] = kind;
        let [w, h] = [width, height].map(u32::to_be_bytes);
        let rest = [depth, colours, 0, 0, interlace];
        chunk(b"IHDR", &[&w[..], &h, &rest].concat())
    }

    /// A whole file, with `more` chunks before the picture's.
    pub fn file(size: (u32, u32), kind: [u8; 3], more: &[u8], compressed: &[u8]) -> Vec<u8> {
        [
            SIGNATURE,
            &header(size, kind),
            more,
            &chunk(b"IDAT", compressed),
            &chunk(b"IEND", b""),
        ]
        .concat()
    }

    /// Not compressed.
    pub fn stored(data: &[u8]) -> Vec<u8> {
        let mut stream = vec![0x78, 0x01];
        let blocks = data.chunks(0xffff).len();
        for (index, block) in data.chunks(0xffff).enumerate() {
            stream.push(u8::from(index + 1 == blocks));
            stream.extend((block.len() as u16).to_le_bytes());
            stream.extend((!(block.len() as u16)).to_le_bytes());
            stream.extend(block);
        }
        let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
            let a = (a + u32::from(*byte)) % 65521;
            (a, (b + a) % 65521)
        });
        stream.extend((b << 16 | a).to_be_bytes());
        stream
    }

    /// So many zeros and a few more, in 13 bits for 258 of them.
    pub fn zeros(length: usize) -> Vec<u8> {
        let mut bits = super::Bits::default();
        bits.low_first(0b0111_1000 | 0x01 << 8, 16);
        bits.low_first(0b011, 3); // the last block, with the fixed codes
        bits.high_first(0b0011_0000, 8); // a zero
        for _ in 0..length.div_ceil(258) {
            bits.high_first(0b1100_0101, 8); // 258 times
            bits.high_first(0, 5); // what was one before
        }
        bits.high_first(0, 7);
        bits.bytes()
    }
}

/// Bits, the lowest of each byte first.
#[derive(Default)]
pub struct Bits {
    bytes: Vec<u8>,
    next: u32,
    filled: u32,
}

impl Bits {
    pub fn low_first(&mut self, value: u32, count: u32) {
        for place in 0..count {
            self.next |= (value >> place & 1) << self.filled;
            self.filled += 1;
            if self.filled == 8 {
                self.bytes.push(self.next as u8);
                (self.next, self.filled) = (0, 0);
            }
        }
    }

    pub fn high_first(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            self.low_first(value >> place, 1);
        }
    }

    pub fn bytes(mut self) -> Vec<u8> {
        self.low_first(0, (8 - self.filled) % 8);
        self.bytes
    }
}

pub mod webp {
    use super::Bits;

    pub fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_le_bytes();
        let filler = &[0][..content.len() % 2];
        [&name[..], &length, content, filler].concat()
    }

    pub fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        let body = [b"WEBP".to_vec(), chunks.concat()].concat();
        chunk(b"RIFF", &body)
    }

    /// The chunk that says what else there is.
    pub fn extended(flags: u8, (width, height): (u32, u32)) -> Vec<u8> {
        let [w, h] = [width - 1, height - 1].map(u32::to_le_bytes);
        let content = [&[flags, 0, 0, 0], &w[..3], &h[..3]].concat();
        chunk(b"VP8X", &content)
    }

    /// The first chunk of a file, with its name and length.
    pub fn first_chunk(file: &[u8]) -> &[u8] {
        let length = u32::from_le_bytes(file[16..20].try_into().unwrap()) as usize;
        &file[12..20 + length + length % 2]
    }

    fn single(bits: &mut Bits, symbol: u32) {
        bits.low_first(0b101, 3); // simple, one symbol, of eight bits
        bits.low_first(symbol, 8);
    }

    fn lossless_header(bits: &mut Bits, (width, height): (u32, u32)) {
        bits.low_first(0x2f, 8);
        bits.low_first(width - 1, 14);
        bits.low_first(height - 1, 14);
        bits.low_first(0, 4);
    }

    /// A lossless picture of one colour: green, red, blue, alpha.
    pub fn flat(size: (u32, u32), colour: [u8; 4]) -> Vec<u8> {
        let mut bits = Bits::default();
        lossless_header(&mut bits, size);
        bits.low_first(0, 3); // no transform, no cache, one group of codes
        for symbol in colour {
            single(&mut bits, symbol.into());
        }
        single(&mut bits, 0);
        file(&[chunk(b"VP8L", &bits.bytes())])
    }

    /// A lossless picture of so many groups of codes, the first of each as large as it can be.
    pub fn of_codes(groups: u32) -> Vec<u8> {
        let mut bits = Bits::default();
        lossless_header(&mut bits, (4, 4));
        bits.low_first(0, 1); // no transform
        bits.low_first(0b1_0111, 5); // a cache of 2^11 colours
        bits.low_first(1, 4); // groups for blocks of 4 by 4 pixels
        bits.low_first(0, 1);
        for symbol in [(groups - 1) & 0xff, (groups - 1) >> 8, 0, 0, 0] {
            single(&mut bits, symbol);
        }
        for _ in 0..groups {
            bits.low_first(0, 1);
            bits.low_first(11, 4); // fifteen lengths, of which those for 16 and 11 are one
            for index in 0..15 {
                bits.low_first(u32::from(index == 8 || index == 14), 3);
            }
            bits.low_first(0b1001, 4); // so many are written:
            bits.low_first(341, 10);
            bits.low_first(0, 1);
            for _ in 0..341 {
                bits.low_first(0b111, 3); // six more of the length 11
            }
            bits.low_first(0, 1);
            for _ in 0..4 {
                single(&mut bits, 0);
            }
        }
        bits.low_first(0, 32);
        file(&[chunk(b"VP8L", &bits.bytes())])
    }
}
