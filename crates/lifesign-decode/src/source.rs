//! The file as the codecs read it: the codecs cannot be told to stop, so reading fails once the
//! time is over.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

/// When a decoding must be over.
pub(super) struct Deadline {
    /// None is so far off that the clock cannot hold it.
    until: Option<Instant>,
}

impl Deadline {
    pub(super) fn after(timeout: Duration) -> Deadline {
        Deadline {
            until: Instant::now().checked_add(timeout),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// Reading fails when the deadline is over, and after the bytes' end and `filler` zeros.
pub(super) struct Source<'a> {
    bytes: &'a [u8],
    position: usize,
    filler: usize,
    deadline: &'a Deadline,
    /// Before the next look at the clock.
    reads_left: u32,
}

impl<'a> Source<'a> {
    /// No more is handed out at once, so that a codec that sees nothing but input to skip comes
    /// back and is stopped.
    const WINDOW: usize = 4096;
    /// Asking for the time costs more than most reads do.
    const READS_PER_LOOK: u32 = 64;
    /// What a codec may read ahead of what it needs.
    const MOST_FILLER: usize = 8;

    pub(super) fn new(bytes: &'a [u8], deadline: &'a Deadline) -> Source<'a> {
        Source {
            bytes,
            position: 0,
            filler: 0,
            deadline,
            reads_left: 0,
        }
    }

    /// As `new`, but after the bytes come a few zeros and then an error, never an end: a codec that
    /// fills up what is missing fails instead, and one that only reads ahead is content.
    pub(super) fn endless(bytes: &'a [u8], deadline: &'a Deadline) -> Source<'a> {
        Source {
            filler: Self::MOST_FILLER,
            ..Source::new(bytes, deadline)
        }
    }

    /// How far it was read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    #[inline]
    fn mind_the_time(&mut self) -> io::Result<()> {
        if self.reads_left == 0 {
            return self.look_at_the_clock();
        }
        self.reads_left -= 1;
        Ok(())
    }

    /// Once the time is over, every read comes here: a codec that swallows the error gets nothing more.
    #[cold]
    fn look_at_the_clock(&mut self) -> io::Result<()> {
        if self.deadline.is_over() {
            return Err(io::Error::other("out of time"));
        }
        self.reads_left = Self::READS_PER_LOOK;
        Ok(())
    }
}

impl BufRead for Source<'_> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        const ZEROS: [u8; Source::MOST_FILLER] = [0; Source::MOST_FILLER];
        self.mind_the_time()?;
        if let Some(rest) = self.bytes.get(self.position..)
            && !rest.is_empty()
        {
            return Ok(&rest[..rest.len().min(Self::WINDOW)]);
        }
        if self.filler == 0 {
            return Ok(&[]);
        }
        match ZEROS[..self.filler].get(self.position - self.bytes.len()..) {
            Some(zeros) if !zeros.is_empty() => Ok(zeros),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    #[inline]
    fn consume(&mut self, amount: usize) {
        self.position = self.position.saturating_add(amount);
    }
}

impl Read for Source<'_> {
    #[inline]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(into.len());
        into[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl Seek for Source<'_> {
    #[inline]
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => usize::try_from(offset).ok(),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset as isize),
            SeekFrom::End(offset) => self.bytes.len().checked_add_signed(offset as isize),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_after_the_deadline() {
        let deadline = Deadline::after(Duration::ZERO);
        let mut source = Source::new(&[7; 1000], &deadline);
        let read = (0..1000).take_while(|_| source.read(&mut [0]).is_ok());
        assert!(read.count() < 64);
        assert!(source.fill_buf().is_err(), "and it stays so");
    }

    #[test]
    fn an_endless_source_gives_zeros_for_the_read_ahead_and_fails_after_them() {
        let deadline = Deadline::after(Duration::from_secs(3600));
        let mut all = Vec::new();
        let mut source = Source::endless(&[7; 5], &deadline);
        assert!(source.read_to_end(&mut all).is_err());
        assert_eq!(all[..5], [7; 5]);
        assert_eq!(all[5..], [0; 8]);
        all.clear();
        Source::new(&[7; 5], &deadline)
            .read_to_end(&mut all)
            .unwrap();
        assert_eq!(all, [7; 5]);
    }

    #[test]
    fn seeking_before_the_start_is_an_error_and_past_the_end_is_an_end() {
        let deadline = Deadline::after(Duration::from_secs(3600));
        let mut source = Source::new(&[7; 5], &deadline);
        assert!(source.seek(SeekFrom::Current(-1)).is_err());
        source.seek(SeekFrom::End(100)).unwrap();
        assert_eq!(source.read(&mut [0]).unwrap(), 0);
        source.seek(SeekFrom::Start(4)).unwrap();
        assert_eq!(source.read(&mut [0; 4]).unwrap(), 1);
    }
}
