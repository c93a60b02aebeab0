//! How a wallet or a box office is set up.

/// How a wallet or a box office is set up.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Config {
    /// Folder of the wallet's files; made where it is missing. Keep it out of backups.
    pub folder: String,
    /// Tickets are bound to the device this many days before their event starts.
    #[uniffi(default = 30)]
    pub bind_ahead_days: u32,
    /// The app's version, `X.Y.Z`, sent as `x-app-version`; this library's own without it.
    #[uniffi(default = None)]
    pub app_version: Option<String>,
    /// Whether changes are sent as soon as possible by a thread of the wallet's own; without it every sync sends them.
    #[uniffi(default = true)]
    pub send_by_itself: bool,
}

impl Config {
    /// The defaults for a folder.
    pub fn in_folder(folder: impl Into<String>) -> Self {
        Self { folder: folder.into(), bind_ahead_days: 30, app_version: None, send_by_itself: true }
    }
}
