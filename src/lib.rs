//! The browser edge of Ebbtide.
