//! Memory of pictures, used again: a photograph of 12 megapixels is 36 MB, which the system gives out page by page.
//! A picture is erased when it is no longer needed, not when the next one comes.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use image::RgbImage;
use lifesign_decode::Room;

/// Bytes of a picture whose memory is kept: more than that of 16 megapixels is given back.
const KEPT: usize = 48 << 20;

/// As many as there have been pictures at the same time.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<Vec<Room>>);

impl Rooms {
    /// Memory to decode a picture in; none at first.
    pub(crate) fn take(&self) -> Room {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.pop().unwrap_or_default()
    }

    /// `image`, whose memory comes back here.
    pub(crate) fn picture(&self, image: RgbImage) -> Picture<'_> {
        Picture { image, rooms: self }
    }
}

/// A picture that leaves its memory to the next.
pub(crate) struct Picture<'a> {
    image: RgbImage,
    rooms: &'a Rooms,
}

impl Deref for Picture<'_> {
    type Target = RgbImage;

    fn deref(&self) -> &RgbImage {
        &self.image
    }
}

impl Drop for Picture<'_> {
    fn drop(&mut self) {
        let room = Room::of(std::mem::take(&mut self.image));
        if room.size() <= KEPT {
            let mut rooms = self.rooms.0.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.push(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pictures_memory_is_the_next_ones_unless_it_is_huge() {
        let rooms = Rooms::default();
        assert_eq!(rooms.take().size(), 0);
        drop(rooms.picture(RgbImage::new(30, 20)));
        assert_eq!(rooms.take().size(), 1800);
        assert_eq!(rooms.take().size(), 0);
        drop(rooms.picture(RgbImage::new(4200, 4000)));
        assert_eq!(rooms.take().size(), 0);
    }
}
