//! The common part of the hostile components: a harmless connector of a made-up vendor, and the
//! means to replace its calls.
//!
//! A hostile component is one file in `examples/`: it takes this connector and replaces one or two
//! of its calls. Its header says what it does; `tests/tests/hostile/` shows how the host handles
//! it. None of them ships, and none is a model for a connector: that is `tests/example-connector/`.

#[allow(
    missing_docs,
    reason = "the macro documents what the contract documents, and not the glue around it"
)]
pub mod bindings {
    //! The contract, generated.

    wit_bindgen::generate!({ path: "../../wit", world: "connector-plugin", pub_export_macro: true, default_bindings_module: "hostile::bindings" });
}

mod tame;

pub use bindings::exports::smp::connector::connector::*;
pub use bindings::smp::connector::{http, log};
pub use tame::{
    answer_of, attack, check, descriptor, endpoint, failure, get, member, organization, page,
    people_path, report,
};

/// A connector. Calls that are not replaced are harmless.
pub trait Connector {
    /// The descriptor.
    fn describe() -> Descriptor {
        descriptor()
    }

    /// Sends one request, and reports success.
    fn validate(settings: Vec<Setting>) -> Report {
        report(vec![check(get(&people_path(&settings)).map(|_| "There are people.".into()))])
    }

    /// Sends one request, and names the account after the organization.
    ///
    /// # Errors
    /// If there is no answer.
    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        let id = organization(&settings);
        get(&format!("/v1/orgs/{id}"))?;
        Ok(Account { id, name: "Tame".into(), attributes: vec![] })
    }

    /// Sends one request, and answers with two made-up members.
    ///
    /// # Errors
    /// If there is no answer.
    fn collect(settings: Vec<Setting>, _cursor: Option<String>) -> Result<MemberPage, Failure> {
        get(&people_path(&settings))?;
        Ok(page(vec![member("ada"), member("grace")], None))
    }
}

impl<C: Connector> Guest for C {
    fn describe() -> Descriptor {
        report_panics();
        C::describe()
    }

    fn validate(settings: Vec<Setting>) -> Report {
        report_panics();
        C::validate(settings)
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        report_panics();
        C::connect(settings)
    }

    fn collect_members(
        settings: Vec<Setting>,
        cursor: Option<Cursor>,
    ) -> Result<MemberPage, Failure> {
        report_panics();
        C::collect(settings, cursor)
    }
}

/// Makes a component from a [`Connector`].
#[macro_export]
macro_rules! component {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::export!($connector with_types_in $crate::bindings);
        // On other targets nothing is exported, and unused items are warnings.
        #[cfg(not(target_family = "wasm"))]
        const _: $connector = $connector;
    };
}

/// Makes a panic print everything that it knows, as no connector should. The host decides what of
/// it is shown.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| log::write(log::Level::Error, &panic.to_string())));
}
