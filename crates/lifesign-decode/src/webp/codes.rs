//! The prefix codes of a lossless WebP. A file may have 65,536 groups of them, and the codec holds
//! a table for each: 400 bytes of memory for each byte of a file that is made for it. So they are
//! read here first, and counted instead of kept.

use crate::ImageError;
use crate::source::Deadline;

/// How much memory the codec's tables take. It stops at the first sum over `most`.
///
/// # Errors
/// What is read here is damaged, or takes too long to read.
pub(super) fn memory(
    data: &[u8],
    (width, height): (u32, u32),
    most: u64,
    deadline: &Deadline,
) -> Result<u64, ImageError> {
    let mut reader = Reader {
        data,
        position: HEADER_BITS,
        deadline,
    };
    reader
        .memory(width, height, most)
        .ok_or(ImageError::Damaged)
}

const HEADER_BITS: usize = 40;
/// Symbols of green with lengths, red, blue, alpha, distance.
const ALPHABETS: [usize; 5] = [256 + 24, 256, 256, 256, 40];
const LONGEST_CODE: usize = 15;
/// In memory, a group of five codes in a vector that grows by doubling.
const PER_GROUP: u64 = 3 * 5 * 56;

/// Reads bits, the lowest of each byte first. `None` is the end of the data, or nonsense in them.
struct Reader<'a> {
    data: &'a [u8],
    position: usize,
    deadline: &'a Deadline,
}

impl Reader<'_> {
    fn memory(&mut self, width: u32, height: u32, most: u64) -> Option<u64> {
        let width = self.transforms(width, height)?;
        let cache = self.cache()?;
        let groups = match self.bits(1)? {
            0 => 1,
            _ => {
                let size = self.bits(3)? + 2;
                1 + self.image(blocks(width, size), blocks(height, size))?
            }
        };
        let mut memory = 0;
        for _ in 0..groups {
            memory += PER_GROUP;
            for code in self.group(cache)? {
                memory += code.memory();
            }
            if memory > most || self.deadline.is_over() {
                break;
            }
        }
        Some(memory)
    }

    /// Passes over the transforms, and tells how wide the coded picture is.
    fn transforms(&mut self, width: u32, height: u32) -> Option<u32> {
        let mut coded = width;
        let mut seen = [false; 4];
        while self.bits(1)? == 1 {
            let kind = self.bits(2)?;
            if std::mem::replace(&mut seen[kind as usize], true) {
                return None;
            }
            match kind {
                0 | 1 => {
                    let size = self.bits(3)? + 2;
                    self.image(blocks(coded, size), blocks(height, size))?;
                }
                2 => (),
                _ => {
                    let colours = self.bits(8)? + 1;
                    self.image(colours, 1)?;
                    coded = match colours {
                        ..=2 => blocks(coded, 3),
                        3..=4 => blocks(coded, 2),
                        5..=16 => blocks(coded, 1),
                        _ => coded,
                    };
                }
            }
        }
        Some(coded)
    }

    /// How many colours are remembered.
    fn cache(&mut self) -> Option<usize> {
        match self.bits(1)? {
            0 => Some(0),
            _ => match self.bits(4)? {
                bits @ 1..=11 => Some(1 << bits),
                _ => None,
            },
        }
    }

    fn group(&mut self, cache: usize) -> Option<[Code; 5]> {
        let mut codes = std::array::from_fn(|_| Code::single(0));
        for (index, code) in codes.iter_mut().enumerate() {
            let more = if index == 0 { cache } else { 0 };
            *code = self.code(ALPHABETS[index] + more)?;
        }
        Some(codes)
    }

    /// Passes over a picture that says something of blocks of the real one, and tells the largest
    /// number that red and green make in it: where it names groups, the last of them.
    fn image(&mut self, width: u32, height: u32) -> Option<u32> {
        let cache = self.cache()?;
        let [green, red, blue, alpha, distance] = self.group(cache)?;
        let mut left = u64::from(width) * u64::from(height);
        let mut largest = 0;
        let alone = [&green, &red, &blue, &alpha].map(|code| code.alone);
        if let [Some(green @ ..256), Some(red), Some(_), Some(_)] = alone {
            return Some(u32::from(red) << 8 | u32::from(green));
        }
        while left > 0 {
            if left.is_multiple_of(1024) && self.deadline.is_over() {
                return None;
            }
            let symbol = self.symbol(&green)?;
            let pixels = match symbol {
                ..256 => {
                    let high = self.symbol(&red)?;
                    self.symbol(&blue)?;
                    self.symbol(&alpha)?;
                    largest = largest.max(u32::from(high) << 8 | u32::from(symbol));
                    1
                }
                256..280 => {
                    let length = self.length(symbol - 256)?;
                    let far = self.symbol(&distance)?;
                    self.length(far)?;
                    length
                }
                _ => 1,
            };
            left = left.checked_sub(pixels)?;
        }
        Some(largest)
    }

    /// The length or distance that a symbol and the bits after it say.
    fn length(&mut self, symbol: u16) -> Option<u64> {
        if symbol < 4 {
            return Some(u64::from(symbol) + 1);
        }
        let more = u32::from(symbol - 2) >> 1;
        let offset = (2 + u64::from(symbol & 1)) << more;
        Some(offset + u64::from(self.bits(more)?) + 1)
    }

    fn code(&mut self, alphabet: usize) -> Option<Code> {
        if self.bits(1)? == 1 {
            let two = self.bits(1)? == 1;
            let width = 1 + 7 * self.bits(1)?;
            let first = self.bits(width)? as u16;
            let second = if two {
                Some(self.bits(8)? as u16)
            } else {
                None
            };
            let most = first.max(second.unwrap_or(0));
            return (usize::from(most) < alphabet).then(|| match second {
                None => Code::single(first),
                Some(second) => Code::pair(first, second),
            });
        }
        /// In which order the lengths of the lengths' codes are given.
        const ORDER: [usize; 19] = [
            17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        ];
        let mut lengths = [0; 19];
        let given = 4 + self.bits(4)? as usize;
        for &index in ORDER.get(..given)? {
            lengths[index] = self.bits(3)? as u8;
        }
        Code::of(&self.lengths(&Code::of(&lengths)?, alphabet)?)
    }

    /// The lengths of an alphabet's codes.
    fn lengths(&mut self, code: &Code, alphabet: usize) -> Option<Vec<u8>> {
        let most = match self.bits(1)? {
            0 => alphabet,
            _ => {
                let width = 2 + 2 * self.bits(3)?;
                let most = 2 + self.bits(width)? as usize;
                (most <= alphabet).then_some(most)?
            }
        };
        let mut lengths = Vec::with_capacity(alphabet);
        let mut previous = 8;
        for _ in 0..most {
            if lengths.len() == alphabet {
                break;
            }
            let (length, times) = match self.symbol(code)? {
                length @ ..16 => (length as u8, 1),
                16 => (previous, 3 + self.bits(2)?),
                17 => (0, 3 + self.bits(3)?),
                _ => (0, 11 + self.bits(7)?),
            };
            if length != 0 {
                previous = length;
            }
            lengths.extend(std::iter::repeat_n(length, times as usize));
            if lengths.len() > alphabet {
                return None;
            }
        }
        lengths.resize(alphabet, 0);
        Some(lengths)
    }

    fn symbol(&mut self, code: &Code) -> Option<u16> {
        if let Some(symbol) = code.alone {
            return Some(symbol);
        }
        // Codes of one length follow each other, and those of the next begin at twice their end.
        let (mut bits, mut first, mut index) = (0, 0, 0);
        for count in &code.counts[1..] {
            bits |= self.bits(1)?;
            if bits < first + count {
                return code.symbols.get((index + bits - first) as usize).copied();
            }
            index += count;
            first = (first + count) << 1;
            bits <<= 1;
        }
        None
    }

    fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for place in 0..count {
            let byte = self.data.get(self.position / 8)?;
            value |= u32::from(byte >> (self.position % 8) & 1) << place;
            self.position += 1;
        }
        Some(value)
    }
}

