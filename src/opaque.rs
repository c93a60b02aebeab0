//! `Debug` for types that hold what no log may show: personal data, tokens, keys, barcodes.

/// Implements `Debug` as the type's name and nothing of its content.
macro_rules! opaque_debug {
    ($($name:ty),* $(,)?) => {
        $(
            impl ::std::fmt::Debug for $name {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(concat!(stringify!($name), "(..)"))
                }
            }
        )*
    };
}
