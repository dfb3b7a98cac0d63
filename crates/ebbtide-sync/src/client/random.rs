//! Numbers drawn from a seed. The edge brings the randomness; here it is only stretched, so that the same seed tells the
//! same story again.

use xxhash_rust::xxh3::xxh3_128;

/// An endless row of numbers from one seed.
#[derive(Clone)]
pub(crate) struct Draws {
    seed: [u8; 32],
    drawn: u64,
}

impl Draws {
    pub(crate) fn new(seed: [u8; 32]) -> Draws {
        Draws { seed, drawn: 0 }
    }

    /// The next 16 bytes.
    pub(crate) fn bytes(&mut self) -> [u8; 16] {
        let mut input = [0; 40];
        input[..32].copy_from_slice(&self.seed);
        input[32..].copy_from_slice(&self.drawn.to_le_bytes());
        self.drawn += 1;
        xxh3_128(&input).to_le_bytes()
    }

    /// A number below `bound`, or 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let bytes = self.bytes();
        let mut low = [0; 8];
        low.copy_from_slice(&bytes[..8]);
        u64::from_le_bytes(low) % bound.max(1)
    }
}

impl std::fmt::Debug for Draws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draws({} drawn)", self.drawn)
    }
}