/// How many blocks of `2^size` pixels cover `length`.
fn blocks(length: u32, size: u32) -> u32 {
    length.div_ceil(1 << size)
}

/// A prefix code.
struct Code {
    /// The one symbol, which takes no bits.
    alone: Option<u16>,
    /// How many codes have each length.
    counts: [u32; LONGEST_CODE + 1],
    /// In the order of their codes.
    symbols: Vec<u16>,
}

impl Code {
    fn single(symbol: u16) -> Code {
        Code {
            alone: Some(symbol),
            counts: [0; LONGEST_CODE + 1],
            symbols: Vec::new(),
        }
    }

    fn pair(first: u16, second: u16) -> Code {
        let mut counts = [0; LONGEST_CODE + 1];
        counts[1] = 2;
        Code {
            alone: None,
            counts,
            symbols: vec![first, second],
        }
    }

    /// The code whose symbols have these lengths; `None` unless it is complete.
    fn of(lengths: &[u8]) -> Option<Code> {
        let mut counts = [0; LONGEST_CODE + 1];
        let mut symbols: Vec<u16> = Vec::new();
        for (symbol, &length) in lengths
            .iter()
            .enumerate()
            .filter(|(_, length)| **length > 0)
        {
            *counts.get_mut(usize::from(length))? += 1;
            symbols.push(symbol as u16);
        }
        match *symbols {
            [] => return None,
            [symbol] => return Some(Code::single(symbol)),
            _ => symbols.sort_by_key(|&symbol| lengths[usize::from(symbol)]),
        }
        let used: u32 = (1..)
            .zip(&counts[1..])
            .map(|(length, count)| count << (LONGEST_CODE - length))
            .sum();
        (used == 1 << LONGEST_CODE).then_some(Code {
            alone: None,
            counts,
            symbols,
        })
    }

    /// What the codec holds of it: a table of four bytes for each of the first ten bits, and for
    /// each longer code two nodes of sixteen.
    fn memory(&self) -> u64 {
        const BOOKKEEPING: u64 = 2 * 16;
        let Some(longest) = self.counts.iter().rposition(|&count| count > 0) else {
            return 0;
        };
        let long: u32 = self.counts[11..].iter().sum();
        BOOKKEEPING + (4 << longest.min(10)) + 16 * (2 * u64::from(long)).max(4)
    }
}
