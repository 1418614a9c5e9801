//! A stable hash over bits of numbers, for state hashes and file hashes.

/// Feeds numbers in a fixed byte order; the result is the first eight bytes of BLAKE3.
#[derive(Clone, Debug, Default)]
pub struct StateHasher(blake3::Hasher);

impl StateHasher {
    /// An empty hasher.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bits of a float (so -0.0 and 0.0 differ).
    pub fn f64(&mut self, value: f64) {
        self.0.update(&value.to_bits().to_le_bytes());
    }

    /// The bits of many floats.
    pub fn f64s<'a>(&mut self, values: impl IntoIterator<Item = &'a f64>) {
        for value in values {
            self.f64(*value);
        }
    }

    /// An integer.
    pub fn u64(&mut self, value: u64) {
        self.0.update(&value.to_le_bytes());
    }

    /// Any serializable value, by its postcard bytes.
    pub fn value<T: serde::Serialize>(&mut self, value: &T) {
        // Writing to a vector cannot fail for the plain data hashed here; an error is hashed as such.
        match postcard::to_stdvec(value) {
            Ok(bytes) => self.0.update(&bytes),
            Err(_) => self.0.update(b"unserializable"),
        };
    }

    /// The hash of what was fed so far.
    pub fn finish(&self) -> u64 {
        let bytes = self.0.finalize();
        u64::from_le_bytes(std::array::from_fn(|i| bytes.as_bytes()[i]))
    }
}

/// Hash of a byte string, as 16 hex digits.
pub fn hex_of_bytes(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}
