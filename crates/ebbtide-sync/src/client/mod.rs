//! The client: one engine per realm, one connection per app user.
