//! Does no harm. Other tenants are served with it after each attack.

use hostile::Connector;

struct Tame;

impl Connector for Tame {}

hostile::component!(Tame);
