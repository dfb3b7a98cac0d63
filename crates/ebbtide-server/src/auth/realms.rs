//! Which names realms and apps may have, and who may open which realm.

use ebbtide_sync::wire::REALM_NAME_BYTES_MAX;

use crate::limits::APP_ID_BYTES_MAX;

/// Who may open which realm of an app.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum RealmRule {
    /// Every user of the app may read and write every realm of it.
    #[default]
    Everyone,
    /// A user may read and write the realm whose partition value is the user's id, and no other.
    Own,
}

impl RealmRule {
    /// Whether the user may read and write the realm.
    pub fn allows(self, user: &str, realm: &str) -> bool {
        match self {
            RealmRule::Everyone => true,
            RealmRule::Own => realm.strip_prefix("s_") == Some(user),
        }
    }
}

/// Whether this is a realm's name: a partition value with its type in front, as `s_list` for the string "list".
pub fn check_realm_name(name: &str) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("the realm's name {why}"));
    if name.len() > REALM_NAME_BYTES_MAX {
        return refuse(&format!("is longer than {REALM_NAME_BYTES_MAX} bytes"));
    }
    if name.chars().any(char::is_control) {
        return refuse("holds a control character");
    }
    let Some((kind, value)) = name.split_once('_') else {
        return refuse("does not begin with s_, i_, o_, u_ or n_");
    };
    let hex = |len: usize| value.len() == len && value.bytes().all(|b| b.is_ascii_hexdigit());
    let good = match kind {
        "s" => true,
        "i" => value.parse::<i64>().is_ok_and(|number| number.to_string() == value),
        "o" => hex(24),
        "u" => value.len() == 36 && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'),
        "n" => value.is_empty(),
        _ => return refuse("does not begin with s_, i_, o_, u_ or n_"),
    };
    if good { Ok(()) } else { refuse("does not hold a value of the type it begins with") }
}

/// Whether this is an app's id.
pub fn check_app_id(app: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !app.is_empty() && app.len() <= APP_ID_BYTES_MAX && app.bytes().all(plain) {
        return Ok(());
    }
    Err(format!("an app's id has 1 to {APP_ID_BYTES_MAX} letters, digits, '-' and '_'"))
}
