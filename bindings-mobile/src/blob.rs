//! Bytes on their way through uniffi, copied as a whole: its own way for `Vec<u8>` is byte by byte. On the other side they are the same
//! (`Data` in Swift).

use std::ops::Deref;

use bytes::{Buf as _, BufMut as _};
use uniffi::deps::anyhow;
use uniffi::{Lift, Lower, MetadataBuffer, RustBuffer, TypeId, check_remaining};

/// Bytes.
#[derive(Debug, Default)]
pub struct Blob(pub Vec<u8>);

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

// SAFETY: the length as `i32`, then the bytes, as uniffi writes a list of bytes.
unsafe impl<UT> Lower<UT> for Blob {
    type FfiType = RustBuffer;

    fn write(blob: Self, buffer: &mut Vec<u8>) {
        // More than that cannot be in one of these, and is not written.
        let length = i32::try_from(blob.len()).unwrap_or(0);
        let bytes = if length == 0 { &[] } else { &*blob };
        buffer.reserve(4 + bytes.len());
        buffer.put_i32(length);
        buffer.put_slice(bytes);
    }

    fn lower(blob: Self) -> RustBuffer {
        <Self as Lower<UT>>::lower_into_rust_buffer(blob)
    }
}

// SAFETY: reads what is written as above.
unsafe impl<UT> Lift<UT> for Blob {
    type FfiType = RustBuffer;

    fn try_read(buffer: &mut &[u8]) -> anyhow::Result<Self> {
        check_remaining(buffer, 4)?;
        let length = usize::try_from(buffer.get_i32())?;
        check_remaining(buffer, length)?;
        let mut bytes = vec![0; length];
        buffer.copy_to_slice(&mut bytes);
        Ok(Self(bytes))
    }

    fn try_lift(buffer: RustBuffer) -> anyhow::Result<Self> {
        <Self as Lift<UT>>::try_lift_from_rust_buffer(buffer)
    }
}

impl<UT> TypeId<UT> for Blob {
    const TYPE_ID_META: MetadataBuffer = <Vec<u8> as TypeId<UT>>::TYPE_ID_META;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T: Lower<crate::UniFfiTag>>(value: T) -> Vec<u8> {
        let mut buffer = Vec::new();
        T::write(value, &mut buffer);
        buffer
    }

    fn read(mut buffer: &[u8]) -> anyhow::Result<Blob> {
        <Blob as Lift<crate::UniFfiTag>>::try_read(&mut buffer)
    }

    #[test]
    fn it_is_written_as_a_list_of_bytes_is() {
        for bytes in [vec![], vec![0], vec![1, 2, 255], vec![7; 100_000]] {
            let buffer = written(Blob(bytes.clone()));
            assert_eq!(buffer, written(bytes.clone()));
            assert_eq!(read(&buffer).unwrap().0, bytes);
        }
    }

    #[test]
    fn what_is_too_short_is_refused() {
        for buffer in [&b""[..], b"\0\0\0", b"\0\0\0\x02\x01", b"\xff\xff\xff\xff"] {
            assert!(read(buffer).is_err(), "{buffer:?}");
        }
    }
}
