//! Choices of one step. All come from the step's own salt, so that a step means the same when
//! others are left out of a history that fails.

pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    pub(crate) fn of(salt: u64) -> Self {
        Self(fastrand::Rng::with_seed(salt))
    }

    /// A number below another, which is not 0.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0.usize(..most)
    }

    pub(crate) fn whole(&mut self, most: i64) -> i64 {
        self.0.i64(0..most)
    }

    /// True once in `times` calls on average.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}
