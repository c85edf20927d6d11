//! Does no harm. It serves other tenants after each attack.

use hostile::Connector;

struct Tame;

impl Connector for Tame {}

hostile::component!(Tame);
