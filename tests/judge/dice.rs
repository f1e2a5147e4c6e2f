//! Choices of one step. All come from the step's own salt, so that a step means the same when
//! others are left out of a history that fails.

pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(salt: u64) -> Self {
        Self(salt)
    }

    /// A number below another, which is not 0 (SplitMix64).
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }

    pub(crate) fn whole(&mut self, most: usize) -> i64 {
        i64::try_from(self.below(most)).unwrap()
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}
