//! Who may read what a canister does not show to everybody: one rule for the log, the snapshots and
//! the status. Controllers may always; they are the caller's business.

use ic_management_canister_types::{LogVisibility, SnapshotVisibility, StatusVisibility};
use ic_principal::Principal;

/// One of the three settings; the types crate has an enum for each, all of one shape.
pub(super) trait Visibility {
    /// Whether the setting opens the matter to this reader.
    fn is_open_to(&self, reader: &Principal) -> bool;
    /// The readers the setting names.
    fn viewers(&self) -> &[Principal];
}

macro_rules! visibility {
    ($($setting:ident)*) => {$(
        impl Visibility for $setting {
            fn is_open_to(&self, reader: &Principal) -> bool {
                matches!(self, $setting::Public) || self.viewers().contains(reader)
            }
            fn viewers(&self) -> &[Principal] {
                match self {
                    $setting::Controllers | $setting::Public => &[],
                    $setting::AllowedViewers(viewers) => viewers,
                }
            }
        }
    )*};
}

visibility!(LogVisibility SnapshotVisibility StatusVisibility);
