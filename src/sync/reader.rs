//! Reads untrusted bytes front to back. Nothing here panics, allocates or trusts a length.

/// Bytes that end too early, or a number that is too large or not written in its shortest form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadError;

/// The bytes that are still to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn rest(&self) -> &'b [u8] {
        self.0
    }

    pub(crate) fn take(&mut self, length: u64) -> Result<&'b [u8], ReadError> {
        let length = usize::try_from(length).map_err(|_| ReadError)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(ReadError)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(ReadError)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, ReadError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Unsigned LEB128, in its shortest form.
    pub(crate) fn unsigned(&mut self) -> Result<u64, ReadError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if shift == 63 && byte > 1 {
                return Err(ReadError);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { Err(ReadError) } else { Ok(value) };
            }
        }
        Err(ReadError)
    }

    /// Signed LEB128, in its shortest form.
    pub(crate) fn signed(&mut self) -> Result<i64, ReadError> {
        let mut value = 0i64;
        let mut before = 0u8;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            // The tenth byte has room for the sign.
            if shift == 63 && byte != 0 && byte != 0x7f {
                return Err(ReadError);
            }
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let repeats_sign =
                    (byte == 0 && before & 0x40 == 0) || (byte == 0x7f && before & 0x40 != 0);
                if shift > 0 && repeats_sign {
                    return Err(ReadError);
                }
                if shift < 57 && byte & 0x40 != 0 {
                    value |= -1i64 << (shift + 7);
                }
                return Ok(value);
            }
            before = byte;
        }
        Err(ReadError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unsigned(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = value.to_le_bytes()[0] & 0x7f;
            value >>= 7;
            bytes.push(if value == 0 { low } else { low | 0x80 });
            if value == 0 {
                return bytes;
            }
        }
    }

    fn signed(mut value: i64) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = value.to_le_bytes()[0] & 0x7f;
            value >>= 7;
            let done = (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0);
            bytes.push(if done { low } else { low | 0x80 });
            if done {
                return bytes;
            }
        }
    }

    proptest! {
        #[test]
        fn numbers_are_read_as_written(value: u64, number: i64) {
            prop_assert_eq!(Reader::new(&unsigned(value)).unsigned(), Ok(value));
            prop_assert_eq!(Reader::new(&signed(number)).signed(), Ok(number));
        }

        #[test]
        fn any_bytes_are_a_number_or_refused(bytes: Vec<u8>) {
            let _ = Reader::new(&bytes).unsigned();
            let _ = Reader::new(&bytes).signed();
        }
    }

    #[test]
    fn edges() {
        for value in [0, 127, 128, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(Reader::new(&unsigned(value)).unsigned(), Ok(value));
        }
        for value in [0, -1, 63, 64, -64, -65, i64::MAX, i64::MIN] {
            assert_eq!(Reader::new(&signed(value)).signed(), Ok(value));
        }
        for long in [&[0x80, 0][..], &[0x81, 0x80, 0], &[0xff; 11]] {
            assert_eq!(Reader::new(long).unsigned(), Err(ReadError));
        }
        assert_eq!(Reader::new(&[0xff, 0x7f]).signed(), Err(ReadError));
    }
}
