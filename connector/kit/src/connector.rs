//! The trait that a connector implements, and the macro that makes it a component.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::bindings::exports::smp::connector::connector::Guest;
#[cfg(feature = "usage")]
use crate::bindings::exports::smp::connector::usage;
use crate::contract::{Account, Descriptor, Failure, Level, MemberPage, Report, Setting};
#[cfg(feature = "usage")]
use crate::contract::{FailureKind, UsagePage};
use crate::host::{Host, Imports};

/// A connector: functions that depend only on its settings and the host's answers. Four of them,
/// and `collect_usage` with the feature `usage`.
///
/// Nothing is kept between two calls: a page depends only on the settings and the cursor.
pub trait Connector {
    /// Returns the descriptor. It has no host, and is the same at every call.
    fn describe() -> Descriptor;

    /// Reports whether a collection with these settings would work, and if not, why. A yes is
    /// final: report it only after reading everything that a collection reads.
    fn validate(host: &mut dyn Host, settings: &[Setting]) -> Report;

    /// Returns the account that the settings identify.
    ///
    /// # Errors
    ///
    /// If a setting is malformed, or the account cannot be read.
    fn connect(host: &mut dyn Host, settings: &[Setting]) -> Result<Account, Failure>;

    /// Reads one page: the first without a cursor, each further one with the `next` of the page
    /// before.
    ///
    /// # Errors
    ///
    /// If a setting is malformed, the cursor is not one of this connector, or the page cannot be
    /// read.
    fn collect(
        host: &mut dyn Host,
        settings: &[Setting],
        cursor: Option<String>,
    ) -> Result<MemberPage, Failure>;

    /// Reads one page of the products with their seats, as [`collect`](Self::collect) does of
    /// members.
    ///
    /// The default is for a connector whose service tells no seats, where another one in the same
    /// build has the feature: its own component is built without it, and does not export usage.
    ///
    /// # Errors
    ///
    /// As those of [`collect`](Self::collect); by default always.
    #[cfg(feature = "usage")]
    fn collect_usage(
        host: &mut dyn Host,
        settings: &[Setting],
        cursor: Option<String>,
    ) -> Result<UsagePage, Failure> {
        let _ = (host, settings, cursor);
        Err(Failure::new(
            FailureKind::Other,
            "This connector does not tell how many seats there are.",
            "Send this message to the support of your SaaS management platform: it must not ask \
             this connector for seats.",
        ))
    }
}

/// A connector as the contract's world requires it, only for [`crate::export`].
#[derive(Debug)]
pub struct Component<C>(PhantomData<C>);

impl<C: Connector> Guest for Component<C> {
    fn describe() -> Descriptor {
        report_panics();
        C::describe()
    }

    fn validate(settings: Vec<Setting>) -> Report {
        report_panics();
        C::validate(&mut Imports, &settings)
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        report_panics();
        C::connect(&mut Imports, &settings)
    }

    fn collect_members(
        settings: Vec<Setting>,
        cursor: Option<String>,
    ) -> Result<MemberPage, Failure> {
        report_panics();
        C::collect(&mut Imports, &settings, cursor)
    }
}

#[cfg(feature = "usage")]
impl<C: Connector> usage::Guest for Component<C> {
    fn collect_usage(settings: Vec<Setting>, cursor: Option<String>) -> Result<UsagePage, Failure> {
        report_panics();
        C::collect_usage(&mut Imports, &settings, cursor)
    }
}

/// Makes a panic log its place, but not its message, which could hold text of an answer.
fn report_panics() {
    static IS_DONE: AtomicBool = AtomicBool::new(false);
    if !IS_DONE.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(|panic| {
            if let Some(place) = panic.location() {
                let message = format!("panic at {}:{}", place.file(), place.line());
                Imports.log(Level::Error, &message);
            }
        }));
    }
}

/// Makes a component from a [`Connector`]: once in a crate, which is a `cdylib`.
///
/// On other targets than WebAssembly it only checks that the type is a connector.
#[macro_export]
macro_rules! export {
    ($connector:ty) => {
        #[cfg(target_family = "wasm")]
        #[allow(
            unsafe_code,
            reason = "an exported symbol cannot be had without; the macro is the bindings' own"
        )]
        const _: () = {
            type Component = $crate::connector::Component<$connector>;
    $crate::bindings::export!(Component with_types_in $crate::bindings);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Descriptor = <$connector as $crate::Connector>::describe;
    };
}

/// The allocator of every component that uses the kit.
#[cfg(all(target_family = "wasm", feature = "talc"))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(all(test, feature = "usage"))]
mod tests {
    use super::*;
    use crate::testing::Script;

    struct WithoutSeats;

    impl Connector for WithoutSeats {
        fn describe() -> Descriptor {
            unreachable!()
        }

        fn validate(_: &mut dyn Host, _: &[Setting]) -> Report {
            unreachable!()
        }

        fn connect(_: &mut dyn Host, _: &[Setting]) -> Result<Account, Failure> {
            unreachable!()
        }

        fn collect(
            _: &mut dyn Host,
            _: &[Setting],
            _: Option<String>,
        ) -> Result<MemberPage, Failure> {
            unreachable!()
        }
    }

    #[test]
    fn a_connector_without_usage_says_so_and_sends_nothing() {
        let failure = WithoutSeats::collect_usage(&mut Script::new(), &[], None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Other);
        assert!(failure.message.contains("does not tell how many seats"), "{failure:?}");
        assert!(!failure.hint.is_empty());
    }
}
