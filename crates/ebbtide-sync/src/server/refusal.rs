//! Why a server does not do what a client asks, as it is told to the client.

use crate::wire::{Action, Code, ErrorMessage, REASON_BYTES_MAX, SessionId};

/// An error that ends a session, and what the client is to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// What happened.
    pub code: Code,
    /// What the client must do.
    pub action: Action,
    /// In words. Names of classes and properties may be in here, values and keys of objects never.
    pub reason: String,
    /// How long to wait at least before trying again.
    pub backoff_ms: u32,
}

impl Refusal {
    /// A refusal that takes a client reset to get over.
    pub fn reset(code: Code, reason: impl Into<String>) -> Refusal {
        Refusal { code, action: Action::ClientReset, reason: reason.into(), backoff_ms: 0 }
    }

    /// A refusal that ends the session until the app does something.
    pub fn fatal(code: Code, reason: impl Into<String>) -> Refusal {
        Refusal { code, action: Action::SessionFatal, reason: reason.into(), backoff_ms: 0 }
    }

    /// A refusal for now.
    pub fn later(code: Code, reason: impl Into<String>, backoff_ms: u32) -> Refusal {
        Refusal { code, action: Action::Transient, reason: reason.into(), backoff_ms }
    }

    /// Whether the client must be reset: what it had is no part of this history any more.
    pub fn is_reset(&self) -> bool {
        match self.action {
            Action::ClientReset | Action::ClientResetNoRecovery => true,
            Action::Warning | Action::Transient | Action::RefreshToken | Action::SessionFatal => false,
        }
    }

    /// The message to the client.
    pub fn message(self, session: Option<SessionId>) -> ErrorMessage {
        let mut reason = self.reason;
        if reason.len() > REASON_BYTES_MAX {
            let end = (0..=REASON_BYTES_MAX).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or(0);
            reason.truncate(end);
        }
        ErrorMessage { session, code: self.code, action: self.action, reason, backoff_ms: self.backoff_ms }
    }
}
