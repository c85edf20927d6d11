//! Renders everything for a terminal. Every text of a component or a service is escaped here.

pub(crate) mod terminal;
pub(crate) mod words;

pub(crate) mod inspect;
pub(crate) mod limits;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod upgrade;
pub(crate) mod verdict;

pub(crate) mod seats;
pub(crate) mod summary;
pub(crate) mod table;
