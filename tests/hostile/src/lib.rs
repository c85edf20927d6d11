//! What the hostile components have in common: a connector of a made-up vendor that does no harm,
//! and the way to make it do some.
//!
//! A hostile component is one file in `examples/`: it takes this connector and puts one or two
//! calls of its own in place of the tame ones. What it does is in its header; what the host makes
//! of it is in `tests/tests/hostile/`. None of them ships, and none is a model for a connector:
//! that is `tests/example-connector/`.

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
    people_path,
};

/// A connector. Whatever is not said otherwise is tame.
pub trait Connector {
    /// Tells what the connector is.
    fn describe() -> Descriptor {
        descriptor()
    }

    /// Makes one request, and finds that all is well.
    fn validate(settings: Vec<Setting>) -> Report {
        Report {
            checks: vec![check(get(&people_path(&settings)).map(|_| "There are people.".into()))],
        }
    }

    /// Makes one request, and names the account after the organization.
    ///
    /// # Errors
    /// When there is no answer.
    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        let id = organization(&settings);
        get(&format!("/v1/orgs/{id}"))?;
        Ok(Account { id, name: "Tame".into(), attributes: vec![] })
    }

    /// Makes one request, and answers with two members that are made up.
    ///
    /// # Errors
    /// When there is no answer.
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

/// Makes a component of a [`Connector`].
#[macro_export]
macro_rules! component {
    ($connector:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::export!($connector with_types_in $crate::bindings);
        // Elsewhere nothing is exported, and whatever nobody uses is a warning.
        #[cfg(not(target_family = "wasm"))]
        const _: $connector = $connector;
    };
}

/// Makes a panic say all that it knows, as no connector should: what the host shows of it is the
/// host's business.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| log::write(log::Level::Error, &panic.to_string())));
}
