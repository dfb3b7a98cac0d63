//! Bytes in and out: variable-length integers (LEB128, zigzag for signed), length-prefixed runs, every length bounded
//! when it is read. All formats of Ebbtide are built of these.

/// Why bytes could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// What was expected.
    pub expected: &'static str,
    /// How many bytes had been read.
    pub offset: usize,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "malformed bytes: expected {} at offset {}", self.expected, self.offset)
    }
}

impl std::error::Error for DecodeError {}

/// Writes to a growing run of bytes.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

/// Reads from a run of bytes, from front to back.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Writer {
    /// An empty run.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// Begins an empty run of bytes with room for some.
    pub fn with_capacity(bytes: usize) -> Writer {
        Writer { bytes: Vec::with_capacity(bytes) }
    }

    /// The bytes written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes written so far.
    pub fn bytes_so_far(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets all but the first bytes.
    pub fn truncate(&mut self, bytes: usize) {
        self.bytes.truncate(bytes);
    }

    /// How many bytes were written.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// 0 or 1.
    pub fn bool(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    /// Two bytes, little-endian.
    pub fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Eight bytes, the bits little-endian.
    pub fn f64(&mut self, value: f64) {
        self.u64(value.to_bits());
    }

    /// LEB128: 1 to 10 bytes.
    pub fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Zigzag LEB128: 1 to 10 bytes.
    pub fn signed(&mut self, value: i64) {
        self.varint(((value << 1) ^ (value >> 63)) as u64);
    }

    /// A length, then the bytes.
    pub fn run(&mut self, value: &[u8]) {
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    /// A length, then UTF-8.
    pub fn string(&mut self, value: &str) {
        self.run(value.as_bytes());
    }

    /// The bytes alone.
    pub fn raw(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    /// 0, or 1 and what `write` writes.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        match value {
            None => self.u8(0),
            Some(value) => {
                self.u8(1);
                write(self, value);
            }
        }
    }
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from the front.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, offset: 0 }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// How many bytes were read.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether all was read.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The next byte, left where it is.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.offset).copied()
    }

    /// The error that names what was expected here.
    pub fn invalid(&self, expected: &'static str) -> DecodeError {
        DecodeError { expected, offset: self.offset }
    }

    /// Checks that nothing is left.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(self.invalid("the end")) }
    }

    /// The next `count` bytes.
    pub fn raw(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        if count > self.remaining() {
            return Err(self.invalid("more bytes"));
        }
        let run = &self.bytes[self.offset..self.offset + count];
        self.offset += count;
        Ok(run)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.raw(N)?);
        Ok(array)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    /// 0 or 1.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.invalid("0 or 1")),
        }
    }

    /// Two bytes, little-endian.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Eight bytes, the bits little-endian.
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        Ok(f64::from_bits(self.u64()?))
    }

    /// LEB128, in its shortest form only.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 || shift > 0 && byte == 0 {
                return Err(self.invalid("a shortest-form integer"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.invalid("an integer of at most 64 bits"))
    }

    /// Zigzag LEB128.
    pub fn signed(&mut self) -> Result<i64, DecodeError> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A count of things that take a byte each at least, and of which there are `limit` at most.
    pub fn count(&mut self, limit: usize) -> Result<usize, DecodeError> {
        let count = self.varint()?;
        if count > limit as u64 || count > self.remaining() as u64 {
            return Err(self.invalid("a count within bounds"));
        }
        Ok(count as usize)
    }

    /// A length of `limit` at most, then the bytes.
    pub fn run(&mut self, limit: usize) -> Result<&'a [u8], DecodeError> {
        let count = self.count(limit)?;
        self.raw(count)
    }

    /// A length of `limit` bytes at most, then UTF-8.
    pub fn string(&mut self, limit: usize) -> Result<&'a str, DecodeError> {
        let run = self.run(limit)?;
        std::str::from_utf8(run).map_err(|_| self.invalid("UTF-8"))
    }

    /// What [`Writer::option`] wrote.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.bool()? { Ok(Some(read(self)?)) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_and_runs_come_back(a: u64, b: i64, c: f64, text: String, data: Vec<u8>) {
            let mut out = Writer::new();
            out.varint(a);
            out.signed(b);
            out.f64(c);
            out.string(&text);
            out.run(&data);
            let bytes = out.into_bytes();
            let mut input = Reader::new(&bytes);
            prop_assert_eq!(input.varint().unwrap(), a);
            prop_assert_eq!(input.signed().unwrap(), b);
            prop_assert_eq!(input.f64().unwrap().to_bits(), c.to_bits());
            prop_assert_eq!(input.string(usize::MAX).unwrap(), text);
            prop_assert_eq!(input.run(usize::MAX).unwrap(), &data[..]);
            input.end().unwrap();
        }

        #[test]
        fn garbage_is_an_error_and_never_a_panic(bytes: Vec<u8>) {
            let mut input = Reader::new(&bytes);
            let _ = input.varint();
            let _ = input.string(10);
            let _ = input.option(|r| r.signed());
        }
    }

    #[test]
    fn a_declared_length_beyond_the_input_is_refused_before_anything_is_reserved() {
        let mut out = Writer::new();
        out.varint(1 << 60);
        let bytes = out.into_bytes();
        assert!(Reader::new(&bytes).run(usize::MAX).is_err());
    }
}
