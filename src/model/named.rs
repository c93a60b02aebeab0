//! Enums with a text for each value, by which servers and the store name them.

/// An enum that keeps a text it does not know as `Other`.
macro_rules! open_enum {
    ($name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        impl $name {
            /// Reads the server's text; upper and lower case count alike, an unknown text is kept.
            pub fn from_text(text: &str) -> Self {
                match text {
                    $(text if text.eq_ignore_ascii_case($text) => Self::$variant,)*
                    other => Self::Other { text: other.to_owned() },
                }
            }

            /// The server's text.
            pub fn as_text(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other { text } => text,
                }
            }
        }
    };
}

/// An enum whose texts are only ours.
macro_rules! closed_enum {
    ($name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        impl $name {
            /// The text it is kept under.
            pub fn as_text(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Reads that text.
            pub fn from_text(text: &str) -> Option<Self> {
                [$(Self::$variant),*].into_iter().find(|value| value.as_text() == text)
            }
        }
    };
}
