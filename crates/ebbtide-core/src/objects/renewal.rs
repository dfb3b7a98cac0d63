//! Whether what stands in a collection was put in anew when it was written last: what listeners are told as gone and come.

use super::snapshot::Stamp;

/// Whether the last write put an element in, rather than over one that was there. Nothing else depends on it: it is not
/// stored, and two elements are equal without it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Renewal {
    is_new: bool,
}

impl Renewal {
    /// Of an element that was not there before.
    pub(crate) const NEW: Renewal = Renewal { is_new: true };

    /// A write over an element of `before`: one by the same edit leaves it as new as it was.
    pub(crate) fn repeat(&mut self, before: Stamp, after: Stamp) {
        self.is_new = self.is_new && before == after;
    }

    /// Whether the element was not there before it was written last.
    pub fn is_new(self) -> bool {
        self.is_new
    }
}

impl PartialEq for Renewal {
    fn eq(&self, _: &Renewal) -> bool {
        true
    }
}
