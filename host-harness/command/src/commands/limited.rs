//! `--limit`: changes the limits of a connector.

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use smp_host::limits::{LimitError, Limits};

/// The limits, with changes applied. Each may be changed only once, because one of two values would
/// be ignored silently.
#[derive(Debug)]
pub(crate) struct LimitArguments(Limits);

/// The changes as they are typed.
#[derive(Debug, Args)]
struct Typed {
    /// Change a limit of the connector; `smp-harness limits` lists them.
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = limit)]
    limits: Vec<Limit>,
}

/// One changed limit: a name and a valid value.
#[derive(Clone, Debug)]
struct Limit {
    name: String,
    value: String,
}

impl LimitArguments {
    /// The limits.
    pub(crate) fn limits(&self) -> Limits {
        self.0.clone()
    }
}

impl FromArgMatches for LimitArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut limits = Limits::default();
        let mut names = Vec::new();
        for Limit { name, value } in Typed::from_arg_matches(matches)?.limits {
            if names.contains(&name) {
                return Err(clap::Error::raw(
                    ErrorKind::ArgumentConflict,
                    format!("the limit `{name}` is given twice\n"),
                ));
            }
            // Both were checked when the arguments were read.
            let _ = limits.set(&name, &value);
            names.push(name);
        }
        Ok(Self(limits))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for LimitArguments {
    fn augment_args(command: Command) -> Command {
        Typed::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Typed::augment_args_for_update(command)
    }
}

fn limit(text: &str) -> Result<Limit, String> {
    let (name, value) =
        text.split_once('=').ok_or("write NAME=VALUE, for example memory=128MiB")?;
    match Limits::default().set(name, value) {
        Ok(()) => Ok(Limit { name: name.to_owned(), value: value.to_owned() }),
        Err(LimitError::Unknown) => {
            Err("there is no limit of that name; `smp-harness limits` lists them".into())
        }
        Err(error) => Err(error.to_string()),
    }
}
