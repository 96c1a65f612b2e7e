//! Memory of pictures, used again: a photograph of 12 megapixels is 36 MB, which the system gives out page by page.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use image::RgbImage;

/// Bytes of a picture whose memory is kept: more than that of 16 megapixels is given back.
const KEPT: usize = 48 << 20;

/// As many as there have been pictures at the same time.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<Vec<Vec<u8>>>);

impl Rooms {
    /// Memory to decode a picture in; none at first.
    pub(crate) fn take(&self) -> Vec<u8> {
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
        let room = std::mem::take(&mut self.image).into_raw();
        if room.capacity() <= KEPT {
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
        assert_eq!(rooms.take().capacity(), 0);
        let image = RgbImage::new(30, 20);
        let memory = image.as_raw().as_ptr();
        drop(rooms.picture(image));
        let room = rooms.take();
        assert_eq!(room.as_ptr(), memory);
        assert_eq!(rooms.take().capacity(), 0);
        drop(rooms.picture(RgbImage::new(4200, 4000)));
        assert_eq!(rooms.take().capacity(), 0);
    }
}
