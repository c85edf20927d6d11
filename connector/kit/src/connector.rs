//! The one trait that a connector implements, and what makes a component of it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::bindings::exports::smp::connector::connector::Guest;
use crate::contract::{Account, Descriptor, Failure, Level, MemberPage, Report, Setting};
use crate::host::{Host, Imports};

/// A connector: four functions of its settings and of what the host answers, and of nothing else.
///
/// Nothing is remembered between two calls: what a page depends on is in the settings and the
/// cursor.
pub trait Connector {
    /// Tells what the connector is. It has no host: it gives the same at every call.
    fn describe() -> Descriptor;

    /// Tells whether a collection with these settings would work, and if not, why. Its yes is
    /// final: say it only after having read what a collection reads.
    fn validate(host: &mut dyn Host, settings: &[Setting]) -> Report;

    /// Names the account that the settings lead to.
    ///
    /// # Errors
    ///
    /// When a setting is malformed, or the account cannot be read.
    fn connect(host: &mut dyn Host, settings: &[Setting]) -> Result<Account, Failure>;

    /// Reads one page: the first without a cursor, each further one with the `next` of the page
    /// before.
    ///
    /// # Errors
    ///
    /// When a setting is malformed, the cursor is no cursor of this connector, or the page cannot
    /// be read.
    fn collect(
        host: &mut dyn Host,
        settings: &[Setting],
        cursor: Option<String>,
    ) -> Result<MemberPage, Failure>;
}

/// A connector as the world of the contract has it: for [`crate::export`] alone.
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

/// Makes a panic say where it happened; what it says could hold what the service answered.
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

/// Makes a component of a [`Connector`]: once in a crate, which is a `cdylib`.
///
/// On other targets than WebAssembly it only makes sure that the type is a connector.
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

/// The allocator of every component that is made with the kit.
#[cfg(all(target_family = "wasm", feature = "talc"))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
