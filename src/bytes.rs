//! Reads the big-endian formats that are described in `docs/`, strictly and front to back.

/// Bytes are not of a format: they stop making sense here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed at byte {offset}")]
pub struct Malformed {
    /// Offset of the field that cannot be read.
    pub offset: usize,
}

/// What is left to read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(self.malformed())?;
        self.rest = rest;
        self.offset += count;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let here = self.malformed();
        self.take(N)?.try_into().map_err(|_| here)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    /// UTF-8 behind one byte of length, `from` to `to` bytes long.
    pub(crate) fn text(&mut self, from: usize, to: usize) -> Result<&'a str, Malformed> {
        let here = self.malformed();
        let length = usize::from(self.u8()?);
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| here)?;
        if (from..=to).contains(&length) { Ok(text) } else { Err(here) }
    }

    /// Passes over fixed bytes.
    pub(crate) fn magic(&mut self, magic: &[u8; 4]) -> Result<(), Malformed> {
        let here = self.malformed();
        if self.array::<4>()? == *magic { Ok(()) } else { Err(here) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Everything was read.
    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }

    /// The error of the field that begins here.
    pub(crate) fn malformed(&self) -> Malformed {
        Malformed { offset: self.offset }
    }
}

/// Appends a text behind its length. Callers have checked that it has 255 bytes at most.
pub(crate) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    bytes.extend(text.as_bytes());
}
