//! What fields of the output mean, from the comments beside them. A leaf: it knows of nothing else.

/// A field of the output.
#[derive(Debug, Clone, Copy)]
pub struct FieldDoc {
    /// Its name.
    pub name: &'static str,
    /// Its type in Rust.
    pub ty: &'static str,
    /// What serde is told of it; empty if nothing.
    pub serde: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// A struct of the output: what is written of it is what `docs/` says of it.
pub trait Documented {
    /// Its fields, in order.
    const FIELDS: &'static [FieldDoc];
}

/// Declares a struct, whose fields need doc comments, as [`Documented`].
macro_rules! documented {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(<$life:lifetime>)? {
            $($(#[doc = $doc:literal])+ $(#[serde($($serde:tt)+)])? $field_vis:vis $field:ident: $ty:ty,)+
        }
    ) => {
        $(#[$meta])*
        $vis struct $name $(<$life>)? {
            $($(#[doc = $doc])+ $(#[serde($($serde)+)])? $field_vis $field: $ty,)+
        }

        impl $(<$life>)? $crate::documented::Documented for $name $(<$life>)? {
            const FIELDS: &'static [$crate::documented::FieldDoc] = &[$(
                $crate::documented::FieldDoc {
                    name: stringify!($field),
                    ty: stringify!($ty),
                    serde: stringify!($($($serde)+)?),
                    doc: concat!($($doc),+),
                },
            )+];
        }
    };
}
pub(crate) use documented;
